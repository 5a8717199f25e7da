/** A kind that the server serves: one row of the table below, or made from a CustomResourceDefinition. */
export interface Kind {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames: string[];
  categories: string[];
  subresources: string[];
  /** Whether `metadata.generation` counts changes of the spec. */
  generation: boolean;
  /** Name of the type in the schema table; none for custom resources and for kinds loaded without a schema. */
  type?: string;
  /** For a custom resource: what its definition says. */
  custom?: CustomKind;
  /** Stored under another kind (events.k8s.io is a view of core events). */
  storedAs?: string;
  /** Known only from loaded objects: no definition, no schema. */
  loaded?: boolean;
}

/** What a CustomResourceDefinition's version adds to a kind. */
export interface CustomKind {
  schema: Record<string, unknown> | undefined;
  columns: { name: string; type: string; format?: string; description?: string; priority?: number; jsonPath: string }[];
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  listKind: string;
  selectableFields: string[];
}

const ALL = 'create delete deletecollection get list patch update watch';

interface RowOptions {
  verbs?: string;
  short?: string;
  categories?: string;
  sub?: string;
  generation?: boolean;
}

const words = (value: string | undefined) => (value ? value.split(' ') : []);

function row(group: string, version: string, plural: string, kind: string, namespaced: boolean, o: RowOptions = {}): Kind {
  return {
    group, version, plural, kind, namespaced,
    singular: kind.toLowerCase(),
    verbs: words(o.verbs ?? ALL),
    shortNames: words(o.short),
    categories: words(o.categories),
    subresources: words(o.sub),
    generation: o.generation ?? false,
    type: `${(group || 'core').split('.')[0]}.${version}.${kind}`,
    ...(group === 'events.k8s.io' ? { storedAs: '/events' } : {}),
  };
}

