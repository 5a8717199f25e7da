import type { Fault, Recipe } from '../case';
import type { Cluster, ProbeResults } from '../cluster/cluster';
import type { Node, Pod } from '../cluster/objects';
import { setCondition, unschedulable, waiting } from '../cluster/trouble';
import { sources } from '../sources';

const days = { ageS: 12 * 86_400, podAgeS: 3 * 86_400 };

function probe(c: Cluster, results: Partial<Omit<ProbeResults, 'kind' | 'version'>>): void {
  c.probes = { ...c.probes, kind: 'ProbeResults', version: 1, ...results };
}

function ready(node: Node): Record<string, unknown> {
  const found = node.status.conditions.find(({ type }) => type === 'Ready');
  if (!found) throw new Error('eval: a node without a Ready condition');
  return found;
}

/** The workers beside it. */
function others(c: Cluster, node: string): string[] {
  return c.nodes.slice(3).map(({ metadata }) => metadata.name).filter((name) => name !== node);
}

/** Some workloads, all of whose pods on the node share its fate. */
function inhabit(c: Cluster, node: string, name: string): Pod[] {
  const some = c.workload({ kind: 'Deployment', namespace: 'apps', name }, { ...days, replicas: 3, nodes: [node, ...others(c, node)] });
  const daemon = c.workload({ kind: 'DaemonSet', namespace: 'apps', name: `${name}-agent` }, { ...days, service: false });
  return [...some.pods, ...daemon.pods].filter(({ spec }) => spec.nodeName === node);
}

/** The kubelet no longer speaks: the node controller marks node and pods (`NodeStatusUnknown`). */
function silent(c: Cluster, node: Node, pods: Pod[], sinceS: number): void {
  for (const condition of node.status.conditions) Object.assign(condition, { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastHeartbeatTime: c.ago(sinceS + 60), lastTransitionTime: c.ago(sinceS) });
  node.spec.taints = [...(node.spec.taints ?? []), { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded: c.ago(sinceS) }, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: c.ago(sinceS) }];
  c.staleLease(node.metadata.name, sinceS + 60);
  c.event(node, { type: 'Normal', reason: 'NodeNotReady', message: `Node ${node.metadata.name} status is now: NodeNotReady`, from: 'node-controller', lastS: sinceS });
  for (const pod of pods) {
    setCondition(pod, 'Ready', 'False', { lastTransitionTime: c.ago(sinceS) });
    c.event(pod, { reason: 'NodeNotReady', message: 'Node is not ready', from: 'node-controller', lastS: sinceS });
  }
}

