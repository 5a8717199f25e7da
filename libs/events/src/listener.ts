import { channels, type LarryEvent } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { DropLog, readMessage, SeenIds, type EventLog } from './guard';

/** How events are listened to. */
export interface ListenOptions {
  /** Called once for each event. An error is logged and harms nobody else. */
  readonly onEvent: (event: LarryEvent, channel: string) => void | Promise<void>;
  /** Called after every confirmed (re)subscription: what was published in between is lost, read the state again. */
  readonly onSubscribed?: () => void;
  /** Events of other runs are dropped; `undefined` or a function that gives it lets all pass. */
  readonly run?: () => string | undefined;
  readonly log: EventLog;
}

/** A running subscription. */
export interface EventListening {
  /** Messages that were no events. */
  dropped(): number;
  close(): void;
}

/**
 * Listens on both channels, over a connection of its own, until closed. Each event comes once (by run and id, among the
 * last 10,000); what is not JSON, too large or not in the table is logged and dropped. Resolves when the server has
 * confirmed. An event is a hint: whoever acts on it reads the state first.
 */
export async function listenEvents(redis: RedisClient, options: ListenOptions): Promise<EventListening> {
  const drops = new DropLog(options.log);
  const seen = new SeenIds();
  const subscriber = redis.subscriber();
  if (options.onSubscribed) subscriber.onSubscribed(options.onSubscribed);
  await subscriber.subscribe(channels, (channel, text) => {
    const run = options.run?.();
    const read = readMessage(text, { run: run ?? '', now: new Date().toISOString() });
    if ('problem' in read) return drops.drop(channel, read.problem, text);
    if ((run !== undefined && read.event.run !== run) || seen.repeats(read.event)) return;
    void deliver(read.event, channel, options);
  });
  return { dropped: () => drops.count, close: () => subscriber.close() };
}

async function deliver(event: LarryEvent, channel: string, { onEvent, log }: ListenOptions): Promise<void> {
  try {
    await onEvent(event, channel);
  } catch (error) {
    log.warn({ event: event.event, id: event.id, error: error instanceof Error ? error.message : String(error) }, 'event handler failed');
  }
}
