import type { Fields } from './kube-object';

const RBAC = 'rbac.authorization.k8s.io/v1';
const rule = (verbs: string, apiGroups: string, resources: string): Fields => ({ verbs: verbs.split(' '), apiGroups: apiGroups.split(',').map((g) => g.trim()), resources: resources.split(' ') });
const urls = (...nonResourceURLs: string[]): Fields => ({ verbs: ['get'], nonResourceURLs });
const bootstrapping = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const role = (name: string, rules: Fields[], labels: Record<string, string> = {}): Fields => ({ apiVersion: RBAC, kind: 'ClusterRole', metadata: { name, labels: { ...bootstrapping, ...labels } }, rules });
const binding = (name: string, roleName: string, ...groups: string[]): Fields => ({
  apiVersion: RBAC, kind: 'ClusterRoleBinding', metadata: { name, labels: bootstrapping },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
  subjects: groups.map((g) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: g })),
});

const READ = 'get list watch';
const WRITE = 'create delete deletecollection patch update';
const aggregates = (to: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${to}`]: 'true' });
const NAMESPACED: [string, string][] = [
  ['', 'configmaps endpoints events limitranges persistentvolumeclaims pods pods/log pods/status replicationcontrollers replicationcontrollers/scale resourcequotas serviceaccounts services'],
  ['apps', 'controllerrevisions daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale'],
  ['autoscaling', 'horizontalpodautoscalers'], ['batch', 'cronjobs jobs'], ['discovery.k8s.io', 'endpointslices'],
  ['networking.k8s.io', 'ingresses networkpolicies'], ['policy', 'poddisruptionbudgets'],
];

/** What a fresh cluster holds before anybody creates anything: namespaces, the default ClusterRoles and bindings, priority classes, the `kubernetes` service. */
export function bootstrapObjects(): Fields[] {
  const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  const view = [...NAMESPACED.map(([g, r]) => rule(READ, g, r)), rule(READ, '', 'namespaces')];
  const edit = [...view, ...NAMESPACED.map(([g, r]) => rule(WRITE, g, r)), rule(`${READ} ${WRITE}`, '', 'secrets'), rule('create', '', 'pods/eviction')];
  const admin = [...edit, rule(`${READ} ${WRITE}`, 'rbac.authorization.k8s.io', 'roles rolebindings'), rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews')];
  return [
    ...namespaces,
    role('cluster-admin', [rule('*', '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }]),
    role('admin', admin), role('edit', edit, aggregates('admin')), role('view', view, aggregates('edit')),
    role('system:basic-user', [rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'), rule('create', 'authentication.k8s.io', 'selfsubjectreviews')]),
    role('system:discovery', [urls('/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/', '/simulation/served')]),
    role('system:public-info-viewer', [urls('/healthz', '/livez', '/readyz', '/version', '/version/')]),
    binding('cluster-admin', 'cluster-admin', 'system:masters'),
    binding('system:basic-user', 'system:basic-user', 'system:authenticated'),
    binding('system:discovery', 'system:discovery', 'system:authenticated'),
    binding('system:public-info-viewer', 'system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'system-cluster-critical' }, value: 2_000_000_000, description: 'For parts that the cluster cannot do without.' },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'system-node-critical' }, value: 2_000_001_000, description: 'For parts that a node cannot do without.' },
    {
      apiVersion: 'v1', kind: 'Service', metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: { clusterIP: '10.43.0.1', clusterIPs: ['10.43.0.1'], ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }] },
    },
  ];
}
