import { Controller, type ClientContext } from '../controller';
import { timestamp } from '../clock';
import { controllerOf } from '../informer';
import { kinds, keyOf, splitKey } from '../kinds';
import { conditionOf, isActive, isFinished, isReady, isTerminating, withCondition } from '../pod-state';
import { writeStatus } from '../status-patch';
import { podFrom, randomSuffix } from '../template';
import type { Condition, Job, Pod } from '../types';
import { DependentControl, ownersOf, remove } from './pod-control';

const uidLabel = 'batch.kubernetes.io/controller-uid';
const indexKey = 'batch.kubernetes.io/job-completion-index';
/** A pod that carries it has not been counted yet, so it cannot vanish uncounted. */
const trackingFinalizer = 'batch.kubernetes.io/job-tracking';

interface Counts {
  active: Pod[];
  /** Being deleted, and not ended. */
  terminating: Pod[];
  /** How many ever succeeded and failed, pods that are gone included. */
  succeeded: number;
  failed: number;
  uncounted: { succeeded: string[]; failed: string[] };
  /** Indexes that are done, of an indexed Job. */
  indexes: Set<number>;
  /** Failed pods that are still there: they tell when the last failure was. */
  failures: Pod[];
}

/**
 * Runs pods to completion, by the protocol of the real controller (KEP-2307): a pod that ended is noted in
 * `uncountedTerminatedPods`, then loses its finalizer, then is counted, so that none is lost or counted twice.
 */
export class JobController extends Controller {
  private readonly jobs = this.watch(kinds.jobs);
  private readonly pods = this.watchFor(kinds.pods, (pod) => ownersOf(pod, this.jobs));
  private readonly control = new DependentControl(this.context, 'job-controller');

  constructor(context: ClientContext) {
    super(context, 'job');
  }

  protected async sync(key: string): Promise<void> {
    const job = this.jobs.get(key);
    await this.releaseOrphans(key, job);
    if (!job || isTerminating(job)) return;
    if (isOver(job)) return this.expire(job);
    const selector = job.spec.selector ?? { matchLabels: { [uidLabel]: job.metadata.uid ?? '' } };
    const pods = await this.control.claim(job, selector, this.pods);
    const counted = await this.count(await this.started(job), pods);
    const counts = countsOf(counted, pods);
    const end = this.verdict(counted, counts);
    if (end || job.spec.suspend) {
      for (const pod of counts.active) await this.control.deletePod(job, pod);
    } else {
      await this.manage(job, counts);
    }
    await this.report(counted, end);
  }

  /** Pods of a Job that is gone, or going, are nobody's to count any more. */
  private async releaseOrphans(key: string, job: Job | undefined): Promise<void> {
    const { namespace = '', name } = splitKey(key);
    for (const pod of this.pods.inNamespace(namespace)) {
      const owner = controllerOf(pod);
      if (owner?.kind !== 'Job' || owner.name !== name || !isTracked(pod)) continue;
      if (!job || isTerminating(job) || owner.uid !== job.metadata.uid) await this.release(pod);
    }
  }

  private async release(pod: Pod): Promise<void> {
    const finalizers = (pod.metadata.finalizers ?? []).filter((each) => each !== trackingFinalizer);
    this.pods.observe(await this.context.api.patch(kinds.pods, pod, { metadata: { uid: pod.metadata.uid, finalizers: finalizers.length > 0 ? finalizers : null } }));
  }

  private async started(job: Job): Promise<Job> {
    if (job.status?.startTime || job.spec.suspend) return job;
    return writeStatus(this.context, kinds.jobs, job, { ...job.status, startTime: timestamp(this.context.clock.now()) });
  }

