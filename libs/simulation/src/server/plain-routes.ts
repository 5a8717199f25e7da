import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { methodNotAllowed } from './api-error';
import type { Discovery } from './discovery';
import type { ContainerLogs, LogLine } from './logs';
import { decodeObject, readBody, sendJson, sendText } from './request';
import { list, text } from './kube-object';
import type { OpenApi } from './openapi';
import { servedList } from './served';
import type { ServerState } from './state';

/** What `/version` says. The suffix tells everybody who prints it that this is no real cluster. */
export const VERSION = {
  major: '1', minor: '36', emulationMajor: '1', emulationMinor: '36', minCompatibilityMajor: '1', minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2+k3s1-larry-SIMULATED', gitCommit: 'simulated', gitTreeState: 'clean', buildDate: '2026-08-21T00:00:00Z',
  goVersion: 'none', compiler: 'none', platform: 'larry/simulated',
} as const;

interface Routes {
  state: ServerState;
  discovery: Discovery;
  openApi: OpenApi;
  logs: ContainerLogs;
  counts: Record<string, number>;
}

const AGGREGATED = /application\/json\s*;[^,]*as=APIGroupDiscoveryList/i;
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Answers everything that is no resource: version, health, discovery, OpenAPI, and the simulation's own pages. */
export async function sendPlain(req: IncomingMessage, res: ServerResponse, url: URL, routes: Routes): Promise<void> {
  const { discovery } = routes;
  const parts = url.pathname.split('/').filter(Boolean);
  const [first, second, third] = parts;
  if (first === 'simulation') return simulation(req, res, parts.slice(1), routes);
  if (req.method !== 'GET' && req.method !== 'HEAD') throw methodNotAllowed();
  switch (first) {
    case undefined: return sendJson(res, 200, { paths: rootPaths(discovery) });
    case 'version': return sendJson(res, 200, VERSION);
    case 'healthz': case 'livez': case 'readyz': return health(res, first, url);
    case 'metrics': return sendText(res, 200, metrics(routes.counts));
    case 'openapi': return openApi(req, res, parts, routes);
    case 'api':
      if (second === undefined) return discovered(req, res, AGGREGATED.test(req.headers.accept ?? '') ? discovery.aggregatedList(true) : discovery.apiVersions(req.headers.host ?? ''));
      return found(res, discovery.resourceList('', second));
    case 'apis':
      if (second === undefined) return discovered(req, res, AGGREGATED.test(req.headers.accept ?? '') ? discovery.aggregatedList(false) : discovery.groupList());
      if (third === undefined) {
        const group = discovery.group(second);
        return found(res, group && { kind: 'APIGroup', apiVersion: 'v1', ...group });
      }
      return found(res, discovery.resourceList(second, third));
    default: return sendText(res, 404, '404 page not found\n');
  }
}

const found = (res: ServerResponse, body: unknown) => (body === undefined ? sendText(res, 404, '404 page not found\n') : sendJson(res, 200, body));

function discovered(req: IncomingMessage, res: ServerResponse, body: unknown): void {
  if (!AGGREGATED.test(req.headers.accept ?? '')) return sendJson(res, 200, body);
  cached(req, res, JSON.stringify(body), AGGREGATED_TYPE);
}

function health(res: ServerResponse, name: string, url: URL): void {
  if (!url.searchParams.has('verbose')) return sendText(res, 200, 'ok');
  sendText(res, 200, `[+]ping ok\n[+]simulated-store ok\n${name} check passed\n`);
}

const metrics = (counts: Record<string, number>) =>
  ['# HELP apiserver_request_total Requests to the SIMULATED API server since its start, by verb.', '# TYPE apiserver_request_total counter',
    ...Object.entries(counts).map(([verb, n]) => `apiserver_request_total{verb="${verb.toUpperCase()}",simulated="true"} ${n}`), ''].join('\n');

function rootPaths(discovery: Discovery): string[] {
  const groups = discovery.groups().sort().flatMap((g) => [`/apis/${g}`, ...discovery.versions(g).map((v) => `/apis/${g}/${v}`)]);
  return ['/api', '/api/v1', '/apis', '/apis/', ...groups, '/healthz', '/livez', '/metrics', '/openapi/v3', '/readyz', '/simulation/served', '/version'];
}

function openApi(req: IncomingMessage, res: ServerResponse, parts: string[], routes: Routes): void {
  if (parts[1] !== 'v3') return sendText(res, 404, '404 page not found\n');
  if (parts.length === 2) return cached(req, res, JSON.stringify(routes.openApi.index()), 'application/json');
  const document = routes.openApi.document(parts.slice(2).join('/'));
  if (!document) return sendText(res, 404, '404 page not found\n');
  cached(req, res, document.text, 'application/json');
}

/** A body with an ETag, which clients send back to save themselves the body. */
function cached(req: IncomingMessage, res: ServerResponse, payload: string, type: string): void {
  const etag = `"${createHash('sha256').update(payload).digest('hex').toUpperCase()}"`;
  if (req.headers['if-none-match'] === etag) {
    res.writeHead(304, { etag, 'cache-control': 'public', vary: 'Accept' });
    return void res.end();
  }
  sendJson(res, 200, payload, { 'content-type': type, etag, 'cache-control': 'public', vary: 'Accept' });
}

/** `/simulation/served`, `/simulation/journal` (every accepted write), and `POST /simulation/logs/NAMESPACE/POD/CONTAINER` with `{ restart, lines: [{ time, line }] }`. */
async function simulation(req: IncomingMessage, res: ServerResponse, parts: string[], { state, logs }: Routes): Promise<void> {
  const [page, namespace, pod, container] = parts;
  if (page === 'served' && req.method === 'GET') return sendJson(res, 200, servedList(state.kinds));
  if (page === 'journal' && req.method === 'GET') return sendJson(res, 200, { simulated: true, entries: state.journal.entries() });
  if (page !== 'logs' || !namespace || !pod || !container) return sendText(res, 404, '404 page not found\n');
  if (req.method !== 'POST') throw methodNotAllowed();
  const body = decodeObject(req, await readBody(req), 'log lines');
  const lines: LogLine[] = list(body['lines']).map((l) => ({ time: text(l['time']) || state.now().toISOString(), line: text(l['line']) }));
  logs.append(namespace, pod, container, Number(body['restart'] ?? 0), lines);
  sendJson(res, 200, { appended: lines.length });
}
