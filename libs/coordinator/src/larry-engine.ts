import { plannedNode, planTasks } from '@larry/contracts';
import { defaultTtlMs, onWake, retryWaitMs, wakeEveryMs, type Coordination, type RunSnapshot, type TaskClaim, type TaskState } from '@larry/coordination';
import type { PlaybookLog } from '@larry/playbook';
import { randomUUID } from 'node:crypto';
import type { LaunchedWorker, WorkerExit, WorkerLauncher } from './launcher';
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
}

const stopGraceMs = 5000;
const staleGraceMs = 200;

/**
 * The engine of a Larry. Reconciles from state when it starts, when a message comes, when it resubscribes and every
 * second: claims ready tasks of its phase, launches a worker for each, watches, settles what died. Replicas are equal.
 */
export class LarryEngine {
  private readonly launches = new Map<string, Launch>();
  private readonly documents = new Map<string, RunDocument>();
  private waker?: Awaited<ReturnType<typeof onWake>>;
  private stopping = false;
  /** When this replica last ended what is past its deadline, on the monotonic clock. */
  private expiredAt = -Infinity;

  constructor(private readonly options: LarryEngineOptions) {}

  /** Begins to reconcile; returns at once. */
  async start(): Promise<void> {
    const { coordination, log } = this.options;
    this.waker = await onWake(coordination.redis, () => this.reconcile(), {
      onError: (error) => log.warn({ error: messageOf(error) }, 'reconciling failed; it is tried again'),
    });
  }

  /** Stops claiming, asks its workers to stop, and gives back what they did not settle themselves. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.waker?.stop();
    await Promise.all([...this.launches.values()].map((l) => l.worker?.stop(stopGraceMs)));
    await Promise.all([...this.launches.values()].map((l) => this.afterExit(l, { reason: 'its coordinator stopped' })));
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
    const { larry, maxWorkers = 16 } = this.options;
    for (const task of snapshot.tasks) {
      if (this.stopping) return;
      if (task.larry !== larry || !task.claimable) continue;
      if (this.launches.has(task.task)) this.endStale(task.task);
      else if (this.launches.size < maxWorkers) await this.take(snapshot.run.run, task);
    }
  }

  /** A worker of ours whose lease has lapsed hangs or is paused. It ends here, and the task is anybody's again. */
  private endStale(task: string): void {
    const launch = this.launches.get(task);
    if (!launch?.worker || launch.ending) return;
    launch.ending = true;
    this.options.log.warn({ run: launch.claim.run, task, worker: launch.worker.id }, 'its lease has lapsed: the worker is ended');
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
    const launch: Launch = { claim, attempt: claimed.attempt };
    this.launches.set(task.task, launch);
    // Not waited for: a launch may take minutes (an image pull), and other tasks are ready.
    void this.launchAndWatch(launch, task).finally(() => {
      if (this.launches.get(task.task) === launch) this.launches.delete(task.task);
      this.waker?.wake();
    });
  }

  private async launchAndWatch(launch: Launch, task: TaskState): Promise<void> {
    const { larry, launcher, log } = this.options;
    const { claim, attempt } = launch;
    const keeping = new AbortController();
    const kept = this.keepClaim(claim, launcher.startLimitMs, keeping.signal);
    try {
      const order = { run: claim.run, task: task.task, claim: claim.claim, larry, worker: task.worker, plannedNode: await this.plannedNodeOf(claim.run, task), attempt };
      launch.worker = await launcher.launch(order);
      log.info({ run: claim.run, task: task.task, worker: launch.worker.id, node: launch.worker.node }, 'launched');
      // Its claim was given back while it was being launched.
      if (this.stopping) void launch.worker.stop(stopGraceMs);
      const lost = kept.then(async (state) => {
        // The claim is somebody else's: this worker must not start, and one that started has been told by its own renewal.
        if (state === 'lost') await launch.worker?.stop(stopGraceMs);
      });
      const exit = await launch.worker.exited;
      keeping.abort();
      await lost;
      log.info({ run: claim.run, task: task.task, worker: launch.worker.id, exit: exit.reason }, 'worker ended');
      await this.afterExit(launch, exit);
    } catch (error) {
      keeping.abort();
      log.warn({ run: claim.run, task: task.task, error: messageOf(error) }, 'could not launch');
      await this.settle(launch, { outcome: 'error', reason: `could not be launched: ${messageOf(error)}`, retryAfterMs: retryWaitMs(attempt) });
    }
  }

  /** Renews while the launch is pending. `started`: the worker renews now. `lost`: the claim is not ours any more. */
  private async keepClaim(claim: TaskClaim, limitMs: number, signal: AbortSignal): Promise<'started' | 'lost' | 'over'> {
    const { coordination, ttlMs = defaultTtlMs, log } = this.options;
    const until = performance.now() + limitMs;
    while (performance.now() < until) {
      if (!(await pause(ttlMs / 3, signal))) return 'over';
      try {
        const renewed = await coordination.renewClaim(claim, ttlMs);
        if (renewed.outcome === 'renewed') continue;
        if (renewed.outcome === 'refused' && renewed.why === 'started') return 'started';
        return 'lost';
      } catch (error) {
        log.warn({ task: claim.task, error: messageOf(error) }, 'the claim could not be renewed; it is tried again');
      }
    }
    return 'lost';
  }

  /**
   * A worker that settled its task leaves nothing to do: the script refuses as ended or stale. One that died is settled
   * here at once, by the claim: killed means given back, exit code 1 an error, 2 nothing more of this worker.
   */
  private async afterExit(launch: Launch, exit: WorkerExit): Promise<void> {
    if (exit.code === 0 || exit.code === 2) return;
    const reason = `worker ended: ${exit.reason}`;
    if (exit.code === 1) await this.settle(launch, { outcome: 'error', reason, retryAfterMs: retryWaitMs(launch.attempt) });
    else await this.settle(launch, { outcome: 'returned', reason });
  }

  private async settle(launch: Launch, settlement: Parameters<Coordination['settleClaim']>[1]): Promise<void> {
    const { coordination, log } = this.options;
    try {
      await coordination.settleClaim(launch.claim, settlement);
    } catch (error) {
      // The lease lapses by itself; the task is then anybody's.
      log.warn({ task: launch.claim.task, error: messageOf(error) }, 'could not be settled; its lease will lapse');
    }
  }

  private async plannedNodeOf(run: string, task: TaskState): Promise<string> {
    const document = this.documents.get(run) ?? (await readRunDocument(this.options.coordination, run));
    if (!document) return task.node ?? 'unknown';
    this.documents.set(run, document);
    const planned = planTasks(document.plan).find((t) => t.id === task.task);
    return planned ? plannedNode(document.plan, planned) : (task.node ?? 'unknown');
  }
}

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
