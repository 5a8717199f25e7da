import type { CaseClass, Fault, Recipe } from '../case';
import type { Cluster } from '../cluster/cluster';
import { member, open, portOf, restOfMarket, type Silence } from '../cluster/market';
import { affinityReason, schedulingMessage, taintReason, unboundMessage } from '../cluster/scheduler';
import { configError, crashLoop, killedByProbe, mountError, pullError, refused, setCondition, startError, unready, unschedulable } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** Faults in a shop of fourteen workloads that call each other, on a cluster set up by kubeadm: symptoms outnumber the cause. */
function row(caseClass: CaseClass, cause: string, at: string, what: string, from: string, recipe: Recipe): Fault {
  return { class: caseClass, cause, sources: [from], variants: [[at, `in a market: ${what}`, recipe]] };
}

/** Opens the broken member first, does what is done to it, and then the rest, which suffers. */
function at(name: string, spec: WorkloadSpec, silence: Silence, then: (c: Cluster, workload: ReturnType<typeof open>) => void): Recipe {
  return (c) => {
    then(c, open(c, name, { podAgeS: 2600, ...spec }));
    restOfMarket(c, name, silence);
  };
}

const says = (c: Cluster, workload: ReturnType<typeof open>, log: string[]) => workload.pods.forEach((pod) => c.log(pod, workload.main, log));
const probe = (path: string, port: number) => ({ httpGet: { path, port, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 });
const addresses = (name: string, changed: Record<string, string>) => (member(name).container?.env ?? []).map((one) => (changed[String(one['name'])] === undefined ? one : { ...one, value: changed[String(one['name'])] }));

const admission: Fault[] = [
  row('admission', 'missing_service_account', 'Deployment market/email', 'email', sources.serviceAccount, at('email', { pod: { serviceAccountName: 'mailer', serviceAccount: 'mailer' } }, 'refused', (c, w) => refused(c, w, `pods "${w.controller.metadata.name}-" is forbidden: error looking up service account market/mailer: serviceaccount "mailer" not found`))),
  row('admission', 'namespace_cpu_quota_exceeded', 'ResourceQuota market/compute', 'checkout', sources.quota, at('checkout', {}, 'refused', (c, w) => {
    c.add('v1', 'ResourceQuota', { name: 'compute', namespace: 'market' }, { spec: { hard: { 'requests.cpu': '1400m', pods: '40' } }, status: { hard: { 'requests.cpu': '1400m', pods: '40' }, used: { 'requests.cpu': '1400m', pods: '14' } } });
    refused(c, w, `pods "${w.controller.metadata.name}-4x7bq" is forbidden: exceeded quota: compute, requested: requests.cpu=100m, used: requests.cpu=1400m, limited: requests.cpu=1400m`);
  })),
];

const scheduling: Fault[] = [
  row('scheduling', 'node_selector_mismatch', 'Deployment market/currency', 'currency', sources.scheduler, at('currency', { pod: { nodeSelector: { zone: 'west' } } }, 'refused', (c, w) => unschedulable(c, w, schedulingMessage(c, affinityReason)))),
  row('scheduling', 'memory_capacity_mismatch', 'StatefulSet market/orders-db', 'orders-db', sources.scheduler, at('orders-db', { container: { resources: { requests: { memory: '48Gi' } } } }, 'refused', (c, w) => unschedulable(c, w, schedulingMessage(c, 'Insufficient memory', {}, { never: true })))),
  row('scheduling', 'taint_toleration_mismatch', 'Deployment market/payment', 'payment', sources.scheduler, at('payment', { pod: { nodeSelector: { pci: 'true' } } }, 'refused', (c, w) => {
    const node = c.node('node-2');
    node.spec.taints = [{ key: 'pci', value: 'only', effect: 'NoSchedule' }];
    Object.assign(node.metadata.labels ?? {}, { pci: 'true' });
    unschedulable(c, w, schedulingMessage(c, affinityReason, { [taintReason(c, 'pci', 'only')]: 1 }));
  })),
  row('scheduling', 'pvc_storage_class_mismatch', 'PersistentVolumeClaim market/users-data', 'users-db', sources.pvController, at('users-db', { pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'users-data' } }] } }, 'refused', (c, w) => {
    const claim = c.add('v1', 'PersistentVolumeClaim', { name: 'users-data', namespace: 'market' }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'premium-rwo', resources: { requests: { storage: '20Gi' } } }, status: { phase: 'Pending' } });
    c.event(claim, { reason: 'ProvisioningFailed', message: 'storageclass.storage.k8s.io "premium-rwo" not found', from: 'persistentvolume-controller', count: 90 });
    unschedulable(c, w, unboundMessage(c));
  })),
];

