import type { Rule } from '../family';

/** The rules of this family. */
export const hardeningRules: readonly Rule[] = [
  {
    id: 'hardening/memory-limit',
    title: 'A container has no memory limit',
    severity: 'low',
    why: 'one leak can starve the other pods of the node; nothing is open to an attacker',
    source:
      'Kubernetes 1.36, Resource Management for Pods and Containers; NSA/CISA Kubernetes Hardening Guide 1.2, Resource policies',
  },
  {
    id: 'hardening/resource-requests',
    title: 'A container does not say what CPU and memory it needs',
    severity: 'info',
    why: 'it is about scheduling and eviction order, not about access',
    source: 'Kubernetes 1.36, Resource Management for Pods and Containers',
  },
  {
    id: 'hardening/read-only-root',
    title: "A container's root file system can be written",
    severity: 'low',
    why: 'it helps who is in already to stay',
    source: 'NSA/CISA Kubernetes Hardening Guide 1.2, Immutable container file systems; CIS Kubernetes Benchmark 5.7.3',
  },
  {
    id: 'hardening/default-token',
    title: 'A pod carries a token of the default service account that it did not ask for',
    severity: 'low',
    why: 'by itself the default service account may do nothing; every right that it is ever given reaches this pod',
    source:
      'CIS Kubernetes Benchmark 5.1.5 and 5.1.6; Kubernetes 1.36, Configure Service Accounts for Pods, Opt out of API credential automounting',
  },
];
