import { Controller, type ClientContext } from '../controller';
import { timestamp } from '../clock';
import { kinds, keyOf } from '../kinds';
import { conditionOf, isFinished, isTerminating, withCondition } from '../pod-state';
import { tolerates } from '../scheduler/node-fit';
import { writeStatus } from '../status-patch';
import type { Condition, Node, Pod, Taint, Toleration } from '../types';
import { endDisrupted } from './pod-disruption';

/** On a node: `dead` ends all that runs there, as a power cut; `unreachable` lets it run on, and its kubelet is not heard. */
export const downAnnotation = 'simulation.larry.dev/down';

/** Kubernetes' `--node-monitor-grace-period`, as k3s has it. */
const graceMs = 40_000;
const unreachable = 'node.kubernetes.io/unreachable';

/** Whether the simulated kubelet of a node is silent: it is so only where the node's annotation says it. */
export function isDown(node: Node | undefined): 'dead' | 'unreachable' | undefined {
  const value = node?.metadata.annotations?.[downAnnotation];
  return value === 'dead' || value === 'unreachable' ? value : undefined;
}

/** Notices silent kubelets, taints their nodes, and deletes the pods that do not tolerate a node's NoExecute taints. */
export class NodeLifecycleController extends Controller {
  private readonly nodes = this.watch(kinds.nodes);
  private readonly leases = this.context.informers.of(kinds.leases);
  private readonly pods = this.watchFor(kinds.pods, (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));

  constructor(context: ClientContext) {
    super(context, 'node-lifecycle');
  }

  protected async sync(name: string): Promise<void> {
    const node = this.nodes.get(name);
    if (!node) return;
    const silent = this.isSilent(node);
    const seen = silent ? await this.markUnknown(node) : node;
    await this.evictFrom(await this.taint(seen, silent));
  }

  private isSilent(node: Node): boolean {
    if (!isDown(node)) return false;
    const renewed = Date.parse(this.leases.get(`kube-node-lease/${node.metadata.name}`)?.spec?.renewTime ?? '') || 0;
    const left = renewed + graceMs - this.context.clock.now().getTime();
    if (left > 0) this.enqueueAfter(keyOf(node), left);
    return left <= 0;
  }

  private async markUnknown(node: Node): Promise<Node> {
    if (conditionOf(node, 'Ready')?.status !== 'Unknown') this.context.events.record(node, 'Normal', 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`, 'node-controller');
    const unknown = (type: string): Condition => ({ ...conditionOf(node, type), type, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' });
    const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].reduce((all, type) => withCondition(all, unknown(type), this.context.clock), node.status?.conditions);
    for (const pod of this.podsOn(node)) await this.markNotReady(pod);
    return writeStatus(this.context, kinds.nodes, node, { ...node.status, conditions });
  }

  private async markNotReady(pod: Pod): Promise<void> {
    const ready = conditionOf(pod, 'Ready');
    if (ready?.status !== 'True') return;
    await writeStatus(this.context, kinds.pods, pod, { ...pod.status, conditions: withCondition(pod.status?.conditions, { ...ready, status: 'False' }, this.context.clock) });
    this.context.events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready', 'node-controller');
  }

  private async taint(node: Node, silent: boolean): Promise<Node> {
    const taints = node.spec?.taints ?? [];
    const has = taints.some((taint) => taint.key === unreachable);
    if (has === silent) return node;
    const timeAdded = timestamp(this.context.clock.now());
    const next = silent ? [...taints, { key: unreachable, effect: 'NoSchedule', timeAdded }, { key: unreachable, effect: 'NoExecute', timeAdded }] : taints.filter((taint) => taint.key !== unreachable);
    return this.nodes.observe(await this.context.api.patch(kinds.nodes, node, { metadata: { uid: node.metadata.uid }, spec: { taints: next.length > 0 ? next : null } }));
  }

  private async evictFrom(node: Node): Promise<void> {
    const taints = (node.spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
    if (taints.length === 0) return;
    const now = this.context.clock.now().getTime();
    for (const pod of this.podsOn(node).filter((each) => !isTerminating(each))) {
      const left = Math.min(...taints.map((taint) => toleratedUntil(taint, pod.spec.tolerations ?? [], now))) - now;
      if (left === Infinity) continue;
      if (left > 0) this.enqueueAfter(keyOf(node), left);
      else await this.evict(pod);
    }
  }

  private async evict(pod: Pod): Promise<void> {
    this.context.events.record(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`, 'taint-eviction-controller');
    await endDisrupted(this.context, pod, { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' });
  }

  private podsOn(node: Node): Pod[] {
    return this.pods.all().filter((pod) => pod.spec.nodeName === node.metadata.name && !isFinished(pod));
  }
}

/** Until when a pod may stay: for ever (Infinity), or by its shortest toleration; now where it has none. */
function toleratedUntil(taint: Taint, tolerations: readonly Toleration[], now: number): number {
  const fitting = tolerations.filter((each) => tolerates([each], taint));
  if (fitting.length === 0) return now;
  const seconds = Math.min(...fitting.map((each) => each.tolerationSeconds ?? Infinity));
  return seconds === Infinity ? Infinity : (Date.parse(taint.timeAdded ?? '') || now) + seconds * 1000;
}
