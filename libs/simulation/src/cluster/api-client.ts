import * as http from 'node:http';
import * as https from 'node:https';
import type { KubeObject } from '@larry/contracts';
import { pathOf, type ResourceKind } from './kinds';

/** An answer of the API server that is not a success. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface ApiClientOptions {
  /** `http://127.0.0.1:6443` or `https://…`. */
  url: string;
  token?: string;
  /** Becomes the field manager of what this client writes, as with the real components. */
  userAgent: string;
  /** PEM of the authority that signed an https server's certificate. */
  ca?: string;
}

export type PatchType = 'merge' | 'json' | 'strategic';
const patchTypes: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

/** Kubernetes over HTTP with a URL and a token: no more than controllers, scheduler and kubelet need. */
export class ApiClient {
  private readonly base: URL;
  private readonly agent: http.Agent;
  private readonly transport: typeof http | typeof https;

  constructor(private readonly options: ApiClientOptions) {
    this.base = new URL(options.url);
    const secure = this.base.protocol === 'https:';
    this.transport = secure ? https : http;
    this.agent = secure ? new https.Agent({ keepAlive: true, maxSockets: 32, ca: options.ca }) : new http.Agent({ keepAlive: true, maxSockets: 32 });
  }

  /** The same server under another name; connections are its own. */
  as(userAgent: string): ApiClient {
    return new ApiClient({ ...this.options, userAgent });
  }

  close(): void {
    this.agent.destroy();
  }

  get<T extends KubeObject>(kind: ResourceKind<T>, namespace: string | undefined, name: string): Promise<T> {
    return this.request<T>('GET', pathOf(kind, namespace, name));
  }

  create<T extends KubeObject>(kind: ResourceKind<T>, object: Omit<T, 'metadata'> & { metadata: object }, namespace?: string, subresource?: { name: string; of: string }): Promise<T> {
    return this.request<T>('POST', pathOf(kind, namespace, subresource?.name, subresource?.of), object);
  }

  replace<T extends KubeObject>(kind: ResourceKind<T>, object: T, subresource?: string): Promise<T> {
    return this.request<T>('PUT', pathOf(kind, object.metadata.namespace, object.metadata.name, subresource), object);
  }

  patch<T extends KubeObject>(kind: ResourceKind<T>, of: { metadata: { namespace?: string; name: string } }, patch: unknown, type: PatchType = 'merge', subresource?: string): Promise<T> {
    return this.request<T>('PATCH', pathOf(kind, of.metadata.namespace, of.metadata.name, subresource), patch, patchTypes[type]);
  }

  delete<T extends KubeObject>(kind: ResourceKind<T>, of: { metadata: { namespace?: string; name: string } }, options: object = {}): Promise<KubeObject> {
    return this.request<KubeObject>('DELETE', pathOf(kind, of.metadata.namespace, of.metadata.name), { kind: 'DeleteOptions', apiVersion: 'v1', ...options });
  }

  /** The whole collection, a page at a time. */
  async list<T extends KubeObject>(kind: ResourceKind<T>, namespace?: string): Promise<{ items: T[]; resourceVersion: string }> {
    const items: T[] = [];
    for (let token = ''; ; ) {
      const query = `?limit=500${token ? `&continue=${encodeURIComponent(token)}` : ''}`;
      const page = await this.request<{ items?: T[]; metadata: { resourceVersion: string; continue?: string } }>('GET', pathOf(kind, namespace) + query);
      for (const item of page.items ?? []) items.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind });
      token = page.metadata.continue ?? '';
      if (!token) return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  /** Streams changes from `resourceVersion` on until the server ends the stream (resolves) or it breaks (rejects). */
  watch<T extends KubeObject>(kind: ResourceKind<T>, resourceVersion: string, onEvent: (event: WatchEvent<T>) => void, signal: AbortSignal): Promise<void> {
    const query = `?watch=true&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(resourceVersion)}`;
    return new Promise((resolve, reject) => {
      const request = this.open('GET', pathOf(kind) + query, undefined, false);
      request.on('error', reject);
      request.on('response', (response) => {
        if (response.statusCode !== 200) {
          readAll(response).then((body) => reject(toError(response.statusCode ?? 0, body)), reject);
          return;
        }
        readLines(response, (line) => onEvent(JSON.parse(line) as WatchEvent<T>), resolve, reject);
      });
      signal.addEventListener('abort', () => request.destroy(new Error('watch closed')), { once: true });
      request.end();
    });
  }

  /** One request with a JSON answer. @throws ApiError on any status of 400 and above. */
  async request<R>(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<R> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const request = this.open(method, path, body === undefined ? undefined : contentType, true, payload?.byteLength);
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', resolve);
      request.setTimeout(60_000, () => request.destroy(new Error(`${method} ${path}: no answer in 60 s`)));
      request.end(payload);
    });
    const text = await readAll(response);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw toError(status, text);
    return JSON.parse(text) as R;
  }

  private open(method: string, path: string, contentType: string | undefined, pooled: boolean, length?: number): http.ClientRequest {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.options.userAgent };
    if (this.options.token) headers.authorization = `Bearer ${this.options.token}`;
    if (contentType) headers['content-type'] = contentType;
    // Node frames no body of a DELETE by itself.
    if (length !== undefined) headers['content-length'] = String(length);
    const prefix = this.base.pathname.replace(/\/$/, '');
    return this.transport.request({
      hostname: this.base.hostname,
      port: this.base.port,
      path: prefix + path,
      method,
      headers,
      agent: pooled ? this.agent : undefined,
      ...(this.options.ca ? { ca: this.options.ca } : {}),
    });
  }
}

function readAll(stream: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    stream.on('error', reject);
  });
}

function readLines(stream: http.IncomingMessage, onLine: (line: string) => void, onEnd: () => void, onError: (error: Error) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    try {
      for (const line of lines) if (line.trim()) onLine(line);
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
  stream.on('end', onEnd);
  stream.on('error', onError);
}

function toError(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiError(status, body.reason ?? '', body.message ?? text);
  } catch {
    return new ApiError(status, '', text || `HTTP ${status}`);
  }
}
