import { changeAnnotation, refOf, type ObjectRef } from '@larry/contracts';
import { pgadminIndex, type Facts as ClusterFacts, type Workload } from '@larry/diagnosis';
import { earlierAnnotation } from '@larry/playbook';
import { writableKinds } from './access';

/** Everything that `observe` saw. */
export interface Facts {
  cluster: ClusterFacts;
  /** Objects that carry the mark of a change of this run and task which our own records know of: an earlier attempt made it. */
  changed: { ref: ObjectRef; step: string }[];
}

/** The workloads that run PgAdmin, the one in `database` first. */
export function pgadminsOf({ workloads }: ClusterFacts): Workload[] {
  const weight = (w: Workload): number => (w.namespace === 'database' ? 0 : 1);
  return workloads.filter((w) => pgadminIndex(w.podSpec) >= 0).sort((a, b) => weight(a) - weight(b) || a.key.localeCompare(b.key));
}

/** The objects of the kinds that this task changes which carry marks of its own, the first change of each first. */
export function changedBy(run: string, task: string, cluster: ClusterFacts): Facts['changed'] {
  const ours = `${run}/${task}/`;
  const objects = Object.keys(writableKinds).flatMap((kind) => cluster.objects.list(kind));
  return objects.flatMap((object) => {
    const { [earlierAnnotation]: earlier = '', [changeAnnotation]: last = '' } = object.metadata.annotations ?? {};
    const marks = [...earlier.split(' '), last].filter((mark) => mark.startsWith(ours));
    return marks.map((mark) => ({ ref: refOf(object), step: mark.slice(ours.length) }));
  });
}
