import type { Clock } from '../clock';
import { conditionOf, withCondition } from '../pod-state';
import type { Condition, Deployment, ReplicaSet, WorkloadStatus } from '../types';
import { bounds } from './deployment-plan';

/** What a Deployment's status says about its sets, and after how many milliseconds the deadline is worth a look. */
export function deploymentStatus(deployment: Deployment, sets: ReplicaSet[], current: ReplicaSet | undefined, clock: Clock): { status: WorkloadStatus; recheckMs?: number } {
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas' | 'terminatingReplicas') => sets.reduce((total, set) => total + Number(set.status?.[field] ?? 0), 0);
  const desired = deployment.spec.replicas ?? 1;
  const available = sum('availableReplicas');
  const status: WorkloadStatus = {
    observedGeneration: deployment.metadata.generation,
    replicas: sum('replicas') || undefined,
    updatedReplicas: current?.status?.replicas || undefined,
    readyReplicas: sum('readyReplicas') || undefined,
    availableReplicas: available || undefined,
    unavailableReplicas: Math.max(0, Math.max(sum('replicas'), desired) - available) || undefined,
    terminatingReplicas: sum('terminatingReplicas'),
    collisionCount: deployment.status?.collisionCount,
  };
  const progress = progressOf(deployment, status, current, clock);
  let conditions = withCondition(deployment.status?.conditions, availability(available, desired - bounds(deployment).unavailable), clock, true);
  if (progress.condition) conditions = progress.touch ? touched(conditions, progress.condition, clock) : withCondition(conditions, progress.condition, clock, true);
  const failure = sets.map((set) => conditionOf(set, 'ReplicaFailure')).find((condition) => condition);
  if (failure) conditions = withCondition(conditions, { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: failure.message }, clock, true);
  else conditions = conditions.filter((condition) => condition.type !== 'ReplicaFailure');
  return { status: { ...status, conditions }, ...(progress.recheckMs === undefined ? {} : { recheckMs: progress.recheckMs }) };
}

function availability(available: number, needed: number): Condition {
  return available >= needed
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' };
}

interface Progress {
  condition?: Condition;
  /** The condition's update time moves although its text stays. */
  touch?: boolean;
  recheckMs?: number;
}

function progressOf(deployment: Deployment, status: WorkloadStatus, current: ReplicaSet | undefined, clock: Clock): Progress {
  const old = conditionOf(deployment, 'Progressing');
  const progressing = (reason: string, message: string, value = 'True'): Condition => ({ type: 'Progressing', status: value, reason, message });
  if (deployment.spec.paused) {
    return old?.reason === 'DeploymentPaused' ? {} : { condition: progressing('DeploymentPaused', 'Deployment is paused', 'Unknown') };
  }
  if (old?.reason === 'DeploymentPaused') return { condition: progressing('DeploymentResumed', 'Deployment is resumed', 'Unknown') };
  if (!current) return {};
  const name = `ReplicaSet "${current.metadata.name}"`;
  if (isComplete(deployment, status)) return { condition: progressing('NewReplicaSetAvailable', `${name} has successfully progressed.`) };
  if (!old) return { condition: progressing('NewReplicaSetCreated', `Created new replica set "${current.metadata.name}"`) };
  if (hasMoved(deployment.status, status)) return { condition: progressing('ReplicaSetUpdated', `${name} is progressing.`), touch: true };
  // A finished roll-out that lost a pod later is not judged by the deadline.
  if (old.reason === 'NewReplicaSetAvailable' && old.message?.startsWith(name)) return {};
  const deadline = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
  const left = Date.parse(String(old.lastUpdateTime ?? '')) + deadline - clock.now().getTime();
  if (left <= 0 || old.reason === 'ProgressDeadlineExceeded') return { condition: progressing('ProgressDeadlineExceeded', `${name} has timed out progressing.`, 'False') };
  return { recheckMs: left + 1000 };
}

function isComplete(deployment: Deployment, status: WorkloadStatus): boolean {
  const desired = deployment.spec.replicas ?? 1;
  return (status.updatedReplicas ?? 0) === desired && (status.replicas ?? 0) === desired && (status.availableReplicas ?? 0) === desired;
}

function hasMoved(before: WorkloadStatus | undefined, after: WorkloadStatus): boolean {
  const old = (status: WorkloadStatus | undefined) => (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

function touched(conditions: Condition[], next: Condition, clock: Clock): Condition[] {
  const cleared = conditions.map((condition) => (condition.type === next.type ? { ...condition, message: undefined } : condition));
  return withCondition(cleared, next, clock, true);
}
