import { randomUUID } from 'node:crypto';
import { RedisError, RedisUnavailableError } from '@larry/redis';
import type { Coordination } from './coordination';
import { LeaseLostError } from './errors';
import { defaultTtlMs, type Decisions, type RenewOutcome, type SettleOutcome, type TaskLease } from './lease';
import type { Refused } from './outcomes';
import { retryWaitMs, type Settlement } from './settlement';

/** How a lease is held. */
export interface LeaseOptions {
  /** Length of the lease, milliseconds, 300 or more. Default 30,000. Renewed at a third of it. */
  readonly ttlMs?: number;
  /** The worker's own random id. Default: a new one. The same process may repeat its start with the same. */
  readonly holder?: string;
  /** Where the work is done: a node's name. Shown instead of the plan's node from the start on. */
  readonly node?: string;
  /** Stops the work as a lost lease does, and gives the task back: the process was told to end. */
  readonly stop?: AbortSignal;
}

/** What the work sees of its lease. */
export interface HeldLease extends TaskLease, Decisions {
  readonly attempt: number;
  /** Aborted when the lease is lost or the process must stop. After a pause it is late: `guard()` is not. */
  readonly signal: AbortSignal;
  /**
   * Call it synchronously, directly before each effect: compares the monotonic clock, and the clock of the wall, which
   * goes on while a machine is suspended, with 0.8 ttl since the last successful renewal began. @throws LeaseLostError
   */
  guard(): void;
}

/** How the work ended: settled as it said, or refused because the lease is somebody else's. */
export type LeaseEnd = SettleOutcome | { readonly outcome: 'not-started'; readonly why: Refused['why'] };

/** Scoped leases for workers. */
export class Leases {
  constructor(private readonly coordination: Coordination) {}

  /**
   * Starts the claimed task, renews while `work` runs, and settles as it says. When `work` throws: LeaseLostError gives
   * the task back, any other error uses an attempt. `not-started`: another worker has this claim, or the task is over;
   * nothing was touched.
   * @throws RedisUnavailableError when Redis stayed away for a whole lease while starting or settling
   */
  async using(
    claimed: { readonly run: string; readonly task: string; readonly claim: string },
    options: LeaseOptions,
    work: (lease: HeldLease) => Promise<Settlement>,
  ): Promise<LeaseEnd> {
    const ttlMs = options.ttlMs ?? defaultTtlMs;
    if (!Number.isInteger(ttlMs) || ttlMs < 300) throw new RangeError(`LeaseOptions.ttlMs is ${ttlMs}: it must be 300 milliseconds or more.`);
    const began = performance.now();
    const started = await this.coordination.start({ ...claimed, holder: options.holder ?? randomUUID(), node: options.node }, ttlMs);
    if (started.outcome === 'refused') return { outcome: 'not-started', why: started.why };
    const keeper = new Keeper(this.coordination, started.lease, ttlMs, began);
    const stop = (): void => keeper.lose('the process is stopping');
    options.stop?.addEventListener('abort', stop, { once: true });
    if (options.stop?.aborted) stop();
    const { attempt, approval, verdicts, unanswered } = started;
    const held: HeldLease = { ...started.lease, attempt, approval, verdicts, unanswered, signal: keeper.signal, guard: () => keeper.guard() };
    const settlement = await settled(work, held).finally(() => {
      options.stop?.removeEventListener('abort', stop);
      return keeper.end();
    });
    return this.settle(started.lease, settlement, ttlMs);
  }

  /** Work that is done must not be lost to a connection that is away just now: tried again, with the same proof, for one more lease. */
  private async settle(lease: TaskLease, settlement: Settlement, ttlMs: number): Promise<SettleOutcome> {
    const deadline = performance.now() + ttlMs;
    for (;;) {
      try {
        return await this.coordination.settle(lease, settlement);
      } catch (error) {
        if (!(error instanceof RedisUnavailableError) || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, ttlMs / 30));
      }
    }
  }
}

/** A lost lease wins over what the work says: it may have stopped in the middle. */
async function settled(work: (lease: HeldLease) => Promise<Settlement>, lease: HeldLease): Promise<Settlement> {
  try {
    const settlement = await work(lease);
    lease.signal.throwIfAborted();
    return settlement;
  } catch (error) {
    const lost: unknown = lease.signal.aborted ? lease.signal.reason : error;
    if (lost instanceof LeaseLostError) return { outcome: 'returned', reason: lost.message };
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: 'error', reason, retryAfterMs: retryWaitMs(lease.attempt) };
  }
}

/** Renews one lease until it is ended or lost. */
class Keeper {
  private readonly controller = new AbortController();
  private readonly validMs: number;
  private timer?: NodeJS.Timeout;
  private renewing: Promise<void> = Promise.resolve();
  private ended = false;
  /** The same moment on the clock of the wall: the monotonic one stands still while the machine is suspended. */
  private renewedOnWall: number;

  constructor(
    private readonly coordination: Coordination,
    private readonly lease: TaskLease,
    private readonly ttlMs: number,
    /** When the last successful renewal began, on the monotonic clock. */
    private renewedAt: number,
  ) {
    this.renewedOnWall = Date.now() - (performance.now() - renewedAt);
    this.validMs = ttlMs * 0.8;
    this.schedule(ttlMs / 3);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  guard(): void {
    // The greater of both: a clock that is set forward costs a lease that is given back, never one that is held too long.
    const age = Math.max(performance.now() - this.renewedAt, Date.now() - this.renewedOnWall);
    if (age > this.validMs) this.lose(`the last renewal began ${Math.round(age)} ms ago, and it counts for ${Math.round(this.validMs)} ms`);
    this.signal.throwIfAborted();
  }

  lose(reason: string): void {
    if (!this.signal.aborted) this.controller.abort(new LeaseLostError(this.lease.task, reason));
    clearTimeout(this.timer);
  }

  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.renewing;
  }

  private schedule(inMs: number): void {
    if (this.ended || this.signal.aborted) return;
    const left = this.renewedAt + this.validMs - performance.now();
    this.timer = setTimeout(() => {
      this.renewing = this.renew();
    }, Math.max(0, Math.min(inMs, left)));
  }

  private async renew(): Promise<void> {
    const began = performance.now();
    const outcome = await this.attempt(began);
    if (outcome === undefined) {
      if (performance.now() - this.renewedAt >= this.validMs) return this.lose('it could not be renewed in time');
      return this.schedule(this.ttlMs / 30);
    }
    if (outcome.outcome === 'renewed') {
      this.renewedAt = began;
      this.renewedOnWall = Date.now() - (performance.now() - began);
      return this.schedule(this.ttlMs / 3 - (performance.now() - began));
    }
    this.lose(outcome.outcome === 'lost' ? outcome.why : `its renewal was refused (${outcome.why})`);
  }

  /** Undefined when it failed without an answer: unknown, so it is tried again. */
  private async attempt(began: number): Promise<RenewOutcome | undefined> {
    const left = this.renewedAt + this.validMs - began;
    // After a pause the time is up already: a lapsed lease that nobody took may still be renewed, so it gets one try.
    const patienceMs = left > 0 ? left : this.ttlMs / 3;
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patienceMs);
    });
    const renewal = this.coordination.renew(this.lease, this.ttlMs).catch((error: unknown) => {
      if (error instanceof RedisError) return undefined;
      throw error;
    });
    return Promise.race([renewal, expired]).finally(() => clearTimeout(timer));
  }
}
