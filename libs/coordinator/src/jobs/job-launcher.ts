import { printable, type KubeObject } from '@larry/contracts';
import type { LiveCluster, WriteOutcome } from '@larry/kube';
import type { PlaybookLog } from '@larry/playbook';
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { LaunchedWorker, WorkerLauncher, WorkOrder } from '../launcher';
import { lastWarning, setupObstacle } from './job-events';
import { jobName, workersOf } from './job-name';
import { jobFor, orderOf, type JobPlace, type JobTemplate } from './job-template';
import { JobWatch } from './job-watch';
import { JobWorker, type JobLimits } from './job-worker';

/** What a launcher of Jobs works with. */
export interface JobLauncherOptions extends JobPlace {
  larry: string;
  template: JobTemplate;
  /** Closed with the launcher. */
  cluster: LiveCluster;
  log: PlaybookLog;
  limits?: Partial<JobLimits>;
}

/** Jobs cannot be launched as this coordinator is set up; the message is one sentence that says what to do. */
export class JobLauncherError extends Error {
  override name = 'JobLauncherError';
}

/** Defaults of {@link JobLimits}. */
const defaults: JobLimits = { startLimitMs: 600_000, patienceMs: 120_000, silenceMs: 15_000 };
/** The claim is renewed for longer than the launcher waits, so that the reason comes from what was seen. */
const reasonMs = 30_000;
const firstPauseMs = 250;
const longestPauseMs = 10_000;

/** What became of a try to create: a Job, or why to try again. */
type Made = { job: KubeObject } | { again: string; distinct?: boolean };

/**
 * Workers as Kubernetes Jobs. They outlive their coordinator: the next one takes them over by {@link adopt}. A Job's name is
 * its order's, so that an order that is launched twice makes one Job. Two watches tell how they fare; nothing is polled.
 */
export class JobLauncher implements WorkerLauncher {
  readonly outlives = true;
  readonly startLimitMs: number;
  private readonly limits: JobLimits;
  private readonly watch: JobWatch;
  private readonly workers = new Map<string, JobWorker>();
  /** Claims whose Job is being created: the watch may tell of it before the answer comes. */
  private readonly creating = new Set<string>();
  private readonly unclaimed = new Map<string, KubeObject>();
  /** Launched or taken over before: a Job that has ended stays until its time is over. */
  private readonly known = new Set<string>();
  private readonly closing = new AbortController();
  private found: ((order: WorkOrder, worker: LaunchedWorker) => void) | undefined;

  private constructor(private readonly options: JobLauncherOptions) {
    const { cluster, namespace, larry, template, log } = options;
    this.limits = { ...defaults, ...options.limits };
    this.startLimitMs = this.limits.startLimitMs + reasonMs;
    // Every launch under way listens to it.
    setMaxListeners(0, this.closing.signal);
    this.watch = new JobWatch({
      cluster,
      namespace,
      labelSelector: workersOf(larry),
      container: template.container,
      log,
      changed: (uid) => this.workers.get(uid)?.look(),
      seen: (job) => this.seen(job),
      gone: (uid) => void (this.known.delete(uid), this.unclaimed.delete(uid)),
    });
  }

  /**
   * Tries the template once without making anything (a server-side dry run), and lists what is there.
   * @throws JobLauncherError in one sentence: the template is refused, a right is missing, the API server is away
   */
  static async open(options: JobLauncherOptions): Promise<JobLauncher> {
    const launcher = new JobLauncher(options);
    try {
      await launcher.rehearse();
      await launcher.watch.start();
      return launcher;
    } catch (error) {
      await launcher.close();
      throw error instanceof JobLauncherError ? error : new JobLauncherError(`the workers in namespace ${options.namespace} cannot be watched: ${messageOf(error)}; the Role of larry's charts allows it`);
    }
  }

  /** Why news of workers may be late, in a sentence; undefined while they come. For readiness. */
  get problem(): string | undefined {
    return this.watch.problem;
  }

  async launch(order: WorkOrder): Promise<LaunchedWorker> {
    this.creating.add(order.claim);
    try {
      const job = await this.make(order);
      return this.workerOf(job, order);
    } finally {
      this.creating.delete(order.claim);
    }
  }

  adopt(found: (order: WorkOrder, worker: LaunchedWorker) => void): void {
    this.found = found;
    for (const job of [...this.unclaimed.values()]) this.seen(job);
    this.unclaimed.clear();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.watch.stop();
    for (const worker of this.workers.values()) worker.dispose();
    await this.options.cluster.close();
  }

