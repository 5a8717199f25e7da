import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import { startedEvents } from '../cluster/noise';
import { affinityReason, schedulingMessage, unboundMessage } from '../cluster/scheduler';
import { configError, crashLoop, dropPods, killedByProbe, pullError, refused, setCondition, unready, unschedulable } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** Cases that a list of rules about single events falls for: something else stands out more than the cause. */
const fresh = { ageS: 7200, podAgeS: 2600 };
const days = { ageS: 30 * 86_400, podAgeS: 6 * 86_400 };

function quota(name: string, hard: Record<string, string>, used: Record<string, string>): Recipe {
  return (c, at) => void c.add('v1', 'ResourceQuota', { name, namespace: at.namespace }, { spec: { hard }, status: { hard, used } });
}

/** The pod of one node of a DaemonSet, which the controller pins by the node's name. */
function onePinned(reason: string, resources: Record<string, string>): Recipe {
  return (c, at) => {
    const workload = c.workload(at, { ...fresh, port: 9000, container: { resources: { requests: resources } } });
    const total = c.nodes.length;
    const message = `0/${total} nodes are available: 1 ${reason}, ${total - 1} ${affinityReason}.${c.recent ? ' no new claims to deallocate,' : ''} preemption: 0/${total} nodes are available: 1 No preemption victims found for incoming pod, ${total - 1} Preemption is not helpful for scheduling.`;
    const node = c.nodes[5];
    workload.pods.forEach((pod, index) => Object.assign(pod.spec, { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [c.nodes[index]?.metadata.name] }] }] } } } }));
    c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'heavy' }, { ...days, replicas: 1, nodes: [node?.metadata.name ?? ''], container: { resources: { requests: { cpu: '7500m', memory: '15Gi' } } } });
    unschedulable(c, workload, message, { only: [5] });
  };
}

const dies = (log: string[], spec: WorkloadSpec = {}, exitCode = 1): Recipe => (c, at) => crashLoop(c, c.workload(at, { ...fresh, ...spec }), { exitCode, log });

const admission: Fault[] = [
  {
    class: 'admission',
    cause: 'missing_service_account',
    sources: [sources.statefulSet, sources.serviceAccount],
    variants: [
      ['StatefulSet vault/vault-server', 'the events are past: nothing but the reference is left', (c, at) => {
        const workload = c.workload(at, { ageS: 5 * 86_400, podAgeS: 5 * 86_400, pod: { serviceAccountName: 'vault-server', serviceAccount: 'vault-server' } });
        dropPods(c, workload);
      }],
    ],
  },
  {
    class: 'admission',
    cause: 'namespace_memory_quota_exceeded',
    sources: [sources.quota],
    variants: [
      ['ResourceQuota render/memory', 'beside a full quota that nobody ran into', (c, at) => {
        quota('objects', { pods: '3', services: '1' }, { pods: '1', services: '1' })(c, at);
        quota(at.name, { 'requests.memory': '4Gi', 'limits.memory': '8Gi' }, { 'requests.memory': '3584Mi', 'limits.memory': '7Gi' })(c, at);
        const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'frames' }, { ...fresh, container: { resources: { requests: { cpu: '100m', memory: '1Gi' }, limits: { memory: '2Gi' } } } });
        refused(c, workload, `pods "${workload.controller.metadata.name}-" is forbidden: exceeded quota: ${at.name}, requested: limits.memory=2Gi,requests.memory=1Gi, used: limits.memory=7Gi,requests.memory=3584Mi, limited: limits.memory=8Gi,requests.memory=4Gi`);
      }],
    ],
  },
];

