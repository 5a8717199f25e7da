import type { Rule } from '../family';

/** The rules of this family. */
export const exposureRules: readonly Rule[] = [
  {
    id: 'exposure/data-port',
    title: 'A database or admin port can be reached from outside the cluster',
    severity: 'high',
    why: 'such servers are scanned for all day, and a weak password is all it takes',
    source: 'NSA/CISA Kubernetes Hardening Guide 1.2, Network separation and hardening',
  },
  {
    id: 'exposure/load-balancer',
    title: 'A service is open to every address through a load balancer',
    severity: 'low',
    why: 'it is what a load balancer is for; it is listed so that each one is meant',
    source: 'Kubernetes 1.36, Service: type LoadBalancer, loadBalancerSourceRanges',
  },
  {
    id: 'exposure/node-port',
    title: 'A service opens a port on every node',
    severity: 'low',
    why: 'it goes around the ingress; it is listed so that each one is meant',
    source: 'Kubernetes 1.36, Service: type NodePort',
  },
  {
    id: 'exposure/external-ip',
    title: 'A service claims addresses outside the cluster',
    severity: 'medium',
    why: 'who may create such a service can take over traffic to any address (CVE-2020-8554)',
    source: 'CVE-2020-8554; KEP-5707, Deprecate service.spec.externalIPs',
  },
  {
    id: 'exposure/ingress-without-tls',
    title: 'An ingress serves a host without TLS',
    severity: 'medium',
    why: 'passwords and cookies travel readable; the controller may still redirect, which the object does not tell',
    source: 'Kubernetes 1.36, Ingress: TLS',
  },
];
