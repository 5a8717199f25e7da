import { listOf, numberOf, recordOf, refOf, valueIn, type JsonRecord, type KubeObject, type ObjectRef } from '@larry/contracts';
import { builtinKind, controllerOf } from '@larry/kube';
import { ailmentOf, type Ailment } from './ailment';
import type { EventIndex } from './event-index';
import type { Workload } from './model';
import { keyOf, objectKey, type ObjectIndex } from './object-index';
import type { PodFacts } from './pod-facts';
import { minuteMs, timeOf } from './times';

const workloadKinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'ReplicaSet', 'ReplicationController'] as const;
const mostSteps = 10;
/** A controller may take this long to make its pods. */
const createMs = 2 * minuteMs;
const warningReasons = /^(Failed|BackOff|Unhealthy|ErrImage|InspectFailed|NetworkNotReady|NodeNotReady|Evicted)/;

/** Finds the workloads, gives each its pods, and judges both. Sets `workload` and `current` of the pods. */
export function workloadsOf(objects: ObjectIndex, pods: PodFacts[], events: EventIndex, atMs: number, runtime: boolean): Workload[] {
  const workloads = new Map<string, Workload>();
  const newest = newestRevisions(objects);
  for (const kind of workloadKinds) {
    for (const object of objects.list(kind)) {
      if (topOf(object, objects).key !== objectKey(object)) continue;
      workloads.set(objectKey(object), bareWorkload(object, newest));
    }
  }
  for (const pod of pods) {
    const top = topOf(pod.object, objects);
    pod.workload = top.key;
    pod.current = isCurrent(pod, top, newest, objects);
    let workload = workloads.get(top.key);
    if (!workload) workloads.set(top.key, (workload = unseenWorkload(pod, top.ref)));
    workload.allPods.push(pod);
    if (pod.current) workload.pods.push(pod);
  }
  for (const workload of workloads.values()) keepLastDue(workload, objects);
  for (const workload of workloads.values()) judge(workload, objects, events, atMs, runtime);
  return [...workloads.values()];
}

/** The uppermost workload of Kubernetes' own above an object; an object that controls itself in a circle ends where it began. */
function topOf(object: KubeObject, objects: ObjectIndex): { ref: ObjectRef; key: string } {
  let ref = refOf(object);
  const seen = new Set([keyOf(ref)]);
  for (let at: KubeObject | undefined = object, step = 0; at && step < mostSteps; step += 1) {
    const above = controllerOf(at);
    if (!above || !isWorkload(above) || seen.has(keyOf(above))) break;
    seen.add(keyOf(above));
    ref = above;
    at = objects.resolve(above);
    // The name of a ReplicaSet that cannot be read is its Deployment's with a hash.
    if (!at && above.kind === 'ReplicaSet' && !objects.knows('ReplicaSet')) ref = deploymentOfName(above, object) ?? ref;
    if (!at && above.kind === 'Job' && !objects.knows('Job')) ref = cronJobOfName(above) ?? ref;
  }
  return { ref, key: keyOf(ref) };
}

/** Operators' own kinds end the way up: what they make is the workload. */
const isWorkload = (ref: ObjectRef): boolean => workloadKinds.some((kind) => kind === ref.kind) && builtinKind(ref) !== undefined;

function deploymentOfName(replicaSet: ObjectRef, pod: KubeObject): ObjectRef | undefined {
  const hash = pod.metadata.labels?.['pod-template-hash'];
  if (!hash || !replicaSet.name.endsWith(`-${hash}`)) return undefined;
  const { uid: _, ...rest } = replicaSet;
  return { ...rest, kind: 'Deployment', name: replicaSet.name.slice(0, -hash.length - 1) };
}

/**
 * A CronJob names its Jobs after the minute that they were due, counted from 1970 (kubernetes `pkg/controller/cronjob`, getJobName): of
 * 2019 to 2038 here, so that no date (20251122) is taken for one.
 */
function cronJobOfName({ uid: _, ...job }: ObjectRef): ObjectRef | undefined {
  const minutes = dueMinute(job.name);
  return minutes === undefined ? undefined : { ...job, kind: 'CronJob', name: job.name.slice(0, job.name.lastIndexOf('-')) };
}

function dueMinute(job: string): number | undefined {
  const minutes = Number(/-(\d{8})$/.exec(job)?.[1]);
  return minutes > 26_000_000 && minutes < 36_000_000 ? minutes : undefined;
}

/** Without the Jobs themselves, the one that was due last is the one that counts. */
function keepLastDue(workload: Workload, objects: ObjectIndex): void {
  if (workload.ref.kind !== 'CronJob' || objects.knows('Job')) return;
  const due = (pod: PodFacts): number => dueMinute(pod.controller?.name ?? '') ?? 0;
  const last = Math.max(...workload.pods.map(due));
  for (const pod of workload.pods) pod.current = due(pod) === last;
  workload.pods = workload.pods.filter((pod) => pod.current);
}