function notReadyNode(c: Cluster, node: Node, pods: Pod[], message: string, sinceS: number): void {
  Object.assign(ready(node), { status: 'False', reason: 'KubeletNotReady', message, lastTransitionTime: c.ago(sinceS) });
  node.spec.taints = [...(node.spec.taints ?? []), { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', timeAdded: c.ago(sinceS) }, { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: c.ago(sinceS) }];
  c.event(node, { type: 'Normal', reason: 'NodeNotReady', message: `Node ${node.metadata.name} status is now: NodeNotReady`, lastS: sinceS });
  for (const pod of pods) setCondition(pod, 'Ready', 'False', { lastTransitionTime: c.ago(sinceS) });
}

const down = (node: string, service: string, sub: string, error: string, log: string[]) => ({ nodeServices: [{ node, service, active: false, sub, error, log }] });

function kubelet(app: string, sinceS: number, service?: [sub: string, error: string, log: string[]]): Recipe {
  return (c, at) => {
    silent(c, c.node(at.name), inhabit(c, at.name, app), sinceS);
    if (service) probe(c, down(at.name, 'kubelet', ...service));
  };
}

const socket = 'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/k3s/containerd/containerd.sock: connect: connection refused"';

function containerd(app: string, message: string, withProbe = false): Recipe {
  return (c, at) => {
    const node = c.node(at.name);
    notReadyNode(c, node, inhabit(c, at.name, app), message, 900);
    c.event(node, { reason: 'ContainerGCFailed', message: socket, count: 14 });
    if (withProbe) probe(c, down(at.name, 'containerd', 'failed', 'exit-code', ['containerd.service: Main process exited, code=exited, status=2/INVALIDARGUMENT']));
  };
}

/** kube-proxy is no pod in k3s; what it leaves undone shows on one node alone. */
function proxy(service: string, error: string, log: string[], connectivity = true): Recipe {
  return (c, at) => {
    const workload = c.workload({ kind: 'Deployment', namespace: 'shop', name: service }, { ...days, replicas: 2 });
    const clusterIP = c.serviceOf(workload).spec.clusterIP;
    const row = (fromNode: string, connected: boolean) => ({ namespace: 'shop', service, port: 80, fromNode, connected, address: clusterIP, ...(connected ? {} : { timedOut: true }) });
    probe(c, { ...down(at.name, 'kube-proxy', 'dead', error, log), ...(connectivity ? { connectivity: [row(at.name, false), row(others(c, at.name)[0] ?? '', true)] } : {}) });
  };
}

/** kube-proxy as kubeadm runs it: a DaemonSet of which one pod fails. */
function proxyPod(log: string[]): Recipe {
  return (c, at) => {
    const proxies = c.workload({ kind: 'DaemonSet', namespace: 'kube-system', name: 'kube-proxy' }, { ...days, port: 0, service: false, image: 'registry.k8s.io/kube-proxy:v1.33.4', pod: { hostNetwork: true } });
    const pod = proxies.pods.find(({ spec }) => spec.nodeName === at.name);
    if (pod) {
      for (const status of pod.status.containerStatuses ?? []) Object.assign(status, { ready: false, restartCount: 21, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container=kube-proxy' } }, lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: c.ago(200), finishedAt: c.ago(198) } } });
      setCondition(pod, 'Ready', 'False', { reason: 'ContainersNotReady', message: 'containers with unready status: [kube-proxy]' });
      c.log(pod, 'kube-proxy', log);
      c.log(pod, 'kube-proxy', log, true);
    }
    proxy('catalogue', 'exit-code', log)(c, at);
  };
}

/** Nobody places pods: pending without condition or event, and the leader's lease runs out. */
function noScheduler(app: string, options: { probed?: boolean; kind?: string } = {}): Recipe {
  return (c, at) => {
    const holder = `${at.name}_${c.chance.uid()}`;
    c.staleLease('kube-scheduler', 2900, 'kube-system', holder);
    const workload = c.workload({ kind: options.kind ?? 'Deployment', namespace: 'apps', name: app }, { ageS: 2600, podAgeS: 2500 });
    unschedulable(c, workload, '', { silent: true });
    const other = c.workload({ kind: 'StatefulSet', namespace: 'apps', name: `${app}-store` }, { ageS: 1900, podAgeS: 1800 });
    unschedulable(c, other, '', { silent: true });
    if (options.probed) probe(c, down(at.name, 'kube-scheduler', 'failed', 'exit-code', ['"command failed" err="unable to load scheduler config: no kind \\"KubeSchedulerConfig\\" is registered"']));
  };
}

type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';
const pressures = {
  MemoryPressure: { taint: 'memory-pressure', reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available', evicted: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 38412Ki. ', event: 'Attempting to reclaim memory' },
  DiskPressure: { taint: 'disk-pressure', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure', evicted: 'The node was low on resource: ephemeral-storage. Threshold quantity: 5105320220, available: 3912044Ki. ', event: 'Attempting to reclaim ephemeral-storage' },
  PIDPressure: { taint: 'pid-pressure', reason: 'KubeletHasInsufficientPID', message: 'kubelet has insufficient PID available', evicted: 'The node was low on resource: pids. Threshold quantity: 3200, available: 2011. ', event: 'Attempting to reclaim pids' },
};

function pressed(type: Pressure, app: string): Recipe {
  return (c, at) => {
    const { taint, reason, message, evicted, event } = pressures[type];
    const node = c.node(at.name);
    Object.assign(node.status.conditions.find((condition) => condition.type === type) ?? {}, { status: 'True', reason, message, lastTransitionTime: c.ago(1400) });
    node.spec.taints = [...(node.spec.taints ?? []), { key: `node.kubernetes.io/${taint}`, effect: 'NoSchedule', timeAdded: c.ago(1400) }];
    c.event(node, { reason: 'EvictionThresholdMet', message: event, count: 9 });
    c.event(node, { type: 'Normal', reason: `NodeHas${type === 'MemoryPressure' ? 'InsufficientMemory' : type === 'DiskPressure' ? 'DiskPressure' : 'InsufficientPID'}`, message: `Node ${at.name} status is now: ${reason.replace('Kubelet', 'Node')}`, lastS: 1400 });
    const workload = c.workload({ kind: 'Deployment', namespace: 'apps', name: app }, { ...days, replicas: 2 });
    const dead = c.addPod({ ...workload, spec: { ...workload.spec, nodes: [at.name] } }, 0);
    dead.status = { phase: 'Failed', reason: 'Evicted', message: `${evicted}Container ${workload.main} was using 812Mi, request is 128Mi, has larger consumption.`, conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: evicted, lastTransitionTime: c.ago(1300) }], startTime: c.ago(9000) };
    workload.pods.push(dead);
    c.event(dead, { reason: 'Evicted', message: String(dead.status['message']), lastS: 1300 });
  };
}

const anomaly = (kind: 'Service' | 'Node', name: string, evidence: string[], window = '15m') => ({ metricAnomalies: [{ kind, name, window, evidence }] });

function nodeAnomaly(evidence: string[]): Recipe {
  return (c, at) => {
    inhabit(c, at.name, 'booking');
    probe(c, anomaly('Node', at.name, evidence));
  };
}

/** Measured at the Service, and at the door of the workload behind it. */
function serviceAnomaly(evidence: string[], log: string[] = []): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...days, service: true, container: { resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '200m', memory: '512Mi' } } } });
    for (const pod of workload.pods) if (log.length > 0) c.log(pod, workload.main, log);
    probe(c, anomaly('Service', at.name, evidence));
  };
}