/** Every built-in kind that is served, in the order of discovery. */
export const BUILT_IN_KINDS: readonly Kind[] = [
  row('', 'v1', 'bindings', 'Binding', true, { verbs: 'create' }),
  row('', 'v1', 'configmaps', 'ConfigMap', true, { short: 'cm' }),
  row('', 'v1', 'endpoints', 'Endpoints', true, { short: 'ep' }),
  row('', 'v1', 'events', 'Event', true, { short: 'ev' }),
  row('', 'v1', 'limitranges', 'LimitRange', true, { short: 'limits' }),
  row('', 'v1', 'namespaces', 'Namespace', false, { verbs: 'create delete get list patch update watch', short: 'ns', sub: 'finalize status' }),
  row('', 'v1', 'nodes', 'Node', false, { short: 'no', sub: 'proxy status' }),
  row('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', true, { short: 'pvc', sub: 'status' }),
  row('', 'v1', 'persistentvolumes', 'PersistentVolume', false, { short: 'pv', sub: 'status' }),
  row('', 'v1', 'pods', 'Pod', true, { short: 'po', categories: 'all', sub: 'attach binding eviction exec log portforward proxy status', generation: true }),
  row('', 'v1', 'podtemplates', 'PodTemplate', true),
  row('', 'v1', 'replicationcontrollers', 'ReplicationController', true, { short: 'rc', categories: 'all', sub: 'scale status', generation: true }),
  row('', 'v1', 'resourcequotas', 'ResourceQuota', true, { short: 'quota', sub: 'status' }),
  row('', 'v1', 'secrets', 'Secret', true),
  row('', 'v1', 'serviceaccounts', 'ServiceAccount', true, { short: 'sa', sub: 'token' }),
  row('', 'v1', 'services', 'Service', true, { short: 'svc', categories: 'all', sub: 'proxy status' }),
  row('apps', 'v1', 'controllerrevisions', 'ControllerRevision', true),
  row('apps', 'v1', 'daemonsets', 'DaemonSet', true, { short: 'ds', categories: 'all', sub: 'status', generation: true }),
  row('apps', 'v1', 'deployments', 'Deployment', true, { short: 'deploy', categories: 'all', sub: 'scale status', generation: true }),
  row('apps', 'v1', 'replicasets', 'ReplicaSet', true, { short: 'rs', categories: 'all', sub: 'scale status', generation: true }),
  row('apps', 'v1', 'statefulsets', 'StatefulSet', true, { short: 'sts', categories: 'all', sub: 'scale status', generation: true }),
  row('events.k8s.io', 'v1', 'events', 'Event', true, { short: 'ev' }),
  row('authentication.k8s.io', 'v1', 'selfsubjectreviews', 'SelfSubjectReview', false, { verbs: 'create' }),
  row('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', false, { verbs: 'create' }),
  row('authorization.k8s.io', 'v1', 'localsubjectaccessreviews', 'LocalSubjectAccessReview', true, { verbs: 'create' }),
  row('authorization.k8s.io', 'v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', false, { verbs: 'create' }),
  row('authorization.k8s.io', 'v1', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', false, { verbs: 'create' }),
  row('authorization.k8s.io', 'v1', 'subjectaccessreviews', 'SubjectAccessReview', false, { verbs: 'create' }),
  row('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', false, { categories: 'api-extensions', sub: 'status', generation: true }),
  row('admissionregistration.k8s.io', 'v1', 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', false, { categories: 'api-extensions', generation: true }),
  row('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', true, { short: 'hpa', categories: 'all', sub: 'status' }),
  row('batch', 'v1', 'cronjobs', 'CronJob', true, { short: 'cj', categories: 'all', sub: 'status', generation: true }),
  row('batch', 'v1', 'jobs', 'Job', true, { categories: 'all', sub: 'status', generation: true }),
  row('networking.k8s.io', 'v1', 'ingressclasses', 'IngressClass', false, { generation: true }),
  row('networking.k8s.io', 'v1', 'ingresses', 'Ingress', true, { short: 'ing', sub: 'status', generation: true }),
  row('networking.k8s.io', 'v1', 'ipaddresses', 'IPAddress', false, { short: 'ip' }),
  row('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', true, { short: 'netpol', generation: true }),
  row('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', false, { sub: 'status' }),
  row('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', true, { short: 'pdb', sub: 'status', generation: true }),
  row('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', false),
  row('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false),
  row('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', true),
  row('rbac.authorization.k8s.io', 'v1', 'roles', 'Role', true),
  row('storage.k8s.io', 'v1', 'csidrivers', 'CSIDriver', false),
  row('storage.k8s.io', 'v1', 'csinodes', 'CSINode', false),
  row('storage.k8s.io', 'v1', 'csistoragecapacities', 'CSIStorageCapacity', true),
  row('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', false, { short: 'sc' }),
  row('storage.k8s.io', 'v1', 'volumeattachments', 'VolumeAttachment', false, { sub: 'status' }),
  row('storage.k8s.io', 'v1', 'volumeattributesclasses', 'VolumeAttributesClass', false, { short: 'vac' }),
  row('apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', false, { short: 'crd crds', categories: 'api-extensions', sub: 'status', generation: true }),
  row('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', false, { short: 'pc', generation: true }),
  row('coordination.k8s.io', 'v1', 'leases', 'Lease', true),
  row('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', true, { generation: true }),
];

/** `group/plural`: what a kind's objects are stored under. */
export const storageKey = (kind: Pick<Kind, 'group' | 'plural' | 'storedAs'>): string => kind.storedAs ?? `${kind.group}/${kind.plural}`;
export const apiVersionOf = (kind: Pick<Kind, 'group' | 'version'>): string => (kind.group ? `${kind.group}/${kind.version}` : kind.version);
/** `deployments.apps`, or `pods` for the core group: how error messages name a resource. */
export const qualified = (kind: Pick<Kind, 'group' | 'plural'>): string => (kind.group ? `${kind.plural}.${kind.group}` : kind.plural);
