import type { RedisClient } from '@larry/redis';
import { setTimeout as wait } from 'node:timers/promises';
import { compareCursors, startCursor, type Cursor } from '../cursor';
import type { EventFeed, FeedItem } from '../feed';
import type { EventLog } from '../guard';
import { trimEvents, type EventPublisher } from '../publisher';
import { MirrorPlace } from './mirror-place';

/** An event on its way out of Redis. */
export type MirroredEvent = Extract<FeedItem, { kind: 'event' }>;

/** Where events go: a Kafka broker, a webhook. */
export interface MirrorSink {
  /** Names the place in Redis and the log lines: `kafka`. One sink for a name. */
  readonly name: string;
  /**
   * Sends events, oldest first, and resolves when the other side has confirmed all of them. It is called again with the
   * same events after a failure, so the other side may see an event twice.
   * @throws Error, one sentence for people; no credentials in it
   */
  deliver(events: readonly MirroredEvent[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What a mirror works with. */
export interface MirrorOptions {
  readonly redis: RedisClient;
  readonly feed: EventFeed;
  readonly publisher: EventPublisher;
  readonly sink: MirrorSink;
  /** Where a mirror begins that never sent anything: with all that the stream has, or with what comes. */
  readonly first: 'start' | 'now';
  readonly log: EventLog & { info(fields: Record<string, unknown>, message: string): void };
  /** Ends it; the place is given back. */
  readonly signal: AbortSignal;
  /** How long another replica waits before it takes over from a dead one; milliseconds, default 15,000. */
  readonly ttlMs?: number;
  /** Entries that are mirrored and older leave the stream; milliseconds, default one day. `false` trims nothing. */
  readonly keepMs?: number | false;
  /** The longest pause between two attempts at a sink that fails; milliseconds, default 30,000. */
  readonly retryMaxMs?: number;
}

const trimEveryMs = 60_000;
const firstRetryMs = 250;

/**
 * Carries every event of the stream to a sink, at least once and in order, for as long as the signal lets it: one replica
 * sends, from where the last one was confirmed. Whoever drops repeats by `id` sees each event once and in order, also
 * when a paused holder wakes after its successor: each of them sends without gaps from a cursor up to which all is sent.
 * A sink that fails delays nobody and loses nothing that the stream still has; what the stream lost is said by `events_lost`.
 */
export async function mirrorEvents(options: MirrorOptions): Promise<void> {
  const { redis, sink, signal, ttlMs = 15_000 } = options;
  const place = new MirrorPlace(redis, sink.name, ttlMs);
  while (!signal.aborted) {
    try {
      const held = await place.hold();
      if ('cursor' in held) await sendFrom(held.cursor ?? (await firstCursor(place, options)), place, options);
      else await pause(Math.min(held.heldForMs + 50, ttlMs), signal);
    } catch (error) {
      options.log.warn({ mirror: sink.name, error: sentence(error) }, 'the mirror cannot read its events; it tries again');
      await pause(1000, signal);
    }
  }
  await place.release().catch(() => undefined);
  await sink.close();
}

async function firstCursor(place: MirrorPlace, { redis, first }: MirrorOptions): Promise<Cursor> {
  const cursor = first === 'start' ? startCursor : `${await redis.time()}-0`;
  await place.save(cursor);
  return cursor;
}

/** Sends until the signal ends it or another holds the place. */
async function sendFrom(cursor: Cursor, place: MirrorPlace, options: MirrorOptions): Promise<void> {
  const { feed, signal, ttlMs = 15_000 } = options;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const renewal = setInterval(() => {
    // A renewal that fails is made up for by the next; one that is refused ends the sending.
    place.hold().then((held) => 'cursor' in held || stop.abort(), () => undefined);
  }, ttlMs / 3);
  try {
    let trimmed = 0;
    for await (const page of feed.pages({ after: cursor, signal: both })) {
      await tellLosses(page, options);
      const events = page.filter((item) => item.kind === 'event');
      const last = events.at(-1)?.cursor;
      if (last === undefined) continue;
      await deliver(events, options, both);
      if (both.aborted || !(await place.save(last))) return;
      if (Date.now() - trimmed > trimEveryMs) {
        trimmed = Date.now();
        await trim(last, options);
      }
    }
  } finally {
    clearInterval(renewal);
  }
}

/** Tries until the sink has confirmed; says when it begins to fail, and when it works again. */
async function deliver(events: readonly MirroredEvent[], options: MirrorOptions, signal: AbortSignal): Promise<void> {
  const { sink, log, retryMaxMs = 30_000 } = options;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await sink.deliver(events, signal);
      if (failures > 0) log.info({ mirror: sink.name, failures }, 'the mirror sends again; nothing was skipped');
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (failures === 0) log.warn({ mirror: sink.name, error: sentence(error) }, 'the mirror cannot send; the events wait in Redis');
      await pause(Math.min(firstRetryMs * 2 ** failures, retryMaxMs), signal);
    }
  }
}

/** The news goes into the stream, and so to everybody who listens, this mirror's other side included. */
async function tellLosses(page: readonly FeedItem[], { publisher, sink, log }: MirrorOptions): Promise<void> {
  for (const item of page) {
    if (item.kind !== 'events_lost') continue;
    const data = { mirror: sink.name, from: item.from, to: item.to };
    log.warn(data, 'events left the stream before the mirror had sent them');
    await publisher.publish({ id: `mirror/${sink.name}/${item.from}/events_lost`, from: 'meta-coordinator', run: '', event: 'events_lost', severity: 'warning', data });
  }
}

async function trim(sent: Cursor, { redis, keepMs = 86_400_000 }: MirrorOptions): Promise<void> {
  if (keepMs === false) return;
  const old: Cursor = `${(await redis.time()) - keepMs}-0`;
  await trimEvents(redis, compareCursors(sent, old) < 0 ? sent : old);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
