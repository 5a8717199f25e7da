import type { KubeObject } from '@larry/contracts';
import { target, type Target } from './objects';
import type { Cluster } from './cluster';
import { restarted } from './trouble';
import type { Workload, WorkloadSpec } from './workload';

const probes = { livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, failureThreshold: 3 }, readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 } };

const neighbours: [string, WorkloadSpec][] = [
  ['StatefulSet database/postgres', { image: 'docker.io/library/postgres:17.5', port: 5432 }],
  ['StatefulSet redis-ha/redis', { image: 'docker.io/library/redis:8.0', replicas: 3, port: 6379 }],
  ['StatefulSet monitoring/prometheus', { image: 'quay.io/prometheus/prometheus:v3.4.1', port: 9090 }],
  ['Deployment monitoring/grafana', { image: 'docker.io/grafana/grafana:12.0.1', replicas: 1, port: 3000 }],
  ['DaemonSet monitoring/node-exporter', { image: 'quay.io/prometheus/node-exporter:v1.9.1', port: 9100 }],
  ['Deployment n8n/n8n', { image: 'docker.n8n.io/n8nio/n8n:1.97.1', replicas: 1, port: 5678 }],
  ['Deployment ai-agents/coordinator', { replicas: 2, container: probes }],
  ['Deployment web/storefront', { replicas: 3, container: probes }],
  ['Deployment web/catalogue', { replicas: 2, container: probes }],
  ['Deployment ingress/oauth-proxy', { replicas: 1, port: 4180 }],
];

/** What runs beside the fault: k3s' own pods, some healthy neighbours, and what is left over from earlier trouble. */
export function settleIn(c: Cluster): void {
  if (c.flavour.kubeadm) kubeadmPods(c);
  else systemPods(c);
  const seen: Workload[] = [];
  for (const [text, spec] of neighbours) {
    const at = target(text);
    if (taken(c, at) || c.chance.next() < 0.4) continue;
    seen.push(c.workload(at, { ...spec, podAgeS: c.chance.pick([900, 1500, 6 * 3600, 12 * 86_400]) }));
  }
  for (const workload of seen) startedEvents(c, workload);
  staleEvents(c, seen);
  finishedJobs(c);
}

/** What kubeadm brings: static pods on the masters, kube-proxy and a network on every node. */
function kubeadmPods(c: Cluster): void {
  for (const master of c.flavour.names.slice(0, 3)) {
    for (const component of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
      const workload = c.workload({ kind: 'Pod', namespace: 'kube-system', name: `${component}-${master}` }, { ageS: 60 * 86_400, port: 0, nodes: [master], image: `registry.k8s.io/${component}:${c.version}`, labels: { component, tier: 'control-plane' }, pod: { hostNetwork: true, priorityClassName: 'system-node-critical' }, annotations: { 'kubernetes.io/config.source': 'file' } });
      workload.root.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: master, uid: c.node(master).metadata.uid ?? '', controller: true }];
    }
  }
  if (!c.has(target('DaemonSet kube-system/kube-proxy'))) c.workload(target('DaemonSet kube-system/kube-proxy'), { ageS: 60 * 86_400, port: 0, image: `registry.k8s.io/kube-proxy:${c.version}`, pod: { hostNetwork: true, tolerations: [{ operator: 'Exists' }] } });
  c.workload(target('DaemonSet kube-system/calico-node'), { ageS: 60 * 86_400, port: 0, image: 'docker.io/calico/node:v3.30.1', pod: { hostNetwork: true, tolerations: [{ operator: 'Exists' }] } });
  c.workload(target('Deployment kube-system/coredns'), { ageS: 60 * 86_400, image: 'registry.k8s.io/coredns/coredns:v1.12.0', port: 53, service: false, labels: { 'k8s-app': 'kube-dns' }, container: { ports: dnsPorts } });
  c.service({ namespace: 'kube-system', name: 'kube-dns' }, { 'k8s-app': 'kube-dns' }, [{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 }, { name: 'dns-tcp', port: 53, targetPort: 53 }], { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] });
  c.service({ namespace: 'default', name: 'kubernetes' }, undefined, [{ name: 'https', port: 443, targetPort: 6443 }], { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] });
}

