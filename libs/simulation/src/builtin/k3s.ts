import type { KubeObject } from '@larry/contracts';
import { configMap, crd, grant, object, serviceAccount, workload } from './builders';
import type { ReleaseRow } from './helm-release';

const ns = 'kube-system';
const addons = ['ccm', 'coredns', 'local-storage', 'metrics-server', 'rolebindings', 'runtimes', 'traefik'];
const critical = { priorityClassName: 'system-cluster-critical', tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }, { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }] };
const traefikOwner = { helm: 'traefik', chart: 'traefik-37.1.1_up37.1.0', version: 'v3.5.1' };

/** What k3s itself puts into a cluster, with the marks by which it is known. */
export function k3sParts(): KubeObject[] {
  return [...definitions(), ...addonObjects(), ...coredns(), ...localPath(), ...metricsServer(), ...helmCharts()];
}

function definitions(): KubeObject[] {
  const column = (name: string, jsonPath: string) => ({ name, type: 'string', jsonPath });
  return [
    crd('k3s.cattle.io', 'Addon', 'addons', undefined, [column('Source', '.spec.source'), column('Checksum', '.spec.checksum')]),
    crd('k3s.cattle.io', 'ETCDSnapshotFile', 'etcdsnapshotfiles', undefined, [], 'Cluster'),
    crd('helm.cattle.io', 'HelmChart', 'helmcharts', undefined, [column('Repo', '.spec.repo'), column('Chart', '.spec.chart'), column('Version', '.spec.version'), column('TargetNamespace', '.spec.targetNamespace')]),
    crd('helm.cattle.io', 'HelmChartConfig', 'helmchartconfigs', undefined),
  ];
}

function addonObjects(): KubeObject[] {
  return addons.map((name) =>
    object('k3s.cattle.io/v1', 'Addon', { ns, name }, { spec: { source: `/var/lib/rancher/k3s/server/manifests/${name}.yaml`, checksum: Buffer.from(name.padEnd(16, '.')).toString('hex') } }),
  );
}

function coredns(): KubeObject[] {
  const owner = { addon: 'coredns' };
  const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' };
  return [
    serviceAccount({ ns, name: 'coredns', owner }),
    ...grant({ ns: '', name: 'system:coredns', owner }, [['core', 'endpoints,services,pods,namespaces', 'list,watch'], ['discovery.k8s.io', 'endpointslices', 'list,watch']], [`${ns}/coredns`]),
    configMap({ ns, name: 'coredns', owner }, { Corefile: '.:53 {\n    errors\n    health\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n      pods insecure\n      fallthrough in-addr.arpa ip6.arpa\n    }\n    prometheus :9153\n    forward . /etc/resolv.conf\n    cache 30\n    loop\n    reload\n    loadbalance\n}\n' }),
    ...workload({
      ns, name: 'coredns', owner, labels, image: 'rancher/mirrored-coredns-coredns:1.12.3', args: ['-conf', '/etc/coredns/Corefile'],
      ports: { dns: 53, metrics: 9153 }, service: { name: 'kube-dns' }, resources: ['100m', '70Mi', undefined, '170Mi'], ready: '/ready@8181', live: '/health@8080',
      mounts: { '/etc/coredns': 'config:coredns' }, serviceAccount: 'coredns', pod: critical,
      security: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { add: ['NET_BIND_SERVICE'], drop: ['all'] } },
    }),
  ];
}