  private async rehearse(): Promise<void> {
    const { template, larry, namespace, cluster } = this.options;
    const sample = { run: 'dry-run', task: 'dry-run', claim: 'dry-run', larry, worker: `dry-run-${randomBytes(4).toString('hex')}`, plannedNode: 'dry-run', attempt: 1, limitMs: 60_000 };
    const outcome = await cluster.writer().create(jobFor(template, sample, this.options), { dryRun: true, signal: this.closing.signal }).catch((error: unknown) => ({ outcome: 'unknown' as const, message: messageOf(error) }));
    if (outcome.outcome === 'done') return;
    const what = `a dry run of the workers' Job in namespace ${namespace}`;
    if (outcome.outcome === 'refused') refuseNamespace(namespace, outcome);
    if (outcome.outcome === 'refused' && outcome.status === 401) throw new JobLauncherError(`${what} is refused (401): the coordinator's token has expired or is no longer valid; its ServiceAccount must be there, and LARRY_KUBECONFIG, where it is set, must hold a valid one`);
    if (outcome.outcome === 'refused' && outcome.status === 403) throw new JobLauncherError(`${what} is refused: ${outcome.message}; the coordinator's account needs the Role of larry's charts there, or the policy or quota that refuses it must allow it`);
    if (outcome.outcome === 'refused') throw new JobLauncherError(`${what} is refused: ${outcome.message}; mend the template that LARRY_JOB_TEMPLATE names`);
    throw new JobLauncherError(`${what} got no answer: ${outcome.message}; is the API server up?`);
  }

