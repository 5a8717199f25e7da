import type { KubeObject } from '@larry/contracts';
import { nodes } from './nodes';

/** The objects with what they need to run: their namespaces, and where there is no node the built-in cluster's. */
export function withScaffolding(objects: readonly KubeObject[]): KubeObject[] {
  const existing = new Set(objects.filter((object) => object.kind === 'Namespace').map((object) => object.metadata.name));
  const used = new Set(objects.flatMap((object) => object.metadata.namespace ?? []));
  const missing = [...used].filter((name) => !existing.has(name));
  const namespaces = missing.map((name): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  const local: KubeObject = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, provisioner: 'rancher.io/local-path', reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer' };
  return [
    ...namespaces,
    ...(objects.some((object) => object.kind === 'Node') ? [] : nodes()),
    ...(objects.some((object) => object.kind === 'StorageClass') ? [] : [local]),
    ...objects,
  ];
}