const startup: Fault[] = [
  row('startup', 'missing_config_map', 'Deployment market/catalog', 'catalog', sources.kubeletVolumes, at('catalog', { pod: { volumes: [{ name: 'products', configMap: { name: 'products' } }] } }, 'refused', (c, w) => mountError(c, w, 'MountVolume.SetUp failed for volume "products" : configmap "products" not found'))),
  row('startup', 'missing_secret_key', 'Deployment market/payment', 'payment', sources.kubeletConfig, at('payment', { container: { env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'psp', key: 'live' } } }] } }, 'refused', (c, w) => {
    c.add('v1', 'Secret', { name: 'psp', namespace: 'market' }, { type: 'Opaque', data: { test: '' } });
    configError(c, w, "couldn't find key live in Secret market/psp");
  })),
  row('startup', 'incorrect_image_reference', 'Deployment market/shipping', 'shipping', sources.imagePull, at('shipping', { image: 'ghcr.io/acme-market/shiping:v0.10.2' }, 'refused', (c, w) => pullError(c, w, 'rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/acme-market/shiping:v0.10.2": failed to resolve reference "ghcr.io/acme-market/shiping:v0.10.2": ghcr.io/acme-market/shiping:v0.10.2: not found'))),
  row('startup', 'invalid_command', 'Deployment market/ads', 'ads', sources.runc, at('ads', { container: { command: ['/bin/adservice-run'] } }, 'refused', (c, w) => startError(c, w, 'exec: "/bin/adservice-run": stat /bin/adservice-run: no such file or directory: unknown'))),
  row('startup', 'init_container_failed', 'Deployment market/orders', 'orders', 'golang-migrate errors', at('orders', { pod: { initContainers: [{ name: 'migrate', image: 'docker.io/migrate/migrate:v4.18.3' }] } }, 'refused', (c, w) => crashLoop(c, w, { container: 'migrate', exitCode: 1, log: ['error: Dirty database version 7. Fix and force version.'] }))),
];

