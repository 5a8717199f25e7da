import { plannedNode, planTasks } from '@larry/contracts';
import { defaultTtlMs, onWake, retryWaitMs, wakeEveryMs, type Coordination, type RunSnapshot, type TaskClaim, type TaskState } from '@larry/coordination';
import type { PlaybookLog } from '@larry/playbook';
import { randomUUID } from 'node:crypto';
import type { LaunchedWorker, WorkerExit, WorkerLauncher, WorkOrder } from './launcher';
import { readRunDocument, type RunDocument } from './run-document';

/** What an engine works with. */
export interface LarryEngineOptions {
  larry: string;
  coordination: Coordination;
  launcher: WorkerLauncher;
  log: PlaybookLog;
  /** Length of a lease, milliseconds. */
  ttlMs?: number;
  /** Workers that this replica runs at the same time. */
  maxWorkers?: number;
  /** The figures that this Larry shows besides its phase: `phase:larry-02:findings` and the like. */
  extraViews?(coordination: Coordination, snapshot: RunSnapshot): Promise<Record<string, string | Record<string, string> | undefined>>;
}

interface Launch {
  claim: TaskClaim;
  attempt: number;
  worker?: LaunchedWorker;
  /** Told to stop because its lease lapsed. */
  ending?: boolean;
  /** Ends the renewals of its claim. */
  keeping: AbortController;
  /** Resolves when its worker has ended and what it left is settled. */
  done?: Promise<void>;
}

/** `started`: the worker renews now. `refused`: the claim is over. `lost`: its lock or its time is, before any worker started. */
type Kept = 'started' | 'refused' | 'lost' | 'over';

const stopGraceMs = 5000;
const staleGraceMs = 200;

/**
 * The engine of a Larry. Reconciles from state when it starts, when a message comes, when it resubscribes and every
 * second: claims ready tasks of its phase, launches a worker for each, watches, settles what died. Replicas are equal.
 */
export class LarryEngine {
  /** By claim. */
  private readonly launches = new Map<string, Launch>();
  private readonly documents = new Map<string, RunDocument>();
  private waker?: Awaited<ReturnType<typeof onWake>>;
  private stopping = false;
  /** When this replica last ended what is past its deadline, on the monotonic clock. */
  private expiredAt = -Infinity;

  constructor(private readonly options: LarryEngineOptions) {}

  /** Takes over what runs already, and begins to reconcile. */
  async start(): Promise<void> {
    const { coordination, launcher, log } = this.options;
    const taken: Promise<void>[] = [];
    launcher.adopt?.((order, worker) => void taken.push(this.takeOver(order, worker)));
    // Their claims are renewed first: what has lapsed would be claimed anew.
    await Promise.all(taken);
    this.waker = await onWake(coordination.redis, () => this.reconcile(), {
      onError: (error) => log.warn({ error: messageOf(error) }, 'reconciling failed; it is tried again'),
    });
  }

  /**
   * Stops claiming. Workers that end with their coordinator are asked to stop, and what they did not settle is given back;
   * those that outlive it are left to whoever takes them over.
   */
  async stop(): Promise<void> {
    const { launcher } = this.options;
    this.stopping = true;
    await this.waker?.stop();
    const launches = [...this.launches.values()];
    if (launcher.outlives) {
      launches.forEach(({ keeping }) => keeping.abort());
      await launcher.close?.();
      await Promise.all(launches.map(({ worker, done }) => (worker ? undefined : done)));
      return;
    }
    await Promise.all(launches.map((l) => l.worker?.stop(stopGraceMs)));
    await Promise.all(launches.map((l) => this.afterExit(l, { reason: 'its coordinator stopped' })));
  }

  /** How many workers this replica runs now. */
  get activeWorkers(): number {
    return this.launches.size;
  }

  private async reconcile(): Promise<void> {
    const { coordination, larry } = this.options;
    const snapshot = await coordination.snapshot();
    if (!snapshot || this.stopping) return;
    if (snapshot.run.status === 'running') {
      await this.expire(snapshot.run.run);
      await this.claimReady(snapshot);
    }
    const extra = (await this.options.extraViews?.(coordination, snapshot)) ?? {};
    await coordination.views.refresh({ larrys: [larry], extra, recheckMs: wakeEveryMs / 2 });
  }

  /** No message says that a deadline has passed: once a second is enough, however many messages come. */
  private async expire(run: string): Promise<void> {
    const now = performance.now();
    if (now - this.expiredAt < wakeEveryMs / 2) return;
    this.expiredAt = now;
    await this.options.coordination.expire(run);
  }