const scheduling: Fault[] = [
  {
    class: 'scheduling',
    cause: 'memory_capacity_mismatch',
    sources: [sources.scheduler, 'kubernetes 1.3x pkg/controller/daemon: pods are pinned by matchFields'],
    variants: [['DaemonSet backup/velero-agent', 'a DaemonSet: the other nodes were never candidates', onePinned('Insufficient memory', { cpu: '50m', memory: '3Gi' })]],
  },
  {
    class: 'scheduling',
    cause: 'cpu_capacity_mismatch',
    sources: [sources.scheduler],
    variants: [['DaemonSet scan/antivirus', 'a DaemonSet: the other nodes were never candidates', onePinned('Insufficient cpu', { cpu: '2', memory: '64Mi' })]],
  },
  {
    class: 'scheduling',
    cause: 'node_selector_mismatch',
    sources: [sources.scheduler, sources.pvController],
    variants: [
      ['StatefulSet wine/cellar-db', 'its claim waits only for it', (c, at) => {
        const claim = c.add('v1', 'PersistentVolumeClaim', { name: 'data', namespace: at.namespace }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', resources: { requests: { storage: '5Gi' } } }, status: { phase: 'Pending' } }, 2600);
        c.event(claim, { type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer to be created before binding', from: 'persistentvolume-controller', count: 100, lastS: 9 });
        const workload = c.workload(at, { ...fresh, port: 5432, pod: { nodeSelector: { cellar: 'north' }, volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } });
        unschedulable(c, workload, schedulingMessage(c, affinityReason));
      }],
      ['Deployment rail/timetable', 'earlier it was something else', (c, at) => {
        const workload = c.workload(at, { ...fresh, pod: { nodeSelector: { region: 'alps' } } });
        unschedulable(c, workload, schedulingMessage(c, affinityReason));
        for (const pod of workload.pods) c.event(pod, { reason: 'FailedScheduling', message: schedulingMessage(c, 'Insufficient cpu'), from: 'default-scheduler', count: 30, lastS: 1900, firstS: 2600 });
      }],
    ],
  },
  {
    class: 'scheduling',
    cause: 'pvc_storage_class_mismatch',
    sources: [sources.pvController, sources.scheduler],
    variants: [
      ['PersistentVolumeClaim zoo/animals', 'the events are past', (c, at) => {
        c.add('v1', 'PersistentVolumeClaim', { name: at.name, namespace: at.namespace }, { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'rook-ceph-block', resources: { requests: { storage: '5Gi' } } }, status: { phase: 'Pending' } });
        const workload = c.workload({ kind: 'StatefulSet', namespace: at.namespace, name: 'keeper' }, { ...days, pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: at.name } }] } });
        unschedulable(c, workload, unboundMessage(c));
        c.events.length = 0;
      }],
    ],
  },
];

const startup: Fault[] = [
  {
    class: 'startup',
    cause: 'missing_config_map',
    sources: [sources.kubeletConfig],
    variants: [
      ['Deployment opera/tickets', 'beside an optional Secret that is missing too', (c, at) => {
        configError(c, c.workload(at, { ...fresh, container: { envFrom: [{ secretRef: { name: 'tickets-extra', optional: true } }, { configMapRef: { name: 'tickets' } }] } }), 'configmap "tickets" not found');
      }],
    ],
  },
  {
    class: 'startup',
    cause: 'missing_secret_binding',
    sources: [sources.kubeletConfig],
    variants: [
      ['StatefulSet guild/guild-db', 'others wait for it in their init containers', (c, at) => {
        configError(c, c.workload(at, { ...fresh, port: 5432, container: { env: [{ name: 'POSTGRES_PASSWORD', valueFrom: { secretKeyRef: { name: 'guild-db', key: 'password' } } }] } }), 'secret "guild-db" not found');
        const waits = c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'guild-web' }, { ...fresh, pod: { initContainers: [{ name: 'wait-for-db', image: 'docker.io/library/busybox:1.37', command: ['sh', '-c', 'until nc -z guild-db 80; do echo waiting for guild-db; sleep 2; done'] }] } });
        for (const pod of waits.pods) {
          pod.status.phase = 'Pending';
          setCondition(pod, 'Initialized', 'False', { reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [wait-for-db]' });
          setCondition(pod, 'Ready', 'False', { reason: 'ContainersNotReady', message: 'containers with unready status: [guild-web]' });
          setCondition(pod, 'ContainersReady', 'False', { reason: 'ContainersNotReady' });
          for (const status of pod.status.initContainerStatuses ?? []) Object.assign(status, { ready: false, started: true, state: { running: { startedAt: c.ago(2500) } } });
          for (const status of pod.status.containerStatuses ?? []) Object.assign(status, { ready: false, started: false, state: { waiting: { reason: 'PodInitializing' } } });
          c.log(pod, 'wait-for-db', ['waiting for guild-db', 'waiting for guild-db', 'waiting for guild-db']);
        }
      }],
    ],
  },
  {
    class: 'startup',
    cause: 'invalid_command',
    sources: [sources.shells],
    variants: [['Deployment print/spooler', 'no right to execute: 126', dies(['/bin/sh: /app/run.sh: Permission denied'], { container: { command: ['/bin/sh', '-c', '/app/run.sh'] } }, 126)]],
  },
  {
    class: 'startup',
    cause: 'incorrect_image_reference',
    sources: [sources.imagePull],
    variants: [
      ['Deployment farm/milker', 'no image of this architecture', (c, at) => pullError(c, c.workload(at, { ...fresh, image: 'registry.example.com/farm/milker:arm' }), 'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/farm/milker:arm": no match for platform in manifest: not found')],
      ['Deployment choir/scores', 'beside a pull secret that is missing and not needed', (c, at) => {
        const workload = c.workload(at, { ...fresh, image: 'docker.io/library/nginx:1.29-alpin', pod: { imagePullSecrets: [{ name: 'mirror' }] } });
        pullError(c, workload, 'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.29-alpin": failed to resolve reference "docker.io/library/nginx:1.29-alpin": docker.io/library/nginx:1.29-alpin: not found');
        for (const pod of workload.pods) c.event(pod, { reason: 'FailedToRetrieveImagePullSecret', message: 'Unable to retrieve some image pull secrets (mirror); attempting to pull the image may not succeed.', count: 30 });
      }],
    ],
  },
];