function localPath(): KubeObject[] {
  const owner = { addon: 'local-storage' };
  return [
    serviceAccount({ ns, name: 'local-path-provisioner-service-account', owner }),
    ...grant({ ns: '', name: 'local-path-provisioner-role', owner }, [['core', 'nodes,persistentvolumeclaims,configmaps,pods/log', 'get,list,watch'], ['core', 'endpoints,persistentvolumes,pods', '*'], ['core', 'events', 'create,patch'], ['storage.k8s.io', 'storageclasses', 'get,list,watch']], [`${ns}/local-path-provisioner-service-account`]),
    configMap({ ns, name: 'local-path-config', owner }, { 'config.json': '{"nodePathMap":[{"node":"DEFAULT_PATH_FOR_NON_LISTED_NODES","paths":["/var/lib/rancher/k3s/storage"]}]}' }),
    object('storage.k8s.io/v1', 'StorageClass', { ns: '', name: 'local-path', owner, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }, { provisioner: 'rancher.io/local-path', reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer' }),
    ...workload({
      ns, name: 'local-path-provisioner', owner, labels: { app: 'local-path-provisioner' }, image: 'rancher/local-path-provisioner:v0.0.31',
      command: ['local-path-provisioner', 'start', '--config', '/etc/config/config.json'], env: { POD_NAMESPACE: { field: 'metadata.namespace' } },
      mounts: { '/etc/config/': 'config:local-path-config' }, serviceAccount: 'local-path-provisioner-service-account', pod: critical,
    }),
  ];
}

function metricsServer(): KubeObject[] {
  const owner = { addon: 'metrics-server' };
  return [
    serviceAccount({ ns, name: 'metrics-server', owner }),
    ...grant({ ns: '', name: 'system:metrics-server', owner }, [['core', 'nodes/metrics', 'get'], ['core', 'pods,nodes,namespaces,configmaps', 'get,list,watch']], [`${ns}/metrics-server`]),
    ...workload({
      ns, name: 'metrics-server', owner, labels: { 'k8s-app': 'metrics-server' }, image: 'rancher/mirrored-metrics-server:v0.8.0', args: ['--secure-port=10250', '--kubelet-use-node-status-port'],
      ports: { https: 10250 }, service: { ports: { https: 443 } }, resources: ['100m', '70Mi'], ready: '/readyz@https', live: '/livez@https', mounts: { '/tmp': 'empty' },
      serviceAccount: 'metrics-server', pod: critical, security: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, runAsUser: 1000, capabilities: { drop: ['ALL'] } },
    }),
  ];
}

function helmCharts(): KubeObject[] {
  const chart = (name: string, url: string, values: string): KubeObject =>
    object('helm.cattle.io/v1', 'HelmChart', { ns, name, owner: { addon: 'traefik' }, annotations: { 'helm.cattle.io/managed-by': 'helm-controller' } }, { spec: { chart: `https://%{KUBERNETES_API}%/static/charts/${url}`, set: { 'global.systemDefaultRegistry': '' }, valuesContent: values }, status: { jobName: `helm-install-${name}` } });
  return [
    chart('traefik-crd', 'traefik-crd-37.1.1+up37.1.0.tgz', ''),
    chart('traefik', 'traefik-37.1.1+up37.1.0.tgz', 'deployment:\n  replicas: 2\n'),
    object('helm.cattle.io/v1', 'HelmChartConfig', { ns, name: 'traefik' }, { spec: { valuesContent: 'deployment:\n  replicas: 2\nlogs:\n  access:\n    enabled: true\n' } }),
    ...['IngressRoute ingressroutes', 'Middleware middlewares', 'TLSOption tlsoptions'].map((pair) => crd('traefik.io', pair.split(' ')[0] ?? '', pair.split(' ')[1] ?? '', { helm: 'traefik-crd', chart: 'traefik-crd-37.1.1_up37.1.0' }, [], 'Namespaced', 'v1alpha1')),
    ...traefikObjects(),
  ];
}

function traefikObjects(): KubeObject[] {
  const owner = traefikOwner;
  return [
    serviceAccount({ ns, name: 'traefik', owner }),
    ...grant({ ns: '', name: 'traefik-kube-system', owner }, [['core', 'services,secrets,nodes', 'get,list,watch'], ['discovery.k8s.io', 'endpointslices', 'list,watch'], ['networking.k8s.io', 'ingresses,ingressclasses', 'get,list,watch'], ['traefik.io', '*', 'get,list,watch']], [`${ns}/traefik`]),
    object('networking.k8s.io/v1', 'IngressClass', { ns: '', name: 'traefik', owner, annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }, { spec: { controller: 'traefik.io/ingress-controller' } }),
    ...workload({
      ns, name: 'traefik', owner, image: 'rancher/mirrored-library-traefik:3.5.1', replicas: 2, args: ['--entryPoints.web.address=:8000/tcp', '--entryPoints.websecure.address=:8443/tcp', '--ping=true', '--providers.kubernetesingress'],
      ports: { web: 8000, websecure: 8443, traefik: 8080 }, service: { type: 'LoadBalancer', ports: { web: 80, websecure: 443 } }, ready: '/ping@8080', live: '/ping@8080', serviceAccount: 'traefik',
      podSecurity: { runAsGroup: 65532, runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } }, security: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
      mounts: { '/data': 'empty', '/tmp': 'empty' }, pod: { priorityClassName: 'system-cluster-critical' },
    }),
    ...workload({
      ns, name: 'svclb-traefik', kind: 'DaemonSet', labels: { app: 'svclb-traefik', 'svccontroller.k3s.cattle.io/svcname': 'traefik', 'svccontroller.k3s.cattle.io/svcnamespace': ns }, image: 'rancher/klipper-lb:v0.4.13',
      env: { SRC_PORT: '80', DEST_PROTO: 'TCP', DEST_PORT: '80' }, ports: { 'lb-tcp-80': 80 }, service: false, security: { capabilities: { add: ['NET_ADMIN'] } },
      pod: { tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }, { key: 'CriticalAddonsOnly', operator: 'Exists' }] },
    }),
  ];
}

/** The releases that k3s' Helm controller installs. */
export function k3sReleases(): ReleaseRow[] {
  const chart = { version: '37.1.1+up37.1.0', appVersion: 'v3.5.1', description: 'A Traefik based Kubernetes ingress controller' };
  const owned = (helm: string) => k3sParts().filter((each) => each.metadata.annotations?.['meta.helm.sh/release-name'] === helm);
  const revisions = [{ status: 'deployed' as const, values: { deployment: { replicas: 2 }, logs: { access: { enabled: true } } }, daysAgo: 118, description: 'Install complete' }];
  return [
    { name: 'traefik', namespace: ns, chart: { name: 'traefik', ...chart }, defaults: { deployment: { replicas: 1 }, service: { type: 'LoadBalancer' } }, revisions, objects: owned('traefik') },
    { name: 'traefik-crd', namespace: ns, chart: { name: 'traefik-crd', ...chart }, defaults: {}, revisions: [{ status: 'deployed', values: {}, daysAgo: 118, description: 'Install complete' }], objects: owned('traefik-crd') },
  ];
}
