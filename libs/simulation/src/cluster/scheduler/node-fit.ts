import { parseAmount } from '../quantity';
import { matchesNodeTerm, matchesSelector } from '../selectors';
import { isFinished } from '../pod-state';
import type { Container, Node, Pod, PodAffinityTerm, PodSpec, Taint, Toleration } from '../types';

/** Whether one of the tolerations tolerates the taint (kubernetes.io, *Taints and Tolerations*). */
export function tolerates(tolerations: Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => {
    if (toleration.effect && toleration.effect !== taint.effect) return false;
    if (!toleration.key) return toleration.operator === 'Exists';
    if (toleration.key !== taint.key) return false;
    return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
  });
}

/** Whether the node selector and the required node affinity accept a node. */
export function nodeMatchesPod(spec: PodSpec, node: Node): boolean {
  const selected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value);
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return selected && (!terms || terms.some((term) => matchesNodeTerm(term, node)));
}

export interface Amounts {
  cpu: number;
  memory: number;
  pods: number;
}

/** What a pod asks of its node: the sum of its containers, or its largest init container where that is more. */
export function requestsOf(pod: Pod): Amounts {
  const of = (container: Container, resource: string) => parseAmount(container.resources?.requests?.[resource] ?? container.resources?.limits?.[resource]) || 0;
  const total = (resource: string) => {
    const running = pod.spec.containers.reduce((sum, container) => sum + of(container, resource), 0);
    const starting = Math.max(0, ...(pod.spec.initContainers ?? []).map((container) => of(container, resource)));
    return Math.max(running, starting) + (parseAmount(pod.spec.overhead?.[resource]) || 0);
  };
  return { cpu: total('cpu'), memory: total('memory'), pods: 1 };
}

/** A node together with the pods that count against it. */
export interface NodeLoad {
  node: Node;
  pods: Pod[];
  used: Amounts;
}

export function loadOf(node: Node, pods: Pod[]): NodeLoad {
  const counted = pods.filter((pod) => !isFinished(pod));
  const used = { cpu: 0, memory: 0, pods: 0 };
  for (const pod of counted) {
    const wants = requestsOf(pod);
    used.cpu += wants.cpu;
    used.memory += wants.memory;
    used.pods += 1;
  }
  return { node, pods: counted, used };
}

/**
 * Why a node cannot take a pod, in the scheduler's own words; none if it can. The order is the real
 * plugins': the first one that refuses speaks for the node.
 */
