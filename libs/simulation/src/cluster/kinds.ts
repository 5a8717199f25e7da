import type { KubeObject } from '@larry/contracts';
import type * as t from './types';

/** How a kind is addressed over HTTP. `T` is the shape of its objects. */
export interface ResourceKind<T extends KubeObject = KubeObject> {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Whether an object has the parts without which clients cannot work; what was loaded from files may lack them. */
  isWhole?(object: KubeObject): boolean;
  /** Never set: carries `T` for inference. */
  readonly shape?: T;
}

function kind<T extends KubeObject>(apiVersion: string, name: string, plural: string, namespaced = true, isWhole?: (object: KubeObject) => boolean): ResourceKind<T> {
  return { apiVersion, kind: name, plural, namespaced, ...(isWhole ? { isWhole } : {}) };
}

interface Loose {
  containers?: unknown;
  selector?: unknown;
  template?: { spec?: Loose };
}
const specOf = (object: KubeObject) => object.spec as Loose | undefined;
const hasSpec = (object: KubeObject) => typeof object.spec === 'object' && object.spec !== null;
const hasContainers = (object: KubeObject) => Array.isArray(specOf(object)?.containers);
const hasTemplate = (object: KubeObject) => Array.isArray(specOf(object)?.template?.spec?.containers);
const isWorkload = (object: KubeObject) => hasTemplate(object) && Boolean(specOf(object)?.selector);

/** The kinds that the simulated clients read or write. */
export const kinds = {
  pods: kind<t.Pod>('v1', 'Pod', 'pods', true, hasContainers),
  nodes: kind<t.Node>('v1', 'Node', 'nodes', false),
  namespaces: kind<t.Namespace>('v1', 'Namespace', 'namespaces', false),
  services: kind<t.Service>('v1', 'Service', 'services', true, hasSpec),
  endpoints: kind<KubeObject>('v1', 'Endpoints', 'endpoints'),
  configMaps: kind<t.ConfigMap>('v1', 'ConfigMap', 'configmaps'),
  secrets: kind<t.Secret>('v1', 'Secret', 'secrets'),
  serviceAccounts: kind<KubeObject>('v1', 'ServiceAccount', 'serviceaccounts'),
  claims: kind<t.PersistentVolumeClaim>('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', true, hasSpec),
  volumes: kind<t.PersistentVolume>('v1', 'PersistentVolume', 'persistentvolumes', false, hasSpec),
  events: kind<KubeObject>('v1', 'Event', 'events'),
  deployments: kind<t.Deployment>('apps/v1', 'Deployment', 'deployments', true, isWorkload),
  replicaSets: kind<t.ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets', true, isWorkload),
  statefulSets: kind<t.StatefulSet>('apps/v1', 'StatefulSet', 'statefulsets', true, isWorkload),
  daemonSets: kind<t.DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets', true, isWorkload),
  controllerRevisions: kind<KubeObject>('apps/v1', 'ControllerRevision', 'controllerrevisions'),
  jobs: kind<t.Job>('batch/v1', 'Job', 'jobs', true, hasTemplate),
  cronJobs: kind<t.CronJob>('batch/v1', 'CronJob', 'cronjobs', true, hasSpec),
  endpointSlices: kind<t.EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
  disruptionBudgets: kind<t.PodDisruptionBudget>('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  storageClasses: kind<t.StorageClass>('storage.k8s.io/v1', 'StorageClass', 'storageclasses', false),
  leases: kind<t.Lease>('coordination.k8s.io/v1', 'Lease', 'leases'),
} as const;

/** The path of a collection, or with a name of one object, or of its subresource. */
export function pathOf(of: ResourceKind, namespace?: string, name?: string, subresource?: string): string {
  const root = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
  const parts = [root];
  if (of.namespaced && namespace) parts.push('namespaces', encodeURIComponent(namespace));
  parts.push(of.plural);
  if (name) parts.push(encodeURIComponent(name));
  if (subresource) parts.push(subresource);
  return parts.join('/');
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of `keyOf`. */
export function splitKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
