import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '@larry/contracts';
import { ClusterUnavailableError } from '../errors';
import { isRecord } from '../untrusted-object';
import type { Credentials } from './credentials';
import { RateLimit, type RequestRate } from './rate-limit';

/** One request to the API server. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query, escaped. */
  path: string;
  accept?: string;
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal;
  /** Called synchronously before the request leaves; what it throws is thrown, and nothing is sent. */
  guard?: () => void;
}

/** A whole answer. `json` is undefined when the body is not JSON. */
export interface ApiAnswer {
  status: number;
  bytes: number;
  json: unknown;
}

/** The request was sent and nothing tells what became of it. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
}

export interface ApiClientOptions {
  /** Without a byte for this long a request has failed, in ms; 30,000 by default. */
  timeoutMs?: number;
  /** The first pause before a request is tried again, in ms; doubled each time; 250 by default. */
  retryMs?: number;
  /** How many requests it may send; no limit by default. Each try counts, a watch once for each connection. */
  rate?: RequestRate;
}

const attempts = 4;
const maxRetryAfterMs = 30_000;
/** What to do about a certificate, by the code that Node.js gives it. */
const certificateAdvice: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is not for that name; use the name that it is for as server in the kubeconfig, or give it there as tls-server-name',
  CERT_HAS_EXPIRED: 'it has expired; renew it on the API server, and look at the clock of this machine',
  CERT_NOT_YET_VALID: 'it is not valid yet; look at the clock of this machine',
  SELF_SIGNED_CERT_IN_CHAIN: 'another authority signed it than the one that certificate-authority in the kubeconfig names; is it the kubeconfig of this cluster?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'another authority signed it than the one that certificate-authority in the kubeconfig names; is it the kubeconfig of this cluster?',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'another authority signed it than the one that certificate-authority in the kubeconfig names; is it the kubeconfig of this cluster?',
};
const maxBodyBytes = 512 * 1024 * 1024;
const transient = new Set(['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'EAI_AGAIN', 'ECONNABORTED']);

/** HTTP to one API server: keep-alive, timeouts, and reads tried again where that can help. */
export class ApiClient {
  private readonly timeoutMs: number;
  /** The first pause before trying again, in ms. */
  readonly retryMs: number;
  private readonly rate: RateLimit | undefined;

  constructor(
    /** `https://host:port`, perhaps with a path. */
    readonly server: string,
    private readonly credentials: Credentials,
    options: ApiClientOptions = {},
  ) {
    this.timeoutMs = options.timeoutMs ?? 30_000;
    this.retryMs = options.retryMs ?? 250;
    this.rate = options.rate && new RateLimit(options.rate);
  }

  /**
   * Reads, and tries again after a 429 (when the server says), a 5xx or a broken connection, four times in all.
   * @throws ClusterUnavailableError in one sentence when there is no answer to use, or the credentials are refused.
   */
  async read(request: Omit<ApiRequest, 'method' | 'body'>): Promise<ApiAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === attempts;
      const result = await this.once({ ...request, method: 'GET' }).catch((error: unknown) => this.afterFailure(error, last));
      if (result === undefined) await this.pause(attempt, undefined, request.signal);
      else if (result.answer.status === 401) throw new ClusterUnavailableError(`${this.server} refuses the credentials of this context (401): log in again, the token or certificate may have expired; or give another --context or --kubeconfig (a pod: its ServiceAccount must be there)`);
      else if (last || !(result.answer.status === 429 || result.answer.status >= 500)) return result.answer;
      else await this.pause(attempt, result.retryAfter, request.signal);
    }
  }

  /**
   * Sends a write once; again only after a 429 or a 401, which say that nothing was done.
   * @throws NoAnswerError when nothing tells whether it was done.
   */
  async write(request: ApiRequest): Promise<ApiAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      const { answer, retryAfter } = await this.once(request);
      if (answer.status !== 429 || attempt === attempts) return answer;
      await this.pause(attempt, retryAfter, request.signal);
    }
  }

  /** The body as it comes, for watches and logs: it must begin in time, and then may be silent for `idleMs`. The caller reads it to its end or destroys it. */
  async stream(request: Omit<ApiRequest, 'method' | 'body'>, idleMs = this.timeoutMs): Promise<IncomingMessage> {
    const { response } = await this.open({ ...request, method: 'GET' });
    response.socket?.setTimeout(idleMs);
    return response;
  }

  close(): void {
    this.credentials.close();
  }

  private async once(request: ApiRequest): Promise<{ answer: ApiAnswer; retryAfter: string | undefined }> {
    const { response } = await this.open(request);
    const body = await this.bodyOf(response);
    const answer = { status: response.statusCode ?? 0, bytes: body.length, json: parseJson(body) };
    return { answer, retryAfter: response.headers['retry-after'] };
  }

  private async open(request: ApiRequest): Promise<{ response: IncomingMessage }> {
    const response = await this.send(request, false);
    if (response.statusCode !== 401) return { response };
    response.resume();
    return { response: await this.send(request, true) };
  }

  private async send(request: ApiRequest, renew: boolean): Promise<IncomingMessage> {
    await this.rate?.pass(request.signal);
    const { headers, agent, writeAgent } = await this.credentials.access(renew);
    const url = new URL(this.server);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    request.signal?.throwIfAborted();
    request.guard?.();
    return new Promise((resolve, reject) => {
      const options = {
        method: request.method,
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port || (url.protocol === 'http:' ? 80 : 443),
        path: `${url.pathname.replace(/\/$/, '')}${request.path}`,
        agent: request.method === 'GET' ? agent : writeAgent,
        signal: request.signal,
        headers: {
          ...headers,
          'User-Agent': 'larry',
          Accept: request.accept ?? 'application/json',
          ...(body === undefined ? {} : { 'Content-Type': request.contentType ?? 'application/json', 'Content-Length': Buffer.byteLength(body) }),
        },
      };
      const sent: ClientRequest = (url.protocol === 'http:' ? httpRequest : httpsRequest)(options, resolve);
      sent.setTimeout(this.timeoutMs, () => sent.destroy(new NoAnswerError(`${this.server} did not answer within ${this.timeoutMs / 1000} s`)));
      sent.on('error', (error: NodeJS.ErrnoException) => reject(request.signal?.aborted ? (request.signal.reason as Error) : this.named(error)));
      sent.end(body);
    });
  }

  private async bodyOf(response: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const limitMs = 10 * this.timeoutMs;
    const deadline = setTimeout(() => response.destroy(new NoAnswerError(`${this.server} did not complete its answer within ${limitMs / 1000} s`)), limitMs);
    try {
      for await (const chunk of response) {
        chunks.push(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        if (bytes > maxBodyBytes) throw new ClusterUnavailableError(`${this.server} answered with more than ${maxBodyBytes / 1024 / 1024} MiB`);
      }
    } catch (error) {
      throw this.named(error as NodeJS.ErrnoException);
    } finally {
      clearTimeout(deadline);
    }
    return Buffer.concat(chunks);
  }

  /** Undefined to try again; otherwise throws what people read. */
  private afterFailure(error: unknown, last: boolean): undefined {
    if (!(error instanceof NoAnswerError)) throw error;
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    if (!last && code !== undefined && transient.has(code)) return undefined;
    throw new ClusterUnavailableError(error.message, { cause: error });
  }

  private named(error: NodeJS.ErrnoException): Error {
    if (error instanceof NoAnswerError || error instanceof ClusterUnavailableError || error.name === 'AbortError') return error;
    const { code = '' } = error;
    if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
      return new ClusterUnavailableError(`the certificate of ${this.server} cannot be verified (${code}): ${certificateAdvice[code] ?? 'check certificate-authority and the server name in the kubeconfig'}`);
    }
    const what: Record<string, string> = {
      ECONNREFUSED: 'refuses the connection: is the API server running there?',
      ENOTFOUND: 'cannot be found: is the name in the kubeconfig right?',
      ECONNRESET: 'cut the connection before its answer was complete',
      ETIMEDOUT: 'cannot be reached: the connection timed out',
    };
    return new NoAnswerError(`${this.server} ${what[code] ?? `cannot be reached (${code || error.message})`}`, { cause: error });
  }

  private async pause(attempt: number, retryAfter: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const asked = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
    const ms = asked === undefined ? this.retryMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2) : Math.min(asked, maxRetryAfterMs);
    await delay(ms, undefined, { signal });
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** What a Status body says, safe to print, or the HTTP status. */
export function statusMessage(answer: ApiAnswer): string {
  const message = isRecord(answer.json) ? answer.json['message'] : undefined;
  return typeof message === 'string' && message !== '' ? printable(message, 500) : `HTTP ${answer.status}`;
}
