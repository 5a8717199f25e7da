import type { KubeObject } from '@larry/contracts';
import { ClusterUnavailableError, LogUnavailableError, UnknownKindError } from '../errors';
import { LineReader, LogTail, logLimits } from '../log-lines';
import type { ClusterReader, KindInfo, KindRef, ListOptions, LogOptions, SourceInfo } from '../reader';
import { isSimulatedNode, simulatedNodeSelector, simulationMarker } from '../simulated';
import { asKubeObject, isRecord } from '../untrusted-object';
import type { ClusterWriter } from '../writer';
import { ApiClient, NoAnswerError, statusMessage, type ApiClientOptions } from './api-request';
import { Credentials } from './credentials';
import { DiscoveryCache, type ServedKind } from './discovery';
import { loadTarget, type KubeconfigOptions } from './kubeconfig';
import { listPages, pageOf, splitFields } from './list-pages';
import { LiveWriter } from './live-writer';
import { apiPath, isPathSegment, query } from './paths';
import { throughProxy, type ProxyAnswer, type ProxyTarget } from './proxied';
import { watchKind, type ObjectChange, type WatchOptions } from './watch';

/** A live cluster: what a reader can, and watching and writing. */
export interface LiveCluster extends ClusterReader {
  /**
   * Changes of a kind for as long as the caller iterates: first what is there (`present`), then what changes. Survives cut connections.
   * Ends when its signal is aborted. @throws UnknownKindError, ClusterUnavailableError
   */
  watch(kind: KindRef, options?: WatchOptions): AsyncIterable<ObjectChange>;
  /** One GET through the API server to a Service's port or a node's kubelet: whether anything answers there. @throws ClusterUnavailableError */
  reach(target: ProxyTarget, options: { timeoutMs: number; signal?: AbortSignal }): Promise<ProxyAnswer>;
  /** Reading never writes: the only way to a write is through this. */
  writer(): ClusterWriter;
}

export interface LiveOptions extends KubeconfigOptions, ApiClientOptions {}

const probesAtOnce = 8;

/**
 * Opens a live cluster by kubeconfig or as a pod. Sends nothing but GET, except through `writer()`.
 * @throws ClusterUnavailableError in one sentence: no kubeconfig, no such context, unreachable, refused, not Kubernetes.
 */
export async function openLive(options: LiveOptions = {}): Promise<LiveCluster> {
  const target = await loadTarget(options);
  const { server } = target.cluster;
  if (!/^https?:\/\/[^/]/.test(server) || !URL.canParse(server)) throw new ClusterUnavailableError(`kubeconfig: the server ${JSON.stringify(server)} is not an http or https URL`);
  const api = new ApiClient(server, new Credentials(target), options);
  try {
    const source: SourceInfo = { type: 'live', name: `${target.context} (${server})`, simulated: false };
    const live = new Live(api, source);
    await live.identify();
    return live;
  } catch (error) {
    api.close();
    throw error;
  }
}

class Live implements LiveCluster {
  private readonly discovery: DiscoveryCache;

  constructor(
    private readonly api: ApiClient,
    readonly source: SourceInfo,
  ) {
    this.discovery = new DiscoveryCache(api);
  }

  /** Reads the version and whether the cluster is a simulated one; an account that may read neither mark learns it from the version. */
  async identify(): Promise<void> {
    const version = await this.api.read({ path: '/version' });
    const { gitVersion } = isRecord(version.json) ? version.json : {};
    if (typeof gitVersion === 'string') this.source.serverVersion = gitVersion.slice(0, 100);
    else if (version.status !== 403) throw new ClusterUnavailableError(`${this.api.server} answers /version with ${version.json === undefined ? 'something that is not JSON' : statusMessage(version)}: is it a Kubernetes API server?`);
    if (/simulat/i.test(this.source.serverVersion ?? '')) this.source.simulated = true;
    else this.source.simulated = (await this.hasMarker()) || (await this.hasSimulatedNode());
  }

  async kinds(): Promise<KindInfo[]> {
    const { kinds, silentGroups } = await this.discovery.all();
    const infos: KindInfo[] = kinds.map((kind) => ({ ...kind, availability: { state: 'listed' } }));
    let next = 0;
    const probe = async (): Promise<void> => {
      for (let info = infos[next++]; info; info = infos[next++]) info.availability = await this.availability(info);
    };
    await Promise.all(Array.from({ length: probesAtOnce }, probe));
    const silent = silentGroups.map(({ apiVersion, reason }): KindInfo => ({ apiVersion, kind: '*', resource: '*', namespaced: false, availability: { state: 'unknown', reason } }));
    return [...infos, ...silent];
  }

  async *list(kind: KindRef, options: ListOptions = {}): AsyncIterable<KubeObject> {
    options.signal?.throwIfAborted();
    yield* listPages(this.api, await this.discovery.find(kind, options.signal), options);
  }

  get: ClusterReader['get'] = async (ref, signal) => {
    const kind = await this.discovery.find(ref, signal);
    if (!isPathSegment(ref.name) || (kind.namespaced && !isPathSegment(ref.namespace ?? ''))) return undefined;
    const answer = await this.api.read({ path: apiPath(kind, ref), signal });
    if (answer.status === 404) return undefined;
    if (answer.status === 403) throw new UnknownKindError(ref.kind, `forbidden: ${statusMessage(answer)}`);
    if (answer.status !== 200) throw new UnknownKindError(ref.kind, `the API server says ${answer.status}: ${statusMessage(answer)}`);
    const result = asKubeObject(answer.json, kind);
    if ('reason' in result) throw new UnknownKindError(ref.kind, `${this.api.server} answered with what is no object: ${result.reason}`);
    return result.object;
  };

