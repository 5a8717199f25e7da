import { listOf, printable, recordOf, refOf, valueIn, type ObjectRef } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import type { EventFacts } from '../facts/event-index';
import type { PodFacts } from '../facts/pod-facts';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { casesOf, ofWorkload, type Case } from './cause';
import { dotted, seen, seenAt, seenEvent } from './evidence';
import { fitsOf, isControlPlane, requestsOf, type NodeFit, type Obstacle } from './node-fit';
import { hostPortEvidence, hostPortTitle, orphanedVolume, volumeEvidence, volumeRemedy, volumeTitle } from './scheduling-bound';

/** What the scheduler calls each obstacle (kubernetes 1.28 to 1.35, `pkg/scheduler/framework/plugins`). */
const words: { pattern: RegExp; obstacle: Obstacle }[] = [
  { pattern: /were unschedulable|was unschedulable/, obstacle: 'cordon' },
  { pattern: /untolerated taint|had taints? (?:\{|that)/, obstacle: 'taint' },
  { pattern: /didn't match Pod's node affinity\/selector|didn't match node selector|didn't match Pod's node affinity/, obstacle: 'selector' },
  { pattern: /Insufficient cpu/, obstacle: 'cpu' },
  { pattern: /Insufficient memory/, obstacle: 'memory' },
  { pattern: /Insufficient \S+|Too many pods/, obstacle: 'resource' },
  { pattern: /anti-affinity rules/, obstacle: 'anti-affinity' },
  { pattern: /didn't match pod affinity rules/, obstacle: 'company' },
  { pattern: /topology spread constraints/, obstacle: 'spread' },
  { pattern: /didn't have free ports/, obstacle: 'host-port' },
  { pattern: /volume node affinity conflict|didn't match PersistentVolume's node affinity/, obstacle: 'volume' },
];
const codes: Partial<Record<Obstacle, CauseCode>> = {
  cordon: 'node_cordon_mismatch',
  taint: 'taint_toleration_mismatch',
  selector: 'node_selector_mismatch',
  affinity: 'node_affinity_mismatch',
  cpu: 'cpu_capacity_mismatch',
  memory: 'memory_capacity_mismatch',
  resource: 'extended_resource_capacity_mismatch',
  'anti-affinity': 'pod_anti_affinity_conflict',
  company: 'pod_affinity_mismatch',
  spread: 'topology_spread_conflict',
  'host-port': 'host_port_conflict',
  volume: 'volume_node_affinity_conflict',
};

/** Pods for which the scheduler finds no node: which of the obstacles it is, by the nodes themselves where they can be seen. */
export function nodeCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'unscheduled').flatMap((one) => {
    const said = saidOf(scene, one.pod);
    // Without a word of the scheduler's there is no mismatch to find.
    if (said === undefined) return [];
    const fits = scene.facts.objects.knows('Node') ? fitsOf(scene.facts, one.pod) : [];
    const verdict = fits.length > 0 ? byNodes(fits, said.text) : byMessage(said.text, one.pod);
    return verdict ? [candidateOf(one, verdict, said)] : [];
  });
}

interface Said {
  text: string;
  event?: EventFacts;
}

/** The scheduler's last word: its condition is of its last try, an event may be older. */
export function saidOf(scene: Scene, pod: PodFacts): Said | undefined {
  const condition = pod.conditions.get('PodScheduled');
  const event = scene.facts.events.of(pod.key, pod.uid).find((e) => e.reason === 'FailedScheduling');
  if (condition?.status === 'False' && condition.message) return { text: condition.message, ...(event ? { event } : {}) };
  return event ? { text: event.message, event } : undefined;
}

interface Verdict {
  obstacle: Obstacle;
  confidence: number;
  nodes: NodeFit[];
}

/**
 * The nodes that the pod is meant for are those that its selector and affinity name, without control planes that it does not tolerate.
 * None: the selector is at fault. Else what keeps it from these; the counts of the message also hold nodes that never were candidates.
 */
function byNodes(fits: NodeFit[], text: string): Verdict | undefined {
  const matching = fits.filter((f) => !f.obstacles.includes('selector') && !f.obstacles.includes('affinity'));
  if (matching.length === 0) {
    const bySelector = fits.every((f) => f.obstacles.includes('selector'));
    return { obstacle: bySelector || !fits.every((f) => f.obstacles.includes('affinity')) ? 'selector' : 'affinity', confidence: 0.95, nodes: fits };
  }
  // A volume that lies on a node keeps its pod there: other nodes are no candidates.
  const near = matching.filter((f) => !f.obstacles.includes('volume'));
  if (near.length === 0) return { obstacle: 'volume', confidence: 0.95, nodes: matching };
  const workers = near.filter((f) => !isControlPlane(f.node) || !f.obstacles.includes('taint'));
  const meant = workers.length > 0 ? workers : near;
  const open = meant.filter((f) => f.obstacles.length === 0);
  if (open.length > 0) return byMessage(text, undefined, meant);
  for (const name of ['cpu', 'memory'] as const) {
    const whole = meant.filter((f) => !f.obstacles.includes('cordon') && !f.obstacles.includes('taint'));
    if (whole.length > 0 && whole.every((f) => f.neverFits.includes(name))) return { obstacle: name, confidence: 0.96, nodes: meant };
  }
  const counts = new Map<Obstacle, number>();
  // A node with a single obstacle is one that the pod would go to without it.
  for (const fit of meant) {
    const weight = fit.obstacles.length === 1 ? 10 : 1;
    for (const obstacle of fit.obstacles) counts.set(obstacle, (counts.get(obstacle) ?? 0) + weight);
  }
  // The scheduler names of each node the first obstacle: what it does not name is not the first anywhere.
  const named = [...counts].filter(([obstacle]) => words.some((w) => w.obstacle === (obstacle === 'affinity' ? 'selector' : obstacle) && w.pattern.test(text)));
  const [best] = (named.length > 0 ? named : [...counts]).filter(([obstacle]) => codes[obstacle]).sort((a, b) => b[1] - a[1] || preference.indexOf(a[0]) - preference.indexOf(b[0]));
  // The one node that has its volume takes no pods: a fault of that node.
  if (!best && near.length < matching.length) return { obstacle: 'volume', confidence: 0.9, nodes: near };
  return best && { obstacle: best[0], confidence: 0.93, nodes: meant };
}

/** Of two as likely ones: what somebody did to a node or a pod before what is merely full. */
const preference: Obstacle[] = ['cordon', 'taint', 'host-port', 'anti-affinity', 'company', 'spread', 'affinity', 'selector', 'volume', 'memory', 'cpu', 'resource', 'other'];

/** From the message alone: a later filter is only reached by nodes that passed the earlier ones, and control planes are no candidates. */
function byMessage(text: string, pod: PodFacts | undefined, nodes: NodeFit[] = []): Verdict | undefined {
  const parts = text.replace(/preemption:.*$/s, '').replace(/^\d+\/\d+ nodes are available:\s*/, '').split(/,\s*(?=\d+ )/);
  const found = parts.flatMap((part) => {
    if (/node-role\.kubernetes\.io\/(?:control-plane|master)/.test(part) && parts.length > 1) return [];
    const word = words.find(({ pattern }) => pattern.test(part));
    return word ? [{ ...word, count: Number(/^\d+/.exec(part.trim())?.[0] ?? 1) }] : [];
  });
  const pinned = pod !== undefined && (Object.keys(recordOf(pod.spec['nodeSelector'])).length > 0 || valueIn(pod.spec, 'affinity', 'nodeAffinity') !== undefined);
  // Where its volume lies is where it has to go: what the nodes say that have not got it says nothing about it.
  const elsewhere = found.some((f) => f.obstacle !== 'volume' && f.obstacle !== 'selector') ? found.filter((f) => f.obstacle !== 'volume') : found;
  const others = elsewhere.filter((f) => f.obstacle !== 'selector');
  // Nodes that the selector does not name say nothing about the pod, if there are others.
  const usable = others.length > 0 && (pinned || elsewhere.length > others.length) ? others : elsewhere;
  const [best] = [...usable].sort((a, b) => b.count - a.count || preference.indexOf(a.obstacle) - preference.indexOf(b.obstacle));
  if (!best) return undefined;
  const affinity = pod && valueIn(pod.spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution') !== undefined && Object.keys(recordOf(pod.spec['nodeSelector'])).length === 0;
  return { obstacle: best.obstacle === 'selector' && affinity ? 'affinity' : best.obstacle, confidence: 0.85, nodes };
}

function candidateOf(one: Case, verdict: Verdict, said: Said): Candidate {
  const { obstacle, nodes } = verdict;
  const cause = codes[obstacle] as CauseCode;
  const shown = nodes.slice(0, 4).map((f) => seen(refOfNode(f), 'fit', f.obstacles.join(', ') || 'free'));
  const evidence = [said.event ? seenEvent(said.event) : seen(one.pod.ref, '.status.conditions[PodScheduled].message', said.text), ...fieldsOf(one, obstacle, nodes), ...shown];
  const orphan = obstacle === 'volume' ? orphanedVolume(one) : undefined;
  const cordoned = obstacle === 'cordon' ? nodes.find((f) => f.obstacles.includes('cordon')) : undefined;
  return ofWorkload(one, cause, verdict.confidence, titleOf(one, obstacle, nodes, said.text), {
    evidence,
    alternatives: otherObstacles(obstacle, nodes),
    ...(cordoned ? { object: refOfNode(cordoned) } : orphan ? { object: refOf(orphan) } : {}),
    // A node that is down is the fault only where nothing else would keep the pod from it.
    blames: nodes.filter((f) => f.obstacles.every((o) => o === 'other') && f.obstacles.length > 0).map((f) => `Node ${f.node.metadata.name}`),
    remedy: cordoned ? { summary: `Let pods go to node ${cordoned.node.metadata.name} again`, patch: [{ op: 'replace', path: '/spec/unschedulable', value: false }], note: `kubectl uncordon ${cordoned.node.metadata.name}; find out first why it was cordoned` } : remedyOf(one, obstacle, nodes),
  });
}

const refOfNode = (fit: NodeFit): ObjectRef => ({ apiVersion: 'v1', kind: 'Node', name: fit.node.metadata.name, ...(fit.node.metadata.uid ? { uid: fit.node.metadata.uid } : {}) });

function titleOf(one: Case, obstacle: Obstacle, nodes: NodeFit[], text: string): string {
  const { workload, pod } = one;
  const wants = requestsOf(pod.spec);
  const taint = nodes.find((f) => f.taint)?.taint;
  const titles: Partial<Record<Obstacle, string>> = {
    cordon: `${workload.name} may only go to nodes that are cordoned`,
    taint: `${workload.name} does not tolerate the taint ${taint ? printable(`${taint.key}=${taint.value}:${taint.effect}`, 120) : ''} of the nodes it could go to`,
    selector: `no node has the labels that ${workload.name} asks for`,
    affinity: `no node fits the node affinity of ${workload.name}`,
    cpu: `no node has the CPU that ${workload.name} asks for (${wants.cpu})`,
    memory: `no node has the memory that ${workload.name} asks for (${Math.round(wants.memory / 2 ** 20)} Mi)`,
    resource: `no node has the ${printable(extendedIn(text), 120)} that ${workload.name} asks for`,
    'anti-affinity': `every node already has a pod that ${workload.name} must not be with`,
    company: `no node has the pods that ${workload.name} must be with`,
    spread: `the rules that spread ${workload.name} over the nodes leave none for one more`,
    'host-port': hostPortTitle(one, nodes),
    volume: volumeTitle(one, nodes),
  };
  return titles[obstacle] ?? `no node fits ${workload.name}`;
}

/** The resource that the scheduler says is short, as `nvidia.com/gpu`; the number of pods is one of a node's as well. */
function extendedIn(text: string): string {
  return [...text.matchAll(/Insufficient ([^\s,.]+(?:\.[^\s,.]+)*)/g)].map(([, name]) => name ?? '').find((name) => name !== 'cpu' && name !== 'memory') ?? 'room for one more pod';
}

function fieldsOf(one: Case, obstacle: Obstacle, nodes: NodeFit[]) {
  const { workload, pod } = one;
  const paths: Partial<Record<Obstacle, string>> = { taint: 'tolerations', selector: 'nodeSelector', affinity: 'affinity/nodeAffinity', 'anti-affinity': 'affinity/podAntiAffinity', company: 'affinity/podAffinity', spread: 'topologySpreadConstraints', cpu: 'containers/0/resources', memory: 'containers/0/resources', resource: 'containers/0/resources' };
  const path = paths[obstacle];
  if (obstacle === 'volume') return volumeEvidence(one);
  if (obstacle === 'host-port') return hostPortEvidence(one, nodes);
  if (path === undefined) return nodes.filter((f) => f.obstacles.includes('cordon')).slice(0, 3).map((f) => seen(refOfNode(f), '.spec.unschedulable', 'true'));
  return [seenAt(workload.object ?? pod.object, workload.ref, `${workload.object ? workload.podSpecAt : '/spec'}/${path}`)];
}

function otherObstacles(chosen: Obstacle, nodes: NodeFit[]): NonNullable<Candidate['alternatives']> {
  const others = new Set(nodes.flatMap((f) => f.obstacles).filter((o) => o !== chosen && codes[o]));
  return [...others].map((o) => ({ cause: codes[o] as CauseCode, why: `keeps it from ${nodes.filter((f) => f.obstacles.includes(o)).length} of ${nodes.length} nodes it is meant for, ${chosen} from ${nodes.filter((f) => f.obstacles.includes(chosen)).length}` }));
}

function remedyOf(one: Case, obstacle: Obstacle, nodes: NodeFit[]): FieldChange | { none: string } {
  const { workload, pod } = one;
  const taint = nodes.find((f) => f.obstacles.includes('taint'))?.taint;
  if (obstacle === 'taint' && taint) {
    const toleration = { key: taint.key, operator: taint.value === '' ? 'Exists' : 'Equal', ...(taint.value === '' ? {} : { value: taint.value }), effect: taint.effect };
    const has = listOf(pod.spec['tolerations']).length > 0 && listOf(workload.podSpec['tolerations']).length > 0;
    return { summary: `Let ${workload.name} tolerate ${taint.key}`, patch: has ? [{ op: 'add', path: `${workload.podSpecAt}/tolerations/-`, value: toleration }] : [{ op: 'add', path: `${workload.podSpecAt}/tolerations`, value: [toleration] }], note: 'a taint keeps pods away on purpose: check that this one is meant to go there' };
  }
  if (obstacle === 'cpu' || obstacle === 'memory') return { none: `ask for less (${dotted(`${workload.podSpecAt}/containers/0/resources/requests/${obstacle}`)}), or add a node that has it: what the workload really needs is for you to say` };
  if (obstacle === 'selector' || obstacle === 'affinity') return { none: `correct ${dotted(`${workload.podSpecAt}/${obstacle === 'selector' ? 'nodeSelector' : 'affinity/nodeAffinity'}`)}, or label the nodes that are meant` };
  if (obstacle === 'resource') return { none: 'add a node that offers it (for a device: see that its plugin runs there), or ask for less: that is for you to say' };
  if (obstacle === 'host-port') return { none: 'give one of the two another hostPort, or reach it through a Service instead: a port of a node is there once' };
  if (obstacle === 'volume') return { none: volumeRemedy(one) };
  if (obstacle === 'company') return { none: `correct ${dotted(`${workload.podSpecAt}/affinity/podAffinity`)}, make it preferred, or see that the pods it names run` };
  if (obstacle === 'spread') return { none: 'let whenUnsatisfiable be ScheduleAnyway, raise maxSkew, or add nodes where the fewest of them run' };
  return { none: 'make the rule preferred instead of required, ask for fewer replicas, or add nodes' };
}