const running: Fault[] = [
  row('running', 'oom_killed', 'Deployment market/recommend', 'recommend', sources.memory, at('recommend', { container: { resources: { limits: { memory: '64Mi' } } } }, 'refused', (c, w) => crashLoop(c, w, { exitCode: 137, reason: 'OOMKilled', log: ['INFO loading embeddings'], livedS: 12 }))),
  row('running', 'readiness_probe_incorrect_port', 'Deployment market/cart', 'cart', sources.prober, at('cart', { container: { readinessProbe: probe('/ready', 7070) } }, 'refused', (c, w) => unready(c, w, 'Get "http://POD_IP:7070/ready": dial tcp POD_IP:7070: connect: connection refused', { log: ['INFO connected to cart-redis:6379', 'INFO listening on 8080'] }))),
  row('running', 'liveness_probe_incorrect_port', 'Deployment market/shipping', 'shipping', sources.prober, at('shipping', { container: { livenessProbe: probe('/healthz', 50052) } }, 'refused', (c, w) => killedByProbe(c, w, 'Get "http://POD_IP:50052/healthz": dial tcp POD_IP:50052: connect: connection refused', { log: ['INFO listening on 8080', 'INFO shutting down on SIGTERM'] }))),
  row('running', 'deployment_zero_replicas', 'Deployment market/payment', 'payment', sources.services, (c) => {
    open(c, 'payment', { replicas: 0, pods: 0 });
    restOfMarket(c, 'payment', 'refused');
  }),
  row('running', 'postgres_invalid_credentials', 'Deployment market/orders', 'orders', sources.postgres, at('orders', { container: { env: [{ name: 'ORDERS_DB_ADDR', value: 'orders-db:5432' }, { name: 'DB_USER', value: 'ordering' }, { name: 'DB_PASSWORD', value: 'old' }] } }, 'refused', (c, w) => crashLoop(c, w, { exitCode: 1, log: ['FATAL cannot open database: pq: password authentication failed for user "ordering"'] }))),
  row('running', 'mysql_invalid_port', 'Deployment market/users', 'users', sources.mysql, at('users', { container: { env: [{ name: 'USERS_DB_ADDR', value: 'users-db:3366' }] } }, 'refused', (c, w) => crashLoop(c, w, { exitCode: 1, log: ['FATAL db: dial tcp 10.96.33.12:3366: connect: connection refused'] }))),
  row('running', 'db_connection_exhaustion', 'StatefulSet market/orders-db', 'orders-db', sources.postgres, (c) => {
    const database = open(c, 'orders-db', { container: { args: ['-c', 'max_connections=12'] } });
    says(c, database, ['2026-06-02 09:00:00.181 UTC [1] LOG:  database system is ready to accept connections', '2026-06-02 09:41:11.201 UTC [4120] FATAL:  sorry, too many clients already', '2026-06-02 09:41:14.870 UTC [4131] FATAL:  sorry, too many clients already']);
    crashLoop(c, open(c, 'orders'), { exitCode: 1, log: ['FATAL cannot open database: pq: sorry, too many clients already'] });
    restOfMarket(c, 'orders', 'refused');
  }),
  row('running', 'application_error', 'Deployment market/catalog', 'catalog', 'stack traces of Go', at('catalog', {}, 'refused', (c, w) => crashLoop(c, w, { exitCode: 2, log: ['INFO parsing products.json', 'panic: json: cannot unmarshal string into Go struct field Product.price of type int', '', 'goroutine 1 [running]:', 'main.readCatalog()', '\t/src/server.go:211 +0x4a1'] }))),
];

