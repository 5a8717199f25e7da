import type { KubeObject } from '@larry/contracts';
import type { Activity } from './activity';
import { ApiError, type ApiClient } from './api-client';
import type { Clock } from './clock';
import type { EventRecorder } from './event-recorder';
import type { Informer, Informers } from './informer';
import { keyOf, type ResourceKind } from './kinds';

/** What every simulated client works with. */
export interface ClientContext {
  api: ApiClient;
  clock: Clock;
  informers: Informers;
  events: EventRecorder;
  activity: Activity;
  /** Hears of errors that are retried; static message, data as fields. */
  log: (fields: Record<string, unknown>, message: string) => void;
}

/**
 * A queue of keys and one level-triggered `sync` for each: it looks at what is, not at what changed, so
 * lost, doubled and reordered notices do no harm. One key is never synced twice at the same time; an error
 * is tried again after 5 ms, doubling to 10 s.
 */
export abstract class Controller {
  private readonly waiting = new Map<string, () => void>();
  private readonly active = new Set<string>();
  private readonly again = new Set<string>();
  private readonly failures = new Map<string, number>();
  private readonly timers = new Map<string, () => void>();
  private stopped = false;
  private running = 0;

  protected constructor(
    protected readonly context: ClientContext,
    readonly name: string,
    private readonly parallel = 4,
  ) {
    context.informers.whenSynced(() => this.pump());
  }

  /** Brings the world nearer to what the object of this key asks for. */
  protected abstract sync(key: string): Promise<void>;

  enqueue(key: string): void {
    if (this.stopped) return;
    if (this.active.has(key)) this.again.add(key);
    else if (!this.waiting.has(key)) this.waiting.set(key, this.context.activity.begin());
    this.pump();
  }

  /** Syncs a key again after a span of the cluster's time; only the soonest wish counts. Not counted as activity. */
  protected enqueueAfter(key: string, ms: number): void {
    this.timers.get(key)?.();
    this.timers.set(
      key,
      this.context.clock.setTimer(ms, () => {
        this.timers.delete(key);
        this.enqueue(key);
      }),
    );
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const cancel of this.timers.values()) cancel();
    for (const end of this.waiting.values()) end();
    this.waiting.clear();
    while (this.running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Syncs an object of `kind` whenever it changes. */
  protected watch<T extends KubeObject>(kind: ResourceKind<T>): Informer<T> {
    const informer = this.context.informers.of(kind);
    informer.onChange(({ object }) => this.enqueue(keyOf(object)));
    return informer;
  }

  /** Syncs the objects that `keysOf` names whenever one of `kind` changes; its state before counts too. */
  protected watchFor<T extends KubeObject>(kind: ResourceKind<T>, keysOf: (object: T) => string[]): Informer<T> {
    const informer = this.context.informers.of(kind);
    informer.onChange((change) => {
      for (const key of keysOf(change.object)) this.enqueue(key);
      if (change.type === 'updated' && change.old) for (const key of keysOf(change.old)) this.enqueue(key);
    });
    return informer;
  }

  private pump(): void {
    while (this.context.informers.synced && !this.stopped && this.running < this.parallel) {
      const next = this.waiting.entries().next();
      if (next.done) return;
      const [key, end] = next.value;
      this.waiting.delete(key);
      this.active.add(key);
      this.running += 1;
      void this.run(key, end);
    }
  }

  private async run(key: string, end: () => void): Promise<void> {
    try {
      await this.sync(key);
      this.failures.delete(key);
    } catch (error) {
      this.retry(key, error);
    }
    this.running -= 1;
    this.active.delete(key);
    if (this.again.delete(key)) this.enqueue(key);
    end();
    this.pump();
  }

  private retry(key: string, error: unknown): void {
    if (this.stopped || isFutile(error)) return;
    const failures = (this.failures.get(key) ?? 0) + 1;
    this.failures.set(key, failures);
    // A lost race is everyday life; the next sync sees what won.
    if (!(error instanceof ApiError && error.status === 409)) {
      this.context.log({ controller: this.name, key, failures, error: String(error) }, 'sync failed, will retry');
    }
    const end = failures < 8 ? this.context.activity.begin() : () => undefined;
    const timer = setTimeout(() => {
      this.enqueue(key);
      end();
    }, Math.min(5 * 2 ** (failures - 1), 10_000));
    timer.unref();
  }
}

/** Nothing can be made in a namespace that is being deleted, and soon there is nothing to make it for. */
function isFutile(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403 && /because it is being terminated/.test(error.message);
}
