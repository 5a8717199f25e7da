import type { JsonRecord, KubeObject } from '@larry/contracts';
import { podViewOf, type PodView, type PodViewParts } from '../pod-view';

/** The view of a Deployment `database/pgadmin` with this pod spec; nothing owns it. */
export function viewOf(spec: JsonRecord, metadata: JsonRecord = {}, parts: Partial<PodViewParts> = {}): PodView {
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'pgadmin', namespace: 'database' },
    spec: { template: { metadata, spec } },
  };
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
  const view = podViewOf(object, {
    namespace: 'database',
    subject: () => ({ ref, owner: { kind: 'none' } }),
    root: 'Deployment database/pgadmin',
    ...parts,
  });
  if (!view) throw new Error('the spec holds no containers');
  return view;
}
