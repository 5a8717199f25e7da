import { listOf, recordOf, textOf, valueIn, type KubeObject, type ObjectRef, type Owner } from '@larry/contracts';

/** Who owns an object. Stands in for the reading of owners in `@larry/kube` until that is there. */
export function ownerOf(object: KubeObject, origin: { file: string; line?: number } | undefined): Owner {
  if (origin) return { kind: 'manifest', ...origin };
  const release = textOf(valueIn(object, 'metadata', 'annotations', 'meta.helm.sh/release-name'));
  const namespace = textOf(valueIn(object, 'metadata', 'annotations', 'meta.helm.sh/release-namespace')) ?? '';
  const chart = textOf(valueIn(object, 'metadata', 'labels', 'helm.sh/chart'));
  if (release !== undefined) return { kind: 'helm', release, namespace, ...(chart ? { chart } : {}) };
  const ref = controllerOf(object);
  return ref ? { kind: 'controller', ref } : { kind: 'none' };
}

/** The object that controls this one. */
export function controllerOf(object: KubeObject): ObjectRef | undefined {
  const reference = listOf(object.metadata.ownerReferences).find((r) => valueIn(r, 'controller') === true);
  if (reference === undefined) return undefined;
  const { apiVersion, kind, name, uid } = recordOf(reference);
  const { namespace } = object.metadata;
  return { apiVersion: textOf(apiVersion) ?? '', kind: textOf(kind) ?? '', name: textOf(name) ?? '', ...(namespace ? { namespace } : {}), ...(textOf(uid) ? { uid: uid as string } : {}) };
}
