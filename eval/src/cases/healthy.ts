import type { Recipe } from '../case';
import type { Cluster } from '../cluster/cluster';
import { restOfMarket } from '../cluster/market';
import { complete, gone, startedEvents } from '../cluster/noise';
import { target } from '../cluster/objects';
import { affinityReason, schedulingMessage } from '../cluster/scheduler';
import { restarted, setCondition } from '../cluster/trouble';
import type { Workload, WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';
import { harmless, pgadmin, serving } from './pgadmin';

/** A cluster with nothing wrong, and what looks as if. */
export interface LookAlike {
  id: string;
  what: string;
  sources: readonly string[];
  recipe: Recipe;
}

const day = 86_400;
const at = (text: string) => target(text);
export const young = (name: string, spec: WorkloadSpec = {}) => (c: Cluster): Workload => {
  const workload = c.workload(at(name), { ageS: 30 * day, podAgeS: 1500, ...spec });
  startedEvents(c, workload);
  return workload;
};

export function calm(id: string, what: string, from: readonly string[], recipe: (c: Cluster) => void): LookAlike {
  return { id: `healthy/${id}`, what, sources: from, recipe };
}

function failedPods(c: Cluster, workload: Workload, count: number, exitCode: number): void {
  for (const pod of workload.pods.slice(0, count)) {
    pod.status.phase = 'Failed';
    setCondition(pod, 'Ready', 'False', { reason: 'PodFailed' });
    for (const status of pod.status.containerStatuses ?? []) Object.assign(status, { ready: false, started: false, state: { terminated: { exitCode, reason: 'Error', startedAt: c.ago(1400), finishedAt: c.ago(1390) } } });
  }
}

export const lookAlikes: LookAlike[] = [
  calm('plain', 'nothing at all', [], () => undefined),
  calm('completed-jobs', 'Jobs that are done', [sources.jobs], (c) => ['Job batch/migrate', 'Job batch/seed', 'Job shop/reindex'].forEach((name) => complete(c, c.workload(at(name), { port: 0 })))),
  calm('job-second-try', 'a Job whose first pod failed and whose second did the work', [sources.jobs], (c) => {
    const job = c.workload(at('Job batch/import'), { port: 0, pods: 2 });
    complete(c, job);
    failedPods(c, job, 1, 1);
    c.log(job.pods[0] as never, job.main, ['Traceback (most recent call last):', 'ConnectionResetError: [Errno 104] Connection reset by peer']);
  }),
  calm('cronjob-recovered', 'a CronJob whose run before last failed', [sources.jobs], (c) => {
    const cron = c.workload(at('CronJob ops/certificates'), { port: 0, podAgeS: 900 });
    complete(c, cron);
    const failed = { ...cron.controller, metadata: { ...cron.controller.metadata, name: 'certificates-28999930', uid: c.chance.uid(), creationTimestamp: c.ago(2700) }, status: { failed: 5, conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit', lastTransitionTime: c.ago(2400) }] } };
    c.keep(failed);
    c.event(failed, { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit', from: 'job-controller', lastS: 2400 });
    const pod = c.addPod({ ...cron, controller: failed }, 0, failed);
    failedPods(c, { ...cron, pods: [pod] }, 1, 1);
    c.keep(pod);
    c.log(pod, cron.main, ['acme: error: 503 :: service busy']);
  }),
  calm('cronjob-suspended', 'a CronJob that is suspended', [sources.jobs], (c) => {
    const cron = c.workload(at('CronJob ops/old-report'), { port: 0, spec: { suspend: true } });
    complete(c, cron);
  }),
  calm('zero-by-autoscaler', 'scaled to zero by KEDA', ['KEDA ScaledObject minReplicaCount 0'], (c) => {
    const workload = c.workload(at('Deployment batch/consumer'), { replicas: 0, pods: 0, ageS: 20 * day, service: false });
    c.add('keda.sh/v1alpha1', 'ScaledObject', { name: 'consumer', namespace: 'batch' }, { spec: { scaleTargetRef: { name: 'consumer' }, minReplicaCount: 0, maxReplicaCount: 10, triggers: [{ type: 'rabbitmq', metadata: { queueName: 'jobs' } }] }, status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Active', status: 'False', reason: 'ScalerNotActive' }] } });
    c.event(workload.root, { type: 'Normal', reason: 'KEDAScaleTargetDeactivated', message: 'Deactivated apps/v1.Deployment batch/consumer from 1 to 0', from: 'keda-operator', lastS: 900 });
  }),
  calm('zero-long-ago', 'scaled to zero months ago, with nobody to call it', [], (c) => {
    c.workload(at('Deployment lab/experiment'), { replicas: 0, pods: 0, ageS: 200 * day, service: false, annotations: { 'example.com/why': 'paused until the next workshop' } });
  }),
  calm('old-restarts', 'restarts of weeks ago', [], (c) => {
    restarted(c, c.workload(at('Deployment shop/cart'), { ageS: 60 * day }), { exitCode: 1, log: ['panic: runtime error: index out of range [3] with length 3'], restarts: 9, endedS: 21 * day, ready: true });
    restarted(c, c.workload(at('StatefulSet data/kafka'), { ageS: 60 * day, port: 9092 }), { exitCode: 137, reason: 'OOMKilled', log: ['INFO [KafkaServer id=0] started'], restarts: 2, endedS: 34 * day, ready: true });
  }),
  calm('node-reboot', 'every pod of a node restarted at its reboot yesterday', [sources.nodes], (c) => {
    for (const name of ['Deployment shop/orders', 'Deployment shop/search', 'Deployment crm/api']) restarted(c, c.workload(at(name), { ageS: 30 * day, replicas: 1, nodes: ['k3s-worker02'] }), { exitCode: 255, reason: 'Unknown', log: [], restarts: 1, endedS: day, ready: true });
    c.event(c.node('k3s-worker02'), { type: 'Warning', reason: 'Rebooted', message: 'Node k3s-worker02 has been rebooted, boot id: 4d1c6c0e-63ac-4f1c-8a5d-5e2b4bb0cf2a', lastS: 3000 });
  }),
  calm('slow-start', 'readiness failed in the first seconds', [sources.prober], (c) => {
    young('Deployment web/portal', { replicas: 3, container: { readinessProbe: { httpGet: { path: '/ready', port: 8080 } } } })(c);
    const spring = young('Deployment erp/ledger')(c);
    for (const pod of spring.pods) c.event(pod, { reason: 'Unhealthy', message: `Startup probe failed: Get "http://${pod.status.podIP}:8080/actuator/health": dial tcp ${pod.status.podIP}:8080: connect: connection refused`, count: 6, lastS: 1470 });
  }),
  calm('scheduled-late', 'not schedulable at first, then placed', [sources.scheduler], (c) => {
    const workload = young('Deployment ml/inference')(c);
    for (const pod of workload.pods) c.event(pod, { reason: 'FailedScheduling', message: schedulingMessage(c, 'Insufficient cpu'), from: 'default-scheduler', count: 4, lastS: 1510 });
  }),
  calm('preempted', 'pods that made room for others and are gone', [sources.preemption], (c) => {
    const workload = young('Deployment batch/low-priority')(c);
    for (let i = 0; i < 3; i += 1) {
      const ghost = gone(c, workload, `${workload.controller.metadata.name}-${c.chance.name(5)}`);
      c.event(ghost, { type: 'Normal', reason: 'Preempted', message: `Preempted by pod ${c.chance.uid()} on node k3s-worker02`, from: 'default-scheduler', lastS: 1600 });
      c.event(ghost, { reason: 'FailedScheduling', message: schedulingMessage(c, 'Insufficient memory'), from: 'default-scheduler', lastS: 1590 });
    }
  }),
  calm('rolled-back', 'a broken rollout that was rolled back', [sources.imagePull], (c) => {
    const workload = c.workload(at('Deployment web/search'), { ageS: 30 * day, podAgeS: 6 * day, replicas: 3 });
    const bad = c.replicaSet(workload, 0, { ageS: 2400, revision: 3 });
    bad['status'] = { replicas: 0, observedGeneration: 3 };
    c.keep(bad);
    const ghost = gone(c, workload, `${bad.metadata.name}-${c.chance.name(5)}`);
    c.event(ghost, { reason: 'Failed', message: 'Failed to pull image "registry.example.com/web/search:4": rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/web/search:4": failed to resolve reference "registry.example.com/web/search:4": registry.example.com/web/search:4: not found', count: 5, lastS: 2000 });
    c.event(ghost, { reason: 'Failed', message: 'Error: ImagePullBackOff', count: 20, lastS: 1900 });
    c.event(workload.root, { type: 'Normal', reason: 'ScalingReplicaSet', message: `Scaled down replica set ${bad.metadata.name} from 1 to 0`, from: 'deployment-controller', lastS: 1890 });
  }),
  calm('mount-resolved', 'a config map that came two minutes after its pods', [sources.kubeletVolumes], (c) => {
    c.add('v1', 'ConfigMap', { name: 'settings', namespace: 'crm' }, { data: { a: '1' } }, 1400);
    const workload = young('Deployment crm/api', { pod: { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] } })(c);
    for (const pod of workload.pods) c.event(pod, { reason: 'FailedMount', message: 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found', count: 7, lastS: 1420 });
  }),
  calm('optional-references', 'optional Secrets and config maps that do not exist', [sources.kubeletConfig], (c) => {
    c.workload(at('Deployment web/api'), { pod: { volumes: [{ name: 'extra', secret: { secretName: 'extra-certificates', optional: true } }] }, container: { envFrom: [{ configMapRef: { name: 'overrides', optional: true } }], env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'api', key: 'token', optional: true } } }] } });
  }),
  calm('pgadmin-warnings', 'pgAdmin with its harmless warnings', [sources.pgadmin], (c) => {
    const workload = pgadmin(c, at('Deployment database/pgadmin'));
    for (const pod of workload.pods) c.log(pod, workload.main, [...harmless, ...serving]);
  }),
  calm('pgadmin-restarted', 'pgAdmin that waited for its database once', [sources.pgadmin], (c) => {
    const workload = pgadmin(c, at('Deployment database/pgadmin'));
    restarted(c, workload, { exitCode: 1, log: ['(psycopg.OperationalError) connection failed: Connection refused'], restarts: 1, endedS: 7000, ready: true });
    for (const pod of workload.pods) c.log(pod, workload.main, [...harmless, ...serving]);
  }),
  calm('quota-nearly-full', 'a quota that is used up but refuses nobody', [sources.quota], (c) => {
    c.workload(at('Deployment shop/cart'), { replicas: 2 });
    c.add('v1', 'ResourceQuota', { name: 'pods', namespace: 'shop' }, { spec: { hard: { pods: '2', 'requests.cpu': '200m' } }, status: { hard: { pods: '2', 'requests.cpu': '200m' }, used: { pods: '2', 'requests.cpu': '200m' } } });
  }),
  calm('cordoned-for-work', 'a cordoned node that nobody misses', [], (c) => {
    const node = c.node('k3s-worker04');
    node.spec.unschedulable = true;
    node.spec.taints = [...(node.spec.taints ?? []), { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: c.ago(900) }];
    c.workload(at('Deployment shop/cart'), { replicas: 3 });
  }),
  calm('claim-waits', 'a claim that waits for its first consumer', [sources.pvController], (c) => {
    const claim = c.add('v1', 'PersistentVolumeClaim', { name: 'scratch', namespace: 'lab' }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', resources: { requests: { storage: '5Gi' } } }, status: { phase: 'Pending' } }, 3000);
    c.event(claim, { type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer to be created before binding', from: 'persistentvolume-controller', count: 120, lastS: 9 });
  }),
  calm('headless-without-selector', 'Services that are meant to have no selector', [sources.services], (c) => {
    c.service({ namespace: 'data', name: 'external-postgres' }, undefined, [{ port: 5432 }]);
    c.add('discovery.k8s.io/v1', 'EndpointSlice', { name: 'external-postgres-1', namespace: 'data' }, { metadataLabels: { 'kubernetes.io/service-name': 'external-postgres' }, addressType: 'IPv4', ports: [{ port: 5432, protocol: 'TCP' }], endpoints: [{ addresses: ['198.51.100.12'], conditions: { ready: true } }] });
    c.service({ namespace: 'crm', name: 'mail' }, undefined, [{ port: 587 }], { type: 'ExternalName', externalName: 'smtp.example.com', clusterIP: undefined, clusterIPs: undefined });
  }),
  calm('policies-that-fit', 'a default-deny with the exceptions it needs', [sources.policy], (c) => {
    c.workload(at('Deployment shop/inventory'));
    c.workload(at('Deployment shop/checkout'), { container: { env: [{ name: 'INVENTORY', value: 'http://inventory' }] } });
    c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: 'default-deny', namespace: 'shop' }, { spec: { podSelector: {}, policyTypes: ['Ingress'] } });
    c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: 'inventory', namespace: 'shop' }, { spec: { podSelector: { matchLabels: { app: 'inventory' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'checkout' } } }], ports: [{ port: 8080, protocol: 'TCP' }] }] } });
  }),
  calm('noisy-logs', 'errors in logs that are everyday business', [], (c) => {
    const workload = c.workload(at('Deployment web/api'));
    for (const pod of workload.pods) c.log(pod, workload.main, ['INFO listening on :8080', 'WARN 404 GET /wp-login.php', 'ERROR user 4411: invalid password', 'WARN retrying upstream (attempt 1 of 3): context deadline exceeded', 'INFO upstream ok after retry', 'ERROR rejected payload: unexpected end of JSON input']);
    const database = c.workload(at('StatefulSet data/postgres'), { image: 'docker.io/library/postgres:17.5', port: 5432 });
    for (const pod of database.pods) c.log(pod, database.main, ['2026-06-02 09:00:00.181 UTC [1] LOG:  database system is ready to accept connections', '2026-06-02 09:41:11.201 UTC [4120] ERROR:  duplicate key value violates unique constraint "users_pkey"', '2026-06-02 10:41:11.201 UTC [4199] FATAL:  password authentication failed for user "scanner"']);
  }),
  calm('quoted-errors', 'pods that log, below a warning, what others wrote to them', [sources.levels], (c) => {
    const quotes: Record<string, string[]> = {
      helpdesk: ['password authentication failed for user "app"', 'dial tcp: lookup ledger on 10.43.0.10:53: no such host'].map((text, i) => `2026-06-02T10:0${i}:11.000Z\tINFO\ttickets/store.go:88\tticket opened\t{"title": ${JSON.stringify(text)}}`),
      webhooks: ["Access denied for user 'shop'@'10.42.1.7' (using password: YES)", 'sorry, too many clients already'].map((body) => JSON.stringify({ level: 30, time: 1_780_000_000_000, pid: 1, msg: 'delivered', body })),
      shipper: ['connect to ledger:8080: connection refused', 'java.lang.OutOfMemoryError: Java heap space'].map((text, i) => `I0602 10:0${i}:33.444555       1 tail.go:61] shipped line "${text}"`),
      search: ['ledger:8080: connection refused', 'cannot execute INSERT in a read-only transaction'].map((text) => `time="2026-06-02T10:00:00Z" level=debug msg="indexed document" text="${text}"`),
      board: ['Connection refused: ledger:8080', 'FATAL: role "board" does not exist'].map((text) => `2026-06-02 10:00:00.123  INFO 1 --- [nio-8080-exec-3] c.e.board.Posts : comment: ${text}`),
    };
    c.workload(at('Deployment desk/ledger'));
    for (const [name, lines] of Object.entries(quotes)) {
      const workload = c.workload(at(`Deployment desk/${name}`), { container: { env: [{ name: 'LEDGER_URL', value: 'http://ledger:8080' }] } });
      for (const pod of workload.pods) c.log(pod, workload.main, [...lines, ...lines, ...lines]);
    }
  }),
  calm('connections-measured', 'measurements that find everything well', [sources.probesFile], (c) => {
    const workload = c.workload(at('Deployment shop/cart'));
    c.probes = { kind: 'ProbeResults', version: 1, connectivity: [{ namespace: 'shop', service: 'cart', port: 80, connected: true, address: c.serviceOf(workload).spec.clusterIP }], nodeServices: c.nodes.map(({ metadata }) => ({ node: metadata.name, service: 'k3s', active: true, sub: 'running', log: [] })), metricAnomalies: [] };
  }),
  calm('just-created', 'pods of twenty seconds that are still starting', [], (c) => {
    const workload = c.workload(at('Deployment web/new'), { ageS: 20, podAgeS: 18 });
    for (const pod of workload.pods) {
      pod.status.phase = 'Pending';
      setCondition(pod, 'Ready', 'False', { reason: 'ContainersNotReady', message: 'containers with unready status: [new]' });
      setCondition(pod, 'ContainersReady', 'False', { reason: 'ContainersNotReady' });
      for (const status of pod.status.containerStatuses ?? []) Object.assign(status, { ready: false, started: false, state: { waiting: { reason: 'ContainerCreating' } } });
      c.event(pod, { type: 'Normal', reason: 'Pulling', message: 'Pulling image "registry.example.com/apps/new:1.3.0"', lastS: 15 });
    }
  }),
  calm('affinity-preferred', 'preferences that cannot be met', [sources.scheduler], (c) => {
    c.workload(at('Deployment shop/cart'), { pod: { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['nvme'] }] } }] } } } });
    const ghost = gone(c, c.workload(at('Deployment shop/search')), `search-${c.chance.name(10)}-${c.chance.name(5)}`);
    c.event(ghost, { reason: 'FailedScheduling', message: schedulingMessage(c, affinityReason), from: 'default-scheduler', lastS: 2900 });
  }),
  calm('evicted-remains', 'evicted pods that nobody cleared away; the node is well again', [sources.nodes], (c) => {
    const workload = young('Deployment shop/orders')(c);
    for (let i = 0; i < 3; i += 1) {
      const pod = c.addPod(workload, i);
      pod.metadata.creationTimestamp = c.ago(3 * day);
      pod.status = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 38412Ki. ', conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', lastTransitionTime: c.ago(2 * day) }], startTime: c.ago(3 * day) };
      c.keep(pod);
    }
  }),
  calm('node-came-back', 'a node that was away for two minutes half an hour ago', [sources.nodes], (c) => {
    const node = c.node('k3s-worker01');
    for (const condition of node.status.conditions) condition.lastTransitionTime = c.ago(1700);
    c.event(node, { type: 'Normal', reason: 'NodeNotReady', message: 'Node k3s-worker01 status is now: NodeNotReady', from: 'node-controller', lastS: 1850 });
    c.event(node, { type: 'Normal', reason: 'NodeReady', message: 'Node k3s-worker01 status is now: NodeReady', lastS: 1700 });
    const workload = c.workload(at('Deployment shop/orders'), { nodes: ['k3s-worker01', 'k3s-worker02'] });
    for (const pod of workload.pods) c.event(pod, { reason: 'NodeNotReady', message: 'Node is not ready', from: 'node-controller', lastS: 1850 });
  }),
  calm('pull-secret-not-needed', 'a pull secret that is missing, for an image that is public', [sources.imagePull], (c) => {
    const workload = young('Deployment web/nginx', { image: 'docker.io/library/nginx:1.29', pod: { imagePullSecrets: [{ name: 'old-registry' }] } })(c);
    for (const pod of workload.pods) c.event(pod, { reason: 'FailedToRetrieveImagePullSecret', message: 'Unable to retrieve some image pull secrets (old-registry); attempting to pull the image may not succeed.', count: 41, lastS: 60 });
  }),
  calm('warnings-of-kubelet', 'warnings that are about nothing', ['kubernetes 1.3x pkg/kubelet/network/dns DNSConfigForming; HPA FailedGetResourceMetric at start'], (c) => {
    const workload = c.workload(at('Deployment crm/web'));
    for (const pod of workload.pods) {
      c.event(pod, { reason: 'DNSConfigForming', message: 'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 10.43.0.10 192.168.50.1 8.8.8.8', count: 300, lastS: 30 });
    }
    const scaler = c.add('autoscaling/v2', 'HorizontalPodAutoscaler', { name: 'web', namespace: 'crm' }, { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 2, maxReplicas: 5 }, status: { currentReplicas: 2, desiredReplicas: 2, conditions: [{ type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound' }] } });
    c.event(scaler, { reason: 'FailedGetResourceMetric', message: 'failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)', from: 'horizontal-pod-autoscaler', count: 3, lastS: 2900 });
  }),
  calm('rolling', 'a rolling update under way: one pod ends, one of ten seconds begins', [], (c) => {
    const workload = c.workload(at('Deployment shop/cart'), { replicas: 3 });
    const [leaving] = workload.pods;
    if (leaving) {
      leaving.metadata.deletionTimestamp = c.ago(8);
      setCondition(leaving, 'Ready', 'False', { reason: 'ContainersNotReady', lastTransitionTime: c.ago(6) });
      c.event(leaving, { type: 'Normal', reason: 'Killing', message: `Stopping container ${workload.main}`, lastS: 8 });
      c.event(leaving, { reason: 'Unhealthy', message: `Readiness probe failed: Get "http://${leaving.status.podIP}:8080/ready": dial tcp ${leaving.status.podIP}:8080: connect: connection refused`, lastS: 5 });
    }
    const coming = c.addPod(workload, 3);
    coming.metadata.creationTimestamp = c.ago(10);
    setCondition(coming, 'Ready', 'False', { reason: 'ContainersNotReady', message: `containers with unready status: [${workload.main}]`, lastTransitionTime: c.ago(10) });
    setCondition(coming, 'ContainersReady', 'False', { reason: 'ContainersNotReady', lastTransitionTime: c.ago(10) });
    for (const status of coming.status.containerStatuses ?? []) Object.assign(status, { ready: false, state: { running: { startedAt: c.ago(7) } } });
    workload.pods.push(coming);
  }),
  calm('market', 'fourteen workloads that call each other, with an error in a log now and then', [sources.services], (c) => {
    restOfMarket(c, undefined, 'none');
    for (const { target: { name }, pods, main } of c.workloads.filter(({ target: { namespace } }) => namespace === 'market')) {
      for (const pod of pods) c.log(pod, main, [`INFO ${name} listening`, 'WARN payment: rpc error: code = DeadlineExceeded desc = context deadline exceeded, retrying', 'INFO payment: ok (attempt 2)', 'INFO 200 GET /']);
    }
  }),
];
