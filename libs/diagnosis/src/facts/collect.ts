import { printable, valueIn, type KubeObject } from '@larry/contracts';
import { LogUnavailableError, openDump, type ClusterReader } from '@larry/kube';
import { sceneOf } from '../graph/edges';
import { pgadminIndex } from '../pgadmin/find';
import { Kept } from './kept';
import { LogIndex, type LogFacts } from './log-index';
import type { Facts, Workload } from './model';
import type { ContainerFacts, PodFacts } from './pod-facts';
import { readProbesOf, type Probes } from './probes';
import { isWanted, nameUnread, readKinds, readMore } from './read-kinds';
import { timeOf } from './times';
import { workloadsOf } from './workloads';

/** What {@link collectFacts} takes beside the source. */
export interface CollectOptions {
  /** Asked about: findings are its own and those of others that reach into it. All others are read with it, as far as the account may. */
  namespace?: string;
  /** Reads nothing of other namespaces but `kube-system`: quicker, and a cause that lies in another is not found. */
  alone?: boolean;
  probes?: Probes;
  /** Now, for a live cluster and manifests; a snapshot and a dump carry their own time. */
  now?: () => Date;
  signal?: AbortSignal;
}

/** Logs are read of at most this many workloads that do not run, and of this many pods of each. */
const mostUnwell = 200;
const podsOfWorkload = 2;
/** On a live cluster: of at most this many PgAdmins that do run. */
const mostPgadmins = 10;
/** Where logs are files: of at most this many that do run. */
const mostRunning = 300;
/** Namespaces that are read one by one because a list across all is refused. */
const mostCalled = 20;

/**
 * Reads everything that a diagnosis needs, page by page, keeping only what says something: no managed fields, no values of Secrets,
 * events counted into groups, the tails of the logs of pods that are unwell (where logs are files, also of pods that run).
 * What the source cannot tell stands in `unknowns` and is never taken for absent. Throws only what the source throws when it is out of reach.
 */
export async function collectFacts(reader: ClusterReader, given: CollectOptions = {}): Promise<Facts> {
  const kept = new Kept();
  const options = given.probes ? given : { ...given, ...(await probesBeside(reader, kept)) };
  const refused = await readKinds(reader, kept, options);
  if (refused.length > 0 && !options.alone) await readMore(reader, kept, refused, calledFrom(modelOf(reader, kept, options)), options.signal);
  nameUnread(kept, refused);
  return factsFrom(reader, kept, options);
}

/** The namespaces that workloads of the one asked about call into. */
function calledFrom(facts: Facts): string[] {
  const read = new Set([facts.namespace, 'kube-system']);
  const called = sceneOf(facts).calls.filter(({ workload }) => workload.namespace === facts.namespace).map(({ target }) => target.namespace);
  return [...new Set(called)].filter((namespace) => !read.has(namespace)).slice(0, mostCalled);
}

/** {@link collectFacts} for the folder of a dump, whose files are then read once instead of twice. Close the reader. @throws Error in one sentence when it is no dump. */
export async function collectDump(path: string, options: CollectOptions = {}): Promise<{ facts: Facts; reader: ClusterReader }> {
  const kept = new Kept();
  const reader = await openDump(path, (object) => kept.take(object));
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

async function factsFrom(reader: ClusterReader, kept: Kept, options: CollectOptions): Promise<Facts> {
  const facts = modelOf(reader, kept, options);
  const { unknowns } = facts;
  unknowns.push(...(options.probes?.notProbed ?? []).map(({ subject, reason }) => ({ subject: printable(`probe of ${subject}`, 300), reason: printable(reason, 300) })));
  for (const { file, reason, line } of reader.files().skipped.slice(0, 200)) unknowns.push({ subject: printable(`file ${file}${line ? `:${line}` : ''}`, 300), reason: printable(reason, 300) });
  if (facts.runtime) await readLogs(reader, facts, options.signal);
  return facts;
}

/** Facts without logs, of what has been read so far. */
function modelOf({ source }: ClusterReader, { objects, events, unknowns, origins, pods }: Kept, options: CollectOptions): Facts {
  if (source.namespaces) objects.only(source.namespaces);
  const runtime = source.type !== 'manifests';
  const atMs = clusterTime(objects.list('Lease', 'kube-node-lease'), timeOf(source.takenAt) ?? (options.now ?? (() => new Date()))().getTime());
  const workloads = workloadsOf(objects, pods, events, atMs, runtime);
  return {
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

interface Wanted {
  pod: PodFacts;
  container: ContainerFacts;
  run: LogFacts['run'];
  tailLines: number;
}

async function readLogs(reader: ClusterReader, facts: Facts, signal?: AbortSignal): Promise<void> {
  const asked = facts.workloads.filter((w) => w.namespace === facts.namespace);
  const others = facts.workloads.filter((w) => w.namespace !== facts.namespace);
  const workloads = [...asked, ...others];
  const unwell = workloads.filter((w) => w.unwell.length > 0);
  const wanted = unwell.slice(0, mostUnwell).flatMap(logsOfUnwell);
  if (unwell.length > mostUnwell) facts.unknowns.push({ subject: `logs of ${unwell.length - mostUnwell} more workloads`, reason: `logs of at most ${mostUnwell} workloads that do not run are read` });
  if (reader.source.type !== 'live') {
    const running = workloads.filter((w) => w.unwell.length === 0 && w.pods.length > 0);
    wanted.push(...running.slice(0, mostRunning).flatMap(logsOfRunning));
    if (running.length > mostRunning) facts.unknowns.push({ subject: `logs of ${running.length - mostRunning} workloads that run`, reason: `logs of at most ${mostRunning} of those are read` });
  } else {
    // Nobody asks it whether it works, and its log tells.
    wanted.push(...workloads.filter((w) => w.unwell.length === 0 && w.pods.length > 0 && pgadminIndex(w.podSpec) >= 0).slice(0, mostPgadmins).flatMap(logsOfRunning));
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
    logs.add({ ...log, lines: lines.map((line) => textOf(line.slice(0, 4_000))) });
    return undefined;
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error;
    const reason = printable(error.message, 300);
    logs.unavailable(log, reason);
    return reason;
  }
}

/** A line that is no text tells a reader nothing: how long it is stands in its place. */
function textOf(line: string): string {
  const odd = line.match(notText)?.length ?? 0;
  return odd > 8 && odd > line.length / 4 ? `(${line.length} characters of binary data)` : line;
}

/** What decoding leaves of bytes that are no UTF-8, and control characters but the tabulator. */
const notText = /(?!\t)[\ufffd\p{Cc}]/gu;

async function inParallel<T>(items: T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

