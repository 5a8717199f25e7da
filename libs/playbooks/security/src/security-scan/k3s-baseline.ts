import type { Finding } from '@larry/contracts';
import { fitsGlob } from './glob';

/** The version of the table below; it stands in every finding that the table marks. */
export const baselineVersion = 'k3s-baseline 2026.11';

/** A finding that is known and expected of a part of k3s or Kubernetes itself. `*` and `?` are wildcards. */
export interface BaselineEntry {
  kind: string;
  namespace?: string;
  name: string;
  rules: readonly string[];
  /** Who holds the right, for rules about bindings. */
  holder?: string;
  reason: string;
}

const kubeSystem = 'kube-system';
const serviceBalancer =
  'the balancer of k3s (klipper-lb) forwards ports of the node by iptables: host ports, NET_ADMIN and IP forwarding are what it is for';
const unhardened = 'k3s ships it so; its manifest is written anew at each start of the server';

/**
 * What k3s v1.33 to v1.36 brings along (its manifests folder: coredns, local-storage, metrics-server, traefik, the service
 * balancer, Helm install jobs) and what the API server restores at each start (Kubernetes, *Using RBAC Authorization*, default
 * roles). Only named objects: a workload that somebody else put into kube-system is judged like any other.
 */
export const k3sBaseline: readonly BaselineEntry[] = [
  {
    kind: 'Deployment',
    namespace: kubeSystem,
    name: 'coredns',
    rules: ['pss-restricted/*', 'hardening/resource-requests', 'image/no-digest'],
    reason: unhardened,
  },
  {
    kind: 'Deployment',
    namespace: kubeSystem,
    name: 'local-path-provisioner',
    rules: ['pss-restricted/*', 'hardening/*', 'image/no-digest'],
    reason: unhardened,
  },
  {
    kind: 'Deployment',
    namespace: kubeSystem,
    name: 'metrics-server',
    rules: ['pss-restricted/*', 'hardening/memory-limit', 'image/no-digest'],
    reason: unhardened,
  },
  {
    kind: 'Deployment',
    namespace: kubeSystem,
    name: 'traefik',
    rules: ['pss-restricted/*', 'hardening/memory-limit', 'hardening/resource-requests', 'image/no-digest'],
    reason: unhardened,
  },
  {
    kind: 'Service',
    namespace: kubeSystem,
    name: 'traefik',
    rules: ['exposure/load-balancer'],
    reason: 'it is the ingress of the cluster',
  },
  {
    kind: 'DaemonSet',
    namespace: kubeSystem,
    name: 'svclb-*',
    rules: [
      'pss-baseline/host-ports',
      'pss-baseline/capabilities',
      'pss-baseline/sysctls',
      'pss-restricted/*',
      'hardening/*',
      'image/no-digest',
    ],
    reason: serviceBalancer,
  },
  {
    kind: 'Job',
    namespace: kubeSystem,
    name: 'helm-install-*',
    rules: [
      'pss-restricted/*',
      'hardening/*',
      'image/no-digest',
      'pss-baseline/host-namespaces',
      'pss-baseline/host-ports',
    ],
    reason: 'the Helm controller of k3s installs charts with it, the first ones before there is a network',
  },
  {
    kind: 'Pod',
    namespace: kubeSystem,
    name: 'helper-pod-*',
    rules: ['pss-baseline/host-path', 'pss-baseline/privileged', 'pss-restricted/*', 'hardening/*', 'image/*'],
    reason: 'the local-path provisioner makes and removes folders of volumes with it',
  },
  {
    kind: 'Namespace',
    name: kubeSystem,
    rules: ['pss-admission/not-enforced', 'network-policy/*'],
    reason: 'parts of the node and the network run here; k3s sets neither labels nor policies on it',
  },
  { kind: 'Namespace', name: 'kube-public', rules: ['pss-admission/not-enforced'], reason: 'it holds no pods' },
  { kind: 'Namespace', name: 'kube-node-lease', rules: ['pss-admission/not-enforced'], reason: 'it holds no pods' },
  {
    kind: 'ClusterRoleBinding',
    name: 'helm-kube-system-traefik*',
    rules: ['rbac/*'],
    holder: 'ServiceAccount kube-system/helm-traefik*',
    reason: 'the Helm controller of k3s installs Traefik with it',
  },
  {
    kind: 'ClusterRoleBinding',
    name: 'traefik-kube-system',
    rules: ['rbac/read-secrets'],
    holder: 'ServiceAccount kube-system/traefik',
    reason: 'an ingress controller reads the certificates that ingresses name',
  },
  {
    kind: 'ClusterRoleBinding',
    name: 'local-path-provisioner-bind',
    rules: ['rbac/create-pods', 'rbac/persistent-volumes', 'rbac/wildcard'],
    holder: 'ServiceAccount kube-system/local-path-provisioner-service-account',
    reason: 'it makes volumes, with a helper pod for each',
  },
  {
    kind: 'RoleBinding',
    namespace: kubeSystem,
    name: 'local-path-provisioner-bind',
    rules: ['rbac/create-pods'],
    holder: 'ServiceAccount kube-system/local-path-provisioner-service-account',
    reason: 'it makes volumes, with a helper pod for each',
  },
  {
    kind: 'ClusterRoleBinding',
    name: 'kube-apiserver-kubelet-admin',
    rules: ['rbac/nodes-proxy'],
    holder: 'User system:kube-apiserver',
    reason: 'the API server calls the kubelets with it',
  },
  {
    kind: 'ClusterRoleBinding',
    name: 'cluster-admin',
    rules: ['rbac/cluster-admin-person'],
    holder: 'Group system:masters',
    reason: 'the default administrators; the API server restores it at each start',
  },
  ...['system:basic-user', 'system:discovery', 'system:public-info-viewer'].map((name) => ({
    kind: 'ClusterRoleBinding',
    name,
    rules: ['rbac/everybody', 'rbac/anonymous'],
    holder: 'Group system:*authenticated',
    reason: 'a default of Kubernetes: it tells versions, health and what the API serves, no objects',
  })),
  {
    kind: 'ClusterRoleBinding',
    name: 'system:service-account-issuer-discovery',
    rules: ['rbac/everybody'],
    holder: 'Group system:serviceaccounts',
    reason: 'a default of Kubernetes: it tells the public keys of the token issuer',
  },
  {
    kind: 'ClusterRoleBinding',
    name: 'system:controller:*',
    rules: ['rbac/*'],
    holder: 'ServiceAccount kube-system/*',
    reason: 'a default of Kubernetes: what its controller needs',
  },
  ...['system:kube-controller-manager', 'system:kube-scheduler', 'system:node', 'system:volume-scheduler'].map(
    (name) => ({
      kind: 'ClusterRoleBinding',
      name,
      rules: ['rbac/*'],
      holder: 'User system:kube-*',
      reason: 'a default of Kubernetes: what its control plane needs',
    }),
  ),
];

/** The entry of the baseline that expects a finding, if there is one. */
export function expectedBy(finding: Finding): BaselineEntry | undefined {
  const { kind, namespace, name } = finding.object;
  return k3sBaseline.find(
    (entry) =>
      entry.kind === kind &&
      entry.namespace === namespace &&
      fitsGlob(entry.name, name) &&
      entry.rules.some((rule) => fitsGlob(rule, finding.rule)) &&
      (entry.holder === undefined ||
        finding.evidence.some((e) => e.at.startsWith('.subjects[') && fitsGlob(entry.holder ?? '', e.value))),
  );
}
