import type { KubeObject } from '@larry/contracts';
import { applyPatchSSA, trackUpdate } from '../server/fields';

/** The object with the `managedFields` that whoever put it there would have left, at its creation time. */
export function withFieldOwner(object: KubeObject): KubeObject {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
  const kind = { group: group ?? '', version: version ?? '', kind: object.kind };
  const now = object.metadata.creationTimestamp ?? '';
  const { status, ...wanted } = object;
  const { creationTimestamp, ...metadata } = object.metadata;
  const { manager, apply } = managerOf(object);
  const bare = { ...wanted, metadata } as never;
  const tracked = apply
    ? applyPatchSSA({ live: undefined, patch: bare, manager, force: false, now, kind })
    : { object: trackUpdate({ before: undefined, after: bare, manager, operation: 'Update', now, kind }) };
  const managedFields = 'object' in tracked ? tracked.object.metadata?.managedFields : undefined;
  return { ...object, metadata: { ...metadata, creationTimestamp, managedFields: managedFields as unknown[] }, ...(status === undefined ? {} : { status }) };
}

/** Helm 4 applies server-side as `helm` and keeps its Secrets as `Helm`; k3s deploys its manifests as `deploy@NODE`. */
function managerOf({ kind, type, metadata }: KubeObject): { manager: string; apply: boolean } {
  if (kind === 'Secret' && type === 'helm.sh/release.v1') return { manager: 'Helm', apply: false };
  if (metadata.annotations?.['meta.helm.sh/release-name']) return { manager: 'helm', apply: true };
  if (metadata.annotations?.['objectset.rio.cattle.io/owner-name'] || kind === 'Addon') return { manager: 'deploy@k3s-master01', apply: false };
  if (kind === 'Node') return { manager: 'k3s', apply: false };
  return { manager: metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ? 'kubectl-client-side-apply' : 'kubectl-create', apply: false };
}
