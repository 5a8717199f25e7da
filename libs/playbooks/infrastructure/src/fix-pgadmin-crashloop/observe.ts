import { changeAnnotation, listOf, refOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import { controllerOf, ownerOf, ownersOf } from '@larry/kube';
import type { PlaybookContext } from '@larry/playbook';
import type { Facts, PodFacts, WorkloadFacts } from './facts';
import { readInventory, type Inventory, type KeptPod, type PodCount } from './inventory';
import type { Options } from './options';
import { pgadminFacts, pgadminIndex, podSpecPath } from './pgadmin-template';
import { brokenContainer, whyNotRunning } from './pod-state';
import { eventsOf, keyReader, logsOf } from './symptoms';
import { newestJobs, workloadState } from './workload-state';

/** Logs are read of at most this many workloads and of this many pods each; the rest is judged by its status alone. */
const maxLookedAt = 200;
const podsPerWorkload = 5;
const podsWithLogs = 2;
const settleEveryMs = 2000;

/** Finds every workload that does not run, PgAdmin in `database` first, and reads what may say why. Decides nothing else. */
export async function observe(context: PlaybookContext<Options>): Promise<Facts> {
  const { cluster, signal } = context;
  const { type, takenAt } = cluster.source;
  const runtime = type !== 'manifests';
  const { inventory, looked, at } = await (runtime ? settledInventory(context, takenAt) : manifestInventory(context));
  looked.sort(byImportance);
  const unknowns = [...inventory.unknowns];
  const owners = ownersOf(cluster);
  if (!runtime) unknowns.push({ subject: 'the state of every workload', reason: 'manifests say what shall be, not what runs' });

  for (const [index, candidate] of looked.entries()) {
    signal.throwIfAborted();
    context.progress(10 + (80 * index) / looked.length, 'looking at workloads that do not run');
    await lookCloser(context, owners, candidate, at, runtime && index < maxLookedAt, unknowns);
  }
  if (looked.length > maxLookedAt) {
    unknowns.push({ subject: `logs of ${looked.length - maxLookedAt} more workloads`, reason: `logs of at most ${maxLookedAt} workloads are read` });
  }
  const workloads = looked.map((candidate) => candidate.facts);
  if (runtime && workloads.length > 0) await addEvents(context, workloads, unknowns);
  return { at, runtime, live: type === 'live', workloads: inventory.workloads.length, pods: inventory.podCount, looked: workloads, unknowns };
}

interface Seen {
  inventory: Inventory;
  looked: Candidate[];
  at: string;
}

async function manifestInventory(context: PlaybookContext<Options>): Promise<Seen> {
  const at = context.now().toISOString();
  const inventory = await readInventory(context.cluster, at, context.signal);
  return { inventory, at, looked: inventory.workloads.filter(runsPgadmin).map((object) => notSeenRunning(object)) };
}

/** Lists until no PgAdmin is just starting, or the time for it is over: a crash loop shows only after the first crash. */
async function settledInventory(context: PlaybookContext<Options>, takenAt: string | undefined): Promise<Seen> {
  context.progress(5, 'listing workloads and pods');
  for (let leftMs = context.options.settleSeconds * 1000; ; ) {
    context.signal.throwIfAborted();
    const at = takenAt ?? context.now().toISOString();
    const inventory = await readInventory(context.cluster, at, context.signal);
    const looked = troubled(inventory, at);
    const isStarting = looked.some(({ object, facts }) => facts.status === 'starting' && object !== undefined && runsPgadmin(object));
    if (context.cluster.source.type !== 'live' || !isStarting || leftMs <= 0) return { inventory, looked, at };
    context.progress(8, 'waiting for PgAdmin, which is just starting');
    const before = context.now().getTime();
    await context.wait(settleEveryMs);
    // Where nobody waits, time stands still and nothing will be new.
    const waitedMs = context.now().getTime() - before;
    leftMs = waitedMs < settleEveryMs / 4 ? 0 : leftMs - waitedMs;
  }
}

interface Candidate {
  object?: KubeObject;
  facts: WorkloadFacts;
}

/** Workloads that do not run or are PgAdmin, with the pods of their current revision. */
function troubled(inventory: Inventory, at: string): Candidate[] {
  const kept = new Map<string, KeptPod[]>();
  for (const pod of inventory.pods) {
    const key = pod.workload.uid ?? keyOf(pod.workload);
    kept.set(key, [...(kept.get(key) ?? []), pod]);
  }
  const candidates: Candidate[] = [];
  for (const object of newestJobs(inventory.workloads)) {
    const all = kept.get(object.metadata.uid ?? keyOf(refOf(object))) ?? [];
    const pods = currentPods(inventory, object, all);
    const state = workloadState(object, pods, at, countedPods(inventory, object));
    if (state.status === 'running' && !runsPgadmin(object)) continue;
    candidates.push({ object, facts: { ...bare(refOf(object), pods, at), ...state } });
  }
  const seen = new Set(inventory.workloads.map((w) => w.metadata.uid ?? keyOf(refOf(w))));
  for (const [key, pods] of kept) if (!seen.has(key)) candidates.push(...unseenWorkload(pods, at));
  return candidates;
}

/** Pods whose controller the source cannot show: a dump has no StatefulSets, an operator's own kind may be closed to us. */
function unseenWorkload(kept: KeptPod[], at: string): Candidate[] {
  const pods = kept.map((pod) => pod.facts);
  const why = pods.map((pod) => whyNotRunning(pod, at)).find((w) => w !== undefined);
  const ref = kept[0]?.workload;
  if (why === undefined || ref === undefined) return [];
  const state = why === 'starting' ? { status: 'starting' as const } : { status: 'not-running' as const, ...why };
  return [{ facts: { ...bare(ref, pods, at), readable: false, desired: pods.length, ready: pods.filter((p) => p.ready).length, ...state } }];
}

function currentPods(inventory: Inventory, object: KubeObject, pods: KeptPod[]): PodFacts[] {
  const newest = object.kind === 'Deployment' ? inventory.newestReplicaSets.get(object.metadata.uid ?? '') : undefined;
  return pods.filter((pod) => newest === undefined || pod.replicaSet === newest.uid).map((pod) => pod.facts);
}

/** Undefined where pods, or the ReplicaSets between them and a Deployment, cannot be listed. */
function countedPods(inventory: Inventory, object: KubeObject): PodCount | undefined {
  const blind = object.kind === 'Deployment' && inventory.unknowns.some((u) => u.subject === 'ReplicaSet objects');
  if (!inventory.podsKnown || blind) return undefined;
  const uid = object.metadata.uid ?? '';
  const controller = object.kind === 'Deployment' ? (inventory.newestReplicaSets.get(uid)?.uid ?? uid) : uid;
  return inventory.controlled.get(controller) ?? { count: 0, ready: 0 };
}

function bare(ref: ObjectRef, pods: PodFacts[], at: string): WorkloadFacts {
  const brokenFirst = [...pods].sort((a, b) => rank(a, at) - rank(b, at));
  const shown = brokenFirst.slice(0, podsPerWorkload);
  return { ref, owner: { kind: 'none' }, readable: true, desired: 0, ready: 0, status: 'unknown', pods: shown, podCount: pods.length, events: [] };
}

function rank(pod: PodFacts, at: string): number {
  const why = whyNotRunning(pod, at);
  return why === undefined ? 2 : why === 'starting' ? 1 : 0;
}

function notSeenRunning(object: KubeObject): Candidate {
  return { object, facts: { ...bare(refOf(object), [], ''), reason: 'manifests hold no runtime state' } };
}

async function lookCloser(
  context: PlaybookContext<Options>,
  owners: ReturnType<typeof ownersOf>,
  { object, facts }: Candidate,
  at: string,
  withLogs: boolean,
  unknowns: Facts['unknowns'],
): Promise<void> {
  const { cluster, signal } = context;
  if (object) {
    const origin = cluster.originOf(object);
    // What an operator controls is the operator's to change, whoever brought the operator's own object.
    facts.owner = controllerOf(object) ? ownerOf(object, origin) : (await owners.root(object)).owner;
    if (origin) facts.origin = origin;
    const pgadmin = await pgadminFacts(object, keyReader(cluster, object.metadata.namespace ?? '', signal));
    if (pgadmin) facts.pgadmin = pgadmin;
    const ours = `${context.run}/${context.task}/`;
    const change = object.metadata.annotations?.[changeAnnotation];
    if (change?.startsWith(ours)) facts.changedBy = change.slice(ours.length);
  }
  if (!withLogs || facts.status !== 'not-running') return;
  for (const pod of facts.pods.slice(0, podsWithLogs)) {
    const wanted = pod.containers.find((c) => c.name === facts.pgadmin?.container && !c.ready);
    const container = brokenContainer(pod, at) ?? wanted;
    if (!container) continue;
    container.logs = await logsOf(cluster, pod.ref, container, signal);
    for (const log of container.logs) {
      if (log.unavailable) unknowns.push({ subject: `${log.run} log of ${pod.ref.namespace}/${pod.ref.name} ${container.name}`, reason: log.unavailable });
    }
  }
}

async function addEvents(context: PlaybookContext<Options>, workloads: WorkloadFacts[], unknowns: Facts['unknowns']): Promise<void> {
  const broken = workloads.filter((w) => w.status !== 'running');
  const about = new Map(broken.flatMap((w) => [w.ref, ...w.pods.map((p) => p.ref)].map((ref) => [ref.uid ?? keyOf(ref), w] as const)));
  const found = await eventsOf(context.cluster, new Set(about.keys()), keyOf, context.signal);
  if ('unknown' in found) unknowns.push({ subject: 'events', reason: found.unknown });
  else for (const { key, event } of found.events) about.get(key)?.events.push(event);
  for (const w of broken) w.events = w.events.sort((a, b) => (b.lastAt ?? '').localeCompare(a.lastAt ?? '')).slice(0, 10);
}

const keyOf = (ref: ObjectRef): string => `${ref.kind} ${ref.namespace ?? ''}/${ref.name}`;

function runsPgadmin(object: KubeObject): boolean {
  return pgadminIndex(valueIn(object, ...podSpecPath(object))) !== undefined && listOf(valueIn(object, ...podSpecPath(object), 'containers')).length > 0;
}

function byImportance(a: Candidate, b: Candidate): number {
  const weight = ({ object, facts }: Candidate) => (object && runsPgadmin(object) ? (facts.ref.namespace === 'database' ? 0 : 1) : 2);
  return weight(a) - weight(b) || keyOf(a.facts.ref).localeCompare(keyOf(b.facts.ref));
}
