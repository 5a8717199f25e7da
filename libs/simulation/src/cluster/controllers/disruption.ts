import { Controller, type ClientContext } from '../controller';
import { controllerOf } from '../informer';
import { kinds, keyOf } from '../kinds';
import { isFinished, isReady, isTerminating, withCondition } from '../pod-state';
import { countOf } from '../quantity';
import { matchesSelector } from '../selectors';
import { writeStatus } from '../status-patch';
import type { Condition, Pod, PodDisruptionBudget } from '../types';

/** Keeps the status of PodDisruptionBudgets, by which the server allows or refuses an eviction. */
export class DisruptionController extends Controller {
  private readonly budgets = this.watch(kinds.disruptionBudgets);
  private readonly pods = this.watchFor(kinds.pods, (pod) => this.budgetsOf(pod).map(keyOf));
  private readonly scaled = [kinds.replicaSets, kinds.statefulSets].map((kind) => this.context.informers.of(kind));
  private readonly deployments = this.context.informers.of(kinds.deployments);

  constructor(context: ClientContext) {
    super(context, 'disruption');
  }

  protected async sync(key: string): Promise<void> {
    const budget = this.budgets.get(key);
    if (!budget || isTerminating(budget)) return;
    const pods = this.pods.inNamespace(budget.metadata.namespace ?? '').filter((pod) => matchesSelector(budget.spec?.selector, pod.metadata.labels) && !isFinished(pod));
    const { minAvailable, maxUnavailable } = budget.spec ?? {};
    const expected = typeof minAvailable === 'number' ? pods.length : this.wanted(pods);
    const healthy = pods.filter((pod) => isReady(pod) && !isTerminating(pod)).length;
    const desired = maxUnavailable === undefined ? countOf(minAvailable, expected, 'up', 1) : Math.max(0, expected - countOf(maxUnavailable, expected, 'up', 1));
    const allowed = expected === 0 ? 0 : Math.max(0, healthy - desired);
    const condition: Condition = allowed > 0 ? { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '' } : { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '' };
    await writeStatus(this.context, kinds.disruptionBudgets, budget, {
      ...budget.status,
      currentHealthy: healthy,
      desiredHealthy: desired,
      disruptionsAllowed: allowed,
      expectedPods: expected,
      observedGeneration: budget.metadata.generation,
      conditions: withCondition(budget.status?.conditions, { ...condition, observedGeneration: budget.metadata.generation }, this.context.clock),
    });
  }

  private budgetsOf(pod: Pod): PodDisruptionBudget[] {
    return this.budgets.inNamespace(pod.metadata.namespace ?? '').filter((budget) => matchesSelector(budget.spec?.selector, pod.metadata.labels));
  }

  /** How many pods the workloads of these pods ask for; a pod of nobody counts as one. */
  private wanted(pods: Pod[]): number {
    const replicas = new Map<string, number>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      const key = `${pod.metadata.namespace}/${owner?.name ?? ''}`;
      const set = owner && this.scaled.map((informer) => informer.get(key)).find((each) => each?.metadata.uid === owner.uid);
      const above = set && controllerOf(set);
      const deployment = above?.kind === 'Deployment' ? this.deployments.get(`${pod.metadata.namespace}/${above.name}`) : undefined;
      const workload = deployment ?? set;
      replicas.set(workload?.metadata.uid ?? pod.metadata.uid ?? '', workload?.spec.replicas ?? 1);
    }
    return [...replicas.values()].reduce((sum, each) => sum + each, 0);
  }
}
