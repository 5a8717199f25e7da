import type { KubeObject } from '@larry/contracts';

/** A NetworkPolicy of namespace `database`. */
export function policy(name: string, spec: Record<string, unknown>, namespace = 'database'): KubeObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}
