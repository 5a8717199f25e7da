import type { KubeObject } from '@larry/contracts';
import { kindKey } from './builtin-kinds';
import type { ClusterReader, KindRef, ListOptions } from './reader';

/** Objects handed over at once: fewer turns of the event loop, and still next to nothing in memory. */
const batchSize = 64;
/** What there is most of is listed when everybody asks for it, and so only once. */
const largeKinds = ['Event', 'ReplicaSet', 'Pod'];

/**
 * Lets several tasks read one source at the same time so that each object is fetched and parsed once: when all of them wait
 * for a list, one kind is read for all who want it, object by object, at the pace of the slowest. Memory stays flat.
 * Only whole lists are shared; those of a namespace or with a selector, and one inside another, go to the source directly.
 */
export class SharedLists {
  private readers = 0;
  private readonly waiting: Subscription[] = [];
  private looked = false;
  private read = 0;

  constructor(private readonly source: ClusterReader) {}

  /** Runs one of the tasks; the reader is its own. Begin those that are to share in one turn of the event loop. */
  async use<T>(work: (reader: ClusterReader) => Promise<T>): Promise<T> {
    this.readers += 1;
    try {
      return await work(this.readerOfOne());
    } finally {
      this.readers -= 1;
      this.look();
    }
  }

  /** How many lists were read to their end: none means that nothing is known. */
  get listsRead(): number {
    return this.read;
  }

  private readerOfOne(): ClusterReader {
    const { source } = this;
    let listing = false;
    const shared = (kind: KindRef, options: ListOptions): AsyncIterable<KubeObject> => this.subscribe(kind, options.signal);
    return {
      source: source.source,
      kinds: () => source.kinds(),
      async *list(kind, options = {}) {
        const { namespace, labelSelector, fieldSelector } = options;
        // Who is inside a shared list and waited for another would wait for itself.
        if (listing || namespace !== undefined || labelSelector !== undefined || fieldSelector !== undefined) return yield* source.list(kind, options);
        listing = true;
        try {
          yield* shared(kind, options);
        } finally {
          listing = false;
        }
      },
      get: (ref, signal) => source.get(ref, signal),
      logs: (pod, container, options) => source.logs(pod, container, options),
      originOf: (object) => source.originOf(object),
      files: () => source.files(),
      close: () => source.close(),
    };
  }

  private async *subscribe(kind: KindRef, signal: AbortSignal | undefined): AsyncIterable<KubeObject> {
    const subscription = new Subscription(kind, signal);
    const first = subscription.next();
    this.waiting.push(subscription);
    this.look();
    try {
      for (let batch = await first; batch; batch = await subscription.next()) {
        for (const object of batch) {
          signal?.throwIfAborted();
          yield object;
        }
      }
    } finally {
      subscription.leave();
    }
  }

  /** Looks once all that happens in this turn has happened: whether nobody works and a list can begin. */
  private look(): void {
    if (this.looked) return;
    this.looked = true;
    queueMicrotask(() => {
      this.looked = false;
      if (this.waiting.length > 0 && this.waiting.length >= this.readers) void this.readFor(this.takeNext());
    });
  }

  private takeNext(): Subscription[] {
    const rank = ({ kind }: Subscription): number => largeKinds.indexOf(kind.kind);
    const least = this.waiting.reduce((best, one) => (rank(one) < rank(best) ? one : best));
    const taken = this.waiting.filter(({ kind }) => kindKey(kind) === kindKey(least.kind));
    for (const one of taken) this.waiting.splice(this.waiting.indexOf(one), 1);
    return taken;
  }

  private async readFor(subscriptions: Subscription[]): Promise<void> {
    const [{ kind, signal }] = subscriptions as [Subscription];
    const give = async (batch: KubeObject[]): Promise<void> => {
      await Promise.all(subscriptions.map((one) => one.give(batch)));
    };
    let batch: KubeObject[] = [];
    try {
      for await (const object of this.source.list(kind, signal ? { signal } : {})) {
        if (batch.push(object) < batchSize) continue;
        await give(batch);
        batch = [];
        if (subscriptions.every(({ left }) => left)) break;
      }
      if (batch.length > 0) await give(batch);
      this.read += 1;
      for (const one of subscriptions) one.end();
    } catch (error) {
      await give(batch);
      for (const one of subscriptions) one.fail(error);
    }
  }
}

/** One who waits for a list: batches are handed over one at a time, each when the one before is used up. */
class Subscription {
  left = false;
  private ask: { resolve: (batch: KubeObject[] | undefined) => void; reject: (error: unknown) => void } | undefined;
  private wanted: (() => void) | undefined;

  constructor(
    readonly kind: KindRef,
    readonly signal: AbortSignal | undefined,
  ) {}

  next(): Promise<KubeObject[] | undefined> {
    return new Promise((resolve, reject) => {
      this.ask = { resolve, reject };
      this.wanted?.();
    });
  }

  /** Resolves when the batch is used up, or nobody is there to use it. */
  give(batch: KubeObject[]): Promise<void> {
    if (this.left) return Promise.resolve();
    return new Promise((resolve) => {
      this.wanted = resolve;
      this.ask?.resolve(batch);
    });
  }

  end(): void {
    this.ask?.resolve(undefined);
  }

  fail(error: unknown): void {
    this.ask?.reject(error);
  }

  leave(): void {
    this.left = true;
    this.wanted?.();
  }
}
