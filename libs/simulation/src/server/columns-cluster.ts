import type { Column } from './columns-shared';
import { AGE, CREATED, NAME, col, since, wide } from './columns-shared';
import type { Fields, KubeObject } from './kube-object';
import { at, list, record, text } from './kube-object';
import { selectorText } from './subresources';

const size = (...values: unknown[]) => values.reduce<number>((sum, v) => sum + Object.keys(record(v)).length, 0);

function servicePorts(o: KubeObject): string {
  const ports = list(at(o, 'spec', 'ports')).map((p) => `${String(p['port'])}${p['nodePort'] ? `:${String(p['nodePort'])}` : ''}/${text(p['protocol'])}`);
  return ports.join(',') || '<none>';
}

function externalAddress(o: KubeObject): string {
  const spec = record(o['spec']);
  const external = ((spec['externalIPs'] ?? []) as string[]).join(',');
  if (spec['type'] === 'ExternalName') return text(spec['externalName']);
  if (spec['type'] !== 'LoadBalancer') return external || '<none>';
  const given = list(at(o, 'status', 'loadBalancer', 'ingress')).map((i) => text(i['ip']) || text(i['hostname']));
  return [...given, ...(external ? [external] : [])].join(',') || '<pending>';
}

const MODES: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
const modes = (value: unknown) => ((value ?? []) as string[]).map((m) => MODES[m] ?? m).join(',');

function nodeStatus(o: KubeObject): string {
  const ready = list(at(o, 'status', 'conditions')).find((c) => c['type'] === 'Ready');
  const states = [!ready ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'];
  if (at(o, 'spec', 'unschedulable') === true) states.push('SchedulingDisabled');
  return states.join(',');
}

function nodeRoles(o: KubeObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.entries(o.metadata.labels ?? {}).flatMap(([k, v]) => (k.startsWith(prefix) ? [k.slice(prefix.length)] : k === 'kubernetes.io/role' && v ? [v] : []));
  return roles.filter(Boolean).sort().join(',') || '<none>';
}

const nodeAddress = (type: string) => (o: KubeObject) => text(list(at(o, 'status', 'addresses')).find((a) => a['type'] === type)?.['address']) || '<none>';
const nodeInfo = (field: string) => (o: KubeObject) => text(at(o, 'status', 'nodeInfo', field)) || '<unknown>';

function ingressPorts(o: KubeObject): string {
  return list(at(o, 'spec', 'tls')).length > 0 ? '80, 443' : '80';
}
const ingressHosts = (o: KubeObject) => {
  const hosts = list(at(o, 'spec', 'rules')).map((r) => text(r['host'])).filter(Boolean);
  return hosts.length === 0 ? '*' : hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',');
};
const balancer = (o: KubeObject) => list(at(o, 'status', 'loadBalancer', 'ingress')).map((i) => text(i['ip']) || text(i['hostname'])).join(',');

function joined(values: unknown[], empty = '<unset>'): string {
  const shown = [...new Set(values.map(String))];
  if (shown.length === 0) return empty;
  return shown.length > 3 ? `${shown.slice(0, 3).join(',')} + ${shown.length - 3} more...` : shown.join(',');
}

function endpointAddresses(o: KubeObject): string {
  const all = list(o['subsets']).flatMap((s) => list(s['addresses']).flatMap((a) => list(s['ports']).length === 0 ? [text(a['ip'])] : list(s['ports']).map((p) => `${text(a['ip'])}:${String(p['port'])}`)));
  return joined(all, '<none>');
}

const subjects = (kind: string) => wide(`${kind}s`, (o) => list(o['subjects']).filter((s) => s['kind'] === kind).map((s) => (s['namespace'] ? `${text(s['namespace'])}/${text(s['name'])}` : text(s['name']))).join(', '));
const bindingColumns: Column[] = [NAME, col('Role', (o) => `${text(at(o, 'roleRef', 'kind'))}/${text(at(o, 'roleRef', 'name'))}`), AGE, subjects('User'), subjects('Group'), subjects('ServiceAccount')];

