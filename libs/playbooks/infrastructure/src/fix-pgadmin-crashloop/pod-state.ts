import { listOf, numberOf, printable, recordOf, refOf, redactText, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { ContainerFacts, PodFacts } from './facts';

/** How long a pod may take to get ready before that is called wrong, in minutes; image pulls and slow starts fit in. */
const startMinutes = 10;

/** Reasons for waiting that are part of every start. */
const ordinaryWaits = ['ContainerCreating', 'PodInitializing'];

/** A pod as its status tells it, without logs. */
export function podFacts(pod: KubeObject): PodFacts {
  const status = recordOf(pod['status']);
  const condition = listOf(status['conditions']).find((c) => valueIn(c, 'type') === 'Ready');
  const readySince = textOf(valueIn(condition, 'lastTransitionTime'));
  const unscheduled = listOf(status['conditions']).find((c) => valueIn(c, 'type') === 'PodScheduled' && valueIn(c, 'status') === 'False');
  const reason = textOf(status['reason']) ?? textOf(valueIn(unscheduled, 'reason'));
  const message = textOf(status['message']) ?? textOf(valueIn(unscheduled, 'message'));
  return {
    ref: refOf(pod),
    phase: textOf(status['phase']) ?? 'Unknown',
    ...(pod.metadata.creationTimestamp ? { createdAt: pod.metadata.creationTimestamp } : {}),
    ready: valueIn(condition, 'status') === 'True',
    ...(readySince ? { readySince } : {}),
    ...(reason ? { reason: shown(reason) } : {}),
    ...(message ? { message: shown(message) } : {}),
    containers: [
      ...listOf(status['initContainerStatuses']).map((c) => containerFacts(c, true)),
      ...listOf(status['containerStatuses']).map((c) => containerFacts(c, false)),
    ],
  };
}

function containerFacts(status: unknown, init: boolean): ContainerFacts {
  const state = recordOf(valueIn(status, 'state'));
  const name = (['waiting', 'running', 'terminated'] as const).find((s) => state[s] !== undefined) ?? 'unknown';
  const now = recordOf(state[name]);
  const last = recordOf(valueIn(status, 'lastState', 'terminated'));
  return {
    name: textOf(valueIn(status, 'name')) ?? '',
    init,
    ready: valueIn(status, 'ready') === true,
    restarts: numberOf(valueIn(status, 'restartCount')) ?? 0,
    state: name,
    ...defined({ reason: shownOf(now['reason']), message: shownOf(now['message']), exitCode: numberOf(now['exitCode']), startedAt: textOf(now['startedAt']) }),
    ...(Object.keys(last).length === 0
      ? {}
      : { last: defined({ reason: shownOf(last['reason']), exitCode: numberOf(last['exitCode']), finishedAt: textOf(last['finishedAt']) }) }),
    logs: [],
  };
}

/** Why a pod does not run, in Kubernetes' words; `starting` while it may still; undefined when it runs or has done its work. */
export function whyNotRunning(pod: PodFacts, at: string): { reason: string; message?: string } | 'starting' | undefined {
  if (pod.ready || pod.phase === 'Succeeded') return undefined;
  const broken = brokenContainer(pod, at);
  if (broken) return reasonOf(broken);
  if (pod.reason === 'Unschedulable' || pod.phase === 'Failed') {
    return { reason: pod.reason ?? 'Failed', ...(pod.message ? { message: pod.message } : {}) };
  }
  const since = pod.readySince ?? pod.createdAt;
  const minutes = since === undefined ? 0 : minutesBetween(since, at);
  if (!(minutes > startMinutes)) return 'starting';
  const waiting = pod.containers.find((c) => c.state === 'waiting');
  if (waiting) return reasonOf(waiting);
  return { reason: 'NotReady', message: `the pod is ${pod.phase} and not ready for ${Math.floor(minutes)} minutes` };
}

/**
 * The container that keeps the pod from running. An init container comes first: the others wait for it. Between two
 * crashes a container runs for a moment: one that is not ready and ended with an error just now counts too.
 */
export function brokenContainer(pod: PodFacts, at: string): ContainerFacts | undefined {
  const crashedJustNow = ({ ready, init, last }: ContainerFacts) =>
    !ready && !init && last?.finishedAt !== undefined && last.exitCode !== 0 && minutesBetween(last.finishedAt, at) < startMinutes;
  return pod.containers.find((c) => isBroken(c)) ?? pod.containers.find(crashedJustNow);
}

const minutesBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 60_000;

function isBroken(c: ContainerFacts): boolean {
  if (c.state === 'waiting') return c.reason !== undefined && !ordinaryWaits.includes(c.reason);
  return c.state === 'terminated' && c.exitCode !== 0;
}

function reasonOf(c: ContainerFacts): { reason: string; message?: string } {
  const outOfMemory = c.last?.reason === 'OOMKilled' || c.reason === 'OOMKilled';
  const reason = outOfMemory ? 'OOMKilled' : c.state === 'running' ? 'Restarting' : (c.reason ?? 'NotRunning');
  return { reason, ...(c.message ? { message: c.message } : {}) };
}

const shown = (text: string): string => printable(redactText(text), 400);
const shownOf = (value: unknown): string | undefined => (textOf(value) === undefined ? undefined : shown(value as string));

function defined<T extends Record<string, unknown>>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(record).filter(([, v]) => v !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