  private async claimReady(snapshot: RunSnapshot): Promise<void> {
    const { larry, launcher, maxWorkers = 16 } = this.options;
    for (const task of snapshot.tasks) {
      if (this.stopping) return;
      if (task.larry !== larry || !task.claimable) continue;
      const launches = [...this.launches.values()].filter(({ claim }) => claim.task === task.task);
      launches.forEach((launch) => this.endStale(launch));
      // The node of a Job may be dead: nobody hears of its end, and nobody waits for it. A process is on this machine.
      const inTheWay = launches.some(({ ending }) => !ending || !launcher.outlives);
      if (!inTheWay && this.launches.size < maxWorkers) await this.take(snapshot.run.run, task);
    }
  }

  /** A worker of ours whose lease has lapsed hangs or is paused. It ends here, and the task is anybody's again. */
  private endStale(launch: Launch): void {
    if (!launch.worker || launch.ending) return;
    launch.ending = true;
    this.options.log.warn({ run: launch.claim.run, task: launch.claim.task, worker: launch.worker.id }, 'its lease has lapsed: the worker is ended');
    // Asked and made at once: a worker that does not renew does not listen, and its effects are guarded.
    void launch.worker.stop(staleGraceMs);
  }

  private async take(run: string, task: TaskState): Promise<void> {
    const { coordination, larry, log, ttlMs = defaultTtlMs } = this.options;
    const claim: TaskClaim = { run, task: task.task, larry, claim: randomUUID() };
    const claimed = await coordination.claim(claim, ttlMs);
    if (claimed.outcome !== 'claimed') {
      log.debug({ run, task: task.task, outcome: claimed.outcome }, 'not claimed');
      return;
    }
    log.info({ run, task: task.task, fence: claimed.fence, attempt: claimed.attempt }, 'claimed');
    // Not waited for: a launch may take minutes (an image pull), and other tasks are ready.
    this.note({ claim, attempt: claimed.attempt, keeping: new AbortController() }, (launch) => this.launchAndWatch(launch, task));
  }

  private note(launch: Launch, watch: (launch: Launch) => Promise<void>): void {
    this.launches.set(launch.claim.claim, launch);
    launch.done = watch(launch).finally(() => {
      this.launches.delete(launch.claim.claim);
      this.waker?.wake();
    });
  }

  private async launchAndWatch(launch: Launch, task: TaskState): Promise<void> {
    const { launcher, log } = this.options;
    const { claim, attempt, keeping } = launch;
    const kept = this.keepClaim(launch, this.options.ttlMs ?? defaultTtlMs);
    try {
      launch.worker = await launcher.launch(await this.orderOf(launch, task));
    } catch (error) {
      keeping.abort();
      log.warn({ run: claim.run, task: task.task, error: messageOf(error) }, 'could not launch');
      const reason = `could not be launched: ${messageOf(error)}`;
      // A Job may have been made all the same, where no answer came: nothing is taken from a worker that has started.
      return this.settle(launch, this.stopping ? { outcome: 'returned', reason } : { outcome: 'error', reason, retryAfterMs: retryWaitMs(attempt) }, launcher.outlives);
    }
    log.info({ run: claim.run, task: task.task, worker: launch.worker.id, node: launch.worker.node }, 'launched');
    // Its claim was given back while it was being launched.
    if (this.stopping && !launcher.outlives) void launch.worker.stop(stopGraceMs);
    await this.follow(launch, launch.worker, kept);
  }

  /** A worker that this replica did not launch. Resolves when its claim has been renewed, where it can be. */
  private async takeOver(order: WorkOrder, worker: LaunchedWorker): Promise<void> {
    const { run, task, larry, claim, attempt } = order;
    if (this.stopping || this.launches.has(claim)) return;
    this.options.log.debug({ run, task, worker: worker.id, node: worker.node }, 'taken over');
    await new Promise<void>((renewed) => {
      const launch = { claim: { run, task, larry, claim }, attempt, worker, keeping: new AbortController() };
      this.note(launch, () => {
        const kept = this.keepClaim(launch, 0, renewed);
        void kept.then(() => renewed());
        return this.follow(launch, worker, kept);
      });
    });
  }

