import { listOf, numberOf, printable, refOf, textOf, valueIn } from '@larry/contracts';
import { conditionsOf } from '../facts/pod-facts';
import { minuteMs } from '../facts/times';
import { objectKey } from '../facts/object-index';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { casesOf, ofWorkload } from './cause';
import { seen, seenAt } from './evidence';

/** Jobs that were ended for their time (kubernetes, `pkg/controller/job`, reason DeadlineExceeded), and what shall be gone and may not. */
export function endingCauses(scene: Scene): Candidate[] {
  return [...deadlineCauses(scene), ...heldPods(scene), ...heldNamespaces(scene)];
}

function deadlineCauses({ facts }: Scene): Candidate[] {
  return facts.workloads.flatMap((workload): Candidate[] => {
    if (workload.state !== 'not-running' || !['Job', 'CronJob'].includes(workload.ref.kind)) return [];
    const job = workload.ref.kind === 'Job' ? workload.object : facts.objects.at(workload.makers[0] ?? '');
    const failed = conditionsOf(valueIn(job, 'status', 'conditions')).get('Failed');
    if (!job || failed?.status !== 'True' || failed.reason !== 'DeadlineExceeded') return [];
    const seconds = numberOf(valueIn(job, 'spec', 'activeDeadlineSeconds'));
    const at = workload.ref.kind === 'CronJob' ? '/spec/jobTemplate/spec/activeDeadlineSeconds' : '/spec/activeDeadlineSeconds';
    return [
      {
        cause: 'job_deadline_exceeded',
        object: workload.ref,
        confidence: 0.9,
        title: `${workload.name} was ended because it took longer than ${seconds === undefined ? 'it may' : `the ${seconds} s that it may take`}`,
        evidence: [seen(refOf(job), '.status.conditions[Failed]', `${failed.reason}: ${failed.message ?? ''}`), seenAt(workload.object, workload.ref, at)],
        explains: [workload.key, ...workload.makers, ...workload.unwell.map(({ pod }) => pod.key)],
        secondary: true,
        remedy: { none: 'see what it waits for or does for so long; how long it may take is for you to say' },
      },
    ];
  });
}

/** A pod of which nothing runs any more and that still has a finalizer. */
function heldPods(scene: Scene): Candidate[] {
  return casesOf(scene, 'terminating').flatMap((one) => {
    const finalizers = namesIn(valueIn(one.pod.object, 'metadata', 'finalizers'));
    if (finalizers.length === 0 || one.pod.containers.some((c) => c.state.kind === 'running')) return [];
    return ofWorkload(one, 'finalizer_pending', 0.9, `pod ${one.pod.namespace}/${one.pod.name} shall be gone, and waits for ${printable(finalizers.join(', '), 200)}`, {
      object: one.pod.ref,
      evidence: [seen(one.pod.ref, '.metadata.deletionTimestamp', new Date(one.pod.deletedMs ?? 0).toISOString()), seen(one.pod.ref, '.metadata.finalizers', finalizers)],
      remedy: { none: 'whoever set the finalizer has work to do first: see why he does not do it; to take it away by hand leaves that undone' },
    });
  });
}

/** A namespace takes some seconds to go; its conditions say what holds it up (kubernetes, `pkg/controller/namespace/deletion`). */
const holds = ['NamespaceDeletionDiscoveryFailure', 'NamespaceDeletionGroupVersionParsingFailure', 'NamespaceDeletionContentFailure', 'NamespaceFinalizersRemaining', 'NamespaceContentRemaining'];
const patienceMs = 5 * minuteMs;

function heldNamespaces({ facts }: Scene): Candidate[] {
  return facts.objects.list('Namespace').flatMap((namespace): Candidate[] => {
    const deleted = Date.parse(textOf(namespace.metadata.deletionTimestamp) ?? '');
    if (!(facts.atMs - deleted > patienceMs)) return [];
    const conditions = conditionsOf(valueIn(namespace, 'status', 'conditions'));
    const why = holds.flatMap((type) => (conditions.get(type)?.status === 'True' ? [{ type, message: conditions.get(type)?.message ?? '' }] : []));
    const own = namesIn(valueIn(namespace, 'metadata', 'finalizers'));
    if (why.length === 0 && own.length === 0) return [];
    const ref = refOf(namespace);
    const reason = why[0]?.message ?? `it is empty, and waits for ${own.join(', ')}`;
    return [
      {
        cause: 'finalizer_pending',
        object: ref,
        confidence: 0.92,
        title: `namespace ${namespace.metadata.name} shall be gone, and cannot: ${printable(reason, 300)}`,
        evidence: [seen(ref, '.metadata.deletionTimestamp', textOf(namespace.metadata.deletionTimestamp) ?? ''), ...why.slice(0, 3).map(({ type, message }) => seen(ref, `.status.conditions[${type}]`, message)), ...(own.length > 0 ? [seen(ref, '.metadata.finalizers', own)] : [])],
        explains: [objectKey(namespace)],
        remedy: { none: why[0]?.type === 'NamespaceDeletionDiscoveryFailure' ? 'an API service does not answer (kubectl get apiservices): mend or remove it, and the namespace goes by itself' : why.length === 0 ? 'whoever set the finalizer has work to do first, and may not be installed any more; to take it away by hand leaves that undone' : 'see who has to take the finalizers of what is left in it; to take them away by hand leaves that work undone' },
      },
    ];
  });
}

const namesIn = (list: unknown): string[] => listOf(list).flatMap((name) => textOf(name) ?? []);
