import { textOf, valueIn, type KubeObject, type Owner } from '@larry/contracts';
import { controllerOf } from './inventory';

/** Who owns a workload. Stands in for the reading of owners in `@larry/kube` until that is there. */
export function ownerOf(object: KubeObject, origin: { file: string; line?: number } | undefined): Owner {
  if (origin) return { kind: 'manifest', ...origin };
  const release = textOf(valueIn(object, 'metadata', 'annotations', 'meta.helm.sh/release-name'));
  const namespace = textOf(valueIn(object, 'metadata', 'annotations', 'meta.helm.sh/release-namespace')) ?? '';
  const chart = textOf(valueIn(object, 'metadata', 'labels', 'helm.sh/chart'));
  if (release !== undefined) return { kind: 'helm', release, namespace, ...(chart ? { chart } : {}) };
  const ref = controllerOf(object);
  return ref ? { kind: 'controller', ref } : { kind: 'none' };
}
