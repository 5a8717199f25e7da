import { Controller, type ClientContext } from '../controller';
import { timestamp } from '../clock';
import { kinds, keyOf } from '../kinds';
import { conditionOf, isActive, isFinished, isReady, isTerminating, withCondition } from '../pod-state';
import { writeStatus } from '../status-patch';
import { podFrom, randomSuffix } from '../template';
import type { Condition, Job, Pod } from '../types';
import { DependentControl, ownersOf, remove } from './pod-control';

const uidLabel = 'batch.kubernetes.io/controller-uid';
const indexKey = 'batch.kubernetes.io/job-completion-index';

interface Counts {
  active: Pod[];
  succeeded: Pod[];
  failed: Pod[];
  terminating: Pod[];
}

/** Runs pods to completion. Finished pods are counted by their presence, so deleting one by hand makes the Job do its work again. */
export class JobController extends Controller {
  private readonly jobs = this.watch(kinds.jobs);
  private readonly pods = this.watchFor(kinds.pods, (pod) => ownersOf(pod, this.jobs));
  private readonly control = new DependentControl(this.context, 'job-controller');

  constructor(context: ClientContext) {
    super(context, 'job');
  }

  protected async sync(key: string): Promise<void> {
    const job = this.jobs.get(key);
    if (!job || isTerminating(job)) return;
    if (isOver(job)) return this.expire(job);
    const selector = job.spec.selector ?? { matchLabels: { [uidLabel]: job.metadata.uid ?? '' } };
    const counts = sortOut(await this.control.claim(job, selector, this.pods));
    const started = await this.started(job);
    const end = this.verdict(started, counts);
    if (end) {
      for (const pod of counts.active) await this.control.deletePod(job, pod);
    } else if (job.spec.suspend) {
      for (const pod of counts.active) await this.control.deletePod(job, pod);
    } else {
      await this.manage(job, counts);
    }
    await this.report(started, end);
  }

  private async started(job: Job): Promise<Job> {
    if (job.status?.startTime || job.spec.suspend) return job;
    return writeStatus(this.context, kinds.jobs, job, { ...job.status, startTime: timestamp(this.context.clock.now()) });
  }