export function refusals(pod: Pod, load: NodeLoad, all: NodeLoad[], labelsOf: (namespace: string) => Record<string, string> | undefined): string[] {
  const { node } = load;
  if (node.spec?.unschedulable && !tolerates(pod.spec.tolerations, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })) return ['node(s) were unschedulable'];
  const taint = node.spec?.taints?.find((each) => each.effect !== 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, each));
  if (taint) return [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`];
  if (!nodeMatchesPod(pod.spec, node)) return ["node(s) didn't match Pod's node affinity/selector"];
  if (portTaken(pod, load)) return ["node(s) didn't have free ports for the requested pod ports"];
  const lacking = insufficient(pod, load);
  if (lacking.length) return lacking;
  const spread = unevenly(pod, load, all);
  if (spread) return [spread];
  return affinityRefusal(pod, load, all, labelsOf);
}

function insufficient(pod: Pod, { node, used }: NodeLoad): string[] {
  const wants = requestsOf(pod);
  const has = (resource: string) => parseAmount(node.status?.allocatable?.[resource] ?? node.status?.capacity?.[resource]) || 0;
  const lacking = [];
  if (used.pods + 1 > has('pods')) lacking.push('Too many pods');
  if (wants.cpu > 0 && used.cpu + wants.cpu > has('cpu') + 1e-9) lacking.push('Insufficient cpu');
  if (wants.memory > 0 && used.memory + wants.memory > has('memory')) lacking.push('Insufficient memory');
  return lacking;
}

function portTaken(pod: Pod, load: NodeLoad): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  const taken = new Set(load.pods.flatMap(hostPorts));
  return wanted.some((port) => taken.has(port));
}

function hostPorts(pod: Pod): string[] {
  return pod.spec.containers.flatMap((container) =>
    (container.ports ?? []).flatMap((port) => {
      const host = port.hostPort ?? (pod.spec.hostNetwork ? port.containerPort : undefined);
      return host ? [`${port.protocol ?? 'TCP'}/${host}`] : [];
    }),
  );
}

type LabelsOf = (namespace: string) => Record<string, string> | undefined;

/** Whether `term`, written in a pod of `namespace`, speaks of `other`. */
function termMatches(term: PodAffinityTerm, namespace: string, other: Pod, labelsOf: LabelsOf): boolean {
  const where = other.metadata.namespace ?? '';
  const listed = term.namespaces?.length || term.namespaceSelector ? term.namespaces?.includes(where) : where === namespace;
  const selected = term.namespaceSelector !== undefined && matchesSelector(term.namespaceSelector, labelsOf(where));
  return (listed || selected) && matchesSelector(term.labelSelector, other.metadata.labels);
}

function sameDomain(a: Node, b: Node, topologyKey: string): boolean {
  const value = a.metadata.labels?.[topologyKey];
  return value !== undefined && value === b.metadata.labels?.[topologyKey];
}

function affinityRefusal(pod: Pod, load: NodeLoad, all: NodeLoad[], labelsOf: LabelsOf): string[] {
  const namespace = pod.metadata.namespace ?? '';
  const near = (term: PodAffinityTerm) => all.filter((other) => sameDomain(load.node, other.node, term.topologyKey)).flatMap((other) => other.pods);
  for (const term of pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    const found = near(term).some((other) => termMatches(term, namespace, other, labelsOf));
    // The first pod of a group that wants to be near its own kind may go anywhere.
    const first = termMatches(term, namespace, pod, labelsOf) && !all.some((other) => other.pods.some((each) => termMatches(term, namespace, each, labelsOf)));
    if (!found && !first) return ["node(s) didn't match pod affinity rules"];
  }
  for (const term of pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (near(term).some((other) => termMatches(term, namespace, other, labelsOf))) return ["node(s) didn't match pod anti-affinity rules"];
  }
  const repelled = all.some((other) =>
    other.pods.some((existing) =>
      (existing.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
        (term) => sameDomain(load.node, other.node, term.topologyKey) && termMatches(term, existing.metadata.namespace ?? '', pod, labelsOf),
      ),
    ),
  );
  return repelled ? ["node(s) didn't satisfy existing pods anti-affinity rules"] : [];
}

function unevenly(pod: Pod, load: NodeLoad, all: NodeLoad[]): string | undefined {
  for (const rule of pod.spec.topologySpreadConstraints ?? []) {
    if (rule.whenUnsatisfiable !== 'DoNotSchedule') continue;
    const domain = load.node.metadata.labels?.[rule.topologyKey];
    if (domain === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)";
    const counts = new Map<string, number>();
    for (const other of all.filter((each) => nodeMatchesPod(pod.spec, each.node))) {
      const where = other.node.metadata.labels?.[rule.topologyKey];
      if (where === undefined) continue;
      const mine = other.pods.filter((each) => each.metadata.namespace === pod.metadata.namespace && matchesSelector(rule.labelSelector, each.metadata.labels));
      counts.set(where, (counts.get(where) ?? 0) + mine.length);
    }
    const self = matchesSelector(rule.labelSelector, pod.metadata.labels) ? 1 : 0;
    if ((counts.get(domain) ?? 0) + self - Math.min(...counts.values()) > rule.maxSkew) return "node(s) didn't match pod topology spread constraints";
  }
  return undefined;
}

/** How well a node suits a pod that it can take: preferences first, then the least loaded. Higher is better. */
export function scoreOf(pod: Pod, load: NodeLoad, all: NodeLoad[], labelsOf: LabelsOf): number {
  const { node } = load;
  const namespace = pod.metadata.namespace ?? '';
  let score = 0;
  for (const { weight, preference } of pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) if (matchesNodeTerm(preference, node)) score += weight;
  const nearby = (term: PodAffinityTerm) =>
    all.filter((other) => sameDomain(node, other.node, term.topologyKey)).flatMap((other) => other.pods).filter((other) => termMatches(term, namespace, other, labelsOf)).length;
  for (const { weight, podAffinityTerm } of pod.spec.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) score += weight * Math.min(1, nearby(podAffinityTerm));
  for (const { weight, podAffinityTerm } of pod.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) score -= weight * nearby(podAffinityTerm);
  score -= 100 * (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint)).length;
  const owner = pod.metadata.ownerReferences?.[0]?.uid;
  const siblings = owner ? load.pods.filter((other) => other.metadata.ownerReferences?.[0]?.uid === owner).length : 0;
  const free = (resource: 'cpu' | 'memory') => {
    const has = parseAmount(node.status?.allocatable?.[resource]) || 1;
    return 1 - Math.min(1, (load.used[resource] + requestsOf(pod)[resource]) / has);
  };
  return score + 20 * (free('cpu') + free('memory')) - 50 * siblings - load.used.pods / 10;
}
