import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import { affinityReason, antiAffinityReason, schedulingMessage, taintReason, unschedulableReason } from '../cluster/scheduler';
import type { Container, PodSpec } from '../cluster/objects';
import { unschedulable } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

const fresh = { ageS: 2800, podAgeS: 2700 };

function requests(resources: Container['resources'], spec: WorkloadSpec = {}): WorkloadSpec {
  return { ...fresh, ...spec, container: { resources } };
}

/** Asks for more than any node has, or than is free anywhere. */
function tooLarge(resource: 'cpu' | 'memory', asked: string, spec: WorkloadSpec = {}, full = false): Recipe {
  return (c, at) => {
    const other: Record<string, string> = resource === 'cpu' ? { memory: '256Mi' } : { cpu: '200m' };
    const workload = c.workload(at, requests({ requests: { [resource]: asked, ...other }, limits: { memory: resource === 'memory' ? asked : '512Mi' } }, spec));
    if (full) fill(c, resource);
    unschedulable(c, workload, schedulingMessage(c, `Insufficient ${resource}`, {}, { never: !full }));
    workload.stuck = true;
  };
}

/** A neighbour that has taken the workers. */
function fill(c: Cluster, resource: 'cpu' | 'memory'): void {
  const taken = resource === 'cpu' ? { cpu: '7200m', memory: '1Gi' } : { cpu: '500m', memory: '14Gi' };
  c.workload({ kind: 'DaemonSet', namespace: 'batch', name: 'number-cruncher' }, { container: { resources: { requests: taken } }, replicas: 4, pods: 4, nodes: ['k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'], pod: { nodeSelector: { pool: 'batch' } } });
  for (const n of [1, 2, 3, 4]) Object.assign(c.node(`k3s-worker0${n}`).metadata.labels ?? {}, { pool: 'batch' });
}

/** Something that no node offers, or not enough of it. */
function offered(resource: string, asked: string, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const workload = c.workload(at, requests({ requests: { cpu: '100m', [resource]: asked }, limits: { [resource]: asked } }, spec));
    unschedulable(c, workload, schedulingMessage(c, `Insufficient ${resource}`));
    workload.stuck = true;
  };
}

function placedBy(pod: Partial<PodSpec>, spec: WorkloadSpec = {}, label?: (c: Cluster) => void): Recipe {
  return (c, at) => {
    label?.(c);
    const workload = c.workload(at, { ...fresh, ...spec, pod });
    unschedulable(c, workload, schedulingMessage(c, affinityReason));
    workload.stuck = true;
  };
}

const required = (...matchExpressions: Record<string, unknown>[]) => ({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } } });

function label(...pairs: [node: string, key: string, value: string][]): (c: Cluster) => void {
  return (c) => pairs.forEach(([node, key, value]) => Object.assign(c.node(node).metadata.labels ?? {}, { [key]: value }));
}

/** The only node that would do is cordoned. */
function cordoned(what: { kind: string; namespace: string; name: string }, selector: Record<string, string>, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const node = c.node(at.name);
    node.spec.unschedulable = true;
    node.spec.taints = [...(node.spec.taints ?? []), { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: c.ago(5000) }];
    Object.assign(node.metadata.labels ?? {}, selector);
    c.event(node, { type: 'Normal', reason: 'NodeNotSchedulable', message: `Node ${at.name} status is now: NodeNotSchedulable`, lastS: 3000 });
    const workload = c.workload(what, { ...fresh, ...spec, pod: { ...spec.pod, nodeSelector: selector } });
    unschedulable(c, workload, schedulingMessage(c, affinityReason, { [unschedulableReason]: 1 }, { toMasters: at.name.includes('master') }));
  };
}

function apart(spec: WorkloadSpec, topologyKey: string, running: number): Recipe {
  return (c, at) => {
    const term = { labelSelector: { matchLabels: { app: at.name } }, topologyKey };
    const workload = c.workload(at, { ageS: 86_400, podAgeS: 2600, ...spec, pod: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } } });
    const late = workload.pods.map((_, index) => index).slice(running);
    unschedulable(c, workload, schedulingMessage(c, antiAffinityReason), { only: late });
  };
}

function tainted(nodes: string[], taint: { key: string; value?: string; effect: string }, spec: WorkloadSpec, tolerations: Record<string, unknown>[] = []): Recipe {
  return (c, at) => {
    for (const name of nodes) {
      const node = c.node(name);
      node.spec.taints = [...(node.spec.taints ?? []), taint];
      Object.assign(node.metadata.labels ?? {}, { pool: 'special' });
    }
    const workload = c.workload(at, { ...fresh, ...spec, pod: { ...spec.pod, ...(tolerations.length > 0 ? { tolerations } : {}) } });
    unschedulable(c, workload, schedulingMessage(c, affinityReason, { [taintReason(c, taint.key, taint.value)]: nodes.length }));
    workload.stuck = true;
  };
}

