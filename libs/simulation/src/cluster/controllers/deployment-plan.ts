import { countOf } from '../quantity';
import type { Deployment, ReplicaSet } from '../types';

export interface ScaleStep {
  set: ReplicaSet;
  replicas: number;
}

/** How many pods a rolling update may have too many and too few; never both zero (kubernetes `ResolveFenceposts`). */
export function bounds(deployment: Deployment): { surge: number; unavailable: number } {
  if (deployment.spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const replicas = deployment.spec.replicas ?? 1;
  const rolling = deployment.spec.strategy?.rollingUpdate;
  const surge = countOf(rolling?.maxSurge, replicas, 'up', '25%');
  const unavailable = Math.min(replicas, countOf(rolling?.maxUnavailable, replicas, 'down', '25%'));
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** The next step of a rolling update: grow the new set as far as the surge allows, else shrink the old ones. */
export function rollingPlan(deployment: Deployment, current: ReplicaSet, old: ReplicaSet[]): ScaleStep[] {
  const desired = deployment.spec.replicas ?? 1;
  const { surge, unavailable } = bounds(deployment);
  const size = current.spec.replicas ?? 0;
  const total = [...old, current].reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
  if (size > desired) return [{ set: current, replicas: desired }];
  if (size < desired) {
    const room = Math.min(desired + surge - total, desired - size);
    if (room > 0) return [{ set: current, replicas: size + room }];
  }
  const shrink = shrinkOld(old, current, total - (desired - unavailable), desired - unavailable);
  return shrink.length ? shrink : [{ set: current, replicas: size }];
}

/** Old sets give up pods that are not available first, then as many available ones as may be missed. */
function shrinkOld(old: ReplicaSet[], current: ReplicaSet, spare: number, minAvailable: number): ScaleStep[] {
  const populated = old.filter((set) => (set.spec.replicas ?? 0) > 0).sort(byAge);
  const newUnavailable = (current.spec.replicas ?? 0) - (current.status?.availableReplicas ?? 0);
  let mayGo = Math.max(0, spare - newUnavailable);
  const left = new Map(populated.map((set) => [set, set.spec.replicas ?? 0]));
  for (const set of populated) {
    const broken = Math.max(0, (set.spec.replicas ?? 0) - (set.status?.availableReplicas ?? 0));
    const take = Math.min(broken, mayGo);
    left.set(set, (left.get(set) ?? 0) - take);
    mayGo -= take;
  }
  const available = [...populated, current].reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
  let surplus = Math.max(0, available - minAvailable);
  for (const set of populated) {
    const take = Math.min(left.get(set) ?? 0, surplus);
    left.set(set, (left.get(set) ?? 0) - take);
    surplus -= take;
  }
  return populated.flatMap((set) => (left.get(set) === set.spec.replicas ? [] : [{ set, replicas: left.get(set) ?? 0 }]));
}

/**
 * The sizes of all sets after `spec.replicas` changed: one populated set takes all; in the middle of an
 * update the difference is spread in proportion, the biggest set first.
 */
export function proportions(deployment: Deployment, sets: ReplicaSet[], current: ReplicaSet | undefined): ScaleStep[] {
  const desired = deployment.spec.replicas ?? 1;
  const populated = sets.filter((set) => (set.spec.replicas ?? 0) > 0);
  if (populated.length <= 1) {
    const only = populated[0] ?? current;
    return only ? [{ set: only, replicas: desired }] : [];
  }
  if (current && current.status?.availableReplicas === desired && current.spec.replicas === desired) {
    return populated.filter((set) => set !== current).map((set) => ({ set, replicas: 0 }));
  }
  const allowed = desired > 0 ? desired + bounds(deployment).surge : 0;
  const total = populated.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
  const ordered = [...populated].sort((a, b) => (b.spec.replicas ?? 0) - (a.spec.replicas ?? 0) || byAge(b, a));
  let toAdd = allowed - total;
  const steps = ordered.map((set) => {
    const size = set.spec.replicas ?? 0;
    const share = total ? Math.round((size * allowed) / total) - size : 0;
    const change = toAdd > 0 ? Math.min(Math.max(share, 0), toAdd) : Math.max(Math.min(share, 0), toAdd);
    toAdd -= change;
    return { set, replicas: Math.max(0, size + change) };
  });
  if (steps[0]) steps[0].replicas = Math.max(0, steps[0].replicas + toAdd);
  return steps;
}


function byAge(a: ReplicaSet, b: ReplicaSet): number {
  return (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || a.metadata.name.localeCompare(b.metadata.name);
}
