import { listOf, numberOf, printable, redactText, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { PodFacts, WorkloadFacts } from './facts';
import type { PodCount } from './inventory';
import { whyNotRunning } from './pod-state';

/** How long a controller may take to create its first pod, in minutes. */
const createMinutes = 2;

/** Whether a workload runs, by its own status and the pods of its current revision. */
export type WorkloadState = Pick<WorkloadFacts, 'desired' | 'ready' | 'status' | 'reason' | 'message'>;

/**
 * Judges one workload. `pods` are those of its current revision that are not plainly running, `seen` counts all of them;
 * they were listed after the workload, so that they know better than its status. Pure.
 */
export function workloadState(object: KubeObject, pods: PodFacts[], at: string, seen: PodCount | undefined): WorkloadState {
  const { desired, ready: readyThen, done, failed } = counts(object);
  const ready = Math.max(readyThen, Math.min(desired, seen?.ready ?? 0));
  if (failed) return { desired, ready, status: 'not-running', ...failed };
  if (done || desired === 0) return { desired, ready, status: 'running' };
  const whys = pods.map((pod) => whyNotRunning(pod, at));
  const broken = whys.find((why) => why !== undefined && why !== 'starting');
  if (broken) return { desired, ready, status: 'not-running', ...broken };
  if (ready >= desired) return { desired, ready, status: 'running' };
  if (whys.includes('starting') || isYoung(object, at)) return { desired, ready, status: 'starting' };
  if (object.kind === 'Job') return { desired, ready, status: 'running' };
  const condition = listOf(valueIn(object, 'status', 'conditions')).find((c) => isTrouble(c));
  const message = textOf(valueIn(condition, 'message'));
  return {
    desired,
    ready,
    status: 'not-running',
    reason: textOf(valueIn(condition, 'reason')) ?? (seen?.count === 0 ? 'NoPods' : 'NotReady'),
    message: message ? printable(redactText(message), 400) : `${ready} of ${desired} ready`,
  };
}

interface Counts {
  desired: number;
  ready: number;
  done?: boolean;
  failed?: { reason: string; message: string };
}

function counts(object: KubeObject): Counts {
  const status = (field: string) => numberOf(valueIn(object, 'status', field)) ?? 0;
  if (object.kind === 'DaemonSet') return { desired: status('desiredNumberScheduled'), ready: status('numberReady') };
  if (object.kind === 'Pod') {
    const ready = listOf(valueIn(object, 'status', 'conditions')).some((c) => valueIn(c, 'type') === 'Ready' && valueIn(c, 'status') === 'True');
    return { desired: 1, ready: ready ? 1 : 0, done: valueIn(object, 'status', 'phase') === 'Succeeded' };
  }
  if (object.kind === 'Job') return jobCounts(object);
  return { desired: numberOf(valueIn(object, 'spec', 'replicas')) ?? 1, ready: status('readyReplicas') };
}

function jobCounts(job: KubeObject): Counts {
  const condition = (type: string) =>
    listOf(valueIn(job, 'status', 'conditions')).find((c) => valueIn(c, 'type') === type && valueIn(c, 'status') === 'True');
  const failed = condition('Failed');
  const base = { desired: valueIn(job, 'spec', 'suspend') === true ? 0 : 1, ready: numberOf(valueIn(job, 'status', 'ready')) ?? 0 };
  if (!failed) return { ...base, done: condition('Complete') !== undefined };
  return { ...base, failed: { reason: printable(valueIn(failed, 'reason') ?? 'Failed', 100), message: printable(redactText(textOf(valueIn(failed, 'message')) ?? ''), 400) } };
}

/** `ReplicaFailure` says that pods cannot be created, `Progressing=False` that a rollout is stuck. */
function isTrouble(condition: unknown): boolean {
  const [type, status] = [valueIn(condition, 'type'), valueIn(condition, 'status')];
  return (type === 'ReplicaFailure' && status === 'True') || (type === 'Progressing' && status === 'False');
}

function isYoung(object: KubeObject, at: string): boolean {
  const { generation, creationTimestamp } = object.metadata;
  const seen = numberOf(valueIn(object, 'status', 'observedGeneration'));
  // Its controller has not looked at it yet: a cluster that was just restored or begun.
  if (generation !== undefined && (seen === undefined || seen < generation) && object.kind !== 'Pod' && object.kind !== 'Job') return true;
  return creationTimestamp !== undefined && Date.parse(at) - Date.parse(creationTimestamp) < createMinutes * 60_000;
}

/** Leaves of several Jobs of one CronJob the newest: an older one's failure says nothing about now. */
export function newestJobs(workloads: KubeObject[]): KubeObject[] {
  const newest = new Map<string, KubeObject>();
  for (const job of workloads) {
    const cron = cronJobOf(job);
    const known = cron === undefined ? undefined : newest.get(cron);
    if (cron !== undefined && (!known || (job.metadata.creationTimestamp ?? '') > (known.metadata.creationTimestamp ?? ''))) newest.set(cron, job);
  }
  return workloads.filter((w) => {
    const cron = cronJobOf(w);
    return cron === undefined || newest.get(cron) === w;
  });
}

function cronJobOf(object: KubeObject): string | undefined {
  if (object.kind !== 'Job') return undefined;
  const owner = listOf(object.metadata.ownerReferences).find((r) => valueIn(r, 'kind') === 'CronJob');
  return owner === undefined ? undefined : textOf(valueIn(owner, 'uid'));
}