  logs: ClusterReader['logs'] = async (pod, container, options = {}) => {
    if (![pod.namespace, pod.name].every(isPathSegment)) throw new LogUnavailableError(`no pod can have the name ${JSON.stringify(pod.name)}`);
    try {
      return await this.readLog(pod, container, options);
    } catch (error) {
      if (error instanceof NoAnswerError) throw new LogUnavailableError(error.message, { cause: error });
      throw error;
    }
  };

  watch(kind: KindRef, options: WatchOptions = {}): AsyncIterable<ObjectChange> {
    return this.watchFound(kind, options);
  }

  reach(target: ProxyTarget, { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }): Promise<ProxyAnswer> {
    return throughProxy(this.api, target, timeoutMs, signal);
  }

  writer(): ClusterWriter {
    return new LiveWriter(this.api, this.discovery);
  }

  originOf(): undefined {
    return undefined;
  }

  files(): ReturnType<ClusterReader['files']> {
    return { loaded: [], skipped: [] };
  }

  async close(): Promise<void> {
    this.api.close();
  }

  private async *watchFound(kind: KindRef, options: WatchOptions): AsyncIterable<ObjectChange> {
    const served = await this.discovery.find(kind, options.signal);
    if (options.namespace !== undefined && !isPathSegment(options.namespace)) return;
    yield* watchKind(this.api, served, options, () => this.present(served, options));
  }

  /** What is there, unpaged, so that there is one resourceVersion from which to watch. */
  private async present(kind: ServedKind, options: WatchOptions): Promise<{ objects: KubeObject[]; resourceVersion: string }> {
    const answer = await this.api.read({ path: apiPath(kind, options) + query({ labelSelector: options.labelSelector, fieldSelector: splitFields(kind, options.fieldSelector).served }), signal: options.signal });
    const { objects } = pageOf(this.api, kind, answer);
    const metadata = isRecord(answer.json) && isRecord(answer.json['metadata']) ? answer.json['metadata'] : {};
    const { resourceVersion } = metadata;
    if (typeof resourceVersion !== 'string' || resourceVersion === '') throw new ClusterUnavailableError(`${this.api.server} lists ${kind.resource} without a resourceVersion: it cannot be watched`);
    return { objects, resourceVersion };
  }

  private async readLog(pod: { namespace: string; name: string }, container: string, options: LogOptions): Promise<string[]> {
    const { tailLines, limitBytes } = logLimits(options);
    const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}/log`;
    // The server's limitBytes cuts the end off, which is what matters: it only bounds the transfer, and the tail is cut here.
    const limits = { tailLines, limitBytes: Math.max(16 * 1024 * 1024, 4 * limitBytes) };
    const response = await this.api.stream({ path: path + query({ container, previous: options.previous || undefined, ...limits }), accept: 'text/plain, */*', signal: options.signal });
    if (response.statusCode !== 200) throw new LogUnavailableError(await logRefusal(response));
    const tail = new LogTail(options);
    const lines = new LineReader((line, cutBytes) => tail.push(line, cutBytes));
    try {
      for await (const chunk of response) lines.push(chunk as Buffer);
    } catch (error) {
      options.signal?.throwIfAborted();
      throw new LogUnavailableError(`the log of ${pod.namespace}/${pod.name} was cut off while reading`, { cause: error });
    }
    lines.end();
    return tail.result();
  }

  private async availability(kind: ServedKind): Promise<KindInfo['availability']> {
    try {
      pageOf(this.api, kind, await this.api.read({ path: apiPath(kind) + query({ limit: 1 }) }));
      return { state: 'listed' };
    } catch (error) {
      if (error instanceof UnknownKindError) return { state: 'unknown', reason: error.reason };
      // One extension server that hangs takes none of the other kinds with it.
      if (error instanceof ClusterUnavailableError && error.cause instanceof NoAnswerError) return { state: 'unknown', reason: error.message };
      throw error;
    }
  }

  private async hasMarker(): Promise<boolean> {
    const { namespace, name } = simulationMarker;
    return (await this.api.read({ path: `/api/v1/namespaces/${namespace}/configmaps/${name}` })).status === 200;
  }

  private async hasSimulatedNode(): Promise<boolean> {
    const answer = await this.api.read({ path: `/api/v1/nodes${query({ limit: 1, labelSelector: simulatedNodeSelector })}` });
    if (answer.status !== 200) return false;
    return pageOf(this.api, { apiVersion: 'v1', kind: 'Node', resource: 'nodes', namespaced: false }, answer).objects.some(isSimulatedNode);
  }
}

async function logRefusal(response: AsyncIterable<unknown> & { statusCode?: number }): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString().slice(0, 10_000);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = { message: body };
  }
  const answer = { status: response.statusCode ?? 0, bytes: body.length, json };
  return `${answer.status === 403 ? 'forbidden: ' : ''}${statusMessage(answer)}`;
}
