import type { Clock } from './clock';
import { timestamp } from './clock';
import type { Condition, Pod } from './types';

export function isTerminating(pod: { metadata: { deletionTimestamp?: string } }): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Whether a pod is over: all of its containers have ended for good. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Whether a controller counts the pod as one of its own that works or will. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

export function conditionOf(object: { status?: { conditions?: Condition[] } }, type: string): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

/** Milliseconds until a ready pod counts as available: 0 if it is, Infinity if it is not ready. */
export function msUntilAvailable(pod: Pod, minReadySeconds: number, clock: Clock): number {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return Infinity;
  if (!minReadySeconds) return 0;
  return Math.max(0, Date.parse(ready.lastTransitionTime ?? '') + minReadySeconds * 1000 - clock.now().getTime());
}

/** The conditions with one of them set. Its transition time moves only when its status does; others stay. */
export function withCondition(conditions: Condition[] | undefined, next: Condition, clock: Clock, updateTime = false): Condition[] {
  const old = conditions?.find((condition) => condition.type === next.type);
  const now = timestamp(clock.now());
  const same = old && old.status === next.status && old.reason === next.reason && old.message === next.message;
  if (same) return conditions ?? [];
  const set: Condition = {
    ...next,
    lastTransitionTime: old?.status === next.status ? old.lastTransitionTime : now,
    ...(updateTime ? { lastUpdateTime: now } : {}),
  };
  return old ? (conditions ?? []).map((condition) => (condition === old ? set : condition)) : [...(conditions ?? []), set];
}
