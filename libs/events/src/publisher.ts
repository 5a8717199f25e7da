import path from 'node:path';
import { channelOf, maxStreamEntries, redact, type EventName, type eventTable } from '@larry/contracts';
import type { RedisClient, ScriptRunner } from '@larry/redis';
import type { z } from 'zod';
import { EventError } from './errors';
import { readMessage } from './guard';
import { eventStreamKey } from './keys';

/** An event before it is published: Redis' clock adds the timestamp. */
export type NewEvent<N extends EventName = EventName> = {
  /** `<task>/<attempt>/<event>`, or another id that is the same when the event is published again. */
  readonly id: string;
  readonly from: string;
  readonly run: string;
  readonly event: N;
} & z.input<(typeof eventTable)[N]['fields']>;

const placeholder = '2000-01-01T00:00:00.000Z';

/** Publishes events that belong to no transition's own script: stream entry and message in one step. */
export class EventPublisher {
  private readonly scripts: ScriptRunner;

  constructor(private readonly redis: RedisClient) {
    this.scripts = redis.scripts(path.join(__dirname, 'lua'));
  }

  /**
   * Publishes one event, secrets redacted. After a failure of Redis it may or may not be out: publish it again, with the
   * same id. Returns the id of its stream entry.
   * @throws EventError where it is none of the table's, or too large
   */
  async publish<N extends EventName>(event: NewEvent<N>): Promise<string> {
    const { id, from, event: name, run, ...own } = redact(event) as NewEvent & Record<string, unknown>;
    const head = JSON.stringify({ id, from, event: name }).slice(0, -1);
    const tail = JSON.stringify({ run, ...own, timestamp: undefined }).slice(1);
    const parts = [`${head},"timestamp":"`, `",${tail}`] as const;
    const read = readMessage(parts.join(placeholder));
    if ('problem' in read) throw new EventError(`the event "${String(name)}" cannot be published: ${read.problem}`);
    const reply = await this.scripts.run('publish', [eventStreamKey(this.redis)], [this.redis.prefix, channelOf(name), ...parts, maxStreamEntries]);
    return String(reply);
  }
}

/** Cuts the stream to its hard cap, and below `before` (a cursor that a mirror has saved) where one is given. Returns how many entries went. */
export async function trimEvents(redis: RedisClient, before?: string): Promise<number> {
  const key = eventStreamKey(redis);
  const capped = await redis.named(redis.commands.xtrim(key, 'MAXLEN', maxStreamEntries));
  if (before === undefined) return capped;
  return capped + (await redis.named(redis.commands.xtrim(key, 'MINID', before)));
}

