import { channels, streamFields, type LarryEvent } from '@larry/contracts';
import type { RedisClient, RedisSubscriber } from '@larry/redis';
import { compareCursors, startCursor, type Cursor } from './cursor';
import { DropLog, readMessage, type EventLog } from './guard';
import { eventStreamKey } from './keys';

/** What a follower gets: an event with the cursor behind it, or the news that entries between two cursors are gone. */
export type FeedItem =
  | {
      readonly kind: 'event';
      readonly cursor: Cursor;
      readonly channel: string;
      readonly event: LarryEvent;
      /** The event as it was published, to the byte. */
      readonly json: string;
    }
  | { readonly kind: 'events_lost'; readonly from: Cursor; readonly to: Cursor };

/** Where and what to follow. */
export interface FollowOptions {
  /** The cursor of the last item that was handled; `start` for all that the stream still has, `now` for what comes. */
  readonly after: Cursor | 'start' | 'now';
  /** Only events of this run. */
  readonly run?: string;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

const batch = 200;

/**
 * The stream of events for any number of followers over one subscription: replay from a cursor, then live. Complete and in
 * order, also across lost connections; an event may come twice after a failover of Redis (drop repeats by `id`).
 */
export class EventFeed {
  private readonly key: string;
  private readonly drops: DropLog;
  private readonly subscriber: RedisSubscriber;
  private readonly wakes = new Set<() => void>();

  private constructor(
    private readonly redis: RedisClient,
    log: EventLog,
    private readonly pollMs: number,
  ) {
    this.key = eventStreamKey(redis);
    this.drops = new DropLog(log);
    this.subscriber = redis.subscriber();
  }

  /** @param options.pollMs how often to look where no message woke us; milliseconds, default 1000 */
  static async open(redis: RedisClient, options: { readonly log: EventLog; readonly pollMs?: number }): Promise<EventFeed> {
    const feed = new EventFeed(redis, options.log, options.pollMs ?? 1000);
    const wakeAll = () => feed.wakes.forEach((wake) => wake());
    feed.subscriber.onSubscribed(wakeAll);
    await feed.subscriber.subscribe(channels, wakeAll);
    return feed;
  }

  /** Every event after a cursor, in order, for as long as the signal lets it. @throws the errors of `@larry/redis` */
  async *follow(options: FollowOptions): AsyncGenerator<FeedItem, void, void> {
    for await (const page of this.pages(options)) {
      for (const item of page) {
        if (options.signal.aborted) return;
        yield item;
      }
    }
  }

  /** The same, as they are read: up to 200 items at once, never none. @throws the errors of `@larry/redis` */
  async *pages(options: FollowOptions): AsyncGenerator<readonly FeedItem[], void, void> {
    const { signal, run } = options;
    let cursor = options.after === 'now' ? (await this.info()).last : options.after === 'start' ? startCursor : options.after;
    while (!signal.aborted) {
      // Armed before reading: what is published in between wakes us.
      const woken = this.nextWake(signal);
      try {
        // Before every page: a follower may have rested for so long that the stream was cut behind its cursor.
        const gap = await this.gap(cursor);
        const lost: FeedItem[] = gap.lost ? [{ kind: 'events_lost', from: cursor, to: gap.to }] : [];
        cursor = gap.restart ? startCursor : cursor;
        const entries = await this.read(cursor);
        cursor = entries.at(-1)?.[0] ?? cursor;
        const items = entries.map(([id, fields]) => this.item(id, fields)).filter((item) => item !== undefined);
        const page = [...lost, ...items.filter((item) => run === undefined || item.event.run === run)];
        if (page.length > 0) yield page;
        if (entries.length < batch) await woken.promise;
      } finally {
        woken.cancel();
      }
    }
  }

  /** Ends the subscription; followers go on by polling until their signals end them. */
  close(): void {
    this.subscriber.close();
  }

  private read(cursor: Cursor): Promise<[string, string[]][]> {
    return this.redis.named(this.redis.commands.xrange(this.key, `(${cursor}`, '+', 'COUNT', batch));
  }

  private item(cursor: Cursor, fields: readonly string[]): Extract<FeedItem, { kind: 'event' }> | undefined {
    const value = (name: string) => fields.find((_, i) => i % 2 === 1 && fields[i - 1] === name) ?? '';
    const json = value(streamFields.json);
    const read = readMessage(json);
    if ('event' in read) return { kind: 'event', cursor, channel: value(streamFields.channel), event: read.event, json };
    this.drops.drop(`stream entry ${cursor}`, read.problem, json);
    return undefined;
  }

  /** A cursor beyond the last id that was ever generated is of a history that a failover lost: start again from 0. */
  private async gap(cursor: Cursor): Promise<{ restart: boolean; lost: boolean; to: Cursor }> {
    const { last, first, trimmed } = await this.info();
    const restart = compareCursors(cursor, last) > 0;
    const behind = trimmed && first !== undefined && compareCursors(cursor, first) < 0;
    const lost = !restart && behind && (await this.redis.named(this.redis.commands.xrange(this.key, cursor, cursor))).length === 0;
    return { restart, lost, to: first ?? last };
  }

  private async info(): Promise<{ last: Cursor; first?: Cursor; trimmed: boolean }> {
    let reply: unknown[];
    try {
      reply = (await this.redis.named(this.redis.commands.xinfo('STREAM', this.key))) as unknown[];
    } catch (error) {
      if (error instanceof Error && /no such key/.test(error.message)) return { last: startCursor, trimmed: false };
      throw error;
    }
    const value = (name: string) => reply[reply.indexOf(name) + 1];
    const first = value('first-entry');
    return {
      last: String(value('last-generated-id')),
      first: Array.isArray(first) ? String(first[0]) : undefined,
      trimmed: Number(value('entries-added')) > Number(value('length')),
    };
  }

  private nextWake(signal: AbortSignal): { promise: Promise<void>; cancel: () => void } {
    let wake: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => (wake = resolve));
    const timer = setTimeout(wake, this.pollMs);
    signal.addEventListener('abort', wake);
    this.wakes.add(wake);
    const cancel = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      this.wakes.delete(wake);
    };
    return { promise, cancel };
  }
}
