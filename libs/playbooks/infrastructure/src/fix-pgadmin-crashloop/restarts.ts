import { createHash } from 'node:crypto';
import { describeRef, listOf, printable, recordOf, valueIn, type PlannedChange } from '@larry/contracts';
import type { Workload } from '@larry/diagnosis';
import { ownerIn } from '@larry/kube';
import { pgadminsOf, type Facts } from './facts';
import { kindOfChange } from './change-kinds';
import { causeOfStep, serversCause, stepOf } from './plan-change';

/** On the pods of a workload that was restarted: a digest of what they were to read anew. */
export const configAnnotation = 'larry.dev/config';
const at = '/spec/template/metadata/annotations';
const restartable: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/**
 * The restarts that belong to a change of a ConfigMap: PgAdmin reads its servers when it starts, and what is mounted by `subPath` does
 * not follow the ConfigMap as long as the pod lives. Of workloads that nothing else owns. Pure.
 */
export function restartsFor({ cluster }: Facts, { step, target, patch }: PlannedChange): PlannedChange[] {
  if (target.kind !== 'ConfigMap' || causeOfStep(step) !== serversCause) return [];
  const read = patch?.[0]?.['value'] ?? cluster.objects.resolve(target)?.['data'];
  const digest = createHash('sha256').update(JSON.stringify(read ?? null)).digest('hex').slice(0, 16);
  const users = pgadminsOf(cluster).filter((w) => w.namespace === target.namespace && restartable.has(w.ref.kind) && mounts(w, target.name));
  return users.flatMap((workload) => {
    const object = workload.object;
    if (!object || ownerIn({ source: cluster.source, originOf: () => undefined }, object).kind !== 'none') return [];
    const has = valueIn(object, 'spec', 'template', 'metadata', 'annotations') !== undefined;
    const path = has ? `${at}/${configAnnotation.replace('/', '~1')}` : at;
    return [{
      step: stepOf({ rule: serversCause, object: workload.ref }),
      summary: printable(`Restart ${describeRef(workload.ref)}, so that PgAdmin reads its servers`, 500),
      verb: 'patch' as const,
      target: { ...workload.ref, ...(object.metadata.uid ? { uid: object.metadata.uid } : {}) },
      patch: [{ op: 'add', path, value: has ? digest : { [configAnnotation]: digest } }],
      depends: ['/spec/template/spec/volumes', path],
      after: step,
      category: kindOfChange(workload.ref.kind, path)?.category ?? 'config-data',
      alwaysAsk: false,
    }];
  });
}

const mounts = ({ podSpec }: Workload, name: string): boolean => listOf(recordOf(podSpec)['volumes']).some((volume) => valueIn(volume, 'configMap', 'name') === name);
