import type { Severity } from '@larry/contracts';
import type { Rule } from '../family';

const practices = 'Kubernetes 1.36, Role Based Access Control Good Practices';
const row = (id: string, title: string, severity: Severity, why: string, section: string): Rule => ({
  id,
  title,
  severity,
  why,
  source: section,
});

/** The rules of this family. Severities are for the whole cluster; in one namespace each is one step lower. */
export const rbacRules: readonly Rule[] = [
  row(
    'rbac/anonymous',
    'Anybody without a login is given rights',
    'critical',
    'who reaches the API server needs nothing else',
    `${practices}; CIS Kubernetes Benchmark 4.2.1`,
  ),
  row(
    'rbac/everybody',
    'Every login, or every service account, is given rights',
    'high',
    'each pod that carries a token has them',
    `${practices}, Least privilege`,
  ),
  row(
    'rbac/cluster-admin',
    'A service account may do everything in the cluster',
    'high',
    'one pod that is taken over is the whole cluster',
    'CIS Kubernetes Benchmark 5.1.1',
  ),
  row(
    'rbac/cluster-admin-person',
    'A person or group may do everything in the cluster',
    'low',
    'somebody has to; it is listed so that each one is meant',
    'CIS Kubernetes Benchmark 5.1.1',
  ),
  row(
    'rbac/wildcard',
    'A role allows every verb or every resource',
    'high',
    'it grants what exists today and whatever is added later; high where it takes in the core group and so Secrets, medium where it writes, else low',
    'CIS Kubernetes Benchmark 5.1.3',
  ),
  row(
    'rbac/read-secrets',
    'Secrets of the whole cluster can be read',
    'high',
    'Secrets hold the tokens and passwords of everything else',
    `${practices}, Listing secrets; CIS Kubernetes Benchmark 5.1.2`,
  ),
  row(
    'rbac/escalate',
    'Rights can be raised or borrowed (escalate, bind, impersonate)',
    'high',
    'whoever holds it can give itself every other right',
    `${practices}, Escalate verb, Bind verb, Impersonate verb; CIS Kubernetes Benchmark 5.1.8`,
  ),
  row(
    'rbac/pod-exec',
    'Commands can be run in pods',
    'high',
    'it opens what each pod holds: its tokens, secrets and data',
    `${practices}, Privilege escalation risks`,
  ),
  row(
    'rbac/create-pods',
    'Pods can be created',
    'medium',
    'a new pod may mount any Secret and run as any service account of its namespace',
    `${practices}, Workload creation; CIS Kubernetes Benchmark 5.1.4`,
  ),
  row(
    'rbac/nodes-proxy',
    'The kubelet of every node can be called',
    'high',
    'it runs commands in any pod and leaves no audit trail',
    `${practices}, Access to proxy subresource of Nodes; CIS Kubernetes Benchmark 5.1.10`,
  ),
  row(
    'rbac/token-request',
    'Tokens of service accounts can be made',
    'high',
    'whoever holds it can act as those accounts',
    `${practices}, Token request; CIS Kubernetes Benchmark 5.1.13`,
  ),
  row(
    'rbac/approve-certificates',
    'Client certificates can be approved',
    'high',
    'a certificate can name any user or group, and cannot be taken back',
    `${practices}, CSRs and certificate issuing; CIS Kubernetes Benchmark 5.1.11`,
  ),
  row(
    'rbac/admission-webhooks',
    'Admission webhooks can be changed',
    'high',
    'a webhook reads and changes every object that is written',
    `${practices}, Control admission webhooks; CIS Kubernetes Benchmark 5.1.12`,
  ),
  row(
    'rbac/persistent-volumes',
    'Persistent volumes can be created',
    'medium',
    'a hostPath volume reaches the files of a node',
    `${practices}, Persistent volume creation; CIS Kubernetes Benchmark 5.1.9`,
  ),
  row(
    'rbac/default-account',
    'A default service account is given rights',
    'medium',
    'every pod that names no other account has them',
    'CIS Kubernetes Benchmark 5.1.5',
  ),
];