const routing: Fault[] = [
  row('routing', 'service_selector_mismatch', 'Service market/cart', 'cart', sources.services, at('cart', {}, 'refused', (c) => void Object.assign(c.services.find(({ metadata }) => metadata.name === 'cart')?.spec ?? {}, { selector: { app: 'cartservice' } }))),
  row('routing', 'service_port_mapping_mismatch', 'Service market/catalog', 'catalog', sources.services, at('catalog', {}, 'refused', (c) => void Object.assign(c.services.find(({ metadata }) => metadata.name === 'catalog')?.spec.ports?.[0] ?? {}, { targetPort: 3551 }))),
  row('routing', 'service_protocol_mismatch', 'Service market/currency', 'currency', sources.services, at('currency', {}, 'timeout', (c) => void Object.assign(c.services.find(({ metadata }) => metadata.name === 'currency')?.spec.ports?.[0] ?? {}, { protocol: 'UDP' }))),
  row('routing', 'service_env_var_address_mismatch', 'Deployment market/checkout', 'checkout', sources.resolver, at('checkout', { container: { env: addresses('checkout', { PAYMENT_ADDR: 'payments:8080' }) } }, 'none', (c, w) => says(c, w, ['INFO listening on 8080', 'ERROR payment: rpc error: code = Unavailable desc = name resolver error: produced zero addresses', 'ERROR payment: dial tcp: lookup payments on 10.96.0.10:53: no such host']))),
  row('routing', 'network_policy_blocks', 'NetworkPolicy market/payment-lockdown', 'payment', sources.policy, at('payment', {}, 'timeout', (c) => void c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: 'payment-lockdown', namespace: 'market' }, { spec: { podSelector: { matchLabels: { app: 'payment' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'checkoutservice' } } }] }] } }, 2500))),
  row('routing', 'gateway_misroute', 'Ingress market/entrance', 'frontend', sources.ingress, (c, { name }) => {
    restOfMarket(c, undefined, 'none');
    c.add('networking.k8s.io/v1', 'Ingress', { name, namespace: 'market' }, { spec: { ingressClassName: 'nginx', rules: [{ host: 'market.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'frontend', port: { number: 80 } } } }] } }] } });
  }),
];

/** Nodes and pods, with measurements of the callers beside those of the callee. */
const infrastructure: Fault[] = [
  row('infrastructure', 'pod_cpu_overload', 'Deployment market/catalog', 'its callers are slow because of it', sources.probesFile, at('catalog', { container: { resources: { requests: { cpu: '100m' }, limits: { cpu: '150m' } } } }, 'none', (c) => {
    c.probes = { kind: 'ProbeResults', version: 1, metricAnomalies: [{ kind: 'Service', name: 'frontend', window: '10m', evidence: ['request duration p99 120 ms -> 1900 ms'] }, { kind: 'Service', name: 'catalog', window: '10m', evidence: ['container CPU 149m of limit 150m, throttled 93% of periods'] }] };
  })),
  row('infrastructure', 'pod_network_delay', 'Deployment market/currency', 'its callers are slow because of it', sources.probesFile, at('currency', {}, 'none', (c) => {
    c.probes = { kind: 'ProbeResults', version: 1, metricAnomalies: [{ kind: 'Service', name: 'currency', window: '10m', evidence: ['network latency to pods p99 2 ms -> 350 ms, CPU normal'] }, { kind: 'Service', name: 'checkout', window: '10m', evidence: ['request duration p99 200 ms -> 1300 ms'] }] };
  })),
  row('infrastructure', 'kubelet_unavailable', 'Node node-3', 'single replicas were on it', sources.nodes, (c, { name }) => {
    const node = c.node(name);
    const lost = ['cart', 'email'].map((one) => open(c, one, { nodes: [name] }));
    for (const condition of node.status.conditions) Object.assign(condition, { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastHeartbeatTime: c.ago(260), lastTransitionTime: c.ago(220) });
    node.spec.taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded: c.ago(220) }, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: c.ago(220) }];
    c.staleLease(name, 260);
    for (const pod of lost.flatMap(({ pods }) => pods)) {
      setCondition(pod, 'Ready', 'False', { lastTransitionTime: c.ago(220) });
      c.event(pod, { reason: 'NodeNotReady', message: 'Node is not ready', from: 'node-controller', lastS: 220 });
    }
    restOfMarket(c, 'cart', 'timeout');
  }),
  row('infrastructure', 'kube_proxy_unavailable', 'Node node-1', 'its pods reach nothing', sources.probesFile, (c, { name }) => {
    restOfMarket(c, undefined, 'none');
    const [catalog] = c.services.filter(({ metadata }) => metadata.name === 'catalog');
    const port = portOf('catalog');
    const rows = ['node-1', 'node-2', 'node-3', 'node-4'].map((fromNode) => ({ namespace: 'market', service: 'catalog', port, fromNode, connected: fromNode !== name, address: catalog?.spec.clusterIP, ...(fromNode === name ? { timedOut: true } : {}) }));
    c.probes = { kind: 'ProbeResults', version: 1, connectivity: rows, nodeServices: [{ node: name, service: 'kube-proxy', active: false, sub: 'failed', error: 'exit-code', log: ['kube-proxy: invalid configuration: mode "iptable" is not known'] }, { node: name, service: 'kubelet', active: true, sub: 'running', log: [] }, { node: name, service: 'containerd', active: true, sub: 'running', log: [] }] };
  }),
];

export const marketFaults: Fault[] = [...admission, ...scheduling, ...startup, ...running, ...routing, ...infrastructure];
