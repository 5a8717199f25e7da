import { printable, type KubeObject } from '@larry/contracts';

type Fields = Record<string, unknown>;

/** A reason and its sentence, as the API gives them. */
export interface Said {
  reason: string;
  message: string;
}

/** What a Job tells. */
export interface JobFacts {
  uid: string;
  name: string;
  createdMs: number;
  /** It is not at the API server any more. */
  gone: boolean;
  ended?: Said & { type: 'Complete' | 'Failed' };
}

/** What one of its pods tells of the worker's container. */
export interface PodFacts {
  uid: string;
  jobUid: string;
  node?: string;
  phase: string;
  gone: boolean;
  /** It is being deleted; so long it has to end, in ms. */
  endingWithinMs?: number;
  running: boolean;
  /** Why it does not run yet, where something says so: the scheduler or the kubelet. */
  waiting?: Said;
  terminated?: Said & { code: number };
  /** What the pod's own status says: `Evicted`, `NodeShutdown`. */
  said?: Said;
  /** Why Kubernetes itself ended it (condition `DisruptionTarget`). */
  disruption?: Said;
}

/** Reads a Job of the API server. Whatever has another shape than it should counts as absent. */
export function jobFacts(job: KubeObject, gone = false): JobFacts {
  const { name, uid = '', creationTimestamp } = job.metadata;
  const ended = conditions(job).find((c) => (c['type'] === 'Complete' || c['type'] === 'Failed') && c['status'] === 'True');
  return {
    uid,
    name,
    createdMs: Date.parse(creationTimestamp ?? '') || Date.now(),
    gone,
    ...(ended ? { ended: { type: ended['type'] as 'Complete' | 'Failed', ...said(ended) } } : {}),
  };
}

/** Reads a pod of a Job; undefined where no Job controls it. `container` is the worker's. */
export function podFacts(pod: KubeObject, container: string, gone = false): PodFacts | undefined {
  const { metadata } = pod;
  const owner = records(metadata.ownerReferences).find((o) => o['kind'] === 'Job' && o['controller'] === true);
  const { uid } = metadata;
  if (!owner || !uid) return undefined;
  const status = record(pod['status']);
  const { nodeName } = record(pod['spec']);
  const own = records(status['containerStatuses']).find((c) => c['name'] === container);
  const state = record(own?.['state']);
  const disruption = conditions(pod).find((c) => c['type'] === 'DisruptionTarget' && c['status'] === 'True');
  return {
    uid,
    jobUid: text(owner['uid']),
    ...(text(nodeName) === '' ? {} : { node: printable(nodeName, 253) }),
    phase: text(status['phase']),
    gone,
    ...endingOf(metadata as unknown as Fields),
    running: 'running' in state,
    ...optional('waiting', waitingOf(pod, status, own)),
    ...optional('terminated', terminatedOf(state)),
    ...optional('said', text(status['reason']) === '' ? undefined : said(status)),
    ...optional('disruption', disruption && said(disruption)),
  };
}

function endingOf(metadata: Fields): { endingWithinMs?: number } {
  if (text(metadata['deletionTimestamp']) === '') return {};
  const seconds = metadata['deletionGracePeriodSeconds'];
  return { endingWithinMs: (typeof seconds === 'number' ? seconds : 30) * 1000 };
}

/** `ContainerCreating` and the like are no news: everything passes there. */
const ordinary = new Set(['ContainerCreating', 'PodInitializing']);

function waitingOf(pod: KubeObject, status: Fields, own: Fields | undefined): Said | undefined {
  const scheduled = conditions(pod).find((c) => c['type'] === 'PodScheduled' && c['status'] === 'False');
  if (scheduled) return said(scheduled);
  const others = [...records(status['initContainerStatuses']), ...records(status['containerStatuses']).filter((c) => c !== own)];
  for (const { state } of [...(own ? [own] : []), ...others]) {
    const waiting = record(record(state)['waiting']);
    if (text(waiting['reason']) !== '' && !ordinary.has(text(waiting['reason']))) return said(waiting);
  }
  return undefined;
}

function terminatedOf(state: Fields): PodFacts['terminated'] {
  if (!('terminated' in state)) return undefined;
  const terminated = record(state['terminated']);
  const { exitCode } = terminated;
  return { code: typeof exitCode === 'number' ? exitCode : 255, ...said(terminated) };
}

function conditions(object: KubeObject): Fields[] {
  return records(record(object['status'])['conditions']);
}

function said(from: Fields): Said {
  return { reason: printable(text(from['reason']), 100), message: printable(text(from['message']), 400) };
}

/** `ErrImagePull: not found`, or the half that there is. */
export function sentenceOf({ reason, message }: Said): string {
  return [reason, message].filter((part) => part !== '').join(': ');
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function record(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

function records(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(record) : [];
}