const eventTime = (o: KubeObject) => at(o, 'series', 'lastObservedTime') ?? o['lastTimestamp'] ?? o['eventTime'] ?? o.metadata.creationTimestamp;
const involved = (o: KubeObject): Fields => record(o['involvedObject'] ?? o['regarding']);
const eventSource = (o: KubeObject) => {
  const source = record(o['source'] ?? o['deprecatedSource']);
  const component = text(source['component']) || text(o['reportingComponent'] ?? o['reportingController']);
  const where = text(source['host']) || text(o['reportingInstance']);
  return where ? `${component}, ${where}` : component;
};
const eventColumns: Column[] = [
  col('Last Seen', (o, now) => since(eventTime(o), now)), col('Type', (o) => o['type']), col('Reason', (o) => o['reason']),
  col('Object', (o) => `${text(involved(o)['kind']).toLowerCase()}/${text(involved(o)['name'])}`),
  wide('Subobject', (o) => text(involved(o)['fieldPath'])), wide('Source', eventSource),
  col('Message', (o) => text(o['message'] ?? o['note']).trim()), wide('First Seen', (o, now) => since(o['firstTimestamp'] ?? o['deprecatedFirstTimestamp'] ?? o['eventTime'] ?? o.metadata.creationTimestamp, now)),
  wide('Count', (o) => at(o, 'series', 'count') ?? o['count'] ?? o['deprecatedCount'] ?? 1), wide('Name', (o) => o.metadata.name, { format: 'name' }),
];

const quota = (prefix: 'limits.' | '') => (o: KubeObject) => Object.entries(record(at(o, 'status', 'hard'))).filter(([k]) => k.startsWith('limits.') === (prefix === 'limits.')).sort()
  .map(([k, hard]) => `${k}: ${String(record(at(o, 'status', 'used'))[k] ?? 0)}/${String(hard)}`).join(', ');