/** The newest ReplicaSet of each Deployment and the newest Job of each CronJob, by graph key of the owner. */
function newestRevisions(objects: ObjectIndex): Map<string, KubeObject> {
  const newest = new Map<string, KubeObject>();
  for (const kind of ['ReplicaSet', 'Job'] as const) {
    for (const object of objects.list(kind)) {
      const owner = controllerOf(object);
      if (!owner) continue;
      const known = newest.get(keyOf(owner));
      if (!known || revisionOf(object) > revisionOf(known)) newest.set(keyOf(owner), object);
    }
  }
  return newest;
}

/** A Deployment numbers its revisions; Jobs go by age. */
function revisionOf(object: KubeObject): number {
  const revision = Number(object.metadata.annotations?.['deployment.kubernetes.io/revision']);
  return object.kind === 'ReplicaSet' && Number.isFinite(revision) ? revision : (timeOf(object.metadata.creationTimestamp) ?? 0);
}

function isCurrent(pod: PodFacts, top: { key: string }, newest: Map<string, KubeObject>, objects: ObjectIndex): boolean {
  const current = newest.get(top.key);
  const { controller } = pod;
  if (!current || !controller || controller.kind !== current.kind) return true;
  return controller.name === current.metadata.name || objects.resolve(controller) === undefined;
}

/** Where a kind keeps the spec of its pods. */
export function podSpecPath(kind: string): string[] {
  if (kind === 'Pod') return ['spec'];
  return kind === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template', 'spec'] : ['spec', 'template', 'spec'];
}

function bareWorkload(object: KubeObject, newest: Map<string, KubeObject>): Workload {
  const path = podSpecPath(object.kind);
  const maker = newest.get(objectKey(object));
  return {
    ref: refOf(object),
    key: objectKey(object),
    object,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    ...desiredAndReady(object),
    podSpec: recordOf(valueIn(object, ...path)),
    podSpecAt: `/${path.join('/')}`,
    labels: recordOf(valueIn(object, ...path.slice(0, -1), 'metadata', 'labels')) as Record<string, string>,
    pods: [],
    allPods: [],
    state: 'unknown',
    unwell: [],
    lacksPods: false,
    makers: maker ? [objectKey(maker)] : [],
  };
}

function unseenWorkload(pod: PodFacts, ref: ObjectRef): Workload {
  const own = ref.kind === 'Pod' ? { object: pod.object } : {};
  const base = { ref, key: keyOf(ref), ...own, namespace: pod.namespace, name: ref.name, desired: 0, ready: 0 };
  const podSpec: JsonRecord = pod.spec;
  const podSpecAt = `/${podSpecPath(ref.kind).join('/')}`;
  return { ...base, podSpec, podSpecAt, labels: pod.labels, pods: [], allPods: [], state: 'unknown', unwell: [], lacksPods: false, makers: [] };
}

function desiredAndReady(object: KubeObject): { desired: number; ready: number } {
  const status = (field: string) => numberOf(valueIn(object, 'status', field)) ?? 0;
  if (object.kind === 'DaemonSet') return { desired: status('desiredNumberScheduled'), ready: status('numberReady') };
  if (object.kind === 'Job') return { desired: valueIn(object, 'spec', 'suspend') === true ? 0 : 1, ready: status('ready') };
  if (object.kind === 'CronJob') return { desired: 0, ready: 0 };
  return { desired: numberOf(valueIn(object, 'spec', 'replicas')) ?? 1, ready: status('readyReplicas') };
}

function judge(workload: Workload, objects: ObjectIndex, events: EventIndex, atMs: number, runtime: boolean): void {
  if (!runtime) return;
  const found = workload.pods.map((pod) => ({ pod, ailment: ailmentOf(pod, atMs, hasWarnings(pod, events)) }));
  const ready = workload.pods.filter((pod) => pod.ready && pod.deletedMs === undefined).length;
  if (objects.knows('Pod') || workload.ref.kind === 'Pod') workload.ready = ready;
  if (!workload.object || workload.ref.kind === 'Pod') workload.desired = workload.pods.filter((pod) => pod.phase !== 'Succeeded' && pod.deletedMs === undefined).length;
  const ill = found.filter((f): f is { pod: PodFacts; ailment: Ailment } => f.ailment !== undefined && f.ailment !== 'starting');
  // What was evicted and made anew somewhere else is history.
  const alive = workload.pods.filter((pod) => pod.phase !== 'Failed' && pod.phase !== 'Succeeded' && pod.deletedMs === undefined).length;
  const replaced = (pod: PodFacts) => (pod.phase === 'Failed' || pod.deletedMs !== undefined) && alive >= workload.desired && workload.ref.kind !== 'Pod' && !isJob(workload);
  workload.unwell = ill.filter(({ pod }) => !replaced(pod)).sort((a, b) => plainness(a.ailment) - plainness(b.ailment));
  if (isJob(workload)) return judgeJob(workload, objects, found.some((f) => f.ailment === 'starting'), atMs);
  workload.lacksPods = objects.knows('Pod') && lacksPods(workload, objects) && !isYoung(workload.object, atMs) && !isMakingRoom(workload, found);
  if (workload.desired === 0 && workload.unwell.length === 0) workload.state = 'stopped';
  else if (workload.unwell.length > 0 || workload.lacksPods || isBlindlyUnready(workload, objects, atMs)) workload.state = 'not-running';
  else workload.state = workload.ready >= workload.desired ? 'running' : 'starting';
}

