import { listOf, numberOf, recordOf, refOf, textOf, valueIn, type JsonRecord, type KubeObject, type ObjectRef } from '@larry/contracts';
import { controllerOf } from '@larry/kube';
import { objectKey } from './object-index';
import { timeOf } from './times';

/** A state of a container, now or before. */
export interface StateFacts {
  kind: 'waiting' | 'running' | 'terminated' | 'none';
  reason?: string;
  message?: string;
  exitCode?: number;
  signal?: number;
  startedMs?: number;
  finishedMs?: number;
}

export interface ContainerFacts {
  name: string;
  init: boolean;
  /** An init container that goes on running beside the others (KEP-753). */
  sidecar: boolean;
  /** Position among `containers` or `initContainers`. */
  index: number;
  spec: JsonRecord;
  ready: boolean;
  restarts: number;
  state: StateFacts;
  last?: StateFacts;
}

export interface ConditionFacts {
  status: string;
  reason?: string;
  message?: string;
  sinceMs?: number;
}

/** A pod as its status tells it. */
export interface PodFacts {
  ref: ObjectRef;
  key: string;
  namespace: string;
  name: string;
  uid?: string;
  object: KubeObject;
  spec: JsonRecord;
  labels: Record<string, string>;
  node?: string;
  phase: string;
  reason?: string;
  message?: string;
  createdMs?: number;
  deletedMs?: number;
  ready: boolean;
  readySinceMs?: number;
  conditions: Map<string, ConditionFacts>;
  containers: ContainerFacts[];
  controller?: ObjectRef;
  /** Graph key of the workload that it belongs to; its own where nothing else does. */
  workload: string;
  /** Of the workload's current revision. */
  current: boolean;
}

/** A pod without judgement; a pod without status gives one that is Pending and has no container states. */
export function podFacts(pod: KubeObject): PodFacts {
  const status = recordOf(pod['status']);
  const spec = recordOf(pod['spec']);
  const conditions = conditionsOf(status['conditions']);
  const ready = conditions.get('Ready');
  const controller = controllerOf(pod);
  return {
    ref: refOf(pod),
    key: objectKey(pod),
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name,
    object: pod,
    spec,
    labels: pod.metadata.labels ?? {},
    phase: textOf(status['phase']) ?? 'Unknown',
    ready: ready?.status === 'True',
    conditions,
    containers: [
      ...containersOf(listOf(spec['initContainers']), listOf(status['initContainerStatuses']), true),
      ...containersOf(listOf(spec['containers']), listOf(status['containerStatuses']), false),
    ],
    workload: objectKey(pod),
    current: true,
    ...defined({
      uid: pod.metadata.uid,
      node: textOf(spec['nodeName']),
      reason: textOf(status['reason']),
      message: textOf(status['message']),
      createdMs: timeOf(pod.metadata.creationTimestamp),
      deletedMs: timeOf(pod.metadata.deletionTimestamp),
      readySinceMs: ready?.sinceMs,
      controller,
    }),
  };
}

/** Conditions by type, of any object. */
export function conditionsOf(list: unknown): Map<string, ConditionFacts> {
  const conditions = new Map<string, ConditionFacts>();
  for (const condition of listOf(list)) {
    const type = textOf(valueIn(condition, 'type'));
    if (type === undefined) continue;
    conditions.set(type, {
      status: textOf(valueIn(condition, 'status')) ?? 'Unknown',
      ...defined({
        reason: textOf(valueIn(condition, 'reason')),
        message: textOf(valueIn(condition, 'message')),
        sinceMs: timeOf(valueIn(condition, 'lastTransitionTime')),
      }),
    });
  }
  return conditions;
}

function containersOf(specs: unknown[], statuses: unknown[], init: boolean): ContainerFacts[] {
  const byName = new Map(statuses.map((status) => [textOf(valueIn(status, 'name')) ?? '', status]));
  const known = specs.map((spec, index) => containerFacts(recordOf(spec), byName.get(textOf(valueIn(spec, 'name')) ?? ''), index, init));
  const names = new Set(known.map((container) => container.name));
  const others = statuses.filter((status) => !names.has(textOf(valueIn(status, 'name')) ?? ''));
  return [...known, ...others.map((status, i) => containerFacts({ name: valueIn(status, 'name') }, status, known.length + i, init))];
}

function containerFacts(spec: JsonRecord, status: unknown, index: number, init: boolean): ContainerFacts {
  const last = stateFacts(valueIn(status, 'lastState'));
  return {
    name: textOf(spec['name']) ?? '',
    init,
    sidecar: init && spec['restartPolicy'] === 'Always',
    index,
    spec,
    ready: valueIn(status, 'ready') === true,
    restarts: numberOf(valueIn(status, 'restartCount')) ?? 0,
    state: stateFacts(valueIn(status, 'state')),
    ...(last.kind === 'terminated' ? { last } : {}),
  };
}

function stateFacts(state: unknown): StateFacts {
  const kind = (['waiting', 'running', 'terminated'] as const).find((name) => valueIn(state, name) !== undefined) ?? 'none';
  const now = recordOf(valueIn(state, kind));
  return {
    kind,
    ...defined({
      reason: textOf(now['reason']),
      message: textOf(now['message']),
      exitCode: numberOf(now['exitCode']),
      signal: numberOf(now['signal']),
      startedMs: timeOf(now['startedAt']),
      finishedMs: timeOf(now['finishedAt']),
    }),
  };
}

/** The record without what is undefined. */
export function defined<T extends Record<string, unknown>>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Several times for each of thousands of pods: no lists of entries in between.
  const kept: Record<string, unknown> = {};
  for (const key in record) if (record[key] !== undefined) kept[key] = record[key];
  return kept as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** The end of the container's last run, whether it waits now or ran again; undefined when it never ended. */
export function lastEnd(container: ContainerFacts): StateFacts | undefined {
  return container.state.kind === 'terminated' ? container.state : container.last;
}
