import type { KubeObject } from '@larry/contracts';
import { claim, configMap, grant, ingress, secret, serviceAccount, workload } from './builders';
import type { ReleaseRow } from './helm-release';

const ns = 'monitoring';
const grafanaOwner = { helm: 'grafana', chart: 'grafana-9.4.4', version: '12.1.1' };
const prometheusOwner = { helm: 'prometheus', chart: 'prometheus-27.37.0', version: 'v3.5.0' };

/** Prometheus and Grafana by Helm, Loki and its collectors by hand. No network policy. */
export function monitoring(): KubeObject[] {
  return [...grafana(), ...prometheus(), ...logging()];
}

function grafana(): KubeObject[] {
  const owner = grafanaOwner;
  return [
    serviceAccount({ ns, name: 'grafana', owner }),
    secret({ ns, name: 'grafana', owner }, { 'admin-user': 'admin', 'admin-password': 'simulated-grafana' }),
    configMap({ ns, name: 'grafana', owner }, { 'grafana.ini': '[server]\ndomain = grafana.larry.lan\n[analytics]\ncheck_for_updates = false\n', 'datasources.yaml': 'apiVersion: 1\ndatasources:\n- name: Prometheus\n  type: prometheus\n  url: http://prometheus-server\n  isDefault: true\n- name: Loki\n  type: loki\n  url: http://loki:3100\n' }),
    claim({ ns, name: 'grafana', owner }, '5Gi'),
    ...grant({ ns: '', name: 'grafana-clusterrole', owner }, [['core', 'configmaps,secrets', 'get,watch,list']], [`${ns}/grafana`]),
    ...workload({
      ns, name: 'grafana', owner, image: 'docker.io/grafana/grafana:12.1.1', ports: { grafana: 3000 }, service: { ports: { grafana: 80 } }, mounts: { '/var/lib/grafana': 'pvc:grafana', '/etc/grafana': 'config:grafana' }, strategy: { type: 'Recreate' },
      env: { GF_SECURITY_ADMIN_USER: { secret: 'grafana', key: 'admin-user' }, GF_SECURITY_ADMIN_PASSWORD: { secret: 'grafana', key: 'admin-password' } }, resources: ['100m', '128Mi', '500m', '512Mi'], ready: '/api/health@grafana', live: '/api/health@grafana',
      serviceAccount: 'grafana', podSecurity: { fsGroup: 472, runAsGroup: 472, runAsNonRoot: true, runAsUser: 472 }, security: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
    }),
    ingress({ ns, name: 'grafana', owner }, 'grafana.larry.lan', 'grafana', 'grafana'),
  ];
}