export const CLUSTER_COLUMNS: Record<string, Column[]> = {
  '/namespaces': [NAME, col('Status', (o) => at(o, 'status', 'phase')), AGE],
  '/services': [
    NAME, col('Type', (o) => at(o, 'spec', 'type')), col('Cluster-IP', (o) => text(at(o, 'spec', 'clusterIP')) || '<none>'), col('External-IP', externalAddress),
    col('Port(s)', servicePorts), AGE, wide('Selector', (o) => selectorText(at(o, 'spec', 'selector')) || '<none>'),
  ],
  '/endpoints': [NAME, col('Endpoints', endpointAddresses), AGE],
  'discovery.k8s.io/endpointslices': [
    NAME, col('AddressType', (o) => o['addressType']), col('Ports', (o) => joined(list(o['ports']).map((p) => p['port'] ?? '*'))),
    col('Endpoints', (o) => joined(list(o['endpoints']).flatMap((e) => (e['addresses'] ?? []) as string[]))), AGE,
  ],
  '/configmaps': [NAME, col('Data', (o) => size(o['data'], o['binaryData'])), AGE],
  '/secrets': [NAME, col('Type', (o) => o['type']), col('Data', (o) => size(o['data'])), AGE],
  '/serviceaccounts': [NAME, AGE],
  '/persistentvolumeclaims': [
    NAME, col('Status', (o) => (o.metadata.deletionTimestamp ? 'Terminating' : text(at(o, 'status', 'phase')))), col('Volume', (o) => text(at(o, 'spec', 'volumeName'))),
    col('Capacity', (o) => text(at(o, 'status', 'capacity', 'storage'))), col('Access Modes', (o) => modes(at(o, 'status', 'accessModes'))),
    col('StorageClass', (o) => text(at(o, 'spec', 'storageClassName'))), col('VolumeAttributesClass', (o) => text(at(o, 'spec', 'volumeAttributesClassName')) || '<unset>'), AGE,
    wide('VolumeMode', (o) => text(at(o, 'spec', 'volumeMode')) || '<unset>'),
  ],
  '/persistentvolumes': [
    NAME, col('Capacity', (o) => text(at(o, 'spec', 'capacity', 'storage'))), col('Access Modes', (o) => modes(at(o, 'spec', 'accessModes'))),
    col('Reclaim Policy', (o) => at(o, 'spec', 'persistentVolumeReclaimPolicy')), col('Status', (o) => (o.metadata.deletionTimestamp ? 'Terminating' : at(o, 'status', 'phase'))),
    col('Claim', (o) => (at(o, 'spec', 'claimRef') ? `${text(at(o, 'spec', 'claimRef', 'namespace'))}/${text(at(o, 'spec', 'claimRef', 'name'))}` : '')),
    col('StorageClass', (o) => text(at(o, 'spec', 'storageClassName'))), col('VolumeAttributesClass', (o) => text(at(o, 'spec', 'volumeAttributesClassName')) || '<unset>'),
    col('Reason', (o) => text(at(o, 'status', 'reason'))), AGE, wide('VolumeMode', (o) => text(at(o, 'spec', 'volumeMode')) || '<unset>'),
  ],
  '/nodes': [
    NAME, col('Status', nodeStatus), col('Roles', nodeRoles), AGE, col('Version', (o) => at(o, 'status', 'nodeInfo', 'kubeletVersion')),
    wide('Internal-IP', nodeAddress('InternalIP')), wide('External-IP', nodeAddress('ExternalIP')), wide('OS-Image', nodeInfo('osImage')),
    wide('Kernel-Version', (o) => `${nodeInfo('kernelVersion')(o)} (${nodeInfo('architecture')(o)})`), wide('Container-Runtime', nodeInfo('containerRuntimeVersion')),
  ],
  '/events': eventColumns, 'events.k8s.io/events': eventColumns,
  '/resourcequotas': [NAME, col('Request', quota('')), col('Limit', quota('limits.')), AGE],
  'networking.k8s.io/ingresses': [
    NAME, col('Class', (o) => text(at(o, 'spec', 'ingressClassName')) || o.metadata.annotations?.['kubernetes.io/ingress.class'] || '<none>'),
    col('Hosts', ingressHosts), col('Address', balancer), col('Ports', ingressPorts), AGE,
  ],
  'networking.k8s.io/ingressclasses': [NAME, col('Controller', (o) => at(o, 'spec', 'controller')), col('Parameters', (o) => (at(o, 'spec', 'parameters') ? `${text(at(o, 'spec', 'parameters', 'kind'))}/${text(at(o, 'spec', 'parameters', 'name'))}` : '<none>')), AGE],
  'networking.k8s.io/networkpolicies': [NAME, col('Pod-Selector', (o) => selectorText(at(o, 'spec', 'podSelector')) || '<none>'), AGE],
  'storage.k8s.io/storageclasses': [
    { ...NAME, cell: (o) => (o.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ? `${o.metadata.name} (default)` : o.metadata.name) },
    col('Provisioner', (o) => o['provisioner']), col('ReclaimPolicy', (o) => o['reclaimPolicy'] ?? 'Delete'), col('VolumeBindingMode', (o) => o['volumeBindingMode'] ?? 'Immediate'),
    col('AllowVolumeExpansion', (o) => o['allowVolumeExpansion'] ?? false), AGE,
  ],
  'rbac.authorization.k8s.io/roles': [NAME, CREATED], 'rbac.authorization.k8s.io/clusterroles': [NAME, CREATED],
  'rbac.authorization.k8s.io/rolebindings': bindingColumns, 'rbac.authorization.k8s.io/clusterrolebindings': bindingColumns,
  'scheduling.k8s.io/priorityclasses': [
    NAME, col('Value', (o) => o['value'] ?? 0), col('Global-Default', (o) => o['globalDefault'] ?? false), AGE, col('PreemptionPolicy', (o) => o['preemptionPolicy']),
  ],
  'coordination.k8s.io/leases': [NAME, col('Holder', (o) => text(at(o, 'spec', 'holderIdentity'))), AGE],
};
