import { Controller, type ClientContext } from '../controller';
import { timestamp } from '../clock';
import { kinds } from '../kinds';
import { isActive, isFinished, isReady, isTerminating, msUntilAvailable, conditionOf } from '../pod-state';
import { writeStatus } from '../status-patch';
import { podFrom } from '../template';
import type { Pod, ReplicaSet } from '../types';
import { DependentControl, ownersOf } from './pod-control';

/** Keeps as many pods of a template as the ReplicaSet asks for. */
export class ReplicaSetController extends Controller {
  private readonly sets = this.watch(kinds.replicaSets);
  private readonly pods = this.watchFor(kinds.pods, (pod) => ownersOf(pod, this.sets));
  private readonly control = new DependentControl(this.context, 'replicaset-controller');

  constructor(context: ClientContext) {
    super(context, 'replicaset');
  }

  protected async sync(key: string): Promise<void> {
    const set = this.sets.get(key);
    if (!set) return;
    const pods = await this.control.claim(set, set.spec.selector, this.pods);
    const active = pods.filter(isActive);
    let failure: unknown;
    if (!isTerminating(set)) {
      try {
        await this.manage(set, active);
      } catch (error) {
        failure = error;
      }
    }
    await this.report(set, pods, failure);
    if (failure) throw failure;
  }

  private async manage(set: ReplicaSet, active: Pod[]): Promise<void> {
    const missing = (set.spec.replicas ?? 1) - active.length;
    for (let i = 0; i < missing; i += 1) {
      await this.control.createPod(set, podFrom(set, set.spec.template, { generateName: `${set.metadata.name}-` }));
    }
    if (missing < 0) {
      for (const pod of victims(active, -missing)) await this.control.deletePod(set, pod);
    }
  }

  private async report(set: ReplicaSet, before: Pod[], failure: unknown): Promise<void> {
    const { clock } = this.context;
    const pods = this.pods.ownedBy(set.metadata.uid ?? '').filter((pod) => !isFinished(pod));
    const active = pods.filter(isActive);
    const minReady = set.spec.minReadySeconds ?? 0;
    const waits = active.map((pod) => msUntilAvailable(pod, minReady, clock));
    const soonest = Math.min(...waits.filter((ms) => ms > 0 && ms < Infinity));
    if (soonest < Infinity) this.enqueueAfter(`${set.metadata.namespace}/${set.metadata.name}`, soonest);
    const templateLabels = Object.entries(set.spec.template.metadata?.labels ?? {});
    await writeStatus(this.context, kinds.replicaSets, set, {
      observedGeneration: set.metadata.generation,
      replicas: active.length,
      fullyLabeledReplicas: atLeastOne(active.filter((pod) => templateLabels.every(([k, v]) => pod.metadata.labels?.[k] === v)).length),
      readyReplicas: atLeastOne(active.filter(isReady).length),
      availableReplicas: atLeastOne(waits.filter((ms) => ms === 0).length),
      terminatingReplicas: pods.filter(isTerminating).length,
      conditions: failure ? this.failed(set, failure) : undefined,
    });
  }

  private failed(set: ReplicaSet, failure: unknown) {
    const old = conditionOf(set, 'ReplicaFailure');
    const message = failure instanceof Error ? failure.message : String(failure);
    return [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message, lastTransitionTime: old?.lastTransitionTime ?? timestamp(this.context.clock.now()) }];
  }
}

/** Zero counts are left out of a status, as in Go's omitempty. */
function atLeastOne(count: number): number | undefined {
  return count || undefined;
}

/**
 * The pods to delete first: without a node, pending, not ready, then the ones ready for the shortest time,
 * with the most restarts, the youngest (kubernetes `pkg/controller` ActivePodsWithRanks).
 */
export function victims(pods: Pod[], count: number): Pod[] {
  const rank = (pod: Pod): (number | string)[] => [
    pod.spec.nodeName ? 1 : 0,
    pod.status?.phase === 'Running' ? 2 : pod.status?.phase === 'Unknown' ? 1 : 0,
    isReady(pod) ? 1 : 0,
    -Date.parse(conditionOf(pod, 'Ready')?.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '') || 0,
    -Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount)),
    -Date.parse(pod.metadata.creationTimestamp ?? '') || 0,
    pod.metadata.name,
  ];
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod) }));
  ranked.sort((a, b) => {
    const differs = a.rank.findIndex((value, i) => value !== b.rank[i]);
    return differs < 0 ? 0 : (a.rank[differs] ?? 0) < (b.rank[differs] ?? 0) ? -1 : 1;
  });
  return ranked.slice(0, count).map(({ pod }) => pod);
}