const special = { pod: { nodeSelector: { pool: 'special' } } };

export const scheduling: Fault[] = [
  {
    class: 'scheduling',
    cause: 'cpu_capacity_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Deployment ml/trainer', 'more cores than any node', tooLarge('cpu', '32', { replicas: 1 })],
      ['StatefulSet data/spark-master', 'StatefulSet', tooLarge('cpu', '12', { port: 7077 })],
      ['Job batch/encode-library', 'Job', tooLarge('cpu', '24', { port: 0 })],
      ['Deployment video/transcoder', '`64` instead of `64m`', tooLarge('cpu', '64', { replicas: 2 })],
      ['CronJob analytics/weekly-rollup', 'CronJob', tooLarge('cpu', '9500m', { port: 0 })],
      ['Deployment games/simulation', 'fits a node, but none has that much free', tooLarge('cpu', '3900m', { replicas: 1 }, true)],
    ],
  },
  {
    class: 'scheduling',
    cause: 'memory_capacity_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Deployment search/indexer', 'more than any node', tooLarge('memory', '64Gi', { replicas: 1 })],
      ['StatefulSet cache/memcached', 'StatefulSet of two', tooLarge('memory', '20Gi', { replicas: 2, port: 11211 })],
      ['Job ml/embed-corpus', 'Job', tooLarge('memory', '40Gi', { port: 0 })],
      ['Deployment bi/metabase', '`512Gi` instead of `512Mi`', tooLarge('memory', '512Gi')],
      ['Deployment geo/tileserver', 'fits a node, but none has that much free', tooLarge('memory', '7Gi', { replicas: 1 }, true)],
      ['DaemonSet observability/profiler', 'DaemonSet', tooLarge('memory', '24Gi', { port: 0 })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'extended_resource_capacity_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Deployment ml/inference', 'a GPU in a cluster without one', offered('nvidia.com/gpu', '1', { replicas: 1 })],
      ['Job ml/train-nightly', 'eight GPUs', offered('amd.com/gpu', '8', { port: 0 })],
      ['StatefulSet media/frigate', 'a device plugin that does not run', offered('google.com/coral', '1')],
      ['Deployment db/oltp', 'huge pages', offered('hugepages-2Mi', '512Mi')],
      ['DaemonSet net/dpdk', 'virtual functions', offered('intel.com/sriov_netdevice', '2', { port: 0 })],
      ['Deployment home/zwave', 'a stick', offered('squat.ai/zwave', '1', { replicas: 1 })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'node_affinity_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Deployment shop/recommendations', 'a zone that no node is in', placedBy(required({ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['rack-9'] }), {}, label(['k3s-worker01', 'topology.kubernetes.io/zone', 'rack-1'], ['k3s-worker02', 'topology.kubernetes.io/zone', 'rack-2']))],
      ['StatefulSet data/minio', 'disk type', placedBy(required({ key: 'disk', operator: 'In', values: ['nvme'] }), { port: 9000 }, label(['k3s-worker01', 'disk', 'ssd'], ['k3s-worker03', 'disk', 'hdd']))],
      ['Job ml/fine-tune', 'key exists nowhere', placedBy(required({ key: 'nvidia.com/gpu.present', operator: 'Exists' }), { port: 0 })],
      ['Deployment build/arm-builder', 'architecture', placedBy(required({ key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }), { replicas: 1 })],
      ['Deployment edge/gateway', 'host name misspelt', placedBy(required({ key: 'kubernetes.io/hostname', operator: 'In', values: ['k3s-worker5'] }), { replicas: 1 })],
      ['CronJob ops/etcd-snapshot', 'two expressions, none of the nodes has both', placedBy(required({ key: 'disk', operator: 'In', values: ['ssd'] }, { key: 'role', operator: 'In', values: ['backup'] }), { port: 0 }, label(['k3s-worker01', 'disk', 'ssd'], ['k3s-worker02', 'role', 'backup']))],
    ],
  },
  {
    class: 'scheduling',
    cause: 'node_selector_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Deployment shop/search', 'label nowhere', placedBy({ nodeSelector: { 'node-pool': 'frontend' } })],
      ['StatefulSet fleet/fleet-db', 'its client ends', feltBy(placedBy({ nodeSelector: { storage: 'fast' } }, { port: 5432 }), 'fleet-db', { name: 'tracker', log: [complaints.postgres] })],
      ['StatefulSet data/mongodb', 'other value', placedBy({ nodeSelector: { disktype: 'SSD' } }, { port: 27017 }, label(['k3s-worker02', 'disktype', 'ssd']))],
      ['Deployment iot/zigbee', 'device label', placedBy({ nodeSelector: { 'feature.node/usb-zigbee': 'true' } }, { replicas: 1 })],
      ['Job batch/migrate-archive', 'Job', placedBy({ nodeSelector: { role: 'batch' } }, { port: 0 }, label(['k3s-worker04', 'role', 'database']))],
      ['Deployment web/legacy-iis', 'windows', placedBy({ nodeSelector: { 'kubernetes.io/os': 'windows' } })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'node_cordon_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Node k3s-worker01', 'StatefulSet bound to its node', cordoned({ kind: 'StatefulSet', namespace: 'data', name: 'influxdb' }, { 'storage-node': 'influx' })],
      ['Node k3s-worker02', 'Deployment by label', cordoned({ kind: 'Deployment', namespace: 'media', name: 'jellyfin' }, { gpu: 'intel' }, { replicas: 1 })],
      ['Node k3s-worker03', 'Job', cordoned({ kind: 'Job', namespace: 'ops', name: 'disk-check' }, { 'kubernetes.io/hostname': 'k3s-worker03' }, { port: 0 })],
      ['Node k3s-worker04', 'two replicas', cordoned({ kind: 'Deployment', namespace: 'mail', name: 'postfix' }, { 'public-ip': 'yes' })],
      ['Node k3s-master02', 'a master', cordoned({ kind: 'Deployment', namespace: 'backup', name: 'etcd-mirror' }, { backup: 'primary' }, { replicas: 1, pod: { tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' }] } })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'pod_anti_affinity_conflict',
    sources: [sources.scheduler],
    variants: [
      ['Deployment shop/checkout', 'more replicas than workers', apart({ replicas: 8 }, 'kubernetes.io/hostname', 4)],
      ['StatefulSet data/etcd', 'StatefulSet', apart({ replicas: 9, port: 2379 }, 'kubernetes.io/hostname', 4)],
      ['Deployment auth/keycloak', 'by zone, all nodes in one', (c, at) => {
        for (const node of c.nodes) Object.assign(node.metadata.labels ?? {}, { 'topology.kubernetes.io/zone': 'dc-1' });
        apart({ replicas: 2 }, 'topology.kubernetes.io/zone', 1)(c, at);
      }],
      ['Deployment queue/rabbitmq', 'one too many', apart({ replicas: 8, port: 5672 }, 'kubernetes.io/hostname', 7)],
      ['Deployment web/varnish', 'by zone of two', (c, at) => {
        c.nodes.forEach((node, index) => Object.assign(node.metadata.labels ?? {}, { 'topology.kubernetes.io/zone': index % 2 === 0 ? 'east' : 'west' }));
        apart({ replicas: 3, port: 6081 }, 'topology.kubernetes.io/zone', 2)(c, at);
      }],
    ],
  },
  {
    class: 'scheduling',
    cause: 'taint_toleration_mismatch',
    sources: [sources.scheduler],
    variants: [
      ['Deployment ml/whisper', 'GPU pool', tainted(['k3s-worker04'], { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }, { ...special, replicas: 1 })],
      ['StatefulSet data/cassandra', 'dedicated pool', tainted(['k3s-worker02', 'k3s-worker03'], { key: 'dedicated', value: 'database', effect: 'NoSchedule' }, { ...special, port: 9042 })],
      ['Deployment ci/buildkit', 'tolerates another value', tainted(['k3s-worker01'], { key: 'dedicated', value: 'ci', effect: 'NoSchedule' }, { ...special, replicas: 1 }, [{ key: 'dedicated', operator: 'Equal', value: 'build', effect: 'NoSchedule' }])],
      ['Job batch/forecast', 'tolerates another effect', tainted(['k3s-worker03'], { key: 'spot', value: 'true', effect: 'NoExecute' }, { ...special, port: 0 }, [{ key: 'spot', operator: 'Equal', value: 'true', effect: 'NoSchedule' }])],
      ['Deployment web/landing', 'every worker tainted', tainted(['k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'], { key: 'team', value: 'platform', effect: 'NoSchedule' }, { pod: { nodeSelector: { pool: 'special' } } })],
    ],
  },
];
