import type { KubeObject } from '@larry/contracts';

type Labels = Record<string, string>;
type Json = Record<string, unknown>;

/** Who looks after an object, as its labels and annotations would say. */
export type Owner = { helm: string; chart: string; version?: string } | { addon: string } | 'kubectl' | undefined;

export interface Row {
  ns: string;
  name: string;
  owner?: Owner;
  labels?: Labels;
  annotations?: Labels;
}

/** Labels and annotations of an object after its owner's custom. */
export function metadata({ ns, name, owner, labels = {}, annotations = {} }: Row): KubeObject['metadata'] {
  const own = owner && typeof owner === 'object' ? ownerMarks(owner, ns) : { labels: {}, annotations: {} };
  const allLabels = { ...own.labels, ...labels };
  const allAnnotations = { ...own.annotations, ...annotations };
  return {
    name,
    ...(ns ? { namespace: ns } : {}),
    ...(Object.keys(allLabels).length ? { labels: allLabels } : {}),
    ...(Object.keys(allAnnotations).length ? { annotations: allAnnotations } : {}),
  };
}

/** Where the releases are whose charts have objects outside any namespace. */
const releaseNamespaces: Record<string, string> = { 'cert-manager': 'ingress', grafana: 'monitoring', prometheus: 'monitoring' };

function ownerMarks(owner: { helm: string; chart: string; version?: string } | { addon: string }, ns: string): { labels: Labels; annotations: Labels } {
  if ('addon' in owner) {
    return {
      labels: { 'objectset.rio.cattle.io/hash': hashOf(owner.addon) },
      annotations: {
        'objectset.rio.cattle.io/id': '',
        'objectset.rio.cattle.io/owner-gvk': 'k3s.cattle.io/v1, Kind=Addon',
        'objectset.rio.cattle.io/owner-name': owner.addon,
        'objectset.rio.cattle.io/owner-namespace': 'kube-system',
      },
    };
  }
  return {
    labels: {
      'app.kubernetes.io/instance': owner.helm,
      'app.kubernetes.io/managed-by': 'Helm',
      'app.kubernetes.io/name': owner.chart.replace(/-\d.*$/, ''),
      ...(owner.version ? { 'app.kubernetes.io/version': owner.version } : {}),
      'helm.sh/chart': owner.chart,
    },
    annotations: { 'meta.helm.sh/release-name': owner.helm, 'meta.helm.sh/release-namespace': ns || (releaseNamespaces[owner.helm] ?? 'kube-system') },
  };
}

/** Forty hexadecimal digits that stay the same for a name. */
function hashOf(name: string): string {
  let hash = 7;
  let text = '';
  while (text.length < 40) {
    for (const char of name) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
    text += hash.toString(16).padStart(8, '0');
  }
  return text.slice(0, 40);
}

export function object(apiVersion: string, kind: string, row: Row, body: Json = {}): KubeObject {
  return { apiVersion, kind, metadata: metadata(row), ...body };
}

export interface WorkloadRow extends Row {
  kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  image: string;
  replicas?: number;
  /** For a StatefulSet: all pods at once. */
  parallel?: boolean;
  /** Named container ports; a Service of the same names is made unless `service` is false. */
  ports?: Record<string, number>;
  service?: boolean | { name?: string; headless?: boolean; type?: string; ports?: Record<string, number> };
  env?: Record<string, string | { secret: string; key: string } | { config: string; key: string } | { field: string }>;
  envFrom?: Json[];
  command?: string[];
  args?: string[];
  /** CPU and memory: requests, then limits; nothing where the row says nothing. */
  resources?: [cpu: string, memory: string, cpuLimit?: string, memoryLimit?: string];
  /** `/path@port` for HTTP, `@port` for TCP. */
  ready?: string;
  live?: string;
  /** Mounts by path: `pvc:NAME`, `config:NAME`, `secret:NAME`, `host:PATH`, `empty`. */
  mounts?: Record<string, string>;
  /** For a StatefulSet: claims made for each pod, by mount path: size. */
  claims?: Record<string, string>;
  serviceAccount?: string;
  pod?: Json;
  podSecurity?: Json;
  security?: Json;
  sidecars?: Json[];
  init?: Json[];
  strategy?: Json;
}

