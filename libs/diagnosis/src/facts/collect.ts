import { printable, valueIn, type KubeObject } from '@larry/contracts';
import { builtinKinds, LogUnavailableError, openDump, UnknownKindError, type ClusterReader, type KindInfo } from '@larry/kube';
import { EventIndex } from './event-index';
import { LogIndex, type LogFacts } from './log-index';
import type { Facts, Workload } from './model';
import { objectKey, ObjectIndex } from './object-index';
import { podFacts, type ContainerFacts, type PodFacts } from './pod-facts';
import { readProbesOf, type Probes } from './probes';
import { timeOf } from './times';
import { slim } from './slim';
import { workloadsOf } from './workloads';

/** What {@link collectFacts} takes beside the source. */
export interface CollectOptions {
  /** Reads and judges this namespace alone, and what belongs to none. */
  namespace?: string;
  probes?: Probes;
  /** Now, for a live cluster and manifests; a snapshot and a dump carry their own time. */
  now?: () => Date;
  signal?: AbortSignal;
}

/** Kinds of Kubernetes that say nothing about why a workload does not run. */
const unread = new Set(['ControllerRevision', 'PodTemplate', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'CSIDriver', 'CSIStorageCapacity', 'PriorityClass', 'RuntimeClass', 'CustomResourceDefinition', 'APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'CertificateSigningRequest', 'Endpoints', 'VolumeAttachment']);
/** Custom kinds that do: routes, what installed a release, what scales to zero. */
const customKinds = new Set(['gateway.networking.k8s.io/HTTPRoute', 'gateway.networking.k8s.io/GRPCRoute', 'networking.istio.io/VirtualService', 'networking.istio.io/DestinationRule', 'traefik.io/IngressRoute', 'traefik.containo.us/IngressRoute', 'helm.cattle.io/HelmChart', 'helm.toolkit.fluxcd.io/HelmRelease', 'k3s.cattle.io/Addon', 'keda.sh/ScaledObject']);

/** Logs are read of at most this many workloads that do not run, and of this many pods of each. */
const mostUnwell = 200;
const podsOfWorkload = 2;
/** Where logs are files: of at most this many that do run. */
const mostRunning = 300;

/**
 * Reads everything that a diagnosis needs, page by page, keeping only what says something: no managed fields, no values of Secrets,
 * events counted into groups, the tails of the logs of pods that are unwell (where logs are files, also of pods that run).
 * What the source cannot tell stands in `unknowns` and is never taken for absent. Throws only what the source throws when it is out of reach.
 */
export async function collectFacts(reader: ClusterReader, given: CollectOptions = {}): Promise<Facts> {
  const kept = new Kept();
  const options = given.probes ? given : { ...given, ...(await probesBeside(reader, kept)) };
  for (const kind of (await reader.kinds()).filter(isWanted)) await readKind(reader, kind, kept, options);
  return factsFrom(reader, kept, options);
}

/** {@link collectFacts} for the folder of a dump, whose files are then read once instead of twice. Close the reader. @throws Error in one sentence when it is no dump. */
export async function collectDump(path: string, options: CollectOptions = {}): Promise<{ facts: Facts; reader: ClusterReader }> {
  const kept = new Kept();
  const reader = await openDump(path, (object) => {
    const { namespace } = object.metadata;
    if (options.namespace === undefined || namespace === undefined || namespace === options.namespace || namespace === 'kube-system') kept.take(object);
  });
  for (const { kind, availability } of (await reader.kinds()).filter(isWanted)) {
    if (availability.state === 'listed') kept.objects.listed(kind);
    else kept.unknown(kind, availability.reason);
    if (availability.state === 'listed' && availability.incomplete !== undefined) kept.incomplete(kind, availability.incomplete);
  }
  return { facts: await factsFrom(reader, kept, options), reader };
}

/** The probes that lie in a folder's `probes.json`; one that cannot be used is named as unknown. */
async function probesBeside({ source }: ClusterReader, kept: Kept): Promise<{ probes?: Probes }> {
  if (source.type !== 'snapshot' && source.type !== 'dump') return {};
  try {
    const probes = await readProbesOf(source.name);
    return probes ? { probes } : {};
  } catch (error) {
    kept.unknowns.push({ subject: 'probes.json', reason: printable((error as Error).message, 300) });
    return {};
  }
}

/** What is kept of everything that was read. */
class Kept {
  readonly objects = new ObjectIndex();
  readonly events = new EventIndex();
  readonly unknowns: Facts['unknowns'] = [];
  readonly origins: Facts['origins'] = new Map();
  readonly pods: PodFacts[] = [];

  take(object: KubeObject, origin?: { file: string; line?: number }): void {
    if (object.kind === 'Event') return this.events.add(object);
    const kept = slim(object);
    this.objects.add(kept);
    if (origin) this.origins.set(objectKey(kept), origin);
    if (object.kind === 'Pod') this.pods.push(podFacts(kept));
  }

  unknown(kind: string, reason: string): void {
    this.objects.unknown(kind, reason);
    this.unknowns.push({ subject: `${kind} objects`, reason: printable(reason, 300) });
  }

  incomplete(kind: string, reason: string): void {
    this.objects.unknown(kind, reason);
    this.unknowns.push({ subject: `some ${kind} objects`, reason: printable(reason, 300) });
  }
}

async function factsFrom(reader: ClusterReader, { objects, events, unknowns, origins, pods }: Kept, options: CollectOptions): Promise<Facts> {
  const { source } = reader;
  if (options.namespace !== undefined) objects.only([options.namespace, 'kube-system']);
  else if (source.namespaces) objects.only(source.namespaces);
  const runtime = source.type !== 'manifests';
  const atMs = clusterTime(objects.list('Lease', 'kube-node-lease'), timeOf(source.takenAt) ?? (options.now ?? (() => new Date()))().getTime());
  const workloads = workloadsOf(objects, pods, events, atMs, runtime);
  const facts: Facts = {
    atMs,
    source,
    runtime,
    ...(options.namespace ? { namespace: options.namespace } : {}),
    objects,
    pods,
    workloads,
    workloadAt: new Map(workloads.map((workload) => [workload.key, workload])),
    events,
    logs: new LogIndex(),
    ...(options.probes ? { probes: options.probes } : {}),
    origins,
    unknowns,
  };
  unknowns.push(...(options.probes?.notProbed ?? []).map(({ subject, reason }) => ({ subject: printable(`probe of ${subject}`, 300), reason: printable(reason, 300) })));
  for (const { file, reason, line } of reader.files().skipped.slice(0, 200)) unknowns.push({ subject: printable(`file ${file}${line ? `:${line}` : ''}`, 300), reason: printable(reason, 300) });
  if (runtime) await readLogs(reader, facts, options.signal);
  return facts;
}

/**
 * The cluster's own time, in milliseconds, where its clocks are ahead of ours, by what most of its nodes say: nothing is judged as if it
 * were still to come. `leases` are those of `kube-node-lease`.
 */
export function clusterTime(leases: readonly KubeObject[], ours: number): number {
  const renewed = leases.flatMap((lease) => timeOf(valueIn(lease, 'spec', 'renewTime')) ?? []).sort((a, b) => a - b);
  const median = renewed[Math.floor((renewed.length - 1) / 2)] ?? 0;
  return Math.max(ours, median);
}

function isWanted({ apiVersion, kind }: KindInfo): boolean {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
  if (builtinKinds.some((b) => b.kind === kind && (b.apiVersion.includes('/') ? b.apiVersion.split('/')[0] : '') === group)) return !unread.has(kind);
  return customKinds.has(`${group}/${kind}`);
}

async function readKind(reader: ClusterReader, kind: KindInfo, kept: Kept, options: CollectOptions): Promise<void> {
  // Controllers of the cluster live in kube-system, whatever namespace is asked about.
  const namespaces = options.namespace !== undefined && kind.namespaced ? [...new Set([options.namespace, 'kube-system'])] : [undefined];
  for (const namespace of namespaces) {
    try {
      const list = reader.list(kind, { ...(namespace ? { namespace } : {}), ...(options.signal ? { signal: options.signal } : {}) });
      for await (const object of list) kept.take(object, reader.originOf(object));
      kept.objects.listed(kind.kind);
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error;
      if (namespace === 'kube-system' && options.namespace !== 'kube-system') continue;
      kept.unknown(kind.kind, error.reason);
    }
  }
  if (kind.availability.state === 'listed' && kind.availability.incomplete !== undefined) kept.incomplete(kind.kind, kind.availability.incomplete);
}

interface Wanted {
  pod: PodFacts;
  container: ContainerFacts;
  run: LogFacts['run'];
  tailLines: number;
}

async function readLogs(reader: ClusterReader, facts: Facts, signal?: AbortSignal): Promise<void> {
  const unwell = facts.workloads.filter((w) => w.unwell.length > 0);
  const wanted = unwell.slice(0, mostUnwell).flatMap(logsOfUnwell);
  if (unwell.length > mostUnwell) facts.unknowns.push({ subject: `logs of ${unwell.length - mostUnwell} more workloads`, reason: `logs of at most ${mostUnwell} workloads that do not run are read` });
  if (reader.source.type !== 'live') {
    const running = facts.workloads.filter((w) => w.unwell.length === 0 && w.pods.length > 0);
    wanted.push(...running.slice(0, mostRunning).flatMap(logsOfRunning));
    if (running.length > mostRunning) facts.unknowns.push({ subject: `logs of ${running.length - mostRunning} workloads that run`, reason: `logs of at most ${mostRunning} of those are read` });
  }
  const missing = new Map<string, number>();
  await inParallel(wanted, 8, async (log) => {
    signal?.throwIfAborted();
    const reason = await readLog(reader, facts.logs, log, signal);
    if (reason !== undefined && log.tailLines > 100) missing.set(reason, (missing.get(reason) ?? 0) + 1);
  });
  for (const [reason, count] of [...missing].slice(0, 20)) facts.unknowns.push({ subject: count === 1 ? 'a log of a pod that does not run' : `${count} logs of pods that do not run`, reason });
}

function logsOfUnwell(workload: Workload): Wanted[] {
  return workload.unwell.slice(0, podsOfWorkload).flatMap(({ pod, ailment }) =>
    ailment.kind === 'unscheduled'
      ? []
      : pod.containers
          .filter((c) => c.state.kind !== 'none' && !(c.state.kind === 'waiting' && !c.last && c.restarts === 0))
          .flatMap((container) => (container.restarts > 0 || container.last ? (['current', 'previous'] as const) : (['current'] as const)).map((run) => ({ pod, container, run, tailLines: 300 }))),
  );
}

function logsOfRunning(workload: Workload): Wanted[] {
  const pod = workload.pods.find((p) => p.phase === 'Running');
  return (pod?.containers ?? []).filter((c) => !c.init && c.state.kind === 'running').map((container) => ({ pod: pod as PodFacts, container, run: 'current' as const, tailLines: 100 }));
}

async function readLog(reader: ClusterReader, logs: LogIndex, { pod, container, run, tailLines }: Wanted, signal?: AbortSignal): Promise<string | undefined> {
  const log = { namespace: pod.namespace, pod: pod.name, container: container.name, run };
  try {
    const lines = await reader.logs({ namespace: pod.namespace, name: pod.name }, container.name, { previous: run === 'previous', tailLines, limitBytes: 128 * 1024, ...(signal ? { signal } : {}) });
    logs.add({ ...log, lines: lines.map((line) => line.slice(0, 4_000)) });
    return undefined;
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error;
    const reason = printable(error.message, 300);
    logs.unavailable(log, reason);
    return reason;
  }
}

async function inParallel<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