  /** Takes what ended into the Job's status. */
  private async count(job: Job, pods: Pod[]): Promise<Job> {
    const known = new Map(pods.map((pod) => [pod.metadata.uid ?? '', pod]));
    const before = uncountedOf(job);
    const settled = (uid: string) => !isTracked(known.get(uid));
    const noted = (phase: 'Succeeded' | 'Failed', uids: string[]) => {
      const fresh = pods.filter((pod) => isTracked(pod) && endOf(job, pod) === phase).map((pod) => pod.metadata.uid ?? '');
      return [...new Set([...uids.filter((uid) => !settled(uid)), ...fresh])];
    };
    const uncounted = { succeeded: noted('Succeeded', before.succeeded), failed: noted('Failed', before.failed) };
    const indexes = new Set([...indexesOf(job), ...pods.filter((pod) => isTracked(pod) && endOf(job, pod) === 'Succeeded').map((pod) => Number(pod.metadata.annotations?.[indexKey]))]);
    const written = await writeStatus(this.context, kinds.jobs, job, {
      ...job.status,
      succeeded: (job.status?.succeeded ?? 0) + before.succeeded.filter(settled).length || undefined,
      failed: (job.status?.failed ?? 0) + before.failed.filter(settled).length || undefined,
      uncountedTerminatedPods: { ...(uncounted.succeeded.length ? { succeeded: uncounted.succeeded } : {}), ...(uncounted.failed.length ? { failed: uncounted.failed } : {}) },
      ...(job.spec.completionMode === 'Indexed' ? { completedIndexes: [...indexes].sort((a, b) => a - b).join(',') } : {}),
    });
    const wait = [...uncounted.succeeded, ...uncounted.failed].map((uid) => known.get(uid)).filter((pod) => pod !== undefined);
    for (const pod of wait) await this.release(pod);
    // Their finalizers are gone: now they can be counted.
    return wait.length > 0 ? this.count(written, pods.map((pod) => this.pods.get(keyOf(pod)) ?? pod)) : written;
  }