/** What others wrote, in the log of who reads it: below a warning, in the form of a logger. */
const quoting = (lines: string[]): string[] => lines.flatMap((text, i) => [`2026-06-02T10:0${i}:11Z INFO mail from customer: "${text}"`, JSON.stringify({ level: 'info', msg: 'ticket', text })]);

const running: Fault[] = [
  {
    class: 'running',
    cause: 'application_error',
    sources: ['the runtimes\' stack traces', sources.levels],
    variants: [
      ['Deployment desk/inbox', 'it quoted refused users before it fell', dies([...quoting(["Access denied for user 'shop'@'10.42.1.7' (using password: YES)"]), 'panic: assignment to entry in nil map', 'goroutine 1 [running]:'])],
      ['Deployment desk/parser', 'it quoted missing variables before it fell', dies([...quoting(['environment variable DB_HOST is not set', 'bind: address already in use']), 'Traceback (most recent call last):', '  File "/app/parse.py", line 9, in <module>', "IndexError: list index out of range"])],
      ['StatefulSet desk/archive', 'it quoted a full disk and a read-only one before it fell', dies([...quoting(['mkdir /data/x: permission denied', 'open /data/y: read-only file system']), 'thread \'main\' panicked at src/main.rs:41:10:', 'called `Option::unwrap()` on a `None` value'], {}, 101)],
      ['CronJob desk/digest', 'it quoted a database before it fell', dies(['I0602 10:22:33.444555       1 digest.go:12] message 8: "FATAL: password authentication failed for user \\"app\\""', 'F0602 10:22:34.000001       1 digest.go:31] cannot render digest: template: mail:3: unexpected EOF'], { port: 0 })],
      ['Deployment bakery/oven', 'it got over a read-only disk and fell over something else', dies(['WARN could not write cache: open /var/cache/oven: read-only file system (continuing without)', 'INFO listening on :8080', 'panic: runtime error: slice bounds out of range [:5] with capacity 3', 'goroutine 7 [running]:'], { container: { securityContext: { readOnlyRootFilesystem: true } } }, 2)],
      ['Deployment mine/shaft', 'an old quota refusal is long mended', (c, at) => {
        dies(['Traceback (most recent call last):', '  File "/app/shaft.py", line 7, in <module>', "AttributeError: 'NoneType' object has no attribute 'depth'"])(c, at);
        quota('compute', { 'requests.cpu': '4' }, { 'requests.cpu': '400m' })(c, at);
        const [workload] = c.workloads;
        if (workload) c.event(workload.controller, { reason: 'FailedCreate', from: 'replicaset-controller', message: `Error creating: pods "${workload.controller.metadata.name}-x" is forbidden: exceeded quota: compute, requested: requests.cpu=100m, used: requests.cpu=1, limited: requests.cpu=1`, count: 12, lastS: 2700 });
      }],
    ],
  },
  {
    class: 'running',
    cause: 'liveness_probe_incorrect_path',
    sources: [sources.prober],
    variants: [
      ['Deployment moon/lander', 'killed with 137, as it does not end by itself', (c, at) => killedByProbe(c, c.workload(at, { ...fresh, container: { livenessProbe: { httpGet: { path: '/alive', port: 8080 }, periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 1 } } }), 'HTTP probe failed with statuscode: 404', { exitCode: 137, log: ['{"level":"info","msg":"listening","addr":":8080"}', '{"level":"info","path":"/alive","status":404}'] })],
    ],
  },
  {
    class: 'running',
    cause: 'readiness_probe_incorrect_path',
    sources: [sources.prober],
    variants: [
      ['Deployment desk/tower', 'it quotes what others could not reach', (c, at) => unready(c, c.workload(at, { ...fresh, container: { readinessProbe: { httpGet: { path: '/readyz-old', port: 8080 } } } }), 'HTTP probe failed with statuscode: 404', { log: ['INFO listening on :8080', ...quoting(['dial tcp 10.43.9.9:5432: connect: connection refused', 'lookup cart: no such host'])] })],
      ['Deployment harbour/cranes', 'its log tells of a database that was late once', (c, at) => unready(c, c.workload(at, { ...fresh, container: { readinessProbe: { httpGet: { path: '/readiness', port: 8080 } } } }), 'HTTP probe failed with statuscode: 404', { log: ['WARN db: dial tcp 10.43.9.9:5432: connect: connection refused, retrying', 'INFO db: connected', 'INFO listening on :8080', 'INFO GET /readiness 404'] })],
    ],
  },
  {
    class: 'running',
    cause: 'deployment_zero_replicas',
    sources: [sources.services, sources.prober],
    variants: [
      ['Deployment chess/engine', 'what needs it is killed by its own liveness probe', (c, at) => {
        c.workload(at, { ...days, replicas: 0, pods: 0 });
        const board = c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'board' }, { ...days, container: { env: [{ name: 'ENGINE', value: 'http://engine' }], livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, failureThreshold: 3 } } });
        killedByProbe(c, board, 'HTTP probe failed with statuscode: 503', { log: ['ERROR healthz: engine: dial tcp 10.43.4.4:80: connect: connection refused'] });
      }],
      ['Deployment toll/camera', 'with an autoscaler that rests', (c, at) => {
        c.workload(at, { ...days, replicas: 0, pods: 0 });
        c.add('autoscaling/v2', 'HorizontalPodAutoscaler', { name: at.name, namespace: at.namespace }, { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: at.name }, minReplicas: 2, maxReplicas: 6 }, status: { currentReplicas: 0, desiredReplicas: 0, conditions: [{ type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message: 'scaling is disabled since the replica count of the target is zero' }] } });
        feltBy(() => undefined, 'camera', { name: 'billing', log: [complaints.go] })(c, at);
      }],
    ],
  },
  {
    class: 'running',
    cause: 'postgres_invalid_port',
    sources: [sources.postgres],
    variants: [
      ['Deployment ferry/booking', 'the server refuses somebody else\'s password at the same time', (c, at) => {
        const database = c.workload({ kind: 'StatefulSet', namespace: at.namespace, name: 'ferry-db' }, { ...days, image: 'docker.io/library/postgres:17.5', port: 5432, service: false });
        c.service({ namespace: at.namespace, name: 'ferry-db' }, { app: 'ferry-db' }, [{ name: 'postgres', port: 5432, targetPort: 5432 }]);
        for (const pod of database.pods) c.log(pod, database.main, ['LOG:  database system is ready to accept connections', 'FATAL:  password authentication failed for user "postgres"', 'DETAIL:  Role "postgres" does not exist.']);
        crashLoop(c, c.workload(at, { ...fresh, container: { env: [{ name: 'PGHOST', value: 'ferry-db' }, { name: 'PGPORT', value: '5431' }] } }), { exitCode: 1, log: ['pq: dial tcp 10.43.3.3:5431: connect: connection refused'] });
      }],
    ],
  },
  {
    class: 'running',
    cause: 'oom_killed',
    sources: [sources.memory, sources.pgadmin],
    variants: [
      ['Deployment archive/pgadmin', 'pgAdmin, with its usual warnings', (c, at) => crashLoop(c, c.workload(at, { ...fresh, replicas: 1, port: 80, image: 'docker.io/dpage/pgadmin4:9.4', container: { resources: { limits: { memory: '96Mi' } } } }), { exitCode: 137, reason: 'OOMKilled', livedS: 20, log: ["WARNING: Failed to set ACL on the directory containing the configuration database:", "           [Errno 1] Operation not permitted: '/var/lib/pgadmin'", '[2026-06-02 09:41:09 +0000] [1] [INFO] Starting gunicorn 23.0.0'] })],
    ],
  },
];

