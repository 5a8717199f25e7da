import { listOf, printable, textOf, valueIn } from '@larry/contracts';
import type { Workload } from '../facts/model';
import { keyOf } from '../facts/object-index';
import type { Candidate, FieldChange } from '../finding';
import type { Call, Scene } from '../graph/edges';
import type { Complaint } from './running-dependencies';
import { nearName } from './startup-config';
import { dotted, seen, seenLine } from './evidence';

const explainsOf = (workload: Workload): string[] => (workload.unwell.length > 0 ? workload.unwell.map(({ pod }) => pod.key) : [workload.key]);

/** Names that lead nowhere: a variable with a wrong address, a Service that points outside to nothing, a resolver that is not the cluster's. */
export function nameCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  return [...addressCauses(scene, complaints), ...portAddressCauses(scene, complaints), ...externalNames(scene, complaints), ...resolverCauses(scene, complaints), ...clusterDns(scene, complaints)];
}

const complaintOf = (complaints: Complaint[], call: Call): Complaint | undefined =>
  complaints.find((c) => c.workload === call.workload && (c.target?.name === call.target.name || c.failure.host === call.address.host || (c.failure.host === undefined && c.failure.port !== undefined && c.failure.port === call.address.port)));

/** A variable names a Service that does not exist. */
function addressCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  if (!scene.facts.objects.knows('Service')) return [];
  return scene.calls.flatMap((call) => {
    const { workload, address, target } = call;
    if (call.service || !scene.facts.objects.covers('Service', target.namespace)) return [];
    const complaint = complaintOf(complaints, call);
    const near = serviceMeant(scene, call);
    // A bare word may be anything; only a near name, a port or a complaint makes it an address.
    const plain = address.port === undefined && address.scheme === undefined && !address.host.includes('.svc');
    const ill = workload.state === 'not-running';
    if (!complaint && (near === undefined ? !ill || plain : plain && !ill)) return [];
    const confidence = complaint ? 0.95 : near === undefined ? 0.7 : ill ? 0.88 : 0.76;
    return [
      {
        cause: 'service_env_var_address_mismatch' as const,
        object: workload.ref,
        confidence,
        title: `${workload.name} calls ${printable(address.host, 120)}, and there is no such Service`,
        evidence: [seen(workload.ref, address.at ? dotted(address.at) : address.from, `${address.from}=${address.text}`), seen({ apiVersion: 'v1', kind: 'Service', ...target }, '.', 'there is no such object'), ...(complaint ? [seenLine(complaint.said.pod, complaint.said.log, complaint.said.line)] : [])],
        alternatives: [{ cause: 'service_dns_resolution_failure' as const, why: 'the name does not exist, so no resolver could find it' }],
        explains: explainsOf(workload),
        remedy: addressChange(call, near),
      },
    ];
  });
}

/** The one Service that a call to one that is not there can mean: the nearest name, else the same in another namespace. */
export function serviceMeant(scene: Scene, call: Call): string | undefined {
  const names = scene.facts.objects.list('Service', call.target.namespace).map((s) => s.metadata.name);
  return nearName(names, call.target.name, true) ?? elsewhere(scene, call);
}

/** The same Service in another namespace. */
function elsewhere(scene: Scene, { target }: Call): string | undefined {
  const others = scene.services.filter((s) => s.name === target.name && s.namespace !== target.namespace);
  return others.length === 1 && others[0] ? `${others[0].name}.${others[0].namespace}` : undefined;
}

function addressChange({ address, workload }: Call, near: string | undefined): FieldChange | { none: string } {
  const where = address.configMap ? `ConfigMap ${workload.namespace}/${address.configMap.name}, key ${address.configMap.key}` : address.from;
  if (near === undefined) return { none: `which Service is meant is for you to say: correct ${where}` };
  const value = address.text.replace(address.host, address.host.includes('.') && !near.includes('.') ? address.host.replace(/^[^.]+/, near) : near);
  if (!address.at) return { none: `correct ${where} to ${value}` };
  return { summary: `Set ${address.from} to ${value}`, patch: [{ op: 'replace', path: address.at, value }], note: 'the nearest name that exists: check that it is the one meant' };
}

/** A variable names a port that the Service does not have. Databases have causes of their own. */
function portAddressCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  return scene.calls.flatMap((call) => {
    const { service, address, workload } = call;
    if (!service || address.port === undefined || service.ports.length === 0 || service.externalName || service.ports.some((p) => p.port === address.port)) return [];
    // Headless names lead to the pods themselves.
    if (service.clusterIp === 'None') return [];
    const complaint = complaintOf(complaints, call);
    if (!complaint && workload.state !== 'not-running') return [];
    const right = service.ports.length === 1 ? service.ports[0]?.port : undefined;
    const at = address.portAt ?? address.at;
    return [
      {
        cause: 'service_env_var_address_mismatch' as const,
        object: workload.ref,
        confidence: complaint ? 0.93 : 0.78,
        title: `${workload.name} calls Service ${service.name} at port ${address.port}, which it does not have`,
        evidence: [seen(workload.ref, at ? dotted(at) : address.from, `${address.from}=${address.text}`), seen(service.ref, '.spec.ports', service.ports.map((p) => p.port).join(', ')), ...(complaint ? [seenLine(complaint.said.pod, complaint.said.log, complaint.said.line)] : [])],
        explains: explainsOf(workload),
        remedy: right !== undefined && at ? { summary: `Call port ${right} instead of ${address.port}`, patch: [{ op: 'replace', path: at, value: address.portAt ? String(right) : address.text.replace(`:${address.port}`, `:${right}`) }] } : { none: `correct ${address.from}` },
      },
    ];
  });
}

