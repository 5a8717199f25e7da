import { request as httpRequest } from 'node:http';
import type { ServerResponse } from 'node:http';
import { failure, notFound } from './api-error';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import { at, list, text } from './kube-object';
import { sendText } from './request';
import type { ResourceRequest } from './request';
import type { PodPorts, ServerState } from './state';

const unavailable = (message: string) => failure(503, 'ServiceUnavailable', message);
const unreached = (why: string) => unavailable(`error trying to reach service: ${why}`);

/**
 * `services/NAME/proxy` and `nodes/NAME/proxy/healthz`, GET only, as the API server answers (kubernetes
 * `pkg/registry/core/service/storage`, `pkg/registry/core/node/rest`; errors of its dialler and of Go's HTTP client behind it).
 * The result ends an answer that is still open.
 */
export function sendProxied(state: ServerState, res: ServerResponse, request: ResourceRequest, network: PodPorts | undefined): () => void {
  const [scheme, name, port] = parts(request.name ?? '');
  const path = `/${request.rest ?? ''}`;
  if (request.kind?.plural === 'nodes') return sendNode(state, res, request.kind, name, path);
  const target = endpointOf(state, request.kind as Kind, request.namespace ?? '', name, port);
  const where = `${target.address}:${target.port}`;
  if (/^127\./.test(target.address)) return forward(res, target, path);
  if (!network?.knows(target.address)) throw unreached(`SIMULATED: nothing is known of what runs at ${where}`);
  const open = network.at(target.address, target.port, state.now().getTime());
  if (!open) throw unreached(`dial tcp ${where}: connect: connection refused`);
  // What accepts connections and says nothing leaves whoever asks waiting.
  if (!open.http && open.says === undefined) return () => void res.destroy();
  if (!open.http) throw unreached(open.says ? `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${JSON.stringify(open.says)}` : 'EOF');
  if (scheme === 'https' && !open.tls) throw unreached('http: server gave HTTP response to HTTPS client');
  const status = scheme !== 'https' && open.tls ? 400 : open.http(path);
  sendText(res, status, `SIMULATED ${status}\n`);
  return () => undefined;
}

/** `[SCHEME:]NAME[:PORT]`. */
function parts(name: string): [scheme: string, name: string, port: string] {
  const [first = '', second, third] = name.split(':');
  return second === undefined ? ['http', first, ''] : third === undefined ? ['http', first, second] : [first || 'http', second, third];
}

function endpointOf(state: ServerState, services: Kind, namespace: string, name: string, port: string): { address: string; port: number } {
  const service = state.store.get(services, namespace, name);
  if (!service) throw notFound(services, name);
  const ports = list(at(service, 'spec', 'ports'));
  const wanted = port === '' ? ports[0] : ports.find((each) => each['name'] === port || String(each['port']) === port);
  if (!wanted || (port === '' && ports.length > 1)) throw unavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  const endpoints = state.store.get(state.kinds.find('', 'v1', 'endpoints') as Kind, namespace, name);
  for (const subset of list(at(endpoints, 'subsets'))) {
    const target = list(subset['ports']).find((each) => text(each['name']) === text(wanted['name']));
    const address = list(subset['addresses'])[0]?.['ip'];
    if (target && typeof address === 'string') return { address, port: Number(target['port']) };
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
}

/** A node's kubelet answers while its node is not down; the annotation is what makes it so. */
function sendNode(state: ServerState, res: ServerResponse, nodes: Kind, name: string, path: string): () => void {
  const node: KubeObject | undefined = state.store.get(nodes, undefined, name);
  if (!node) throw notFound(nodes, name);
  if (path !== '/healthz') throw failure(404, 'NotFound', `the simulated kubelet serves /healthz, not ${path}`);
  const address = list(at(node, 'status', 'addresses')).find((each) => each['type'] === 'InternalIP')?.['address'];
  if (node.metadata.annotations?.['simulation.larry.dev/down']) throw unreached(`dial tcp ${String(address)}:10250: connect: connection refused`);
  sendText(res, 200, 'ok');
  return () => undefined;
}

/** Our own programs listen on this machine. */
function forward(res: ServerResponse, { address, port }: { address: string; port: number }, path: string): () => void {
  const sent = httpRequest({ host: address, port, path, agent: false }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' });
    answer.pipe(res);
  });
  sent.on('error', (error: NodeJS.ErrnoException) => {
    if (res.headersSent) return void res.destroy();
    const why = error.code === 'ECONNREFUSED' ? `dial tcp ${address}:${port}: connect: connection refused` : 'EOF';
    res.writeHead(503, { 'content-type': 'application/json' });
    res.end(JSON.stringify(unreached(why).status));
  });
  sent.end();
  return () => void sent.destroy();
}
