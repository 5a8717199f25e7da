import type { Rule } from '../family';

const source =
  'Kubernetes 1.36, Good practices for Kubernetes Secrets; CIS Kubernetes Benchmark 5.4.1; CWE-312, CWE-526';

/** The rules of this family. */
export const secretRules: readonly Rule[] = [
  {
    id: 'plain-secrets/token',
    title: 'A token or private key stands readable in the cluster',
    severity: 'high',
    why: 'by its shape it opens something, and everybody who may read this object, its Git repository or its backups has it',
    source,
  },
  {
    id: 'plain-secrets/by-name',
    title: 'A value that is named like a secret stands readable in the cluster',
    severity: 'medium',
    why: 'the name says secret; whether the value is a real one the object does not tell',
    source,
  },
];
