import { listOf, printable, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { UnknownKindError, type LiveCluster, type ProxyAnswer } from '@larry/kube';
import type { Probes } from '../facts/probes';

/** What {@link probeCluster} needs of a live cluster. */
export type ProbedCluster = Pick<LiveCluster, 'list' | 'reach'>;

/** How to probe. */
export interface ProbeOptions {
  /** How many requests are under way at a time; 16 by default. */
  atOnce?: number;
  /** How long one may take, in ms; 35,000 by default: the API server's own dialler gives up after 30 s, and only then it is certain that nothing answers. */
  timeoutMs?: number;
  /** At most this many ports; 2,000 by default. */
  mostPorts?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

type Connectivity = Probes['connectivity'][number];
type NotProbed = Probes['notProbed'][number];

interface Port {
  namespace: string;
  service: string;
  port: number;
  targetPort?: number | string;
  tls: boolean;
}

/**
 * Looks whether the ports of Services that have endpoints answer, and whether the kubelets do, by GET through the API server: reads only,
 * starts nothing in the cluster. What could not be looked at stands in `notProbed` with the reason. @throws ClusterUnavailableError
 */
export async function probeCluster(cluster: ProbedCluster, options: ProbeOptions = {}): Promise<Probes & { kind: 'ProbeResults'; version: 1 }> {
  const notProbed: NotProbed[] = [{ subject: 'metric anomalies', reason: 'the metrics API tells what is used now, not what is usual' }];
  const { ports, skipped } = await portsOf(cluster, options);
  notProbed.push(...skipped);
  const nodes = (await listed(cluster, { apiVersion: 'v1', kind: 'Node' }, notProbed, options.signal)).map((node) => node.metadata.name);
  const timeoutMs = options.timeoutMs ?? 35_000;
  const ask = { timeoutMs, ...(options.signal ? { signal: options.signal } : {}) };
  const total = ports.length + nodes.length;
  let done = 0;
  const step = <T>(value: T): T => (options.onProgress?.((done += 1), total), value);
  const reached: { port: Port; answer: ProxyAnswer }[] = [];
  const kubelets: { node: string; answer: ProxyAnswer }[] = [];
  const tasks = [
    ...ports.map((port) => async () => void reached.push({ port, answer: step(await cluster.reach(port, ask)) })),
    ...nodes.map((node) => async () => void kubelets.push({ node, answer: step(await cluster.reach({ node }, ask)) })),
  ];
  await together(tasks, options.atOnce ?? 16);
  return { kind: 'ProbeResults', version: 1, connectivity: connectivityOf(reached, notProbed), nodeServices: kubeletsOf(kubelets, notProbed), metricAnomalies: [], notProbed: counted(notProbed) };
}

/** The TCP ports of Services behind which something is ready: of the others their endpoints tell already. */
async function portsOf(cluster: ProbedCluster, { signal, mostPorts = 2_000 }: ProbeOptions): Promise<{ ports: Port[]; skipped: NotProbed[] }> {
  const skipped: NotProbed[] = [];
  const slices = await listed(cluster, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' }, skipped, signal);
  const ready = new Set(slices.filter((slice) => listOf(slice['endpoints']).some((e) => valueIn(e, 'conditions', 'ready') !== false)).map((slice) => `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`));
  const ports: Port[] = [];
  for (const service of await listed(cluster, { apiVersion: 'v1', kind: 'Service' }, skipped, signal)) {
    const { namespace = '', name } = service.metadata;
    if (valueIn(service, 'spec', 'type') === 'ExternalName') continue;
    if (!ready.has(`${namespace}/${name}`)) {
      skipped.push({ subject: `Service ${namespace}/${name}`, reason: 'it has no ready endpoint' });
      continue;
    }
    for (const each of listOf(valueIn(service, 'spec', 'ports'))) {
      const port = valueIn(each, 'port');
      const targetPort = valueIn(each, 'targetPort');
      if ((textOf(valueIn(each, 'protocol')) ?? 'TCP') !== 'TCP' || typeof port !== 'number') continue;
      const tls = port === 443 || /https|tls/i.test(`${textOf(valueIn(each, 'name')) ?? ''} ${textOf(valueIn(each, 'appProtocol')) ?? ''}`);
      ports.push({ namespace, service: name, port, tls, ...(typeof targetPort === 'number' || typeof targetPort === 'string' ? { targetPort } : {}) });
    }
  }
  if (ports.length > mostPorts) skipped.push({ subject: `${ports.length - mostPorts} more ports of Services`, reason: `at most ${mostPorts} are looked at` });
  return { ports: ports.slice(0, mostPorts), skipped };
}

async function listed(cluster: ProbedCluster, kind: { apiVersion: string; kind: string }, notProbed: NotProbed[], signal?: AbortSignal): Promise<KubeObject[]> {
  try {
    const objects: KubeObject[] = [];
    for await (const object of cluster.list(kind, signal ? { signal } : {})) objects.push(object);
    return objects;
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    notProbed.push({ subject: `${kind.kind} objects`, reason: printable(error.reason, 300) });
    return [];
  }
}

function connectivityOf(reached: readonly { port: Port; answer: ProxyAnswer }[], notProbed: NotProbed[]): Connectivity[] {
  const judged = reached.filter(({ answer }) => answer.outcome !== 'unknown');
  // One that reaches nothing at all stands outside of the pods' network: that says nothing of the Services.
  const isOutside = judged.length >= 4 && judged.every(({ answer }) => answer.outcome === 'timed-out');
  if (isOutside) notProbed.push({ subject: 'Services', reason: `the API server reaches no pod at all (${judged[0]?.answer.reason ?? 'timed out'})` });
  for (const { port, answer } of reached) if (answer.outcome === 'unknown') notProbed.push({ subject: `Service ${port.namespace}/${port.service}:${port.port}`, reason: answer.reason ?? 'no answer' });
  return (isOutside ? [] : judged)
    .map(({ port: { namespace, service, port, targetPort }, answer }): Connectivity => ({
      namespace,
      service,
      port,
      connected: answer.outcome === 'answered',
      ...(answer.address ? { address: answer.address } : {}),
      ...(targetPort === undefined ? {} : { targetPort }),
      ...(answer.outcome === 'timed-out' ? { timedOut: true } : {}),
    }))
    .sort((a, b) => `${a.namespace}/${a.service}`.localeCompare(`${b.namespace}/${b.service}`) || Number(a.port) - Number(b.port));
}

function kubeletsOf(kubelets: readonly { node: string; answer: ProxyAnswer }[], notProbed: NotProbed[]): Probes['nodeServices'] {
  return kubelets
    .flatMap(({ node, answer }): Probes['nodeServices'] => {
      const { outcome, status, reason } = answer;
      if (outcome === 'unknown' || (outcome === 'answered' && status !== undefined && status >= 400 && status < 500)) {
        notProbed.push({ subject: `kubelet of ${node}`, reason: reason ?? `it answers /healthz with ${status ?? 'nothing'}` });
        return [];
      }
      const active = outcome === 'answered' && (status === undefined || status < 400);
      return [{ node, service: 'kubelet', active, sub: active ? 'running' : 'dead', ...(active ? {} : { error: reason ?? `it answers /healthz with ${status ?? 'nothing'}` }), log: [] }];
    })
    .sort((a, b) => a.node.localeCompare(b.node));
}

/** The same reason once, with how many it is true of. */
function counted(notProbed: readonly NotProbed[]): NotProbed[] {
  const byReason = new Map<string, string[]>();
  for (const { subject, reason } of notProbed) byReason.set(reason, [...(byReason.get(reason) ?? []), subject]);
  return [...byReason].map(([reason, subjects]) => ({ subject: printable(`${subjects.slice(0, 5).join(', ')}${subjects.length > 5 ? ` and ${subjects.length - 5} more` : ''}`, 500), reason }));
}

async function together(tasks: readonly (() => Promise<void>)[], width: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let task = tasks[next++]; task; task = tasks[next++]) await task();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
