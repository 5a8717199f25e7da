import type { KubeObject, Owner } from '@larry/contracts';
import { controllerOf } from './inventory';

/** Who owns a workload. Stands in for the reading of owners in `@larry/kube` until that is there. */
export function ownerOf(object: KubeObject, origin: { file: string; line?: number } | undefined): Owner {
  if (origin) return { kind: 'manifest', ...origin };
  const { annotations = {}, labels = {} } = object.metadata;
  const release = annotations['meta.helm.sh/release-name'];
  const chart = labels['helm.sh/chart'];
  if (release !== undefined) return { kind: 'helm', release, namespace: annotations['meta.helm.sh/release-namespace'] ?? '', ...(chart ? { chart } : {}) };
  const ref = controllerOf(object);
  return ref ? { kind: 'controller', ref } : { kind: 'none' };
}
