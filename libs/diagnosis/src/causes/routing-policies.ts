import { listOf, numberOf, recordOf, refOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { Facts, Workload } from '../facts/model';
import { objectKey } from '../facts/object-index';
import { declaredPorts, type ServiceFacts } from '../facts/services';
import type { Candidate } from '../finding';
import type { Call, Scene } from '../graph/edges';
import { selectorHolds } from './node-fit';
import type { Complaint } from './running-dependencies';
import { seen, seenLine } from './evidence';

interface End {
  namespace: string;
  labels: Record<string, string>;
  workload: Workload;
}

/** Calls that a NetworkPolicy stops: none of the policies that choose an end allows the other (Kubernetes, *Network Policies*). */
export function policyCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  const policies = scene.facts.objects.list('NetworkPolicy');
  if (policies.length === 0) return [];
  const found = scene.calls.flatMap((call) => (call.service ? blockedCall(scene, policies, call, call.service, complaints) : []));
  return [...found, ...probedPolicies(scene, policies), ...complaints.flatMap((c) => blockedComplaint(scene, policies, c)), ...blockedDns(scene, policies, complaints)];
}

function blockedCall(scene: Scene, policies: KubeObject[], call: Call, service: ServiceFacts, complaints: Complaint[]): Candidate[] {
  const complaint = complaints.find((c) => c.workload === call.workload && (c.service === service || c.service === undefined) && c.failure.kind !== 'refused');
  return blocked(scene, policies, call.workload, service, call.address.port, complaint, `${call.address.from}=${call.address.text}`);
}

function blockedComplaint(scene: Scene, policies: KubeObject[], complaint: Complaint): Candidate[] {
  const { service, workload, failure } = complaint;
  if (!service || failure.kind === 'dns' || failure.kind === 'refused' || scene.calls.some((c) => c.workload === workload && c.service === service)) return [];
  return blocked(scene, policies, workload, service, failure.port, complaint, undefined);
}

function blocked(scene: Scene, policies: KubeObject[], caller: Workload, service: ServiceFacts, port: number | undefined, complaint: Complaint | undefined, callText: string | undefined): Candidate[] {
  const callee = service.workloads[0];
  if (!callee || callee.key === caller.key) return [];
  if (complaint === undefined && scene.facts.probes?.connectivity.some((c) => c.service === service.name && c.namespace === service.namespace && c.connected)) return [];
  const target = targetPort(service, port, callee);
  const [from, to] = [endOf(caller), endOf(callee)];
  const policy = stops(scene.facts, policies, 'Ingress', to, from, target) ?? stops(scene.facts, policies, 'Egress', from, to, target);
  if (!policy) return [];
  const ill = caller.state === 'not-running';
  return [
    {
      cause: 'network_policy_blocks' as const,
      object: refOf(policy),
      confidence: complaint ? 0.95 : ill ? 0.85 : 0.6,
      title: `NetworkPolicy ${policy.metadata.name} keeps ${caller.name} from ${callee.name}`,
      evidence: [seen(refOf(policy), '.spec', JSON.stringify(policy['spec'])), ...(callText ? [seen(caller.ref, 'calls', callText)] : []), seen(caller.ref, 'labels', JSON.stringify(caller.labels)), ...(complaint ? [seenLine(complaint.said.pod, complaint.said.log, complaint.said.line)] : [])],
      alternatives: [{ cause: 'dependency_unavailable' as const, why: `Service ${service.name} has ${service.readyPods.length} ready backends` }],
      explains: [objectKey(policy), ...(ill ? caller.unwell.map(({ pod }) => pod.key) : complaint ? [caller.key] : [])],
      remedy: { none: `allow ${caller.name} in NetworkPolicy ${policy.metadata.name}, if that is meant: a policy keeps others away on purpose` },
    },
  ];
}

const endOf = (workload: Workload): End => ({ namespace: workload.namespace, labels: workload.labels, workload });

function targetPort(service: ServiceFacts, port: number | undefined, callee: Workload): { number?: number; name?: string; protocol: string } {
  const entry = service.ports.find((p) => p.port === port) ?? service.ports[0];
  if (!entry) return { protocol: 'TCP' };
  const declared = declaredPorts(callee.podSpec).find((d) => d.name === entry.targetPort || d.port === entry.targetPort);
  const number = declared?.port ?? (typeof entry.targetPort === 'number' ? entry.targetPort : undefined);
  return { protocol: entry.protocol, ...(number === undefined ? {} : { number }), ...(declared?.name ? { name: declared.name } : {}) };
}

/** The policy that is in the way in one direction: some choose the end, and none of them allows the peer and the port. */
function stops(facts: Facts, policies: KubeObject[], direction: 'Ingress' | 'Egress', end: End, peer: End, port: { number?: number; name?: string; protocol: string }): KubeObject | undefined {
  const chosen = policies.filter((p) => p.metadata.namespace === end.namespace && typesOf(p).includes(direction) && selectorHolds(end.labels, valueIn(p, 'spec', 'podSelector')));
  if (chosen.length === 0) return undefined;
  const [rules, peers] = direction === 'Ingress' ? (['ingress', 'from'] as const) : (['egress', 'to'] as const);
  const allows = (policy: KubeObject): boolean => listOf(valueIn(policy, 'spec', rules)).some((rule) => allowsPeer(facts, policy, valueIn(rule, peers), peer) && allowsPort(valueIn(rule, 'ports'), port));
  if (chosen.some(allows)) return undefined;
  // The one that speaks of this end and not of all is the one that somebody wrote for it.
  return [...chosen].sort((a, b) => specific(b) - specific(a) || rulesIn(b, rules) - rulesIn(a, rules))[0];
}

