import type { KubeObject, Owner } from '@larry/contracts';

/** Who owns an object, by the marks on it; a file where nothing claims it and it stands in one. Stands in until `@larry/kube` reads owners. */
export function ownerAt(object: KubeObject, origin: { file: string; line?: number } | undefined): Owner {
  const { annotations = {}, labels = {}, ownerReferences = [], namespace = '' } = object.metadata;
  const release = annotations['meta.helm.sh/release-name'];
  if (release !== undefined) {
    const chart = labels['helm.sh/chart'];
    return { kind: 'helm', release, namespace: annotations['meta.helm.sh/release-namespace'] ?? namespace, ...(chart === undefined ? {} : { chart }) };
  }
  if (annotations['objectset.rio.cattle.io/owner-gvk']?.endsWith('Kind=Addon') === true) {
    return { kind: 'k3s-addon', addon: annotations['objectset.rio.cattle.io/owner-name'] ?? object.metadata.name };
  }
  const controller = ownerReferences.find((o) => o.controller === true);
  if (controller) {
    const { apiVersion, kind, name, uid } = controller;
    return { kind: 'controller', ref: { apiVersion, kind, name, uid, ...(namespace === '' ? {} : { namespace }) } };
  }
  return origin ? { kind: 'manifest', ...origin } : { kind: 'none' };
}