/** An ExternalName Service is an alias: when the name behind it is not there, callers get no address. */
function externalNames(scene: Scene, complaints: Complaint[]): Candidate[] {
  return scene.services.flatMap((service) => {
    const name = service.externalName;
    if (name === undefined) return [];
    const complaint = complaints.find((c) => c.service === service && c.failure.kind !== 'refused') ?? complaints.find((c) => c.failure.host === name && c.failure.kind === 'dns');
    const inside = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.|$)/.exec(name);
    const gone = inside !== null && scene.facts.objects.isMissing('Service', inside[2], inside[1] ?? '');
    const results = scene.facts.probes?.connectivity.filter((c) => c.namespace === service.namespace && c.service === service.name) ?? [];
    const probe = results.every((c) => !c.connected) ? results[0] : undefined;
    if (!complaint && !gone && !probe) return [];
    return [
      {
        cause: 'service_dns_resolution_failure' as const,
        object: service.ref,
        confidence: complaint ? 0.93 : 0.85,
        title: `Service ${service.name} stands for ${printable(name, 120)}, ${gone ? 'and there is no such Service' : 'which has no address'}`,
        evidence: [seen(service.ref, '.spec.externalName', name), ...(probe ? [seen(service.ref, 'probes:connectivity', JSON.stringify(probe))] : []), ...(complaint ? [seenLine(complaint.said.pod, complaint.said.log, complaint.said.line)] : [])],
        explains: [service.key, ...(complaint ? explainsOf(complaint.workload) : [])],
        remedy: { none: 'name in .spec.externalName what can be resolved' },
      },
    ];
  });
}

/** A pod that asks another resolver than the cluster's knows no Service. */
function resolverCauses(scene: Scene, complaints: Complaint[]): Candidate[] {
  return complaints.flatMap(({ workload, failure, said, service, target }) => {
    if (failure.kind !== 'dns' || (!service && !target)) return [];
    const policy = textOf(workload.podSpec['dnsPolicy']) ?? 'ClusterFirst';
    const servers = listOf(valueIn(workload.podSpec, 'dnsConfig', 'nameservers')).map(String);
    const clusterDns = scene.serviceAt.get('Service kube-system/kube-dns')?.clusterIp;
    const hostNetwork = workload.podSpec['hostNetwork'] === true && policy === 'ClusterFirst';
    const foreign = policy === 'Default' || hostNetwork || (policy === 'None' && (clusterDns === undefined || !servers.includes(clusterDns))) || searchIsShort(workload, failure.host);
    if (!foreign) return [];
    const at = `${workload.podSpecAt}/dnsPolicy`;
    return [
      {
        cause: 'service_dns_resolution_failure' as const,
        object: workload.ref,
        confidence: 0.94,
        title: `${workload.name} does not ask the cluster's DNS: its dnsPolicy is ${printable(policy, 40)}${hostNetwork ? ' with the host\'s network' : ''}`,
        evidence: [seen(workload.ref, dotted(at), policy), ...(servers.length > 0 ? [seen(workload.ref, `${dotted(workload.podSpecAt)}.dnsConfig`, JSON.stringify(workload.podSpec['dnsConfig']))] : []), seenLine(said.pod, said.log, said.line)],
        explains: explainsOf(workload),
        remedy: workload.podSpec['dnsPolicy'] === undefined && !hostNetwork ? { none: 'correct dnsConfig' } : { summary: 'Ask the cluster\'s DNS', patch: [{ op: workload.podSpec['dnsPolicy'] === undefined ? 'add' : 'replace', path: at, value: hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst' }] },
      },
    ];
  });
}

/** `ndots: 1` and no search list: a short name is asked for as it stands. */
function searchIsShort(workload: Workload, host: string | undefined): boolean {
  const ndots = listOf(valueIn(workload.podSpec, 'dnsConfig', 'options')).find((o) => valueIn(o, 'name') === 'ndots');
  return ndots !== undefined && Number(valueIn(ndots, 'value')) < 1 && host !== undefined && !host.includes('.');
}

/** CoreDNS itself: several do not resolve what exists, or its Service has no backend. */
function clusterDns(scene: Scene, complaints: Complaint[]): Candidate[] {
  const service = scene.serviceAt.get('Service kube-system/kube-dns');
  const blind = complaints.filter((c) => c.failure.kind === 'dns' && c.service !== undefined && !c.service.externalName);
  const server = service?.workloads[0];
  if (!service || !server || service.readyPods.length > 0 || blind.length === 0) return [];
  const key = keyOf(server.ref);
  return [
    {
      cause: 'service_dns_resolution_failure' as const,
      object: server.ref,
      confidence: 0.9,
      title: 'the cluster\'s DNS has no ready backend',
      evidence: [seen(service.ref, 'endpoints', 'no ready backend'), ...blind.slice(0, 3).map((c) => seenLine(c.said.pod, c.said.log, c.said.line))],
      explains: [service.key, key, ...blind.flatMap((c) => explainsOf(c.workload))],
      remedy: server.desired === 0 ? { summary: `Scale ${server.name} to 2`, patch: [{ op: 'replace' as const, path: '/spec/replicas', value: 2 }] } : { none: 'bring CoreDNS up: its pods and their logs say why it is not' },
    },
  ];
}
