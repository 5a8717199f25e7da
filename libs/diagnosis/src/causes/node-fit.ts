import { listOf, recordOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import { quantity } from '../facts/quantity';
import type { Facts } from '../facts/model';
import type { PodFacts } from '../facts/pod-facts';
import { claimsOfPod, volumeOfClaim } from '../graph/references';

/** Why a pod cannot go to a node, in the scheduler's order of filters (kubernetes, `pkg/scheduler/framework/plugins`). */
export type Obstacle = 'cordon' | 'taint' | 'selector' | 'affinity' | 'cpu' | 'memory' | 'resource' | 'anti-affinity' | 'company' | 'spread' | 'host-port' | 'volume' | 'other';

/** A node with everything that keeps a pod from it. */
export interface NodeFit {
  node: KubeObject;
  obstacles: Obstacle[];
  /** The taint that the pod does not tolerate. */
  taint?: { key: string; value: string; effect: string };
  /** Not even an empty node of this size would do. */
  neverFits: Obstacle[];
}

const controlPlane = /^node-role\.kubernetes\.io\/(?:control-plane|master)$/;
/** Taints that the node's state brings: a fault of the node, not of a pod without toleration. */
const conditionTaint = /^node\.(?:kubernetes\.io|cloudprovider\.kubernetes\.io)\/|^node\.kubernetes\.io/;

/** What every node says to a pod. Linear in nodes and in the pods on them. */
export function fitsOf(facts: Facts, pod: PodFacts): NodeFit[] {
  const used = usedOf(facts);
  return facts.objects.list('Node').map((node) => fitOf(facts, node, pod, used.get(node.metadata.name) ?? { cpu: 0, memory: 0 }));
}

/** A node that ordinary workloads are not meant for. */
export function isControlPlane(node: KubeObject): boolean {
  return listOf(valueIn(node, 'spec', 'taints')).some((t) => controlPlane.test(textOf(valueIn(t, 'key')) ?? '') && valueIn(t, 'effect') !== 'PreferNoSchedule');
}

const usedByFacts = new WeakMap<Facts, Map<string, { cpu: number; memory: number }>>();

function usedOf(facts: Facts): Map<string, { cpu: number; memory: number }> {
  let used = usedByFacts.get(facts);
  if (used) return used;
  used = new Map();
  for (const pod of facts.pods) {
    if (pod.node === undefined || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
    const sum = used.get(pod.node) ?? { cpu: 0, memory: 0 };
    const wants = requestsOf(pod.spec);
    used.set(pod.node, { cpu: sum.cpu + wants.cpu, memory: sum.memory + wants.memory });
  }
  usedByFacts.set(facts, used);
  return used;
}

/** What a pod asks for: the sum of its containers, or the largest init container; a limit counts where no request is given. */
export function requestsOf(podSpec: unknown): { cpu: number; memory: number } {
  const wants = (container: unknown, name: string): number => quantity(valueIn(container, 'resources', 'requests', name)) ?? quantity(valueIn(container, 'resources', 'limits', name)) ?? 0;
  const total = (name: string): number => {
    const sum = listOf(valueIn(podSpec, 'containers')).reduce<number>((a, c) => a + wants(c, name), 0);
    return Math.max(sum, ...listOf(valueIn(podSpec, 'initContainers')).map((c) => wants(c, name)));
  };
  return { cpu: total('cpu'), memory: total('memory') };
}

function fitOf(facts: Facts, node: KubeObject, pod: PodFacts, used: { cpu: number; memory: number }): NodeFit {
  const obstacles: Obstacle[] = [];
  const neverFits: Obstacle[] = [];
  const tolerations = listOf(pod.spec['tolerations']);
  if (valueIn(node, 'spec', 'unschedulable') === true && !tolerates(tolerations, { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' })) obstacles.push('cordon');
  const taints = listOf(valueIn(node, 'spec', 'taints')).map((t) => ({ key: textOf(valueIn(t, 'key')) ?? '', value: textOf(valueIn(t, 'value')) ?? '', effect: textOf(valueIn(t, 'effect')) ?? '' }));
  const taint = taints.find((t) => t.effect !== 'PreferNoSchedule' && t.key !== 'node.kubernetes.io/unschedulable' && !tolerates(tolerations, t));
  if (taint) obstacles.push(conditionTaint.test(taint.key) ? 'other' : 'taint');
  if (!matchesSelector(node, pod.spec['nodeSelector'])) obstacles.push('selector');
  if (!matchesAffinity(node, valueIn(pod.spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'))) obstacles.push('affinity');
  const wants = requestsOf(pod.spec);
  for (const name of ['cpu', 'memory'] as const) {
    const most = quantity(valueIn(node, 'status', 'allocatable', name)) ?? quantity(valueIn(node, 'status', 'capacity', name)) ?? Infinity;
    if (wants[name] > most) neverFits.push(name);
    if (wants[name] > 0 && wants[name] + used[name] > most * 1.000001) obstacles.push(name);
  }
  if (refusesCompany(facts, node, pod)) obstacles.push('anti-affinity');
  if (hostPortHolder(facts, node.metadata.name, pod) !== undefined) obstacles.push('host-port');
  if (!boundVolumes(facts, pod).every((volume) => matchesAffinity(node, valueIn(volume, 'spec', 'nodeAffinity', 'required')))) obstacles.push('volume');
  return { node, obstacles, neverFits, ...(taint ? { taint } : {}) };
}

function tolerates(tolerations: unknown[], taint: { key: string; value: string; effect: string }): boolean {
  return tolerations.some((t) => {
    const [key, operator, effect] = [textOf(valueIn(t, 'key')), valueIn(t, 'operator') ?? 'Equal', textOf(valueIn(t, 'effect'))];
    if (effect !== undefined && effect !== taint.effect) return false;
    if (key === undefined) return operator === 'Exists';
    return key === taint.key && (operator === 'Exists' || (textOf(valueIn(t, 'value')) ?? '') === taint.value);
  });
}

function matchesSelector(node: KubeObject, selector: unknown): boolean {
  return Object.entries(recordOf(selector)).every(([label, value]) => node.metadata.labels?.[label] === value);
}

/** Terms are alternatives, the expressions of one must all hold. */
export function matchesAffinity(node: KubeObject, required: unknown): boolean {
  const terms = listOf(valueIn(required, 'nodeSelectorTerms'));
  if (terms.length === 0) return true;
  return terms.some((term) => listOf(valueIn(term, 'matchExpressions')).every((e) => holds(node.metadata.labels ?? {}, e)) && listOf(valueIn(term, 'matchFields')).every((e) => holds({ 'metadata.name': node.metadata.name }, e)));
}

/** One requirement of a node or label selector. */
export function holds(labels: Record<string, string>, expression: unknown): boolean {
  const key = textOf(valueIn(expression, 'key')) ?? '';
  const values = listOf(valueIn(expression, 'values'));
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (valueIn(expression, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** A LabelSelector over labels; an empty one holds for all. */
export function selectorHolds(labels: Record<string, string>, selector: unknown): boolean {
  return Object.entries(recordOf(valueIn(selector, 'matchLabels'))).every(([k, v]) => labels[k] === v) && listOf(valueIn(selector, 'matchExpressions')).every((e) => holds(labels, e));
}

function refusesCompany(facts: Facts, node: KubeObject, pod: PodFacts): boolean {
  const terms = listOf(valueIn(pod.spec, 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'));
  return terms.some((term) => {
    const topology = textOf(valueIn(term, 'topologyKey')) ?? 'kubernetes.io/hostname';
    const domain = node.metadata.labels?.[topology];
    if (domain === undefined) return false;
    return facts.pods.some((other) => {
      if (other.node === undefined || other.key === pod.key || other.namespace !== pod.namespace || other.phase === 'Succeeded' || other.phase === 'Failed') return false;
      const where = other.node === node.metadata.name ? domain : facts.objects.get('Node', undefined, other.node)?.metadata.labels?.[topology];
      return where === domain && selectorHolds(other.labels, valueIn(term, 'labelSelector'));
    });
  });
}

/** The volumes that the claims of a pod are bound to, as far as the source shows them. */
export function boundVolumes({ objects }: Facts, pod: PodFacts): KubeObject[] {
  return claimsOfPod(pod.spec).flatMap(({ name }) => volumeOfClaim(objects, pod.namespace, name) ?? []);
}

/** A port of a node that a pod takes for itself. */
interface HostPort {
  port: number;
  protocol: string;
  ip: string;
}

function hostPortsOf(podSpec: unknown): HostPort[] {
  return [...listOf(valueIn(podSpec, 'containers')), ...listOf(valueIn(podSpec, 'initContainers')).filter((c) => valueIn(c, 'restartPolicy') === 'Always')].flatMap((container) =>
    listOf(valueIn(container, 'ports')).flatMap((p) => {
      const port = valueIn(p, 'hostPort');
      return typeof port === 'number' && port > 0 ? [{ port, protocol: textOf(valueIn(p, 'protocol')) ?? 'TCP', ip: textOf(valueIn(p, 'hostIP')) ?? '0.0.0.0' }] : [];
    }),
  );
}

/** The pod that has a port of a node which another asks for, and which port (kubernetes, `pkg/scheduler/framework/types.go`, *HostPortInfo*). */
export function hostPortHolder(facts: Facts, node: string, pod: PodFacts): { holder: PodFacts; port: number } | undefined {
  const wanted = hostPortsOf(pod.spec);
  if (wanted.length === 0) return undefined;
  for (const holder of facts.pods) {
    if (holder.node !== node || holder.key === pod.key || holder.phase === 'Succeeded' || holder.phase === 'Failed') continue;
    const clash = hostPortsOf(holder.spec).find((has) => wanted.some((w) => w.port === has.port && w.protocol === has.protocol && (w.ip === has.ip || w.ip === '0.0.0.0' || has.ip === '0.0.0.0')));
    if (clash) return { holder, port: clash.port };
  }
  return undefined;
}