const specific = (policy: KubeObject): number => Object.keys(recordOf(valueIn(policy, 'spec', 'podSelector', 'matchLabels'))).length + listOf(valueIn(policy, 'spec', 'podSelector', 'matchExpressions')).length;
const rulesIn = (policy: KubeObject, rules: string): number => listOf(valueIn(policy, 'spec', rules)).length;

function typesOf(policy: KubeObject): unknown[] {
  const types = listOf(valueIn(policy, 'spec', 'policyTypes'));
  return types.length > 0 ? types : valueIn(policy, 'spec', 'egress') === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
}

function allowsPeer(facts: Facts, policy: KubeObject, peers: unknown, peer: End): boolean {
  const list = listOf(peers);
  if (list.length === 0) return true;
  return list.some((entry) => {
    // Addresses of pods are not known for certain: a range is given the benefit of the doubt when it is wide.
    if (valueIn(entry, 'ipBlock') !== undefined) return /^(?:10\.|0\.0\.0\.0\/0|172\.|192\.168|100\.)/.test(textOf(valueIn(entry, 'ipBlock', 'cidr')) ?? '');
    const namespaces = valueIn(entry, 'namespaceSelector');
    const pods = valueIn(entry, 'podSelector');
    const inNamespace = namespaces === undefined ? peer.namespace === policy.metadata.namespace : selectorHolds(namespaceLabels(facts, peer.namespace), namespaces);
    return inNamespace && (pods === undefined || selectorHolds(peer.labels, pods));
  });
}

function namespaceLabels(facts: Facts, name: string): Record<string, string> {
  return { 'kubernetes.io/metadata.name': name, ...facts.objects.get('Namespace', undefined, name)?.metadata.labels };
}

function allowsPort(ports: unknown, wanted: { number?: number; name?: string; protocol: string }): boolean {
  const list = listOf(ports);
  if (list.length === 0 || wanted.number === undefined) return true;
  return list.some((entry) => {
    if ((valueIn(entry, 'protocol') ?? 'TCP') !== wanted.protocol) return false;
    const port = valueIn(entry, 'port');
    const end = numberOf(valueIn(entry, 'endPort'));
    if (port === undefined) return true;
    if (typeof port === 'string' && !/^\d+$/.test(port)) return port === wanted.name;
    return end === undefined ? Number(port) === wanted.number : Number(port) <= (wanted.number ?? 0) && (wanted.number ?? 0) <= end;
  });
}

/** Only a probe knows: a Service with ready backends times out, and a policy for these lets in nobody that is not named. */
function probedPolicies(scene: Scene, policies: KubeObject[]): Candidate[] {
  return (scene.facts.probes?.connectivity ?? []).flatMap((result) => {
    const service = scene.serviceAt.get(`Service ${result.namespace}/${result.service}`);
    const callee = service?.workloads[0];
    if (result.connected || !service || !callee || service.readyPods.length === 0 || result.timedOut === false) return [];
    const stranger: End = { namespace: '', labels: {}, workload: callee };
    const policy = stops(scene.facts, policies, 'Ingress', endOf(callee), stranger, targetPort(service, Number(result.port), callee));
    if (!policy) return [];
    return [
      {
        cause: 'network_policy_blocks' as const,
        object: refOf(policy),
        confidence: 0.78,
        title: `NetworkPolicy ${policy.metadata.name} keeps others from ${callee.name}`,
        evidence: [seen(refOf(policy), '.spec', JSON.stringify(policy['spec'])), seen(service.ref, 'probes:connectivity', JSON.stringify(result))],
        explains: [objectKey(policy), service.key],
        remedy: { none: `allow who needs ${callee.name} in NetworkPolicy ${policy.metadata.name}, if that is meant: a policy keeps others away on purpose` },
      },
    ];
  });
}

/** Egress is closed and DNS was forgotten: every name fails. */
function blockedDns(scene: Scene, policies: KubeObject[], complaints: Complaint[]): Candidate[] {
  return complaints.flatMap(({ workload, failure, said, service }) => {
    if (failure.kind !== 'dns' || (service === undefined && scene.facts.objects.knows('Service'))) return [];
    const server = scene.serviceAt.get('Service kube-system/kube-dns')?.workloads[0];
    const peer: End = server ? endOf(server) : { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' }, workload };
    const policy = stops(scene.facts, policies, 'Egress', endOf(workload), peer, { number: 53, name: 'dns', protocol: 'UDP' });
    if (!policy) return [];
    return [
      {
        cause: 'network_policy_blocks' as const,
        object: refOf(policy),
        confidence: 0.95,
        title: `NetworkPolicy ${policy.metadata.name} keeps ${workload.name} from the cluster's DNS`,
        evidence: [seen(refOf(policy), '.spec', JSON.stringify(policy['spec'])), seenLine(said.pod, said.log, said.line)],
        alternatives: [{ cause: 'service_dns_resolution_failure' as const, why: 'the name exists, and the policy lets no question through' }],
        explains: workload.unwell.length > 0 ? workload.unwell.map(({ pod }) => pod.key) : [workload.key],
        remedy: { none: `allow UDP and TCP port 53 to kube-system in NetworkPolicy ${policy.metadata.name}` },
      },
    ];
  });
}
