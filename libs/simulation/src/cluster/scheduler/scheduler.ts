import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { keyOf, kinds } from '../kinds';
import { conditionOf, isFinished, isTerminating, withCondition } from '../pod-state';
import { writeStatus } from '../status-patch';
import type { Node, Pod } from '../types';
import { loadOf, refusals, scoreOf, type NodeLoad } from './node-fit';

const component = 'default-scheduler';

/** Binds pods to nodes one after the other, so that each sees what the one before has taken. */
export class Scheduler extends Controller {
  private readonly pods = this.context.informers.of(kinds.pods);
  private readonly nodes = this.context.informers.of(kinds.nodes);
  private readonly claims = this.context.informers.of(kinds.claims);
  private readonly volumes = this.context.informers.of(kinds.volumes);
  private readonly classes = this.context.informers.of(kinds.storageClasses);
  private readonly namespaces = this.context.informers.of(kinds.namespaces);
  /** Bindings that were made and that the watch has not told of yet, by pod uid. */
  private readonly assumed = new Map<string, string>();

  constructor(context: ClientContext) {
    super(context, component, 1);
    this.pods.onChange((change) => {
      const pod = change.object;
      if (pod.spec.nodeName || change.type === 'deleted') {
        this.assumed.delete(pod.metadata.uid ?? '');
        // Room may have become free, or a pod to be near to may have arrived.
        if (change.type === 'deleted' || isFinished(pod)) this.retryWaiting();
      } else {
        this.enqueue(keyOf(pod));
      }
    });
    this.nodes.onChange((change) => {
      if (change.type !== 'updated' || shapeOf(change.object) !== shapeOf(change.old)) this.retryWaiting();
    });
    this.claims.onChange(() => this.retryWaiting());
  }

  private retryWaiting(): void {
    for (const pod of this.pods.all()) if (!pod.spec.nodeName && conditionOf(pod, 'PodScheduled')?.status === 'False') this.enqueue(keyOf(pod));
  }

  protected async sync(key: string): Promise<void> {
    const pod = this.pods.get(key);
    if (!pod || pod.spec.nodeName || isTerminating(pod) || isFinished(pod) || this.assumed.has(pod.metadata.uid ?? '')) return;
    if ((pod.spec.schedulerName ?? component) !== component || pod.spec.schedulingGates?.length) return;
    const claimProblem = this.claimProblem(pod);
    const loads = this.loads();
    const labelsOf = (namespace: string) => this.namespaces.get(namespace)?.metadata.labels;
    const reasons = new Map<string, number>();
    const fitting: NodeLoad[] = [];
    for (const load of claimProblem ? [] : loads) {
      const why = [...refusals(pod, load, loads, labelsOf), ...this.volumeRefusal(pod, load.node)].slice(0, 2);
      if (why.length === 0) fitting.push(load);
      for (const reason of why) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    if (fitting.length === 0) return this.refuse(pod, claimProblem ? `0/${loads.length} nodes are available: ${claimProblem}. ${notHelpful(loads.length)}` : explain(loads.length, reasons));
    const best = fitting.map((load) => ({ load, score: scoreOf(pod, load, loads, labelsOf) })).sort((a, b) => b.score - a.score || a.load.node.metadata.name.localeCompare(b.load.node.metadata.name))[0];
    if (best) await this.bind(pod, best.load.node);
  }

  private loads(): NodeLoad[] {
    const byNode = new Map<string, Pod[]>();
    for (const pod of this.pods.all()) {
      const name = pod.spec.nodeName ?? this.assumed.get(pod.metadata.uid ?? '');
      if (name) byNode.set(name, [...(byNode.get(name) ?? []), pod]);
    }
    return this.nodes.all().map((node) => loadOf(node, byNode.get(node.metadata.name) ?? []));
  }

  private claimsOf(pod: Pod): string[] {
    return (pod.spec.volumes ?? []).flatMap((volume) => (volume.persistentVolumeClaim ? [volume.persistentVolumeClaim.claimName] : []));
  }

  /** A claim that is missing, or that must be bound before any node can be chosen. */
  private claimProblem(pod: Pod): string | undefined {
    for (const name of this.claimsOf(pod)) {
      const claim = this.claims.get(`${pod.metadata.namespace}/${name}`);
      if (!claim) return `persistentvolumeclaim "${name}" not found`;
      if (claim.status?.phase === 'Lost') return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`;
      const mode = this.classes.get(claim.spec.storageClassName ?? '')?.volumeBindingMode;
      if (!claim.spec.volumeName && mode !== 'WaitForFirstConsumer') return 'pod has unbound immediate PersistentVolumeClaims';
    }
    return undefined;
  }

  private volumeRefusal(pod: Pod, node: Node): string[] {
    for (const name of this.claimsOf(pod)) {
      const volume = this.volumes.get(this.claims.get(`${pod.metadata.namespace}/${name}`)?.spec.volumeName ?? '');
      const affinity = volume?.spec.nodeAffinity as { required?: { nodeSelectorTerms: { matchExpressions?: { key: string; values?: string[] }[] }[] } } | undefined;
      const terms = affinity?.required?.nodeSelectorTerms;
      if (terms && !terms.some((term) => (term.matchExpressions ?? []).every((e) => e.values?.includes(node.metadata.labels?.[e.key] ?? '')))) return ["node(s) didn't match PersistentVolume's node affinity"];
    }
    return [];
  }

  private async bind(pod: Pod, node: Node): Promise<void> {
    for (const name of this.claimsOf(pod)) {
      const claim = this.claims.get(`${pod.metadata.namespace}/${name}`);
      if (!claim || claim.spec.volumeName || claim.metadata.annotations?.['volume.kubernetes.io/selected-node']) continue;
      const annotations = { 'volume.kubernetes.io/selected-node': node.metadata.name };
      this.claims.observe(await this.context.api.patch(kinds.claims, claim, { metadata: { annotations } }));
    }
    const { name, namespace, uid } = pod.metadata;
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { apiVersion: 'v1', kind: 'Node', name: node.metadata.name } };
    this.assumed.set(uid ?? '', node.metadata.name);
    try {
      await this.context.api.create(kinds.pods, binding as unknown as Pod, namespace, { name, of: 'binding' });
    } catch (error) {
      this.assumed.delete(uid ?? '');
      if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return;
      throw error;
    }
    this.context.events.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`, component);
  }

  private async refuse(pod: Pod, message: string): Promise<void> {
    const old = conditionOf(pod, 'PodScheduled');
    if (old?.status === 'False' && old.message === message) return;
    const conditions = withCondition(pod.status?.conditions, { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }, this.context.clock);
    this.context.events.record(pod, 'Warning', 'FailedScheduling', message, component);
    await writeStatus(this.context, kinds.pods, pod, { ...pod.status, phase: pod.status?.phase ?? 'Pending', conditions });
  }
}

/** The scheduler's sentence: reasons counted and sorted, then what it thinks of preemption. */
function explain(nodes: number, reasons: Map<string, number>): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  const counted = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${counted.join(', ')}. ${notHelpful(nodes)}`;
}

/** Nobody is ever evicted to make room here: every pod has the same priority. */
function notHelpful(nodes: number): string {
  return `preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;
}

function shapeOf(node: Node | undefined): string {
  return JSON.stringify([node?.metadata.labels, node?.spec, node?.status?.allocatable]);
}