/** A workload, and its Service where it listens. */
export function workload(row: WorkloadRow): KubeObject[] {
  const selector = { 'app.kubernetes.io/name': row.name, ...(row.labels?.app ? { app: row.labels.app } : {}) };
  const labels = { ...selector, ...row.labels };
  const kind = row.kind ?? 'Deployment';
  const spec: Json = {
    ...(kind === 'DaemonSet' ? {} : { replicas: row.replicas ?? 1 }),
    ...(kind === 'StatefulSet' ? { serviceName: serviceName(row), ...(row.parallel ? { podManagementPolicy: 'Parallel' } : {}), volumeClaimTemplates: claimTemplates(row) } : {}),
    ...(row.strategy ? { [kind === 'Deployment' ? 'strategy' : 'updateStrategy']: row.strategy } : {}),
    selector: { matchLabels: selector },
    template: { metadata: { labels: { ...labels, ...helmLabels(row) } }, spec: podSpec(row) },
  };
  const made = object('apps/v1', kind, { ...row, labels: { ...labels, ...helmLabels(row) } }, { spec });
  return row.ports && row.service !== false ? [made, service(row, selector)] : [made];
}

function helmLabels(row: Row): Labels {
  return row.owner && typeof row.owner === 'object' && 'helm' in row.owner ? { 'app.kubernetes.io/instance': row.owner.helm } : {};
}

function serviceName(row: WorkloadRow): string {
  return (typeof row.service === 'object' && row.service.name) || row.name;
}

function service(row: WorkloadRow, selector: Labels): KubeObject {
  const wish = typeof row.service === 'object' ? row.service : {};
  const ports = Object.entries(wish.ports ?? row.ports ?? {}).map(([name, port]) => ({ name, port, protocol: 'TCP', targetPort: name }));
  const spec = { type: wish.type ?? 'ClusterIP', selector, ports, ...(wish.headless ? { clusterIP: 'None' } : {}) };
  return object('v1', 'Service', { ...row, name: serviceName(row), labels: { ...selector, ...row.labels } }, { spec });
}

function claimTemplates(row: WorkloadRow): Json[] {
  return Object.entries(row.claims ?? {}).map(([, size], i) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: i === 0 ? 'data' : `data-${i}` },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', resources: { requests: { storage: size } } },
  }));
}

function podSpec(row: WorkloadRow): Json {
  const mounts = Object.entries(row.mounts ?? {}).map(([mountPath, source], i) => ({ mountPath, source, name: volumeName(source, i) }));
  const claims = Object.keys(row.claims ?? {}).map((mountPath, i) => ({ name: i === 0 ? 'data' : `data-${i}`, mountPath }));
  const [cpu, memory, cpuLimit, memoryLimit] = row.resources ?? [];
  const container: Json = {
    name: row.name,
    image: row.image,
    ...(row.command ? { command: row.command } : {}),
    ...(row.args ? { args: row.args } : {}),
    ...(row.ports ? { ports: Object.entries(row.ports).map(([name, containerPort]) => ({ name, containerPort, protocol: 'TCP' })) } : {}),
    ...(row.env ? { env: Object.entries(row.env).map(([name, value]) => envVar(name, value)) } : {}),
    ...(row.envFrom ? { envFrom: row.envFrom } : {}),
    ...(cpu ? { resources: { requests: { cpu, memory }, ...(memoryLimit ? { limits: { ...(cpuLimit ? { cpu: cpuLimit } : {}), memory: memoryLimit } } : {}) } } : {}),
    ...(row.ready ? { readinessProbe: { ...probe(row.ready), initialDelaySeconds: 1, periodSeconds: 5 } } : {}),
    ...(row.live ? { livenessProbe: { ...probe(row.live), initialDelaySeconds: 15, periodSeconds: 10 } } : {}),
    ...(mounts.length + claims.length ? { volumeMounts: [...claims, ...mounts.map(({ name, mountPath }) => ({ name, mountPath }))] } : {}),
    ...(row.security ? { securityContext: row.security } : {}),
  };
  return {
    ...(row.serviceAccount ? { serviceAccountName: row.serviceAccount } : {}),
    ...(row.podSecurity ? { securityContext: row.podSecurity } : {}),
    ...(row.init ? { initContainers: row.init } : {}),
    containers: [container, ...(row.sidecars ?? [])],
    ...(mounts.length ? { volumes: mounts.map(({ name, source }) => ({ name, ...volumeSource(source) })) } : {}),
    ...row.pod,
  };
}