  private async follow(launch: Launch, worker: LaunchedWorker, kept: Promise<Kept>): Promise<void> {
    const { claim, keeping } = launch;
    const { launcher, ttlMs = defaultTtlMs } = this.options;
    const ended = kept.then(async (state) => {
      if (state !== 'lost' && state !== 'refused') return;
      // It has settled its task and is about to end, or is refused at its start: a Job that ends by itself keeps its log.
      if (state === 'refused' && launcher.outlives) await Promise.race([worker.exited, pause(ttlMs, keeping.signal)]);
      await worker.stop(stopGraceMs);
    });
    const exit = await worker.exited;
    keeping.abort();
    await ended;
    this.options.log.info({ run: claim.run, task: claim.task, worker: worker.id, node: worker.node, exit: exit.reason }, 'worker ended');
    await this.afterExit(launch, exit);
  }

  /** Renews while the launch is pending. `firstMs`: before the first renewal, of which `renewed` is told. */
  private async keepClaim(launch: Launch, firstMs: number, renewed: () => void = () => undefined): Promise<Kept> {
    const { ttlMs = defaultTtlMs, launcher } = this.options;
    const { signal } = launch.keeping;
    const until = performance.now() + launcher.startLimitMs;
    for (let waitMs = Math.min(firstMs, ttlMs / 3); performance.now() < until; waitMs = ttlMs / 3) {
      if (!(await pause(waitMs, signal))) return 'over';
      const state = await this.renew(launch.claim);
      renewed();
      if (state) return state;
    }
    return 'lost';
  }

  /** Undefined when it is to be renewed again. */
  private async renew(claim: TaskClaim): Promise<Kept | undefined> {
    const { coordination, ttlMs = defaultTtlMs, log } = this.options;
    try {
      const outcome = await coordination.renewClaim(claim, ttlMs);
      if (outcome.outcome === 'renewed') return undefined;
      if (outcome.outcome === 'lost') return 'lost';
      return outcome.why === 'started' ? 'started' : 'refused';
    } catch (error) {
      log.warn({ task: claim.task, error: messageOf(error) }, 'the claim could not be renewed; it is tried again');
      return undefined;
    }
  }

  /**
   * A worker that settled its task leaves nothing to do: the script refuses as ended or stale. One that died is settled
   * here at once, by the claim: killed means given back, exit code 1 an error, 2 nothing more of this worker.
   */
  private async afterExit(launch: Launch, exit: WorkerExit): Promise<void> {
    if (exit.code === 0 || exit.code === 2) return;
    const reason = `worker ended: ${exit.reason}`;
    const failed = exit.code === 1 || exit.error === true;
    await this.settle(launch, failed ? { outcome: 'error', reason, retryAfterMs: retryWaitMs(launch.attempt) } : { outcome: 'returned', reason }, exit.unsure);
  }

  /** `unsure`: nobody knows whether its worker lives. Nothing is taken from one that does: its lease is waited for. */
  private async settle(launch: Launch, settlement: Extract<Parameters<Coordination['settleClaim']>[1], { outcome: 'error' | 'returned' }>, unsure = false): Promise<void> {
    const { coordination, log, ttlMs = defaultTtlMs } = this.options;
    try {
      if (!unsure) return void (await coordination.settleClaim(launch.claim, settlement));
      for (;;) {
        const outcome = await coordination.settleUnheld(launch.claim, settlement);
        if (outcome.outcome !== 'refused' || outcome.why !== 'held' || this.stopping) return;
        await pause(ttlMs / 3, neverAborted);
      }
    } catch (error) {
      // The lease lapses by itself; the task is then anybody's.
      log.warn({ task: launch.claim.task, error: messageOf(error) }, 'could not be settled; its lease will lapse');
    }
  }

  private async orderOf({ claim, attempt }: Launch, task: TaskState): Promise<WorkOrder> {
    const { run, larry } = claim;
    const document = await this.documentOf(run);
    const planned = document && planTasks(document.plan).find((t) => t.id === task.task);
    const plannedOn = document && planned ? plannedNode(document.plan, planned) : (task.node ?? 'unknown');
    return { run, task: task.task, claim: claim.claim, larry, worker: task.worker, plannedNode: plannedOn, attempt, ...(planned ? { limitMs: planned.minutes * 60_000 } : {}) };
  }

  private async documentOf(run: string): Promise<RunDocument | undefined> {
    const document = this.documents.get(run) ?? (await readRunDocument(this.options.coordination, run));
    if (document) this.documents.set(run, document);
    return document;
  }
}

const neverAborted = new AbortController().signal;

/** False when it was cut short. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (whole: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cut);
      resolve(whole);
    };
    const cut = (): void => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener('abort', cut, { once: true });
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