  /** The condition that ends the Job, if something has. */
  private verdict(job: Job, counts: Counts): Condition | undefined {
    const target = conditionOf(job, 'FailureTarget') ?? conditionOf(job, 'SuccessCriteriaMet');
    if (target?.status === 'True') return { type: target.type === 'FailureTarget' ? 'Failed' : 'Complete', status: 'True', reason: target.reason, message: target.message };
    const limit = job.spec.backoffLimit ?? 6;
    const restarts = [...counts.active].flatMap((pod) => pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0);
    const onFailure = job.spec.template.spec.restartPolicy === 'OnFailure';
    if (counts.failed > limit || (onFailure && limit > 0 && restarts >= limit)) return { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
    if (job.spec.activeDeadlineSeconds !== undefined && job.status?.startTime) {
      const left = Date.parse(job.status.startTime) + job.spec.activeDeadlineSeconds * 1000 - this.context.clock.now().getTime();
      if (left <= 0) return { type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
      this.enqueueAfter(keyOf(job), left);
    }
    const { completions } = job.spec;
    const done = completions === undefined ? counts.succeeded > 0 && counts.active.length === 0 : completed(job, counts) >= completions;
    return done ? { type: 'Complete', status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
  }

  private async manage(job: Job, counts: Counts): Promise<void> {
    const parallelism = job.spec.parallelism ?? 1;
    const left = job.spec.completions === undefined ? (counts.succeeded > 0 ? 0 : parallelism) : Math.min(parallelism, job.spec.completions - completed(job, counts));
    for (const pod of counts.active.slice(Math.max(0, left))) await this.control.deletePod(job, pod);
    // `Failed`: a replacement waits until the pod that ends has ended; by default it does not.
    const holding = job.spec.podReplacementPolicy === 'Failed' ? counts.terminating.length : 0;
    const missing = left - counts.active.length - holding;
    if (missing <= 0) return;
    const wait = this.backOff(counts);
    if (wait > 0) return this.enqueueAfter(keyOf(job), wait);
    const taken = new Set([...counts.indexes, ...counts.active.map((pod) => Number(pod.metadata.annotations?.[indexKey]))]);
    for (let made = 0, index = 0; made < missing; index += 1) {
      if (job.spec.completionMode === 'Indexed' && taken.has(index)) continue;
      await this.control.createPod(job, jobPod(job, index));
      made += 1;
    }
  }

  /** After a failure a new pod waits 10 s, doubling to 6 minutes, from the last failure on. */
  private backOff({ failed, failures }: Counts): number {
    if (failures.length === 0) return 0;
    const last = Math.max(...failures.map(finishedAt));
    return last + Math.min(10_000 * 2 ** (failed - 1), 360_000) - this.context.clock.now().getTime();
  }

  private async report(job: Job, end: Condition | undefined): Promise<void> {
    const { clock } = this.context;
    const counts = countsOf(job, this.pods.ownedBy(job.metadata.uid ?? ''));
    let conditions = job.status?.conditions;
    // The Job is over when all of its pods are (Kubernetes 1.31 and newer); until then it says what it is up to.
    const over = end && counts.active.length + counts.terminating.length + counts.uncounted.succeeded.length + counts.uncounted.failed.length === 0;
    if (end) {
      const early = { ...end, type: end.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget' };
      conditions = withCondition(conditions, early, clock);
      if (over) conditions = withCondition(conditions, end, clock);
      conditions = conditions.map((condition) => ({ lastProbeTime: condition.lastTransitionTime, ...condition }));
    }
    if (end && over) this.control.say(job, end.type === 'Complete' ? 'Normal' : 'Warning', end.type === 'Complete' ? 'Completed' : String(end.reason), end.type === 'Complete' ? 'Job completed' : String(end.message));
    const written = await writeStatus(this.context, kinds.jobs, job, {
      ...job.status,
      active: counts.active.length || undefined,
      ready: end ? 0 : counts.active.filter(isReady).length,
      terminating: counts.terminating.length,
      conditions,
      ...(over && end.type === 'Complete' ? { completionTime: timestamp(clock.now()) } : {}),
    });
    if (isOver(written)) await this.expire(written);
  }

  private async expire(job: Job): Promise<void> {
    const ttl = job.spec.ttlSecondsAfterFinished;
    const ended = (conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed'))?.lastTransitionTime;
    if (ttl === undefined || !ended) return;
    const left = Date.parse(ended) + ttl * 1000 - this.context.clock.now().getTime();
    if (left > 0) this.enqueueAfter(keyOf(job), left);
    else await remove(this.context, kinds.jobs, job, { propagationPolicy: 'Foreground' });
  }
}

export function isOver(job: Job): boolean {
  return conditionOf(job, 'Complete')?.status === 'True' || conditionOf(job, 'Failed')?.status === 'True';
}

function isTracked(pod: Pod | undefined): boolean {
  return pod?.metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

/** How a pod counts. One that is being deleted has failed already, unless replacements wait until it has ended. */
function endOf(job: Job, pod: Pod): 'Succeeded' | 'Failed' | undefined {
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return phase;
  return isTerminating(pod) && job.spec.podReplacementPolicy !== 'Failed' ? 'Failed' : undefined;
}

function uncountedOf(job: Job): { succeeded: string[]; failed: string[] } {
  const { succeeded = [], failed = [] } = (job.status?.['uncountedTerminatedPods'] ?? {}) as { succeeded?: string[]; failed?: string[] };
  return { succeeded, failed };
}

function indexesOf(job: Job): number[] {
  return String(job.status?.['completedIndexes'] ?? '').split(',').filter(Boolean).map(Number);
}

function countsOf(job: Job, pods: Pod[]): Counts {
  const uncounted = uncountedOf(job);
  return {
    active: pods.filter(isActive).sort((a, b) => (isReady(a) ? 0 : 1) - (isReady(b) ? 0 : 1)),
    terminating: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)),
    succeeded: (job.status?.succeeded ?? 0) + uncounted.succeeded.length,
    failed: (job.status?.failed ?? 0) + uncounted.failed.length,
    uncounted,
    indexes: new Set(indexesOf(job)),
    failures: pods.filter((pod) => pod.status?.phase === 'Failed'),
  };
}

function completed(job: Job, counts: Counts): number {
  return job.spec.completionMode === 'Indexed' ? counts.indexes.size : counts.succeeded;
}

function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map((status) => Date.parse(status.state.terminated?.finishedAt ?? ''));
  return Math.max(0, ...ends.filter((time) => !Number.isNaN(time)));
}

function jobPod(job: Job, index: number): Pod {
  const labels = { [uidLabel]: job.metadata.uid ?? '', 'controller-uid': job.metadata.uid ?? '', 'batch.kubernetes.io/job-name': job.metadata.name, 'job-name': job.metadata.name };
  if (job.spec.completionMode !== 'Indexed') return tracked(podFrom(job, job.spec.template, { generateName: `${job.metadata.name}-` }, { labels }));
  const pod = tracked(podFrom(job, job.spec.template, { name: `${job.metadata.name}-${index}-${randomSuffix()}` }, { labels: { ...labels, [indexKey]: String(index) } }));
  pod.metadata.annotations = { ...pod.metadata.annotations, [indexKey]: String(index) };
  pod.spec.hostname = `${job.metadata.name}-${index}`;
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    container.env = [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } } }];
  }
  return pod;
}

function tracked(pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, finalizers: [...(pod.metadata.finalizers ?? []), trackingFinalizer] } };
}