function volumeName(source: string, index: number): string {
  const [kind = '', name = ''] = source.split(/:(.*)/s);
  return kind === 'host' || kind === 'empty' ? `${kind}-${index}` : `${kind}-${name}`;
}

function volumeSource(source: string): Json {
  const [kind = '', name = ''] = source.split(/:(.*)/s);
  switch (kind) {
    case 'pvc':
      return { persistentVolumeClaim: { claimName: name } };
    case 'config':
      return { configMap: { name } };
    case 'secret':
      return { secret: { secretName: name } };
    case 'host':
      return { hostPath: { path: name } };
    default:
      return { emptyDir: {} };
  }
}

function envVar(name: string, value: NonNullable<WorkloadRow['env']>[string]): Json {
  if (typeof value === 'string') return { name, value };
  if ('secret' in value) return { name, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } };
  if ('config' in value) return { name, valueFrom: { configMapKeyRef: { name: value.config, key: value.key } } };
  return { name, valueFrom: { fieldRef: { fieldPath: value.field } } };
}

function probe(text: string): Json {
  const [path, port] = text.split('@');
  const target = /^\d+$/.test(port ?? '') ? Number(port) : port;
  return path ? { httpGet: { path, port: target, ...(port === 'https' ? { scheme: 'HTTPS' } : {}) } } : { tcpSocket: { port: target } };
}

export const configMap = (row: Row, data: Labels): KubeObject => object('v1', 'ConfigMap', row, { data });

export const secret = (row: Row, data: Labels, type = 'Opaque'): KubeObject =>
  object('v1', 'Secret', row, { type, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) });

export const claim = (row: Row, storage: string, mode = 'ReadWriteOnce', storageClassName = 'local-path'): KubeObject =>
  object('v1', 'PersistentVolumeClaim', row, { spec: { accessModes: [mode], storageClassName, resources: { requests: { storage } } } });

export const serviceAccount = (row: Row): KubeObject => object('v1', 'ServiceAccount', row);

export function ingress(row: Row, host: string, backend: string, port: number | string, tls = true): KubeObject {
  const portRef = typeof port === 'number' ? { number: port } : { name: port };
  return object('networking.k8s.io/v1', 'Ingress', row, {
    spec: {
      ingressClassName: 'traefik',
      ...(tls ? { tls: [{ hosts: [host], secretName: `${row.name}-tls` }] } : {}),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: backend, port: portRef } } }] } }],
    },
  });
}

/** Denies all traffic into a namespace's pods but that from the named namespaces. */
export function networkPolicy(row: Row, from: string[], podSelector: Labels = {}): KubeObject {
  const peers = from.map((name) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }));
  return object('networking.k8s.io/v1', 'NetworkPolicy', row, {
    spec: { podSelector: Object.keys(podSelector).length ? { matchLabels: podSelector } : {}, policyTypes: ['Ingress'], ...(peers.length ? { ingress: [{ from: peers }] } : {}) },
  });
}

type Rule = [groups: string, resources: string, verbs: string];

/** A Role or ClusterRole (no namespace), and its binding to service accounts (`ns/name`). */
export function grant(row: Row, rules: Rule[] | { clusterRole: string }, subjects: string[]): KubeObject[] {
  const scope = row.ns ? '' : 'Cluster';
  const existing = Array.isArray(rules) ? undefined : rules.clusterRole;
  const role = object('rbac.authorization.k8s.io/v1', `${scope}Role`, row, {
    rules: Array.isArray(rules) ? rules.map(([groups, resources, verbs]) => ({ apiGroups: groups.split(',').map((group) => (group === 'core' ? '' : group)), resources: resources.split(','), verbs: verbs.split(',') })) : [],
  });
  const binding = object('rbac.authorization.k8s.io/v1', `${scope}RoleBinding`, row, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: existing ? 'ClusterRole' : `${scope}Role`, name: existing ?? row.name },
    subjects: subjects.map((subject) => ({ kind: 'ServiceAccount', namespace: subject.split('/')[0], name: subject.split('/')[1] })),
  });
  return existing ? [binding] : [role, binding];
}

export function crd(group: string, kind: string, plural: string, owner: Owner, columns: Json[] = [], scope = 'Namespaced', version = 'v1'): KubeObject {
  return object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { ns: '', name: `${plural}.${group}`, owner }, {
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope,
      versions: [{ name: version, served: true, storage: true, additionalPrinterColumns: columns, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }, subresources: { status: {} } }],
    },
  });
}
