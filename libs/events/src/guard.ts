import { randomUUID } from 'node:crypto';
import { maxEventBytes, parseEvent, printable, type LarryEvent } from '@larry/contracts';

/** Where events go that are none. pino's logger fits. */
export interface EventLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

/** What a person may leave out who types a message by hand, as the quick start prints it. */
export interface Defaults {
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly now: string;
}

/**
 * The event in a message of a channel or an entry of the stream, or why it is none. Never throws, whatever anybody sent.
 * With `defaults` the quick start's `PUBLISH larry:coordination '{"from":"larry-02","progress":50,"message":"…"}'` is a
 * `progress_update`, and a missing id, time or run is filled in.
 */
export function readMessage(text: string, defaults?: Defaults): { event: LarryEvent } | { problem: string } {
  // The first look costs nothing, however long the message is.
  const bytes = text.length > maxEventBytes ? text.length : Buffer.byteLength(text);
  if (bytes > maxEventBytes) return { problem: `it is too large: ${bytes} bytes, and events have at most ${maxEventBytes}` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'it is not JSON' };
  }
  try {
    return parseEvent(defaults ? completed(value, defaults) : value);
  } catch {
    return { problem: 'it cannot be checked' }; // nested beyond the stack
  }
}

function completed(value: unknown, { run, now }: Defaults): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const progress = 'progress' in value && !('event' in value) ? { event: 'progress_update' } : {};
  return { id: `by-hand/${randomUUID()}`, timestamp: now, run, ...progress, ...value };
}

/**
 * Says what was dropped: at once for the first, then at most once a second with the number of those between, so that a
 * flood of rubbish is no flood of log lines.
 */
export class DropLog {
  /** Messages dropped since the start. */
  count = 0;
  private said = 0;
  private nextAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly now: () => number = () => performance.now(),
  ) {}

  drop(where: string, problem: string, text: string): void {
    this.count++;
    if (this.now() < this.nextAt) return;
    this.log.warn({ where, problem: printable(problem, 200), text: printable(text, 200), dropped: this.count - this.said }, 'event dropped');
    this.said = this.count;
    this.nextAt = this.now() + 1000;
  }
}

/** The ids seen last, so that a repeated event is taken once. Holds at most twice `size` ids. */
export class SeenIds {
  private fresh = new Set<string>();
  private old = new Set<string>();

  constructor(private readonly size = 10_000) {}

  /** True for an event that was seen before. */
  repeats(event: LarryEvent): boolean {
    const id = `${event.run}\n${event.id}`;
    if (this.fresh.has(id)) return true;
    const known = this.old.has(id);
    this.fresh.add(id);
    if (this.fresh.size >= this.size) {
      this.old = this.fresh;
      this.fresh = new Set();
    }
    return known;
  }
}