export const infrastructure: Fault[] = [
  {
    class: 'infrastructure',
    cause: 'kubelet_unavailable',
    sources: [sources.nodes, sources.probesFile],
    variants: [
      ['Node k3s-worker01', 'only the API tells', kubelet('orders', 700)],
      ['Node k3s-worker02', 'the unit failed', kubelet('search', 1500, ['failed', 'exit-code', ['E0602 09:41:11.201993 1 run.go:72] "command failed" err="failed to run Kubelet: running with swap on is not supported, please disable swap or set --fail-swap-on flag to false"']])],
      ['Node k3s-worker03', 'stopped by hand', kubelet('media', 400, ['dead', '', ['kubelet.service: Deactivated successfully.', 'Stopped kubelet.service - kubelet: The Kubernetes Node Agent.']])],
      ['Node k3s-worker04', 'long ago', kubelet('crm', 7200)],
      ['Node k3s-master03', 'a master', kubelet('reports', 1100)],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'containerd_unavailable',
    sources: [sources.nodes, sources.probesFile],
    variants: [
      ['Node k3s-worker01', 'runtime is down', containerd('orders', '[container runtime is down, PLEG is not healthy: pleg was last seen active 5m12.4s ago; threshold is 3m0s]')],
      ['Node k3s-worker02', 'with the unit', containerd('search', 'container runtime is down', true)],
      ['Node k3s-worker03', 'status check fails', containerd('media', `container runtime status check may not have completed yet, ${socket}`)],
      ['Node k3s-worker04', 'pods cannot be made', (c, at) => {
        containerd('crm', '[container runtime is down, PLEG is not healthy: pleg was last seen active 11m2.1s ago; threshold is 3m0s]')(c, at);
        const stuck = c.workload({ kind: 'Job', namespace: 'apps', name: 'import' }, { port: 0, nodes: [at.name], ageS: 1800, podAgeS: 1700 });
        for (const pod of waiting(c, stuck, { reason: 'ContainerCreating' })) c.event(pod, { reason: 'FailedCreatePodSandBox', message: `Failed to create pod sandbox: ${socket}`, count: 40 });
      }],
      ['Node k3s-master01', 'a master', containerd('reports', 'container runtime is down', true)],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'kube_proxy_unavailable',
    sources: [sources.probesFile, 'kubernetes 1.3x cmd/kube-proxy and pkg/proxy: without it the node\'s rules go stale'],
    variants: [
      ['Node k3s-worker01', 'unit and connections', proxy('cart', 'exit-code', ['E0602 09:41:11 server.go:494 "Error running ProxyServer" err="open /var/lib/kube-proxy/config.conf: no such file or directory"'])],
      ['Node k3s-worker02', 'a DaemonSet\'s pod of one node', proxyPod(['E0602 09:41:11.201 1 server.go:556] "Error running ProxyServer" err="iptables is not available on this host"'])],
      ['Node k3s-worker03', 'the unit alone', proxy('payments', '', ['kube-proxy.service: Deactivated successfully.'], false)],
      ['Node k3s-worker04', 'unit and connections', proxy('search', 'signal', ['kube-proxy.service: Main process exited, code=killed, status=9/KILL'])],
      ['Node k3s-master02', 'a master', proxy('assets', 'exit-code', ['E0602 09:41:11 proxier.go:733 "Failed to ensure chain exists" err="error creating chain \\"KUBE-EXTERNAL-SERVICES\\": exit status 4"'])],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'kube_scheduler_unavailable',
    sources: [sources.scheduler, sources.probesFile, 'client-go tools/leaderelection: lease kube-system/kube-scheduler'],
    variants: [
      ['Node k3s-master01', 'pods without condition, an old lease', noScheduler('orders')],
      ['Node k3s-master02', 'with the unit', noScheduler('search', { probed: true })],
      ['Node k3s-master03', 'a Job', noScheduler('import', { kind: 'Job' })],
      ['Node lab-cp1', 'the unit tells', noScheduler('crm', { probed: true })],
      ['Node lab-cp2', 'DaemonSet and StatefulSet pods', noScheduler('agents', { kind: 'DaemonSet' })],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'node_pressure',
    sources: [sources.nodes],
    variants: [
      ['Node k3s-worker01', 'memory', pressed('MemoryPressure', 'orders')],
      ['Node k3s-worker02', 'disk', pressed('DiskPressure', 'search')],
      ['Node k3s-worker03', 'processes', pressed('PIDPressure', 'crawler')],
      ['Node k3s-worker04', 'disk', pressed('DiskPressure', 'media')],
      ['Node k3s-master02', 'memory of a master', pressed('MemoryPressure', 'reports')],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'node_network_delay',
    sources: [sources.probesFile],
    variants: [
      ['Node k3s-worker01', 'round trip', nodeAnomaly(['network latency to k3s-worker01: p99 2 ms -> 214 ms', 'probe_icmp_duration_seconds up 107x'])],
      ['Node k3s-worker02', 'as seen by peers', nodeAnomaly(['round trip time from 6 peers rose from 0.4 ms to 98 ms', 'packet loss 0%'])],
      ['Node k3s-worker03', 'jitter', nodeAnomaly(['network delay 150 ms with jitter 30 ms on eth0'])],
      ['Node k3s-worker04', 'TCP', nodeAnomaly(['tcp smoothed round-trip latency 3 ms -> 305 ms on node interface'])],
      ['Node k3s-master01', 'a master', nodeAnomaly(['etcd peer round trip time p99 12 ms -> 410 ms', 'latency of all traffic to node raised'])],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'node_network_packet_loss',
    sources: [sources.probesFile],
    variants: [
      ['Node k3s-worker01', 'loss', nodeAnomaly(['packet loss to k3s-worker01 0% -> 31%'])],
      ['Node k3s-worker02', 'retransmissions', nodeAnomaly(['node_netstat_Tcp_RetransSegs rate 2/s -> 940/s', 'ICMP probe: 22% packets lost'])],
      ['Node k3s-worker03', 'drops', nodeAnomaly(['node_network_receive_drop_total rate 0 -> 1800/s on eth0', 'packet loss 18%'])],
      ['Node k3s-worker04', 'loss and, from it, delay', nodeAnomaly(['packet loss 40%', 'round trip time p99 1 ms -> 204 ms (retransmission timeout)'])],
      ['Node k3s-master03', 'a master', nodeAnomaly(['lost packets 12% between k3s-master03 and 6 peers'])],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'pod_network_delay',
    sources: [sources.probesFile],
    variants: [
      ['Deployment shop/currency', 'latency of its network', serviceAnomaly(['network latency of pods p99 3 ms -> 480 ms', 'cpu usage unchanged'], ['WARN slow response: 481ms'])],
      ['StatefulSet data/redis-main', 'StatefulSet', serviceAnomaly(['tcp round-trip latency to pod 0.3 ms -> 120 ms'])],
      ['Deployment web/ads', 'delay', serviceAnomaly(['network delay 200 ms on eth0 of pod', 'request duration p95 40 ms -> 460 ms'])],
      ['Deployment auth/tokens', 'all calls', serviceAnomaly(['istio_request_duration p99 22 ms -> 900 ms at the caller, 20 ms at the callee', 'network latency between pods raised'])],
      ['Deployment crm/geocoder', 'connect time', serviceAnomaly(['connect time p99 1 ms -> 310 ms (network latency)', 'error rate 0%'])],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'pod_cpu_overload',
    sources: [sources.probesFile],
    variants: [
      ['Deployment shop/recommendation', 'throttled', serviceAnomaly(['container_cpu_cfs_throttled_periods ratio 0.02 -> 0.96', 'cpu usage 198m of limit 200m'])],
      ['StatefulSet data/timeseries', 'StatefulSet', serviceAnomaly(['CPU usage 12% -> 100% of limit', 'request duration p99 raised 9x'])],
      ['Deployment web/pdf', 'usage', serviceAnomaly(['container_cpu_usage_seconds_total rate 0.05 -> 0.20 (limit 0.20)', 'cpu throttling 88%'])],
      ['Deployment auth/hashing', 'and, from it, latency', serviceAnomaly(['cpu saturation 100% for 14 of 15 minutes', 'latency p99 30 ms -> 2.4 s'])],
      ['DaemonSet edge/inspector', 'DaemonSet', serviceAnomaly(['CPU usage of pods at limit, throttled 91% of periods'])],
    ],
  },
];
