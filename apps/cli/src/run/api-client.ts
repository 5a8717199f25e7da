import { printable } from '@larry/contracts';
import { exitCodes, UserError } from '../user-error';

/** Where the meta-coordinator listens, and the token that names who asks. */
export interface ApiAddress {
  url: string;
  token?: string;
}

/** One event of the stream, with its id for `Last-Event-ID`. */
export interface StreamedEvent {
  id: string;
  event: Record<string, unknown> & { event: string };
}

/** How events are followed. */
export interface FollowOptions {
  signal: AbortSignal;
  /** The id of an event, or `start`, or `now`; `start` by default. */
  lastId?: string;
  run?: string;
  /** Told once, in a sentence, why no events come for now; a line on stderr by default. */
  onProblem?: (sentence: string) => void;
}

/** A restart takes about as long: no answer for so long is worth a word. Milliseconds. */
const quietMs = 5000;

/** The meta-coordinator's HTTP API as the commands use it. Every problem is a {@link UserError} of one sentence. */
export class ApiClient {
  constructor(private readonly address: ApiAddress) {}

  async get<T>(path: string): Promise<T> {
    return this.read(await this.request('GET', path), path);
  }

  /** `timeoutMs`: how long the answer may take; half a minute by default. */
  async post<T>(path: string, body: unknown = {}, { timeoutMs }: { timeoutMs?: number } = {}): Promise<T> {
    const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    return this.read(await this.request('POST', path, body, signal), path);
  }

  /** Undefined for 404: there is no such thing now. */
  async find<T>(path: string): Promise<T | undefined> {
    const response = await this.request('GET', path);
    return response.status === 404 ? undefined : this.read<T>(response, path);
  }

  /**
   * Events from the beginning of the stream (or after `lastId`, or from `now`) until the signal ends it; of one run, where
   * it is named. Reconnects where it was when the connection breaks or is refused for now (5xx), so that nothing is lost,
   * and says so once until events come again.
   * @throws UserError with the reason when the stream is refused for good (4xx)
   */
  async *events({ signal, lastId = 'start', run, onProblem = toStderr }: FollowOptions): AsyncGenerator<StreamedEvent> {
    const path = run ? `/events?run=${encodeURIComponent(run)}` : '/events';
    let begun = lastId;
    const outage = new Outage(onProblem);
    while (!signal.aborted) {
      try {
        const response = await this.request('GET', path, undefined, signal, begun);
        if (!response.ok || !response.body) await this.refusedStream(response, outage);
        else {
          outage.over();
          for await (const item of serverSentEvents(response.body)) {
            begun = item.id;
            yield item;
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof UserError && error.exitCode !== exitCodes.unreachable) throw error;
        if (error instanceof UserError) outage.noAnswer(error.message);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  private async refusedStream(response: Response, outage: Outage): Promise<void> {
    await this.read(response, 'the event stream').catch((error: unknown) => {
      if (!(error instanceof UserError) || response.status < 500) throw error;
      outage.refused(error.message);
    });
  }

  private async read<T>(response: Response, path: string): Promise<T> {
    const text = await response.text();
    const parsed = parseJson(text);
    if (response.ok) return parsed as T;
    const said = (parsed as { error?: unknown } | undefined)?.error;
    // No run to speak of is nobody's wrong word.
    const absent = response.status >= 500 || (response.status === 404 && path === '/runs/current');
    throw new UserError(typeof said === 'string' ? said : `${path} answers ${response.status}`, absent ? exitCodes.unreachable : exitCodes.usage);
  }

  private async request(method: string, path: string, body?: unknown, signal?: AbortSignal, lastId?: string): Promise<Response> {
    const headers: Record<string, string> = {
      ...(this.address.token ? { authorization: `Bearer ${this.address.token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(lastId ? { 'last-event-id': lastId } : {}),
    };
    try {
      return await fetch(new URL(path, this.address.url), {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ?? AbortSignal.timeout(30_000),
      });
    } catch (error) {
      if (signal?.aborted && nameOf(error) !== 'TimeoutError') throw error;
      throw new UserError(`the meta-coordinator at ${this.address.url} does not answer; is a run going on? (larry run starts one)`, exitCodes.unreachable);
    }
  }
}

/** Tells of a time without events, once. */
class Outage {
  private since: number | undefined;
  private told = false;

  constructor(private readonly onProblem: (sentence: string) => void) {}

  /** The stream is open. */
  over(): void {
    this.since = undefined;
    this.told = false;
  }

  refused(reason: string): void {
    if (!this.told) this.onProblem(`no events for now: ${reason}; still trying`);
    this.told = true;
  }

  /** Worth a word when it lasts. */
  noAnswer(reason: string): void {
    this.since ??= Date.now();
    if (Date.now() - this.since >= quietMs) this.refused(reason);
  }
}

function toStderr(sentence: string): void {
  process.stderr.write(`larry: ${printable(sentence, 2000)}\n`);
}

/** Parses `text/event-stream` (HTML Standard, *Server-sent events*): `id`, `data`, comments as heartbeats. */
async function* serverSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamedEvent> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    pending += decoder.decode(chunk, { stream: true });
    const blocks = pending.split(/\r?\n\r?\n/);
    pending = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split(/\r?\n/);
      const id = fieldOf(lines, 'id');
      const event = parseJson(fieldOf(lines, 'data'));
      if (id && typeof event === 'object' && event !== null && 'event' in event) yield { id, event: event as StreamedEvent['event'] };
    }
  }
}

function fieldOf(lines: string[], name: string): string {
  return lines
    .filter((l) => l.startsWith(`${name}:`))
    .map((l) => l.slice(name.length + 1).replace(/^ /, ''))
    .join('\n');
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