  /** Creates the order's Job, or finds it created before. Tries again while that can help, and says once that it does. */
  private async make(order: WorkOrder): Promise<KubeObject> {
    const { log } = this.options;
    const until = Date.now() + this.limits.patienceMs;
    let name = jobName(order);
    let said = '';
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const made = await this.createOnce(order, name).catch(orAgain);
      if ('job' in made) return made.job;
      if (made.distinct) name = jobName(order, true);
      if (Date.now() + pauseMs > until || this.closing.signal.aborted) throw new JobLauncherError(`Job ${name} could not be created within ${Math.round(this.limits.patienceMs / 1000)} s: ${made.again}`);
      if (made.again !== said) log.warn({ job: name, why: made.again }, 'a Job could not be created; it is tried again');
      said = made.again;
      await delay(pauseMs * (0.75 + Math.random() / 2), undefined, { signal: this.closing.signal });
    }
  }

  private async createOnce(order: WorkOrder, name: string): Promise<Made> {
    const { template, cluster, namespace } = this.options;
    const outcome = await cluster.writer().create(jobFor(template, order, this.options, name), { dryRun: false, signal: this.closing.signal });
    if (outcome.outcome === 'done') return { job: outcome.object };
    if (outcome.outcome === 'refused') {
      if (outcome.status === 401) return { again: "the API server refuses the coordinator's token (401): has it expired, or is its ServiceAccount gone?" };
      if (isTemporary(outcome)) return { again: outcome.message };
      throw new RefusedForGood(`the API server refuses Job ${namespace}/${name} (${outcome.status}): ${outcome.message}`);
    }
    const existing = await cluster.get({ apiVersion: 'batch/v1', kind: 'Job', namespace, name }, this.closing.signal);
    return existing ? this.meet(existing, order) : { again: outcome.message };
  }

  /** A Job of that name is there: ours of this claim, ours of another one, or somebody else's. */
  private async meet(existing: KubeObject, order: WorkOrder): Promise<Made> {
    const { larry, namespace } = this.options;
    const { name, uid = '' } = existing.metadata;
    const its = orderOf(existing, larry);
    if (!its) throw new RefusedForGood(`Job ${namespace}/${name} exists and is not of ${larry}: delete it, or give worker ${order.worker} another name in the plan`);
    if (its.claim === order.claim && its.run === order.run && its.task === order.task) return { job: existing };
    // Two workers of a run may be named alike: cleanup's second attempt, and cleanup-2's first.
    if (its.run === order.run && its.task !== order.task) return { again: `Job ${name} is that of task ${its.task}`, distinct: true };
    // Its claim is not the task's any more, because ours is: whatever still runs there is refused.
    await this.removeOnce(name, uid);
    return { again: `waiting until Job ${name} of run ${printable(its.run, 100)} is gone` };
  }

  private seen(job: KubeObject): void {
    const { uid = '' } = job.metadata;
    if (this.known.has(uid) || uid === '') return;
    const order = orderOf(job, this.options.larry);
    if (!order || this.creating.has(order.claim)) return;
    if (this.found) this.found(order, this.workerOf(job, order));
    else this.unclaimed.set(uid, job);
  }

  private workerOf(job: KubeObject, order: WorkOrder): JobWorker {
    const { uid = '', name, creationTimestamp } = job.metadata;
    const known = this.workers.get(uid);
    if (known) return known;
    const { log, template } = this.options;
    this.known.add(uid);
    this.watch.note(job);
    const worker: JobWorker = new JobWorker({
      uid,
      name,
      plannedNode: order.plannedNode,
      // The API server's clock may be ahead of this one.
      createdMs: Math.min(Date.parse(creationTimestamp ?? '') || Date.now(), Date.now()),
      graceMs: template.graceMs,
      limits: this.limits,
      log,
      facts: () => this.watch.of(uid),
      refresh: () => this.watch.refresh(uid),
      warning: () => this.warningOf([uid, ...this.watch.of(uid).pods.map((pod) => pod.uid)]),
      obstacle: () => this.obstacleOf(this.watch.of(uid).pods.filter((pod) => !pod.gone).map((pod) => pod.uid)),
      remove: () => void this.remove(name, uid),
      forget: () => {
        this.workers.delete(uid);
        this.watch.forget(uid);
      },
    });
    this.workers.set(uid, worker);
    // Not before its caller has it.
    queueMicrotask(() => worker.look());
    return worker;
  }

  /** The last warning about one of these objects. Asked for once, when a worker is given up. */
  private async warningOf(uids: readonly string[]): Promise<string> {
    const events = await Promise.all(uids.map((uid) => this.eventsOf(uid, ',type=Warning')));
    return lastWarning(events.flat());
  }

  /** What keeps one of these pods from being set up. One list a pod, at most once in each patience. */
  private async obstacleOf(uids: readonly string[]): Promise<string> {
    const events = await Promise.all(uids.map((uid) => this.eventsOf(uid)));
    return events.map(setupObstacle).find((said) => said !== '') ?? '';
  }

  private async eventsOf(uid: string, more = ''): Promise<KubeObject[]> {
    const { cluster, namespace } = this.options;
    const events: KubeObject[] = [];
    for await (const event of cluster.list({ apiVersion: 'v1', kind: 'Event' }, { namespace, fieldSelector: `involvedObject.uid=${uid}${more}`, signal: this.closing.signal })) events.push(event);
    return events;
  }

  /** Goes on until it is gone: what is left of it would be run by nobody. */
  private async remove(name: string, uid: string): Promise<void> {
    const { log } = this.options;
    for (let pauseMs = firstPauseMs; !this.closing.signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const left = await this.removeOnce(name, uid).catch(messageOf);
      if (left === undefined) return;
      log.warn({ job: name, error: left }, 'a Job could not be deleted; it is tried again');
      await delay(pauseMs, undefined, { signal: this.closing.signal }).catch(() => undefined);
    }
  }

  /** Undefined when it is gone or another one; else why it is not. */
  private async removeOnce(name: string, uid: string): Promise<string | undefined> {
    const { cluster, namespace } = this.options;
    const outcome = await cluster.writer().remove({ apiVersion: 'batch/v1', kind: 'Job', namespace, name }, { uid }, { dryRun: false, signal: this.closing.signal });
    // 409: the precondition failed, so that the name is another Job's by now.
    if (outcome.outcome === 'done' || outcome.outcome === 'conflict' || (outcome.outcome === 'refused' && outcome.status === 404)) return undefined;
    return outcome.message;
  }
}

/** What refuses every object of a namespace: it is being deleted, or is not there. */
function refuseNamespace(namespace: string, { status, message }: Extract<WriteOutcome, { outcome: 'refused' }>): void {
  if (status === 403 && /because it is being terminated/.test(message)) throw new JobLauncherError(`the namespace ${namespace} is being deleted, and no worker can be made in it: wait until it is gone (kubectl get namespace ${namespace}), then install again`);
  if (status === 404 && /namespaces? "[^"]*" not found/.test(message)) throw new JobLauncherError(`the namespace ${namespace} is not there: make it (kubectl create namespace ${namespace}), or name the coordinator's own in LARRY_NAMESPACE`);
}

/** Trying again does not help. */
class RefusedForGood extends JobLauncherError {}

function orAgain(error: unknown): Made {
  if (error instanceof RefusedForGood) throw error;
  return { again: messageOf(error) };
}

/** A quota has room again when a Job ends; a busy server has time later. */
function isTemporary({ status, message }: Extract<WriteOutcome, { outcome: 'refused' }>): boolean {
  return status === 408 || status === 429 || (status === 403 && /exceeded quota/i.test(message));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
