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
   * it is named. Reconnects where it was when the connection breaks, so that nothing is lost.
   */
  async *events(options: { signal: AbortSignal; lastId?: string; run?: string }): AsyncGenerator<StreamedEvent> {
    let { lastId = 'start' } = options;
    const path = options.run ? `/events?run=${encodeURIComponent(options.run)}` : '/events';
    while (!options.signal.aborted) {
      try {
        const response = await this.request('GET', path, undefined, options.signal, lastId);
        if (!response.ok || !response.body) throw new UserError(`the event stream answers ${response.status}`, exitCodes.unreachable);
        for await (const item of serverSentEvents(response.body)) {
          lastId = item.id;
          yield item;
        }
      } catch (error) {
        if (options.signal.aborted) return;
        if (error instanceof UserError && error.exitCode !== exitCodes.unreachable) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  private async read<T>(response: Response, path: string): Promise<T> {
    const text = await response.text();
    const parsed = parseJson(text);
    if (response.ok) return parsed as T;
    const said = (parsed as { error?: unknown } | undefined)?.error;
    throw new UserError(typeof said === 'string' ? said : `${path} answers ${response.status}`, response.status >= 500 ? exitCodes.unreachable : exitCodes.usage);
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