  /** The condition that ends the Job, if something has. */
  private verdict(job: Job, counts: Counts): Condition | undefined {
    const limit = job.spec.backoffLimit ?? 6;
    const restarts = [...counts.active].flatMap((pod) => pod.status?.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0);
    const onFailure = job.spec.template.spec.restartPolicy === 'OnFailure';
    if (counts.failed.length > limit || (onFailure && limit > 0 && restarts >= limit)) return { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
    if (job.spec.activeDeadlineSeconds !== undefined && job.status?.startTime) {
      const left = Date.parse(job.status.startTime) + job.spec.activeDeadlineSeconds * 1000 - this.context.clock.now().getTime();
      if (left <= 0) return { type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
      this.enqueueAfter(keyOf(job), left);
    }
    const { completions } = job.spec;
    const done = completions === undefined ? counts.succeeded.length > 0 && counts.active.length === 0 : counted(job, counts.succeeded) >= completions;
    return done ? { type: 'Complete', status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
  }

  private async manage(job: Job, counts: Counts): Promise<void> {
    const parallelism = job.spec.parallelism ?? 1;
    const succeeded = counted(job, counts.succeeded);
    const left = job.spec.completions === undefined ? (succeeded > 0 ? 0 : parallelism) : Math.min(parallelism, job.spec.completions - succeeded);
    for (const pod of counts.active.slice(Math.max(0, left))) await this.control.deletePod(job, pod);
    // `Failed`: a replacement waits until the pod that ends has ended; by default it does not.
    const holding = job.spec.podReplacementPolicy === 'Failed' ? counts.terminating.length : 0;
    const missing = left - counts.active.length - holding;
    if (missing <= 0) return;
    const wait = this.backOff(counts.failed);
    if (wait > 0) return this.enqueueAfter(keyOf(job), wait);
    const taken = new Set([...counts.active, ...counts.succeeded].map((pod) => pod.metadata.annotations?.[indexKey]));
    for (let made = 0, index = 0; made < missing; index += 1) {
      if (job.spec.completionMode === 'Indexed' && taken.has(String(index))) continue;
      await this.control.createPod(job, jobPod(job, index));
      made += 1;
    }
  }

  /** After a failure a new pod waits 10 s, doubling to 6 minutes, from the last failure on. */
  private backOff(failed: Pod[]): number {
    if (failed.length === 0) return 0;
    const last = Math.max(...failed.map(finishedAt));
    return last + Math.min(10_000 * 2 ** (failed.length - 1), 360_000) - this.context.clock.now().getTime();
  }

  private async report(job: Job, end: Condition | undefined): Promise<void> {
    const { clock } = this.context;
    const counts = sortOut(this.pods.ownedBy(job.metadata.uid ?? ''));
    let conditions = job.status?.conditions;
    if (end) {
      const early = { ...end, type: end.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget' };
      conditions = withCondition(withCondition(conditions, early, clock), end, clock).map((condition) => ({ lastProbeTime: condition.lastTransitionTime, ...condition }));
      this.control.say(job, end.type === 'Complete' ? 'Normal' : 'Warning', end.type === 'Complete' ? 'Completed' : String(end.reason), end.type === 'Complete' ? 'Job completed' : String(end.message));
    }
    const written = await writeStatus(this.context, kinds.jobs, job, {
      ...job.status,
      active: counts.active.length || undefined,
      ready: end ? 0 : counts.active.filter(isReady).length,
      terminating: counts.terminating.length,
      succeeded: counted(job, counts.succeeded) || undefined,
      failed: counts.failed.length || undefined,
      uncountedTerminatedPods: {},
      conditions,
      ...(end?.type === 'Complete' ? { completionTime: timestamp(clock.now()) } : {}),
      ...(job.spec.completionMode === 'Indexed' ? { completedIndexes: indexes(counts.succeeded) } : {}),
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
  return ['Complete', 'Failed'].some((type) => conditionOf(job, type)?.status === 'True');
}

function sortOut(pods: Pod[]): Counts {
  return {
    active: pods.filter(isActive).sort((a, b) => (isReady(a) ? 0 : 1) - (isReady(b) ? 0 : 1)),
    succeeded: pods.filter((pod) => pod.status?.phase === 'Succeeded'),
    failed: pods.filter((pod) => pod.status?.phase === 'Failed'),
    terminating: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)),
  };
}

function counted(job: Job, succeeded: Pod[]): number {
  return job.spec.completionMode === 'Indexed' ? new Set(succeeded.map((pod) => pod.metadata.annotations?.[indexKey])).size : succeeded.length;
}

function indexes(succeeded: Pod[]): string {
  return [...new Set(succeeded.map((pod) => Number(pod.metadata.annotations?.[indexKey])))].sort((a, b) => a - b).join(',');
}

function finishedAt(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).map((status) => Date.parse(status.state.terminated?.finishedAt ?? ''));
  return Math.max(0, ...ends.filter((time) => !Number.isNaN(time)));
}

function jobPod(job: Job, index: number): Pod {
  const labels = { [uidLabel]: job.metadata.uid ?? '', 'controller-uid': job.metadata.uid ?? '', 'batch.kubernetes.io/job-name': job.metadata.name, 'job-name': job.metadata.name };
  if (job.spec.completionMode !== 'Indexed') return podFrom(job, job.spec.template, { generateName: `${job.metadata.name}-` }, { labels });
  const pod = podFrom(job, job.spec.template, { name: `${job.metadata.name}-${index}-${randomSuffix()}` }, { labels: { ...labels, [indexKey]: String(index) } });
  pod.metadata.annotations = { ...pod.metadata.annotations, [indexKey]: String(index) };
  pod.spec.hostname = `${job.metadata.name}-${index}`;
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    container.env = [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } } }];
  }
  return pod;
}
