import type { KubeObject } from '@larry/contracts';
import { isReady } from './endpoints';
import type { Condition, Pod } from './objects';
import type { Workload } from './workload';

type Ago = (seconds: number) => string;

/** Gives the controllers of a workload the status that follows from its pods; returns the objects beside its pods. */
export function settleWorkload(workload: Workload, ago: Ago): KubeObject[] {
  const { root, controller } = workload;
  switch (workload.target.kind) {
    case 'Deployment':
      settleReplicaSet(workload);
      root['status'] = deploymentStatus(workload, ago);
      break;
    case 'StatefulSet':
      root['status'] = statefulSetStatus(workload);
      break;
    case 'DaemonSet':
      root['status'] = daemonSetStatus(workload);
      break;
    case 'Job':
      root['status'] ??= jobStatus(workload, ago);
      break;
    case 'CronJob':
      controller['status'] ??= jobStatus(workload, ago);
      root['status'] ??= { lastScheduleTime: controller.metadata.creationTimestamp, ...(isComplete(controller) ? { lastSuccessfulTime: ago(300) } : {}) };
      break;
    default:
  }
  return root === controller ? [root] : [root, controller];
}

function counts(workload: Workload, all = true): { wanted: number; there: number; ready: number } {
  const spec = (workload.root['spec'] ?? {}) as { replicas?: number };
  const owned = (pod: Pod) => all || pod.metadata.ownerReferences?.some(({ uid }) => uid === workload.controller.metadata.uid);
  const mine = workload.pods.filter((pod) => !['Failed', 'Succeeded'].includes(pod.status.phase) && owned(pod));
  return { wanted: spec.replicas ?? 1, there: mine.length, ready: mine.filter(isReady).length };
}

/** Pods of superseded ReplicaSets count for the Deployment alone. */
function settleReplicaSet(workload: Workload): void {
  const { wanted } = counts(workload);
  const { there, ready } = counts(workload, false);
  const conditions = workload.createError ? [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: workload.createError }] : [];
  workload.controller['status'] = { replicas: there, fullyLabeledReplicas: there, readyReplicas: ready, availableReplicas: ready, observedGeneration: 1, ...(conditions.length > 0 ? { conditions } : {}) };
  (workload.controller['spec'] as { replicas: number }).replicas = wanted;
}

/** Wording: `pkg/controller/deployment/util/deployment_util.go` and `progress.go`. */
function deploymentStatus(workload: Workload, ago: Ago): Record<string, unknown> {
  const { wanted, there, ready } = counts(workload);
  const { there: updated } = counts(workload, false);
  const set = workload.controller.metadata.name;
  const available = ready >= wanted - Math.floor(wanted / 4);
  const conditions: Condition[] = [
    available
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', ago(8000))
      : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', ago(900)),
    workload.stuck
      ? condition('Progressing', 'False', 'ProgressDeadlineExceeded', `ReplicaSet "${set}" has timed out progressing.`, ago(600))
      : condition('Progressing', 'True', 'NewReplicaSetAvailable', `ReplicaSet "${set}" has successfully progressed.`, ago(8000)),
  ];
  if (workload.createError) conditions.push(condition('ReplicaFailure', 'True', 'FailedCreate', workload.createError, ago(900)));
  return {
    observedGeneration: 1,
    ...(there > 0 ? { replicas: there } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
    ...(wanted > ready ? { unavailableReplicas: wanted - ready } : {}),
    conditions,
  };
}

function condition(type: string, status: string, reason: string, message: string, at: string): Condition {
  return { type, status, reason, message, lastTransitionTime: at, lastUpdateTime: at };
}

function statefulSetStatus(workload: Workload): Record<string, unknown> {
  const { there, ready } = counts(workload);
  const revision = `${workload.target.name}-6d4b7c9f8`;
  return { observedGeneration: 1, replicas: there, readyReplicas: ready, availableReplicas: ready, currentReplicas: there, updatedReplicas: there, currentRevision: revision, updateRevision: revision, collisionCount: 0 };
}

function daemonSetStatus(workload: Workload): Record<string, unknown> {
  const { there, ready } = counts(workload);
  const desired = (workload.spec.replicas ?? 0) > 0 ? workload.spec.replicas : Math.max(there, 7);
  const unavailable = (desired ?? 7) - ready;
  return { observedGeneration: 1, desiredNumberScheduled: desired, currentNumberScheduled: there, updatedNumberScheduled: there, numberReady: ready, numberAvailable: ready, ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}), numberMisscheduled: 0 };
}

function jobStatus(workload: Workload, ago: Ago): Record<string, unknown> {
  const failed = workload.pods.filter((pod) => pod.status.phase === 'Failed').length;
  const succeeded = workload.pods.filter((pod) => pod.status.phase === 'Succeeded').length;
  const active = workload.pods.length - failed - succeeded;
  const startTime = workload.controller.metadata.creationTimestamp;
  if (succeeded > 0) return { startTime, completionTime: ago(300), succeeded, ready: 0, conditions: [{ type: 'Complete', status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }] };
  if (failed > 4) return { startTime, failed, ready: 0, conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }] };
  return { startTime, ...(active > 0 ? { active } : {}), ...(failed > 0 ? { failed } : {}), ready: workload.pods.filter(isReady).length };
}

function isComplete(job: KubeObject): boolean {
  const { succeeded = 0 } = (job['status'] ?? {}) as { succeeded?: number };
  return succeeded > 0;
}
