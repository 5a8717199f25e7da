import { randomUUID } from 'node:crypto';
import { forbidden } from './api-error';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, isObject, list, record, text } from './kube-object';
import { preset } from './pod-defaults';
import type { Store } from './store';
import type { KindRegistry } from './registry';

/** What the admission of new objects needs to see of the cluster. */
export interface Surroundings {
  store: Store;
  kinds: KindRegistry;
  now: () => Date;
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Five letters as Kubernetes appends to `generateName`: no vowels, so no words. */
export const suffix = (): string => Array.from({ length: 5 }, () => ALPHABET[Math.floor(Math.random() * ALPHABET.length)]).join('');
export const timestamp = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`;

/** Fills in what only the server knows when an object is created: identity, first status, allocated addresses. In place. */
export function prepareNew(kind: Kind, object: KubeObject, around: Surroundings): void {
  const meta = object.metadata;
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'resourceVersion', 'generation', 'managedFields'] as const) delete meta[field];
  meta.uid = randomUUID();
  meta.creationTimestamp = timestamp(around.now());
  if (kind.generation) meta.generation = 1;
  if (kind.subresources.includes('status')) delete object['status'];
  if (kind.type && kind.subresources.includes('status')) object['status'] = {};
  if (kind.type) INITIAL[kind.kind]?.(object, around);
}

/** A service account's token, CA and namespace as a volume: what the ServiceAccount admission adds to each container. */
function mountToken(spec: Fields): void {
  const where = '/var/run/secrets/kubernetes.io/serviceaccount';
  const containers = [...list(spec['initContainers']), ...list(spec['containers'])];
  const lacking = containers.filter((c) => !list(c['volumeMounts']).some((m) => m['mountPath'] === where));
  if (lacking.length === 0) return;
  const name = `kube-api-access-${suffix()}`;
  for (const container of lacking) container['volumeMounts'] = [...list(container['volumeMounts']), { name, readOnly: true, mountPath: where }];
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
  ];
  spec['volumes'] = [...list(spec['volumes']), { name, projected: { sources, defaultMode: 420 } }];
}

function serviceAccount(object: KubeObject, spec: Fields, { store, kinds }: Surroundings): void {
  preset(spec, { serviceAccountName: 'default', serviceAccount: spec['serviceAccountName'] ?? 'default' });
  const name = text(spec['serviceAccountName']);
  const namespace = object.metadata.namespace ?? '';
  const accounts = kinds.find('', 'v1', 'serviceaccounts') as Kind;
  const account = store.get(accounts, namespace, name);
  if (!account && name !== 'default') {
    const pods = kinds.find('', 'v1', 'pods') as Kind;
    throw forbidden(pods, object.metadata.name ?? '', `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`);
  }
  const pullSecrets = account?.['imagePullSecrets'];
  if (pullSecrets && !spec['imagePullSecrets']) spec['imagePullSecrets'] = pullSecrets;
  if (spec['automountServiceAccountToken'] !== false && !(spec['automountServiceAccountToken'] === undefined && account?.['automountServiceAccountToken'] === false)) mountToken(spec);
}

function priority(object: KubeObject, spec: Fields, { store, kinds }: Surroundings): void {
  const classes = store.list(kinds.find('scheduling.k8s.io', 'v1', 'priorityclasses') as Kind);
  const name = text(spec['priorityClassName']);
  const chosen = name ? classes.find((c) => c.metadata.name === name) : classes.find((c) => c['globalDefault'] === true);
  if (name && !chosen) throw forbidden(kinds.find('', 'v1', 'pods') as Kind, object.metadata.name ?? '', `no PriorityClass with name ${name} was found`);
  if (chosen) preset(spec, { priorityClassName: chosen.metadata.name });
  spec['priority'] = chosen?.['value'] ?? 0;
  preset(spec, { preemptionPolicy: chosen?.['preemptionPolicy'] ?? 'PreemptLowerPriority' });
}

function tolerations(spec: Fields): void {
  const have = list(spec['tolerations']);
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = have.some((t) => (t['key'] === key || (!t['key'] && t['operator'] === 'Exists')) && (!t['effect'] || t['effect'] === 'NoExecute'));
    if (!tolerated) have.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  }
  spec['tolerations'] = have;
}

/** BestEffort, Burstable or Guaranteed, from the containers' cpu and memory. */
export function qosClass(spec: Fields): string {
  const containers = [...list(spec['initContainers']), ...list(spec['containers'])].map((c) => record(c['resources']));
  const amounts = containers.flatMap((r) => ['cpu', 'memory'].map((n) => ({ request: record(r['requests'])[n], limit: record(r['limits'])[n] })));
  if (amounts.every((a) => a.request === undefined && a.limit === undefined)) return 'BestEffort';
  return amounts.every((a) => a.limit !== undefined && (a.request === undefined || a.request === a.limit)) ? 'Guaranteed' : 'Burstable';
}

function pod(object: KubeObject, around: Surroundings): void {
  const spec = record(object['spec']);
  serviceAccount(object, spec, around);
  priority(object, spec, around);
  tolerations(spec);
  object['status'] = { phase: 'Pending', qosClass: qosClass(spec) };
}

function job(object: KubeObject): void {
  const spec = record(object['spec']);
  const uid = object.metadata.uid as string;
  const name = object.metadata.name ?? '';
  if (spec['manualSelector'] === true || spec['selector']) return;
  const template = record(spec['template']);
  const meta = (template['metadata'] = record(template['metadata']));
  meta['labels'] = { ...record(meta['labels']), 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, 'job-name': name };
  if (!object.metadata.labels) object.metadata.labels = { ...(meta['labels'] as Record<string, string>) };
  spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
}

/** First free address of the service network that k3s uses by default, 10.43.0.0/16. */
function freeAddress({ store, kinds }: Surroundings): string {
  const taken = new Set(store.list(kinds.find('', 'v1', 'services') as Kind).map((s) => at(s, 'spec', 'clusterIP')));
  for (let i = 2; i < 65_000; i++) {
    const address = `10.43.${i >> 8}.${i & 255}`;
    if (!taken.has(address)) return address;
  }
  throw new Error('the simulated service network 10.43.0.0/16 is full');
}

function freeNodePort({ store, kinds }: Surroundings, also: Set<unknown>): number {
  const taken = new Set(store.list(kinds.find('', 'v1', 'services') as Kind).flatMap((s) => list(at(s, 'spec', 'ports')).map((p) => p['nodePort'])));
  for (let port = 30_000; port < 32_768; port++) if (!taken.has(port) && !also.has(port)) return port;
  throw new Error('no free node port in 30000-32767');
}

/** Gives a service the addresses and node ports that its type needs; also when its type changes. */
export function allocate(object: KubeObject, around: Surroundings): void {
  const spec = record(object['spec']);
  if (spec['type'] === 'ExternalName') return;
  if (!spec['clusterIP']) spec['clusterIP'] = freeAddress(around);
  if (!spec['clusterIPs']) spec['clusterIPs'] = [spec['clusterIP']];
  if (spec['type'] !== 'NodePort' && spec['type'] !== 'LoadBalancer') return;
  const given = new Set<unknown>();
  for (const port of list(spec['ports'])) {
    port['nodePort'] ??= freeNodePort(around, given);
    given.add(port['nodePort']);
  }
}

/** What new objects of a kind start with, beside their defaults. */
const INITIAL: Record<string, (object: KubeObject, around: Surroundings) => void> = {
  Pod: pod,
  Job: job,
  Namespace: (object) => {
    object['spec'] = { ...record(object['spec']), finalizers: ['kubernetes'] };
    object['status'] = { phase: 'Active' };
  },
  Service: (object, around) => {
    allocate(object, around);
    object['status'] = { loadBalancer: {} };
  },
  DaemonSet: (object) => {
    object.metadata.annotations = { 'deprecated.daemonset.template.generation': '1', ...object.metadata.annotations };
    object['status'] = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
  },
  ReplicaSet: (object) => void (object['status'] = { replicas: 0 }),
  ReplicationController: (object) => void (object['status'] = { replicas: 0 }),
  StatefulSet: (object) => void (object['status'] = { replicas: 0, availableReplicas: 0 }),
  PersistentVolumeClaim: (object, { store, kinds }) => {
    object['status'] = { phase: 'Pending' };
    object.metadata.finalizers = [...new Set([...(object.metadata.finalizers ?? []), 'kubernetes.io/pvc-protection'])];
    const standard = store.list(kinds.find('storage.k8s.io', 'v1', 'storageclasses') as Kind)
      .find((c) => c.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true');
    const spec = record(object['spec']);
    if (spec['storageClassName'] === undefined && standard) spec['storageClassName'] = standard.metadata.name;
  },
  PersistentVolume: (object) => {
    object['status'] = { phase: 'Pending' };
    object.metadata.finalizers = [...new Set([...(object.metadata.finalizers ?? []), 'kubernetes.io/pv-protection'])];
  },
  PodDisruptionBudget: (object) => void (object['status'] = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
  HorizontalPodAutoscaler: (object) => void (object['status'] = { desiredReplicas: 0, currentMetrics: null }),
  CustomResourceDefinition: (object) => {
    const storedVersions = list(at(object, 'spec', 'versions')).filter((v) => v['storage'] === true).map((v) => v['name']);
    object['status'] = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions };
  },
  ResourceQuota: (object) => void (object['status'] = {}),
  Ingress: (object) => void (object['status'] = { loadBalancer: {} }),
};

/** A definition as its controller leaves it a moment after it was created: names accepted, served. */
export function established(definition: KubeObject, now: Date): KubeObject {
  const condition = (type: string, reason: string, message: string) => ({ type, status: 'True', lastTransitionTime: timestamp(now), reason, message });
  const conditions = [
    condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
    condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
  ];
  return { ...definition, status: { ...record(definition['status']), conditions, acceptedNames: record(at(definition, 'spec', 'names')) } };
}

export const isTerminating = (object: KubeObject | undefined): boolean => isObject(object) && object.metadata.deletionTimestamp !== undefined;
