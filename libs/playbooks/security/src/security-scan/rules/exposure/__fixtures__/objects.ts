import type { KubeObject } from '@larry/contracts';

/** A Service of namespace `database`. */
export function service(spec: Record<string, unknown>, annotations: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: 'database', annotations }, spec };
}

/** An Ingress of namespace `database`. */
export function ingress(spec: Record<string, unknown>): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'database' },
    spec,
  };
}
