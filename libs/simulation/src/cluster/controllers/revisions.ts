import type { KubeObject } from '@larry/contracts';
import type { ClientContext } from '../controller';
import { kinds } from '../kinds';
import { sameValue, shortHash, controllerReference } from '../template';
import type { Workload } from '../types';
import type { DependentControl } from './pod-control';
import { remove } from './pod-control';

/** The revisions of a StatefulSet's or DaemonSet's template, kept as ControllerRevision objects for `rollout history` and `undo`. */
export async function currentRevision(context: ClientContext, control: DependentControl, workload: Workload): Promise<{ hash: string; name: string; all: KubeObject[] }> {
  const informer = context.informers.of(kinds.controllerRevisions);
  const all = informer.ownedBy(workload.metadata.uid ?? '').sort((a, b) => numberOf(a) - numberOf(b));
  const data = { spec: { template: { ...workload.spec.template, $patch: 'replace' } } };
  const newest = numberOf(all.at(-1));
  const known = all.find((revision) => sameValue(revision.data, data));
  if (known) {
    if (numberOf(known) < newest) informer.observe(await context.api.patch(kinds.controllerRevisions, known, { revision: newest + 1 }));
    return { hash: hashOf(known), name: known.metadata.name, all };
  }
  const hash = shortHash(data, workload.status?.collisionCount);
  const made = await control.create(
    kinds.controllerRevisions,
    workload,
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${workload.metadata.name}-${hash}`,
        namespace: workload.metadata.namespace,
        labels: { ...workload.spec.template.metadata?.labels, 'controller-revision-hash': hash },
        ownerReferences: [controllerReference(workload)],
      },
      data,
      revision: newest + 1,
    },
    true,
  );
  return { hash, name: made.metadata.name, all: [...all, made] };
}

/** Deletes the oldest revisions that nobody uses, beyond the history limit. */
export async function forgetRevisions(context: ClientContext, workload: Workload, all: KubeObject[], inUse: Set<string>): Promise<void> {
  const unused = all.filter((revision) => !inUse.has(revision.metadata.name) && !inUse.has(hashOf(revision)));
  const excess = unused.length - (workload.spec.revisionHistoryLimit ?? 10);
  for (const revision of unused.slice(0, Math.max(0, excess))) await remove(context, kinds.controllerRevisions, revision);
}

function hashOf(revision: KubeObject): string {
  return revision.metadata.labels?.['controller-revision-hash'] ?? '';
}

function numberOf(revision: KubeObject | undefined): number {
  return typeof revision?.revision === 'number' ? revision.revision : 0;
}