function prometheus(): KubeObject[] {
  const owner = prometheusOwner;
  const scraping = [['core', 'nodes,nodes/proxy,nodes/metrics,services,endpoints,pods,ingresses,configmaps', 'get,list,watch'], ['discovery.k8s.io', 'endpointslices', 'get,list,watch']] as [string, string, string][];
  return [
    serviceAccount({ ns, name: 'prometheus-server', owner }),
    serviceAccount({ ns, name: 'prometheus-kube-state-metrics', owner }),
    ...grant({ ns: '', name: 'prometheus-server', owner }, scraping, [`${ns}/prometheus-server`]),
    ...grant({ ns: '', name: 'prometheus-kube-state-metrics', owner }, [['core', 'pods,services,nodes,namespaces,secrets,configmaps,persistentvolumeclaims', 'list,watch'], ['apps', '*', 'list,watch'], ['batch', 'jobs,cronjobs', 'list,watch']], [`${ns}/prometheus-kube-state-metrics`]),
    configMap({ ns, name: 'prometheus-server', owner }, { 'prometheus.yml': 'global:\n  scrape_interval: 30s\nscrape_configs:\n- job_name: kubernetes-pods\n  kubernetes_sd_configs:\n  - role: pod\n', 'alerting_rules.yml': 'groups:\n- name: pods\n  rules:\n  - alert: PodCrashLooping\n    expr: increase(kube_pod_container_status_restarts_total[15m]) > 3\n    for: 5m\n' }),
    claim({ ns, name: 'prometheus-server', owner }, '20Gi'),
    ...workload({ ns, name: 'prometheus-server', owner, image: 'quay.io/prometheus/prometheus:v3.5.0', args: ['--storage.tsdb.retention.time=15d', '--config.file=/etc/config/prometheus.yml'], ports: { http: 9090 }, service: { ports: { http: 80 } }, mounts: { '/data': 'pvc:prometheus-server', '/etc/config': 'config:prometheus-server' }, strategy: { type: 'Recreate' }, resources: ['250m', '512Mi', undefined, '2Gi'], ready: '/-/ready@http', live: '/-/healthy@http', serviceAccount: 'prometheus-server', podSecurity: { fsGroup: 65534, runAsNonRoot: true, runAsUser: 65534 } }),
    ...workload({ ns, name: 'prometheus-kube-state-metrics', owner, image: 'registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.16.0', ports: { http: 8080 }, ready: '/@http', live: '/livez@http', serviceAccount: 'prometheus-kube-state-metrics', podSecurity: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: 'RuntimeDefault' } }, security: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true } }),
    ...workload({ ns, name: 'prometheus-alertmanager', owner, kind: 'StatefulSet', image: 'quay.io/prometheus/alertmanager:v0.28.1', ports: { http: 9093 }, claims: { '/alertmanager': '2Gi' }, ready: '/@http', podSecurity: { fsGroup: 65534, runAsNonRoot: true, runAsUser: 65534 } }),
    ...workload({ ns, name: 'prometheus-node-exporter', owner, kind: 'DaemonSet', image: 'quay.io/prometheus/node-exporter:v1.9.1', ports: { metrics: 9100 }, mounts: { '/host/proc': 'host:/proc', '/host/sys': 'host:/sys', '/host/root': 'host:/' }, pod: { hostNetwork: true, hostPID: true, tolerations: [{ effect: 'NoSchedule', operator: 'Exists' }] }, podSecurity: { runAsNonRoot: true, runAsUser: 65534 }, ready: '/@metrics' }),
  ];
}

function logging(): KubeObject[] {
  return [
    configMap({ ns, name: 'loki-config' }, { 'loki.yaml': 'auth_enabled: false\nserver:\n  http_listen_port: 3100\n' }),
    ...workload({ ns, name: 'loki', kind: 'StatefulSet', image: 'grafana/loki:latest', ports: { http: 3100 }, claims: { '/loki': '10Gi' }, mounts: { '/etc/loki': 'config:loki-config' }, ready: '/ready@http' }),
    serviceAccount({ ns, name: 'promtail' }),
    ...grant({ ns: '', name: 'promtail' }, [['core', 'nodes,services,pods', 'get,watch,list']], [`${ns}/promtail`]),
    ...workload({ ns, name: 'promtail', kind: 'DaemonSet', image: 'grafana/promtail:3.5.1', ports: { http: 3101 }, service: false, mounts: { '/var/log/pods': 'host:/var/log/pods' }, serviceAccount: 'promtail', security: { runAsUser: 0 } }),
  ];
}

export function monitoringReleases(): ReleaseRow[] {
  return [
    {
      name: 'grafana', namespace: ns, chart: { name: 'grafana', version: '9.4.4', appVersion: '12.1.1', description: 'The leading tool for querying and visualizing time series and metrics.' },
      defaults: { replicas: 1, persistence: { enabled: false }, resources: {}, ingress: { enabled: false } },
      revisions: [
        { status: 'superseded', values: { persistence: { enabled: true, size: '5Gi' } }, daysAgo: 80, description: 'Install complete', version: '9.2.10', appVersion: '12.0.2' },
        { status: 'deployed', values: { persistence: { enabled: true, size: '5Gi' }, ingress: { enabled: true, hosts: ['grafana.larry.lan'] }, resources: { requests: { cpu: '100m', memory: '128Mi' } } }, daysAgo: 22, description: 'Upgrade complete' },
      ],
      objects: grafana(),
    },
    {
      name: 'prometheus', namespace: ns, chart: { name: 'prometheus', version: '27.37.0', appVersion: 'v3.5.0', description: 'Prometheus is a monitoring system and time series database.' },
      defaults: { server: { retention: '15d', persistentVolume: { size: '8Gi' } }, alertmanager: { enabled: true } },
      revisions: [{ status: 'deployed', values: { server: { persistentVolume: { size: '20Gi', storageClass: 'local-path' } } }, daysAgo: 80, description: 'Install complete' }],
      objects: prometheus(),
    },
  ];
}