const elsewhere: Fault[] = [
  {
    class: 'routing',
    cause: 'network_policy_blocks',
    sources: [sources.policy, sources.resolver],
    variants: [
      ['NetworkPolicy circus/egress-only-https', 'it looks like a failure of DNS', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'tickets' }, days);
        c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: at.name, namespace: at.namespace }, { spec: { podSelector: { matchLabels: { app: 'ringmaster' } }, policyTypes: ['Egress'], egress: [{ ports: [{ port: 443, protocol: 'TCP' }] }] } }, 2600);
        crashLoop(c, c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'ringmaster' }, { ...days, container: { env: [{ name: 'TICKETS', value: 'http://tickets' }] } }), { exitCode: 1, log: ['ERROR tickets: dial tcp: lookup tickets on 10.43.0.10:53: read udp 10.42.4.18:41200->10.43.0.10:53: i/o timeout'] });
      }],
    ],
  },
  {
    class: 'routing',
    cause: 'service_port_mapping_mismatch',
    sources: [sources.services],
    variants: [
      ['Service abbey/brewery', 'beside a policy that lets its callers in', (c, at) => {
        const workload = c.workload({ kind: 'Deployment', namespace: at.namespace, name: at.name }, days);
        Object.assign(c.serviceOf(workload).spec.ports?.[0] ?? {}, { targetPort: 8008 });
        c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: 'default-deny', namespace: at.namespace }, { spec: { podSelector: {}, policyTypes: ['Ingress'] } });
        c.add('networking.k8s.io/v1', 'NetworkPolicy', { name: 'brewery', namespace: at.namespace }, { spec: { podSelector: { matchLabels: { app: 'brewery' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] } });
        feltBy(() => undefined, at.name, { name: 'shop', log: [complaints.node] })(c, at);
      }],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'kubelet_unavailable',
    sources: [sources.nodes],
    variants: [
      ['Node lab-node2', 'what called its pods ends on other nodes', (c, at) => {
        const node = c.node(at.name);
        const database = c.workload({ kind: 'StatefulSet', namespace: 'lab', name: 'samples-db' }, { ...days, port: 5432, nodes: [at.name] });
        for (const condition of node.status.conditions) Object.assign(condition, { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastHeartbeatTime: c.ago(900), lastTransitionTime: c.ago(860) });
        node.spec.taints = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded: c.ago(860) }, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: c.ago(860) }];
        c.staleLease(at.name, 900);
        for (const pod of database.pods) {
          setCondition(pod, 'Ready', 'False', { lastTransitionTime: c.ago(860) });
          pod.metadata.deletionTimestamp = c.ago(540);
          pod.metadata['deletionGracePeriodSeconds'] = 30;
        }
        feltBy(() => undefined, 'samples-db', { name: 'analyser', log: [complaints.postgres] })(c, { ...at, namespace: 'lab' });
      }],
    ],
  },
  {
    class: 'pgadmin',
    cause: 'pgadmin_invalid_email',
    sources: [sources.pgadmin],
    variants: [
      ['Deployment museum/pgadmin', 'after an update: the new ReplicaSet fails, the old one serves', (c, at) => {
        const workload = c.workload(at, { ...days, replicas: 1, port: 80, image: 'docker.io/dpage/pgadmin4:9.4', container: { env: [{ name: 'PGADMIN_DEFAULT_EMAIL', value: 'curator@museum' }, { name: 'PGADMIN_DEFAULT_PASSWORD', value: 'x' }] } });
        const old = c.replicaSet(workload, 1, { ageS: 20 * 86_400, revision: 3 });
        old['status'] = { replicas: 1, readyReplicas: 1, availableReplicas: 1 };
        c.keep(old);
        const serving = c.addPod(workload, 7, old);
        crashLoop(c, workload, { exitCode: 1, log: ["'curator@museum' does not appear to be a valid email address. Please reset the PGADMIN_DEFAULT_EMAIL environment variable and try again."] });
        workload.pods.push(serving);
        startedEvents(c, workload);
        workload.stuck = true;
      }],
    ],
  },
];

export const traps: Fault[] = [...admission, ...scheduling, ...startup, ...running, ...elsewhere];
