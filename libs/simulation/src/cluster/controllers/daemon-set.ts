import { Controller, type ClientContext } from '../controller';
import { kinds, keyOf } from '../kinds';
import { isFinished, isReady, isTerminating, msUntilAvailable } from '../pod-state';
import { countOf } from '../quantity';
import { writeStatus } from '../status-patch';
import { podFrom } from '../template';
import { nodeMatchesPod, tolerates } from '../scheduler/node-fit';
import type { DaemonSet, Node, Pod, Toleration } from '../types';
import { DependentControl, ownersOf } from './pod-control';
import { currentRevision, forgetRevisions } from './revisions';

const hashLabel = 'controller-revision-hash';
/** What every daemon pod tolerates (kubernetes.io, *DaemonSet*, "Taints and tolerations"). */
const daemonTolerations: Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

/** One pod on each node that the template fits; the scheduler binds it there. */
export class DaemonSetController extends Controller {
  private readonly sets = this.watch(kinds.daemonSets);
  private readonly pods = this.watchFor(kinds.pods, (pod) => ownersOf(pod, this.sets));
  private readonly nodes = this.context.informers.of(kinds.nodes);
  private readonly control = new DependentControl(this.context, 'daemonset-controller');

  constructor(context: ClientContext) {
    super(context, 'daemonset');
    context.informers.of(kinds.controllerRevisions);
    this.nodes.onChange((change) => {
      const shape = (node: Node) => JSON.stringify([node.metadata.labels, node.spec]);
      if (change.type === 'updated' && change.old && shape(change.old) === shape(change.object)) return;
      for (const set of this.sets.all()) this.enqueue(keyOf(set));
    });
  }

  protected async sync(key: string): Promise<void> {
    const set = this.sets.get(key);
    if (!set) return;
    const pods = await this.control.claim(set, set.spec.selector, this.pods);
    if (isTerminating(set)) return;
    const { hash, all } = await currentRevision(this.context, this.control, set);
    const wanted = this.nodes.all().filter((node) => fits(set, node));
    await this.manage(set, pods, wanted, hash);
    await this.update(set, wanted.length, hash);
    await this.report(set, wanted, hash);
    const after = this.pods.ownedBy(set.metadata.uid ?? '');
    await forgetRevisions(this.context, set, all, new Set([hash, ...after.map((pod) => pod.metadata.labels?.[hashLabel] ?? '')]));
  }

  private async manage(set: DaemonSet, pods: Pod[], wanted: Node[], hash: string): Promise<void> {
    const byNode = new Map<string, Pod[]>();
    for (const pod of pods) byNode.set(targetOf(pod), [...(byNode.get(targetOf(pod)) ?? []), pod]);
    for (const node of wanted) {
      const [mine, ...extra] = (byNode.get(node.metadata.name) ?? []).sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''));
      for (const pod of extra) await this.control.deletePod(set, pod);
      if (mine && isFinished(mine)) await this.control.deletePod(set, mine);
      if (!mine) await this.control.createPod(set, daemonPod(set, node, hash));
      byNode.delete(node.metadata.name);
    }
    for (const pod of [...byNode.values()].flat()) await this.control.deletePod(set, pod);
  }

  private async update(set: DaemonSet, desired: number, hash: string): Promise<void> {
    if (set.spec.updateStrategy?.type === 'OnDelete') return;
    const pods = this.pods.ownedBy(set.metadata.uid ?? '');
    const broken = pods.filter((pod) => !isReady(pod) || isTerminating(pod)).length + Math.max(0, desired - pods.length);
    let room = Math.max(1, countOf(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable, desired, 'up', 1)) - broken;
    for (const pod of pods.filter((candidate) => candidate.metadata.labels?.[hashLabel] !== hash && !isTerminating(candidate))) {
      if (isReady(pod) && room-- <= 0) continue;
      await this.control.deletePod(set, pod);
    }
  }

  private async report(set: DaemonSet, wanted: Node[], hash: string): Promise<void> {
    const pods = this.pods.ownedBy(set.metadata.uid ?? '').filter((pod) => !isTerminating(pod));
    const names = new Set(wanted.map((node) => node.metadata.name));
    const placed = pods.filter((pod) => names.has(targetOf(pod)));
    const waits = placed.map((pod) => msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, this.context.clock));
    const soonest = Math.min(...waits.filter((ms) => ms > 0 && ms < Infinity));
    if (soonest < Infinity) this.enqueueAfter(keyOf(set), soonest);
    const available = waits.filter((ms) => ms === 0).length;
    await writeStatus(this.context, kinds.daemonSets, set, {
      ...set.status,
      observedGeneration: set.metadata.generation,
      currentNumberScheduled: placed.length,
      desiredNumberScheduled: wanted.length,
      numberMisscheduled: pods.length - placed.length,
      numberReady: placed.filter(isReady).length,
      numberAvailable: available || undefined,
      numberUnavailable: wanted.length - available || undefined,
      updatedNumberScheduled: placed.filter((pod) => pod.metadata.labels?.[hashLabel] === hash).length || undefined,
    });
  }
}

function daemonPod(set: DaemonSet, node: Node, hash: string): Pod {
  const pod = podFrom(set, set.spec.template, { generateName: `${set.metadata.name}-` }, { labels: { [hashLabel]: hash, 'pod-template-generation': '1' } });
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  const here = { key: 'metadata.name', operator: 'In', values: [node.metadata.name] };
  pod.spec.affinity = {
    ...pod.spec.affinity,
    nodeAffinity: {
      ...pod.spec.affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: required.map((term) => ({ ...term, matchFields: [here] })) },
    },
  };
  pod.spec.tolerations = [...(pod.spec.tolerations ?? []), ...daemonTolerations, ...networkToleration(pod)];
  return pod;
}

function networkToleration(pod: Pod): Toleration[] {
  return pod.spec.hostNetwork ? [{ key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' }] : [];
}

/** Whether the set wants a pod on the node: its selectors fit, and it tolerates what repels. */
function fits(set: DaemonSet, node: Node): boolean {
  const { spec } = set.spec.template;
  const tolerations = [...(spec.tolerations ?? []), ...daemonTolerations];
  return nodeMatchesPod(spec, node) && (node.spec?.taints ?? []).every((taint) => taint.effect === 'PreferNoSchedule' || tolerates(tolerations, taint));
}

function targetOf(pod: Pod): string {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return pod.spec.nodeName ?? terms?.[0]?.matchFields?.[0]?.values?.[0] ?? '';
}