/** A StatefulSet's next pod has the name of the one before, and waits until that is gone; its time to go is not up. */
function isMakingRoom({ ref, allPods }: Workload, found: readonly { pod: PodFacts; ailment?: Ailment | 'starting' | undefined }[]): boolean {
  return ref.kind === 'StatefulSet' && allPods.some((pod) => pod.deletedMs !== undefined && found.every((f) => f.pod !== pod || f.ailment === undefined));
}

/** Where pods cannot be listed the workload's own status is all there is. */
function isBlindlyUnready({ object, ready, desired }: Workload, objects: ObjectIndex, atMs: number): boolean {
  return object !== undefined && !objects.knows('Pod') && ready < desired && !isYoung(object, atMs);
}

/** A Deployment's newest ReplicaSet knows how many pods are its share of a rollout; the rest are still of the one before. */
function lacksPods(workload: Workload, objects: ObjectIndex): boolean {
  const alive = (pods: PodFacts[]): number => pods.filter((pod) => pod.deletedMs === undefined && pod.phase !== 'Failed').length;
  const share = workload.ref.kind === 'Deployment' ? numberOf(valueIn(objects.at(workload.makers[0] ?? ''), 'spec', 'replicas')) : undefined;
  return share === undefined ? alive(workload.allPods) < workload.desired : alive(workload.pods) < share || (alive(workload.allPods) < workload.desired && alive(workload.pods) < workload.desired);
}

function judgeJob(workload: Workload, objects: ObjectIndex, starting: boolean, atMs: number): void {
  const job = workload.ref.kind === 'Job' ? workload.object : objects.at(workload.makers[0] ?? '');
  const has = (type: string) => listOf(valueIn(job, 'status', 'conditions')).some((c) => valueIn(c, 'type') === type && valueIn(c, 'status') === 'True');
  if (has('Complete') || has('SuccessCriteriaMet')) {
    workload.unwell = [];
    workload.state = 'running';
    return;
  }
  // A Job that cannot be seen has done its work where a later pod of it has.
  if (!job) workload.unwell = workload.unwell.filter(({ pod, ailment }) => ailment.kind !== 'failed' || !workload.pods.some((other) => other.phase === 'Succeeded' && (other.createdMs ?? 0) >= (pod.createdMs ?? 0)));
  const waits = job !== undefined && valueIn(job, 'spec', 'suspend') !== true && !has('Suspended') && !isYoung(job, atMs);
  workload.lacksPods = objects.knows('Pod') && waits && !has('Failed') && workload.pods.length === 0;
  if (has('Failed') || workload.unwell.length > 0 || workload.lacksPods) workload.state = 'not-running';
  else workload.state = starting ? 'starting' : 'running';
}

const isJob = (workload: Workload): boolean => workload.ref.kind === 'Job' || workload.ref.kind === 'CronJob';

const order: Record<Ailment['kind'], number> = { crashing: 0, waiting: 1, unscheduled: 2, unready: 3, failed: 4, terminating: 5 };
const plainness = (ailment: Ailment): number => order[ailment.kind];

function hasWarnings(pod: PodFacts, events: EventIndex): boolean {
  const since = pod.ready ? (pod.readySinceMs ?? 0) : 0;
  return events.of(pod.key, pod.uid).some((event) => event.type === 'Warning' && warningReasons.test(event.reason) && (event.lastMs ?? 0) >= since && (event.count >= 3 || !/^Unhealthy$/.test(event.reason)));
}

function isYoung(object: KubeObject | undefined, atMs: number): boolean {
  const created = timeOf(object?.metadata.creationTimestamp);
  const observed = numberOf(valueIn(object, 'status', 'observedGeneration'));
  const generation = object?.metadata.generation;
  // Its controller has not looked at it yet: a cluster that was just restored or begun.
  if (generation !== undefined && (observed ?? 0) < generation && object?.kind !== 'Job' && object?.kind !== 'Pod' && object?.kind !== 'CronJob') return true;
  return created !== undefined && atMs - created < createMs;
}
