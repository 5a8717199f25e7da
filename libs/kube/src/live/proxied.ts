import { printable } from '@larry/contracts';
import { isRecord } from '../untrusted-object';
import { NoAnswerError, type ApiClient } from './api-request';
import { isPathSegment } from './paths';

/** What shall be reached through the API server: a Service's port, or the health of a node's kubelet. */
export type ProxyTarget = { service: string; namespace: string; port: number; tls?: boolean } | { node: string };

/**
 * What became of it. `answered`: something listens there, whatever it says. `refused`: the API server says why nothing does.
 * `timed-out`: the API server's dialler gave up. `unknown`: not allowed, not there, or no answer in time.
 */
export interface ProxyAnswer {
  outcome: 'answered' | 'refused' | 'timed-out' | 'unknown';
  /** HTTP status of what answered; absent where it speaks no HTTP. */
  status?: number;
  /** Printable, at most 300 characters. */
  reason?: string;
  /** `ip:port` that the API server tried. */
  address?: string;
}

const maxBytes = 16 * 1024;

/**
 * One GET through the API server's `proxy` subresource. The words are those of its dialler and of Go's HTTP client behind it
 * (kubernetes `apimachinery/pkg/util/proxy`: "error trying to reach service: …").
 */
export async function throughProxy(api: Pick<ApiClient, 'stream'>, target: ProxyTarget, timeoutMs: number, signal?: AbortSignal): Promise<ProxyAnswer> {
  if (![...('node' in target ? [target.node] : [target.namespace, target.service])].every(isPathSegment)) return { outcome: 'unknown', reason: 'its name cannot stand in a path' };
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await api.stream({ path: pathOf(target), accept: '*/*', signal: signal ? AbortSignal.any([signal, late]) : late }, timeoutMs);
    const status = response.statusCode ?? 0;
    if (status < 400) return response.destroy(), { outcome: 'answered', status };
    return judged(status, await beginning(response), 'node' in target);
  } catch (error) {
    signal?.throwIfAborted();
    if (late.aborted) return { outcome: 'unknown', reason: `no answer within ${timeoutMs / 1000} s` };
    if (error instanceof NoAnswerError) return { outcome: 'unknown', reason: printable(error.message, 300) };
    throw error;
  }
}

function pathOf(target: ProxyTarget): string {
  if ('node' in target) return `/api/v1/nodes/${encodeURIComponent(target.node)}/proxy/healthz`;
  const name = `${target.tls ? 'https:' : ''}${target.service}:${target.port}`;
  return `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/services/${encodeURIComponent(name)}/proxy/`;
}

async function beginning(response: AsyncIterable<unknown> & { destroy(): void }): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) break;
  }
  response.destroy();
  return Buffer.concat(chunks).toString('utf8', 0, maxBytes);
}

/** What the API server itself says, as a Status; a Kubernetes-like API that is reached may answer with others. */
const own = /^(?:services|nodes) .*(?:is forbidden|not found)|^no (?:service port|endpoints)|error trying to reach service|\/proxy"/;

/** An error of the API server itself, or an answer of what was to be reached. */
function judged(status: number, body: string, isKubelet: boolean): ProxyAnswer {
  const message = statusOf(body);
  // A kubelet's /healthz is plain text.
  if (message === undefined || !(isKubelet || own.test(message))) return { outcome: 'answered', status };
  const reason = printable(message, 300);
  const address = /\b(?:dial tcp|->) ?(\[?[0-9a-f.:]+\]?:\d+)/i.exec(message)?.[1];
  const at = address ? { address } : {};
  if (/connection refused|no route to host|network is unreachable|no such host/i.test(message)) return { outcome: 'refused', reason, ...at };
  if (/dial tcp .*(?:i\/o timeout|timed out)/i.test(message)) return { outcome: 'timed-out', reason, ...at };
  // It was connected to, and speaks something else than HTTP.
  if (/error trying to reach service: .*(?:EOF|malformed HTTP|connection reset|broken pipe|server gave HTTP response|tls: |x509: |unexpected|HTTP\/1\.x transport)/i.test(message)) return { outcome: 'answered', reason };
  return { outcome: 'unknown', reason };
}

function statusOf(body: string): string | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return isRecord(json) && json['kind'] === 'Status' && json['apiVersion'] === 'v1' && typeof json['message'] === 'string' ? json['message'] : undefined;
  } catch {
    return undefined;
  }
}
