import type { Rule } from '../family';

const source =
  'Kubernetes 1.36, Network Policies; CIS Kubernetes Benchmark 5.3.2; NSA/CISA Kubernetes Hardening Guide 1.2, Network separation';

/** The rules of this family. */
export const networkPolicyRules: readonly Rule[] = [
  {
    id: 'network-policy/open-ingress',
    title: 'Pods accept connections from everywhere in the cluster',
    severity: 'medium',
    why: 'no hole by itself, but any pod that is taken over reaches them',
    source,
  },
  {
    id: 'network-policy/open-egress',
    title: 'Pods may connect to anywhere',
    severity: 'low',
    why: 'it matters after a pod has been taken over: it can carry data out',
    source,
  },
  {
    id: 'network-policy/no-default-deny',
    title: 'New pods of the namespace will not be covered by a network policy',
    severity: 'low',
    why: 'every pod of today is covered; the next one may not be',
    source,
  },
  {
    id: 'network-policy/allows-everything',
    title: 'A network policy selects pods and then allows everything',
    severity: 'low',
    why: 'the pods look guarded and are not',
    source,
  },
];
