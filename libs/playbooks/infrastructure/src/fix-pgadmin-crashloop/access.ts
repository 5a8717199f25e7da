import type { AccessRule } from '@larry/playbook';

const template = '/spec/template/spec';
const ofTemplate = (at: string): string[] => ['containers', 'initContainers', 'securityContext', 'volumes', 'tolerations', 'dnsPolicy'].map((field) => `${at}/${field}`);

const restart = '/spec/template/metadata/annotations';

/** The kinds that this task may change, and the fields of each. */
export const writableKinds: Readonly<Record<string, { group: string; resource: string; fields: readonly string[] }>> = {
  Deployment: { group: 'apps', resource: 'deployments', fields: [...ofTemplate(template), restart, '/spec/replicas'] },
  StatefulSet: { group: 'apps', resource: 'statefulsets', fields: [...ofTemplate(template), restart, '/spec/replicas'] },
  DaemonSet: { group: 'apps', resource: 'daemonsets', fields: [...ofTemplate(template), restart] },
  CronJob: { group: 'batch', resource: 'cronjobs', fields: ofTemplate('/spec/jobTemplate/spec/template/spec') },
  ConfigMap: { group: '', resource: 'configmaps', fields: ['/data'] },
  Service: { group: '', resource: 'services', fields: ['/spec/selector', '/spec/ports'] },
  Node: { group: '', resource: 'nodes', fields: ['/spec/unschedulable'] },
  Ingress: { group: 'networking.k8s.io', resource: 'ingresses', fields: ['/spec/rules', '/spec/defaultBackend'] },
  HTTPRoute: { group: 'gateway.networking.k8s.io', resource: 'httproutes', fields: ['/spec/rules'] },
  VirtualService: { group: 'networking.istio.io', resource: 'virtualservices', fields: ['/spec/http'] },
  IngressRoute: { group: 'traefik.io', resource: 'ingressroutes', fields: ['/spec/routes'] },
};

/** What the diagnosis reads, by API group. Secrets are not among it: that one is missing the kubelet says. */
const reads: Readonly<Record<string, readonly string[]>> = {
  '': ['configmaps', 'events', 'limitranges', 'namespaces', 'nodes', 'persistentvolumeclaims', 'persistentvolumes', 'pods', 'pods/log', 'replicationcontrollers', 'resourcequotas', 'serviceaccounts', 'services'],
  apps: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'],
  autoscaling: ['horizontalpodautoscalers'],
  batch: ['cronjobs', 'jobs'],
  'coordination.k8s.io': ['leases'],
  'discovery.k8s.io': ['endpointslices'],
  'networking.k8s.io': ['ingressclasses', 'ingresses', 'networkpolicies'],
  policy: ['poddisruptionbudgets'],
  'storage.k8s.io': ['csinodes', 'storageclasses'],
  'events.k8s.io': ['events'],
  'gateway.networking.k8s.io': ['grpcroutes', 'httproutes'],
  'networking.istio.io': ['destinationrules', 'virtualservices'],
  'traefik.io': ['ingressroutes'],
  'traefik.containo.us': ['ingressroutes'],
  'argoproj.io': ['applications'],
  'helm.cattle.io': ['helmchartconfigs', 'helmcharts'],
  'helm.toolkit.fluxcd.io': ['helmreleases'],
  'k3s.cattle.io': ['addons'],
  'keda.sh': ['scaledobjects'],
};

/** What this task reads and writes. */
export const access: AccessRule[] = [
  ...Object.entries(reads).map(([group, resources]): AccessRule => ({ apiGroups: [group], resources: [...resources], verbs: ['get', 'list'] })),
  ...Object.values(writableKinds).map(({ group, resource, fields }): AccessRule => ({ apiGroups: [group], resources: [resource], verbs: ['patch'], fields: [...fields, '/metadata/annotations'] })),
];