const dnsPorts = [{ name: 'dns', containerPort: 53, protocol: 'UDP' }, { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' }, { name: 'metrics', containerPort: 9153, protocol: 'TCP' }];

function taken(c: Cluster, at: Target): boolean {
  return c.has(at) || c.services.some(({ metadata }) => metadata.namespace === at.namespace && metadata.name === at.name);
}

function systemPods(c: Cluster): void {
  const base: [string, WorkloadSpec][] = [
    ['Deployment kube-system/coredns', { replicas: 1, image: 'rancher/mirrored-coredns-coredns:1.12.1', port: 53, service: false, container: { ports: dnsPorts } }],
    ['Deployment kube-system/local-path-provisioner', { replicas: 1, image: 'rancher/local-path-provisioner:v0.0.31', port: 0 }],
    ['Deployment kube-system/metrics-server', { replicas: 1, image: 'rancher/mirrored-metrics-server:v0.7.2', port: 10250, service: false }],
    ['Deployment kube-system/traefik', { replicas: 1, image: 'rancher/mirrored-library-traefik:3.3.6', port: 8000, service: false }],
  ];
  for (const [text, spec] of base) {
    const workload = c.workload(target(text), { ...spec, ageS: 60 * 86_400 });
    if (text.endsWith('metrics-server') && c.chance.next() < 0.5) {
      restarted(c, workload, { exitCode: 255, reason: 'Unknown', log: [], restarts: 2, endedS: 11 * 86_400, ready: true });
    }
  }
  c.service({ namespace: 'kube-system', name: 'kube-dns' }, { app: 'coredns' }, [{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 }, { name: 'dns-tcp', port: 53, targetPort: 53 }], { clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10'] });
  c.service({ namespace: 'default', name: 'kubernetes' }, undefined, [{ name: 'https', port: 443, targetPort: 6443 }], { clusterIP: '10.43.0.1', clusterIPs: ['10.43.0.1'] });
  const install = c.workload(target('Job kube-system/helm-install-traefik'), { image: 'rancher/klipper-helm:v0.9.5-build20250306', port: 0, ageS: 60 * 86_400 });
  complete(c, install);
}

/** A Job's pod that did its work. */
export function complete(c: Cluster, workload: Workload): void {
  for (const pod of workload.pods) {
    pod.status.phase = 'Succeeded';
    for (const condition of pod.status.conditions) if (/Ready/.test(condition.type)) Object.assign(condition, { status: 'False', reason: 'PodCompleted' });
    for (const status of pod.status.containerStatuses ?? []) {
      status.ready = false;
      status.started = false;
      status.state = { terminated: { exitCode: 0, reason: 'Completed', startedAt: pod.metadata.creationTimestamp, finishedAt: c.ago(300), containerID: status.containerID } };
    }
  }
}

/** What a healthy start leaves behind for an hour. */
export function startedEvents(c: Cluster, workload: Workload): void {
  const ageS = workload.spec.podAgeS ?? workload.spec.ageS ?? 9 * 86_400;
  if (ageS > 3600) return;
  for (const pod of workload.pods) {
    const container = workload.main;
    const fieldPath = `spec.containers{${container}}`;
    const normal = (reason: string, message: string, lastS: number, from = 'kubelet') => c.event(pod, { type: 'Normal', reason, message, lastS, from, ...(from === 'kubelet' ? { fieldPath } : {}) });
    normal('Scheduled', `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${pod.spec.nodeName}`, ageS, 'default-scheduler');
    normal('Pulled', `Container image "${pod.spec.containers[0]?.image}" already present on machine`, ageS - 2);
    normal('Created', c.recent ? `Created container: ${container}` : `Created container ${container}`, ageS - 3);
    normal('Started', `Started container ${container}`, ageS - 4);
    if (pod.spec.containers[0]?.readinessProbe) {
      c.event(pod, { reason: 'Unhealthy', message: `Readiness probe failed: Get "http://${pod.status.podIP}:8080/ready": dial tcp ${pod.status.podIP}:8080: connect: connection refused`, count: 2, lastS: ageS - 9, fieldPath });
    }
  }
}

/** Events that outlive what they are about: deleted pods, superseded ReplicaSets, troubles that went away. */
function staleEvents(c: Cluster, workloads: Workload[]): void {
  for (const workload of workloads.filter(({ target: { kind } }) => kind === 'Deployment').slice(0, 3)) {
    const old = c.replicaSet(workload, 0, { ageS: 20 * 86_400, revision: 3 });
    old['status'] = { replicas: 0, observedGeneration: 2 };
    c.keep(old);
    const ghost = gone(c, workload, `${old.metadata.name}-${c.chance.name(5)}`);
    c.event(old, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${ghost.metadata.name}`, from: 'replicaset-controller', lastS: c.chance.int(1200, 3000) });
    const left = c.chance.pick([
      { reason: 'FailedScheduling', message: '0/7 nodes are available: 7 Insufficient memory. preemption: 0/7 nodes are available: 7 No preemption victims found for incoming pod.', from: 'default-scheduler' },
      { reason: 'BackOff', message: `Back-off restarting failed container ${workload.main} in pod ${ghost.metadata.name}_${workload.target.namespace}(${ghost.metadata.uid})`, count: 31 },
      { reason: 'Failed', message: `Failed to pull image "registry.example.com/apps/${workload.target.name}:rc": rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/apps/${workload.target.name}:rc": failed to resolve reference "registry.example.com/apps/${workload.target.name}:rc": registry.example.com/apps/${workload.target.name}:rc: not found`, count: 4 },
      { reason: 'FailedMount', message: 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found', count: 9 },
      { reason: 'Unhealthy', message: 'Liveness probe failed: HTTP probe failed with statuscode: 500', count: 3 },
    ]);
    c.event(ghost, { ...left, lastS: c.chance.int(1400, 3300) });
  }
  const back = c.nodes[5]?.metadata.name ?? '';
  c.event(c.node(back), { type: 'Normal', reason: 'NodeReady', message: `Node ${back} status is now: NodeReady`, lastS: 3100 });
}

/** A pod that is no more; only events remember it. */
export function gone(c: Cluster, workload: Workload, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: workload.target.namespace, uid: c.chance.uid(), resourceVersion: '77001' }, spec: { nodeName: c.nodes[4]?.metadata.name } };
}

function finishedJobs(c: Cluster): void {
  const at = target('CronJob database/backup');
  if (c.has(at)) return;
  complete(c, c.workload(at, { image: 'registry.example.com/ops/pg-backup:2.3.1', port: 0, podAgeS: 1500 }));
}
