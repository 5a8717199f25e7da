import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, isObject, list, record } from './kube-object';
import { defaultPodSpec, preset } from './pod-defaults';

type Defaulter = (spec: Fields, object: KubeObject) => void;

const templateOf = (spec: Fields) => {
  const template = at(spec, 'template', 'spec');
  if (isObject(template)) defaultPodSpec(template);
};

/** A structure that the typed reading wrote empty counts as absent. */
const struct = (parent: Fields, name: string): Fields => (parent[name] = record(parent[name]));

function claim(spec: Fields): void {
  preset(spec, { volumeMode: 'Filesystem' });
}

function deployment(spec: Fields): void {
  templateOf(spec);
  preset(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  const strategy = struct(spec, 'strategy');
  preset(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') preset(struct(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
}

function statefulSet(spec: Fields): void {
  templateOf(spec);
  preset(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' });
  const strategy = struct(spec, 'updateStrategy');
  preset(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') preset(struct(strategy, 'rollingUpdate'), { partition: 0 });
  preset(struct(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' });
  for (const template of list(spec['volumeClaimTemplates'])) {
    preset(template, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
    claim(struct(template, 'spec'));
    preset(struct(template, 'status'), { phase: 'Pending' });
  }
}

function daemonSet(spec: Fields): void {
  templateOf(spec);
  preset(spec, { revisionHistoryLimit: 10 });
  const strategy = struct(spec, 'updateStrategy');
  preset(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') preset(struct(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 });
}

function job(spec: Fields): void {
  templateOf(spec);
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) preset(spec, { completions: 1, parallelism: 1 });
  preset(spec, { parallelism: 1, backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, manualSelector: false, podReplacementPolicy: spec['podFailurePolicy'] ? 'Failed' : 'TerminatingOrFailed' });
}

function cronJob(spec: Fields): void {
  const inner = at(spec, 'jobTemplate', 'spec');
  if (isObject(inner)) templateOf(inner);
  preset(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
}

function service(spec: Fields): void {
  preset(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
  if (spec['type'] !== 'ExternalName') preset(spec, { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') preset(spec, { externalTrafficPolicy: 'Cluster' });
  if (spec['type'] === 'LoadBalancer') preset(spec, { allocateLoadBalancerNodePorts: true });
  if (spec['sessionAffinity'] === 'ClientIP') preset(spec, { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } });
  for (const port of list(spec['ports'])) {
    preset(port, { protocol: 'TCP' });
    if (!port['targetPort']) port['targetPort'] = port['port'];
  }
}

function networkPolicy(spec: Fields): void {
  if (!spec['policyTypes']) spec['policyTypes'] = spec['egress'] ? ['Ingress', 'Egress'] : ['Ingress'];
  for (const rule of [...list(spec['ingress']), ...list(spec['egress'])]) for (const port of list(rule['ports'])) preset(port, { protocol: 'TCP' });
}

function autoscaler(spec: Fields): void {
  preset(spec, { minReplicas: 1 });
  if (!spec['metrics']) spec['metrics'] = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
}

function definition(spec: Fields): void {
  const names = struct(spec, 'names');
  preset(names, { singular: String(names['kind'] ?? '').toLowerCase(), listKind: `${String(names['kind'] ?? '')}List` });
  preset(spec, { conversion: { strategy: 'None' } });
}

function limitRange(spec: Fields): void {
  for (const item of list(spec['limits']).filter((l) => l['type'] === 'Container')) {
    if (item['max']) item['default'] = { ...record(item['max']), ...record(item['default']) };
    if (item['default']) item['defaultRequest'] = { ...record(item['default']), ...record(item['defaultRequest']) };
    if (item['min']) item['defaultRequest'] = { ...record(item['min']), ...record(item['defaultRequest']) };
  }
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';
function binding(object: Fields): void {
  preset(record(object['roleRef']), { apiGroup: RBAC_GROUP });
  for (const subject of list(object['subjects'])) if (subject['kind'] !== 'ServiceAccount') preset(subject, { apiGroup: RBAC_GROUP });
}

function secret(object: Fields): void {
  preset(object, { type: 'Opaque' });
  const plain = Object.entries(record(object['stringData']));
  if (plain.length > 0) object['data'] = { ...record(object['data']), ...Object.fromEntries(plain.map(([k, v]) => [k, Buffer.from(String(v)).toString('base64')])) };
  delete object['stringData'];
}

/** By kind, over `spec`. */
const SPEC: Record<string, Defaulter> = {
  Pod: (spec) => {
    defaultPodSpec(spec);
    preset(spec, { enableServiceLinks: true });
  },
  Deployment: deployment, StatefulSet: statefulSet, DaemonSet: daemonSet, Job: job, CronJob: cronJob, Service: service,
  ReplicaSet: (spec) => {
    templateOf(spec);
    preset(spec, { replicas: 1 });
  },
  ReplicationController: (spec) => {
    templateOf(spec);
    preset(spec, { replicas: 1 });
    const labels = at(spec, 'template', 'metadata', 'labels');
    if (!spec['selector'] && labels) spec['selector'] = labels;
  },
  PersistentVolumeClaim: claim,
  PersistentVolume: (spec) => preset(spec, { volumeMode: 'Filesystem', persistentVolumeReclaimPolicy: 'Retain' }),
  NetworkPolicy: networkPolicy, HorizontalPodAutoscaler: autoscaler, CustomResourceDefinition: definition, LimitRange: limitRange,
};

/** By kind, over the whole object. */
const WHOLE: Record<string, (object: KubeObject) => void> = {
  Secret: secret,
  Namespace: (o) => void (o.metadata.labels = { ...o.metadata.labels, 'kubernetes.io/metadata.name': o.metadata.name ?? '' }),
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  StorageClass: (o) => preset(o, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  PriorityClass: (o) => preset(o, { preemptionPolicy: 'PreemptLowerPriority' }),
  EndpointSlice: (o) => list(o['ports']).forEach((port) => {
    if (port['name'] === undefined) port['name'] = '';
    preset(port, { protocol: 'TCP' });
  }),
  Endpoints: (o) => list(o['subsets']).forEach((subset) => list(subset['ports']).forEach((port) => preset(port, { protocol: 'TCP' }))),
};

/** Fills in what Kubernetes fills in before it stores an object of this kind; in place, so pass an object that nobody else holds. */
export function applyDefaults(kind: Kind, object: KubeObject): void {
  if (!kind.type) return;
  const spec = object['spec'];
  const bySpec = SPEC[kind.kind];
  if (bySpec && isObject(spec)) bySpec(spec, object);
  WHOLE[kind.kind]?.(object);
}
