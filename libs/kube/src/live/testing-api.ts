import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { aFolder } from '../testing-folder';
import { builtinKinds } from '../builtin-kinds';

/** What a scripted answer is written with. */
export interface ScriptedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Answers one request; undefined leaves it to the defaults (version, discovery, 404). */
export type Script = (request: ScriptedRequest, response: ServerResponse) => unknown;

/** A small HTTP server that plays the API server's edge, with the kubeconfig that leads to it. */
export interface ScriptedApi {
  url: string;
  kubeconfig: string;
  requests: ScriptedRequest[];
  close(): Promise<void>;
}

/** Starts the server on a free loopback port. `reply` writes JSON. */
export async function scriptedApi(script: Script, user: Record<string, unknown> = { token: 'the-token' }): Promise<ScriptedApi> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://x');
      const request = { method: incoming.method ?? '', path: url.pathname, query: url.searchParams, headers: incoming.headers, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      if (script(request, response) === undefined && !response.headersSent) byDefault(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = await aFolder({ config: kubeconfigFor(url, user) });
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url, kubeconfig: join(folder, 'config'), requests, close };
}

/** A kubeconfig of one context `test`. */
export function kubeconfigFor(server: string, user: Record<string, unknown>, cluster: Record<string, unknown> = {}): string {
  return stringify({
    'current-context': 'test',
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'test', context: { cluster: 'c', user: 'u' } }],
  });
}

/** Writes a JSON answer and counts as handled. */
export function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): true {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
  return true;
}

/** A Status body as the API server writes it. */
export function aStatus(code: number, reason: string, message: string, details: Record<string, unknown> = {}): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message, details };
}

/** Aggregated discovery of the built-in kinds of one path, with custom kinds added. */
export function discoveryOf(path: string, more: Record<string, unknown>[] = []): Record<string, unknown> {
  const groups = new Map<string, { version: string; resources: unknown[] }>();
  for (const { apiVersion, kind, resource, namespaced } of builtinKinds) {
    const slash = apiVersion.indexOf('/');
    if ((path === '/api') !== slash < 0) continue;
    const group = groups.get(apiVersion.slice(0, Math.max(0, slash))) ?? { version: apiVersion.slice(slash + 1), resources: [] };
    group.resources.push({ resource, responseKind: { kind }, scope: namespaced ? 'Namespaced' : 'Cluster', verbs: ['get', 'list', 'watch'] });
    groups.set(apiVersion.slice(0, Math.max(0, slash)), group);
  }
  const items = [...groups].map(([name, group]) => ({ metadata: { name }, versions: [{ ...group, freshness: 'Current' }] }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items: [...items, ...more] };
}

function byDefault({ path }: ScriptedRequest, response: ServerResponse): void {
  if (path === '/version') reply(response, 200, { gitVersion: 'v1.35.2' });
  else if (path === '/api' || path === '/apis') reply(response, 200, discoveryOf(path));
  else reply(response, 404, aStatus(404, 'NotFound', `no ${path}`));
}
