import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import { affinityReason, hostPortReason, podAffinityReason, schedulingMessage, spreadReason, unboundMessage, volumeElsewhereReason, type Refusals } from '../cluster/scheduler';
import { boundClaim, localClaim, onClaim, storageClass } from '../cluster/storage';
import { setCondition, unschedulable } from '../cluster/trouble';
import type { WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** Pods that find no node because of other pods, of ports and of volumes. */
const fresh = { ageS: 7200, podAgeS: 2600 };
const days = { ageS: 30 * 86_400, podAgeS: 6 * 86_400 };

/** The nodes that a pod without tolerations may run on, workers first. */
function usable(c: Cluster): string[] {
  const names = c.nodes.map(({ metadata }) => metadata.name);
  return c.mastersTainted ? names.slice(3) : [...names.slice(3), ...names.slice(0, 3)];
}

/** Wants to be beside pods with these labels. */
function beside(labels: Record<string, string>, spec: WorkloadSpec = {}, topologyKey = 'kubernetes.io/hostname', before?: Recipe): Recipe {
  return (c, at) => {
    before?.(c, at);
    const term = { labelSelector: { matchLabels: labels }, topologyKey };
    const workload = c.workload(at, { ...fresh, ...spec, pod: { ...spec.pod, affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } } });
    unschedulable(c, workload, schedulingMessage(c, podAffinityReason));
  };
}

const exists = (kind: string, name: string, spec: WorkloadSpec = {}): Recipe => (c, { namespace }) => void c.workload({ kind, namespace, name }, { ...days, ...spec });

/** Must be spread evenly; `placed` pods run, the others wait. */
function spread(placed: number, spec: WorkloadSpec, topologyKey = 'kubernetes.io/hostname', zones?: (string | undefined)[], fields: Record<string, unknown> = {}): Recipe {
  return (c, at) => {
    zones?.forEach((zone, index) => Object.assign(c.nodes[index]?.metadata.labels ?? {}, zone === undefined ? {} : { [topologyKey]: zone }));
    const constraint = { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: at.name } }, ...fields };
    const workload = c.workload(at, { ...days, podAgeS: 2600, ...spec, pod: { topologySpreadConstraints: [constraint] } });
    unschedulable(c, workload, schedulingMessage(c, zones?.every((zone) => zone === undefined) ? `${spreadReason} (missing required label)` : spreadReason), { only: workload.pods.map((_, index) => index).slice(placed) });
  };
}

const hostPort = (port: number, protocol = 'TCP'): WorkloadSpec => ({ port, container: { ports: [{ name: 'host', containerPort: port, hostPort: port, protocol }] } });

/** All nodes that it may run on have somebody on that port. */
function portTaken(port: number, owner: [kind: string, name: string], spec: WorkloadSpec, options: { protocol?: string; nodes?: string[] } = {}): Recipe {
  return (c, at) => {
    const nodes = options.nodes ?? usable(c);
    c.workload({ kind: owner[0], namespace: at.namespace, name: owner[1] }, { ...days, ...hostPort(port, options.protocol), service: false, replicas: nodes.length, pods: nodes.length, nodes });
    const workload = c.workload(at, { ...fresh, ...hostPort(port, options.protocol), ...spec });
    Object.assign(c.serviceOf(workload).spec.ports?.[0] ?? {}, { port, protocol: options.protocol ?? 'TCP' });
    const others: Refusals = options.nodes === undefined ? {} : { [affinityReason]: usable(c).length - nodes.length };
    unschedulable(c, workload, schedulingMessage(c, hostPortReason, others));
  };
}

/** Two instances more than nodes. */
function ownPort(port: number): Recipe {
  return (c, at) => {
    const nodes = usable(c);
    const workload = c.workload(at, { ...days, podAgeS: 2600, ...hostPort(port), replicas: nodes.length + 2, nodes });
    unschedulable(c, workload, schedulingMessage(c, hostPortReason), { only: [nodes.length, nodes.length + 1] });
  };
}

/** What k3s' ServiceLB makes for a Service: a DaemonSet with a container and a host port for each of its ports. */
function balancer(service: string, namespace: string, ports: number[]): WorkloadSpec {
  const image = 'rancher/klipper-lb:v0.4.13';
  const [first = { name: '' }, ...rest] = ports.map((port) => ({ name: `lb-tcp-${port}`, image, ports: [{ name: `lb-tcp-${port}`, containerPort: port, hostPort: port, protocol: 'TCP' }] }));
  const tolerations = ['node-role.kubernetes.io/master', 'node-role.kubernetes.io/control-plane', 'CriticalAddonsOnly'].map((key) => ({ key, operator: 'Exists' }));
  return { ...days, service: false, port: 0, image, labels: { 'svccontroller.k3s.cattle.io/svcname': service, 'svccontroller.k3s.cattle.io/svcnamespace': namespace }, pod: { tolerations }, container: first, sidecars: rest };
}

/** Traefik as k3s brings it, with its load balancer on every node. */
export function firstBalancer(c: Cluster): void {
  c.workload({ kind: 'DaemonSet', namespace: 'kube-system', name: 'svclb-traefik-4b1d9c07' }, balancer('traefik', 'kube-system', [80, 443]));
  const ports = [{ name: 'web', port: 80, targetPort: 8000 }, { name: 'websecure', port: 443, targetPort: 8000 }];
  c.service({ namespace: 'kube-system', name: 'traefik' }, { app: 'traefik' }, ports, { type: 'LoadBalancer' })['status'] = { loadBalancer: { ingress: [{ ip: '192.168.50.11' }] } };
}

/** k3s' load balancer of a Service, which wants a node's port that traefik's has. */
function secondBalancer(service: string, port: number): Recipe {
  return (c, at) => {
    firstBalancer(c);
    c.workload({ kind: 'Deployment', namespace: 'web', name: service }, { ...fresh, service: false });
    c.service({ namespace: 'web', name: service }, { app: service }, [{ name: 'http', port, targetPort: 8080 }], { type: 'LoadBalancer' })['status'] = { loadBalancer: {} };
    const workload = c.workload(at, { ...balancer(service, 'web', [port]), ...fresh });
    const total = c.nodes.length;
    unschedulable(c, workload, `0/${total} nodes are available: 1 ${hostPortReason}, ${total - 1} ${affinityReason}.${c.recent ? ' no new claims to deallocate,' : ''} preemption: 0/${total} nodes are available: 1 No preemption victims found for incoming pod, ${total - 1} Preemption is not helpful for scheduling.`);
    workload.pods.forEach((pod, index) => Object.assign(pod.spec, { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [c.nodes[index]?.metadata.name] }] }] } } } }));
  };
}

/** Bound to a directory of one node, and told to run on another. */
function dataElsewhere(node: string, elsewhere: Partial<WorkloadSpec['pod']>, spec: WorkloadSpec = {}, claim = 'data'): Recipe {
  return (c, at) => {
    localClaim(c, at.namespace, claim, node);
    const workload = c.workload(at, { ...fresh, replicas: 1, ...onClaim(claim, '/data', { ...spec, pod: elsewhere ?? {} }) });
    unschedulable(c, workload, schedulingMessage(c, affinityReason, { [volumeElsewhereReason(c)]: 1 }));
  };
}

/** The node that had the data has left the cluster. */
function nodeGone(user: string, claim: string, kind = 'StatefulSet'): Recipe {
  return (c, at) => {
    storageClass(c, 'local-disks', 'kubernetes.io/no-provisioner', 'WaitForFirstConsumer');
    boundClaim(c, 'data', claim, { volume: at.name, node: 'k3s-worker05', source: { local: { path: '/mnt/disks/one' } }, storageClass: 'local-disks' });
    const workload = c.workload({ kind, namespace: 'data', name: user }, { ...days, podAgeS: 2600, replicas: 1, ...onClaim(claim, '/data') });
    unschedulable(c, workload, schedulingMessage(c, volumeElsewhereReason(c)));
  };
}

/** The claim it names is not there. */
function noClaim(claim: string, spec: WorkloadSpec = {}, before?: Recipe, message = `persistentvolumeclaim "${claim}" not found`): Recipe {
  return (c, at) => {
    before?.(c, at);
    unschedulable(c, c.workload(at, { ...fresh, replicas: 1, ...onClaim(claim, '/data', spec) }), unboundMessage(c, message));
  };
}

/** A claim that nobody serves; the pod waits. */
function unprovided(user: string, storageClassName: string, events: (c: Cluster, claim: ReturnType<Cluster['add']>) => void, options: { kind?: string; provisioner?: string; late?: boolean; served?: string } = {}): Recipe {
  return (c, at) => {
    if (options.provisioner !== undefined) storageClass(c, storageClassName, options.provisioner, options.late ? 'WaitForFirstConsumer' : 'Immediate');
    const [served = '', servedBy = ''] = options.served?.split('/') ?? [];
    if (servedBy !== '') c.workload({ kind: 'Deployment', namespace: served, name: servedBy }, { ...days, replicas: 1, port: 0, service: false });
    const provisioner = options.provisioner ?? 'rancher.io/local-path';
    const claim = c.add('v1', 'PersistentVolumeClaim', { name: at.name, namespace: at.namespace }, { metadataAnnotations: { 'volume.kubernetes.io/storage-provisioner': provisioner, ...(options.late ? { 'volume.kubernetes.io/selected-node': 'k3s-worker03' } : {}) }, spec: { accessModes: ['ReadWriteOnce'], storageClassName, volumeMode: 'Filesystem', resources: { requests: { storage: '20Gi' } } }, status: { phase: 'Pending' } }, 2700);
    c.event(claim, { type: 'Normal', reason: 'ExternalProvisioning', message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`, from: 'persistentvolume-controller', count: 170, firstS: 2690, lastS: 12 });
    events(c, claim);
    const workload = c.workload({ kind: options.kind ?? 'Deployment', namespace: at.namespace, name: user }, { ...fresh, replicas: 1, ...onClaim(at.name, '/data') });
    unschedulable(c, workload, options.late ? 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded' : unboundMessage(c));
    if (options.late) for (const pod of workload.pods) setCondition(pod, 'PodScheduled', 'False', { reason: 'SchedulerError' });
  };
}

const fails = (message: string, from: string) => (c: Cluster, claim: ReturnType<Cluster['add']>) => {
  c.event(claim, { type: 'Normal', reason: 'Provisioning', message: `External provisioner is provisioning volume for claim "${claim.metadata.namespace}/${claim.metadata.name}"`, from, count: 14, lastS: 130 });
  c.event(claim, { reason: 'ProvisioningFailed', message, from, count: 14, lastS: 120 });
};
const nobody = () => undefined;
const inZones = ['a', 'a', 'a', 'a', 'a', 'b', 'b'].map((zone) => `rack-${zone}`);

export const placement: Fault[] = [
  {
    class: 'scheduling',
    cause: 'pod_affinity_mismatch',
    sources: [sources.placement, sources.scheduler],
    variants: [
      ['Deployment shop/cart-cache', 'the other one has another label', beside({ app: 'carts' }, {}, undefined, exists('Deployment', 'cart'))],
      ['StatefulSet data/replica', 'beside what is not there at all', beside({ role: 'primary' }, { port: 5432 })],
      ['Job batch/warm-cache', 'a Job', beside({ app: 'varnish', tier: 'edge' }, { port: 0 }, undefined, exists('Deployment', 'varnish', { replicas: 2 }))],
      ['Deployment ml/feature-server', 'by zone; the other one is in another namespace', beside({ app: 'feature-store' }, { replicas: 2 }, 'topology.kubernetes.io/zone', (c) => {
        for (const node of c.nodes) Object.assign(node.metadata.labels ?? {}, { 'topology.kubernetes.io/zone': 'home' });
        c.workload({ kind: 'StatefulSet', namespace: 'features', name: 'feature-store' }, days);
      })],
      ['CronJob ops/snapshot', 'beside the database by a release name of before', beside({ 'app.kubernetes.io/instance': 'pg-old' }, { port: 0 }, undefined, exists('StatefulSet', 'pg', { port: 5432, labels: { 'app.kubernetes.io/instance': 'pg-new' } }))],
      ['StatefulSet data/standby', 'in the same zone, and no node says its zone', beside({ app: 'main' }, { port: 5432 }, 'topology.kubernetes.io/zone', exists('StatefulSet', 'main', { port: 5432 }))],
      ['Deployment game/voice', 'its callers end for want of it', feltBy(beside({ app: 'world-server' }, { replicas: 1 }), 'voice', { name: 'lobby', log: [complaints.node] })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'topology_spread_conflict',
    sources: [sources.placement, sources.scheduler],
    variants: [
      ['Deployment shop/gateway', 'the tainted masters count as places too', (c, at) => {
        for (const node of c.nodes.slice(0, 3)) node.spec.taints = [{ key: 'dedicated', value: 'control', effect: 'NoSchedule' }];
        const constraint = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: at.name } } };
        const workload = c.workload(at, { ...days, podAgeS: 2600, replicas: 6, pod: { topologySpreadConstraints: [constraint] } });
        const taint = c.recent ? 'node(s) had untolerated taint(s)' : 'node(s) had untolerated taint {dedicated: control}';
        const claims = c.recent ? ' no new claims to deallocate,' : '';
        unschedulable(c, workload, `0/7 nodes are available: 3 ${taint}, 4 ${spreadReason}.${claims} preemption: 0/7 nodes are available: 3 Preemption is not helpful for scheduling, 4 No preemption victims found for incoming pod.`, { only: [4, 5] });
      }],
      ['StatefulSet data/elastic', 'no node has a zone', spread(0, { replicas: 3, pods: 1, port: 9200, podAgeS: 2600 }, 'topology.kubernetes.io/zone', Array.from({ length: 7 }, () => undefined))],
      ['Deployment auth/keycloak', 'at least three zones, and there are two', spread(2, { replicas: 4, nodes: ['k3s-worker01', 'k3s-worker03'] }, 'topology.kubernetes.io/zone', inZones, { minDomains: 3 })],
      ['Deployment web/varnish', 'counted by a label that others carry too', (c, at) => {
        c.workload({ kind: 'Deployment', namespace: at.namespace, name: 'static' }, { ...days, replicas: 1, nodes: ['k3s-worker04'], labels: { tier: 'web' } });
        spread(1, { replicas: 3, labels: { tier: 'web' }, nodes: ['k3s-worker01'] }, 'topology.kubernetes.io/zone', inZones, { labelSelector: { matchLabels: { tier: 'web' } }, minDomains: 3 })(c, at);
      }],
      ['Job batch/shards', 'racks that nobody labelled', spread(0, { port: 0, podAgeS: 2600 }, 'example.com/rack', Array.from({ length: 7 }, () => undefined))],
      ['Deployment maps/tiles', 'two nodes by label, and those without it count as well', (c, at) => {
        for (const name of ['k3s-worker01', 'k3s-worker02']) Object.assign(c.node(name).metadata.labels ?? {}, { disk: 'ssd' });
        const constraint = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', nodeAffinityPolicy: 'Ignore', labelSelector: { matchLabels: { app: at.name } } };
        const workload = c.workload(at, { ...days, podAgeS: 2600, replicas: 3, nodes: ['k3s-worker01', 'k3s-worker02'], pod: { nodeSelector: { disk: 'ssd' }, topologySpreadConstraints: [constraint] } });
        unschedulable(c, workload, schedulingMessage(c, affinityReason, { [spreadReason]: 2 }), { only: [2] });
      }],
      ['Job ml/shards', 'two rules: one is a wish, the other names a label that is nowhere', spread(0, { port: 0, podAgeS: 2600 }, 'example.com/gpu-host', Array.from({ length: 7 }, () => undefined), { minDomains: 2 })],
      ['Deployment chat/relay', 'strictly apart, which its callers feel', feltBy(spread(0, { replicas: 2, podAgeS: 2600 }, 'topology.kubernetes.io/region', Array.from({ length: 7 }, () => undefined)), 'relay', { name: 'rooms', log: [complaints.java] })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'host_port_conflict',
    sources: [sources.placement, sources.serviceLB],
    variants: [
      ['DaemonSet kube-system/svclb-portal-9e2f4a61', 'ServiceLB of a second load balancer on traefik\'s port', secondBalancer('portal', 80)],
      ['DaemonSet kube-system/svclb-ingress-nginx-0c7d5b38', 'beside traefik, and its pods stay pending for days', secondBalancer('ingress-nginx', 443)],
      ['Deployment home/adguard', 'DNS on port 53 of nodes that another has', portTaken(53, ['DaemonSet', 'pihole'], { replicas: 1 }, { protocol: 'UDP' })],
      ['StatefulSet game/minecraft', 'two worlds on one port of one node', portTaken(25565, ['StatefulSet', 'creative'], { pod: { nodeSelector: { 'kubernetes.io/hostname': 'k3s-worker02' } } }, { nodes: ['k3s-worker02'] })],
      ['Deployment edge/caddy', 'more replicas than nodes', ownPort(8443)],
      ['Deployment iot/mosquitto', 'an agent of the same port, and its clients end', feltBy(portTaken(1883, ['DaemonSet', 'mqtt-agent'], { replicas: 1 }), 'mosquitto', { name: 'sensors', log: [complaints.python] })],
      ['StatefulSet sip/asterisk', 'UDP beside UDP', portTaken(5060, ['DaemonSet', 'kamailio'], { replicas: 1 }, { protocol: 'UDP' })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'volume_node_affinity_conflict',
    sources: [sources.placement, sources.provisioners],
    variants: [
      ['StatefulSet data/influxdb', 'moved by nodeSelector, the data stayed', dataElsewhere('k3s-worker01', { nodeSelector: { 'kubernetes.io/hostname': 'k3s-worker03' } }, { port: 8086 })],
      ['Deployment home/assistant', 'it wants the node with the stick', (c, at) => {
        Object.assign(c.node('k3s-worker04').metadata.labels ?? {}, { 'example.com/zigbee': 'yes' });
        dataElsewhere('k3s-worker02', { nodeSelector: { 'example.com/zigbee': 'yes' } })(c, at);
      }],
      ['PersistentVolume local-worker05-one', 'its node has left the cluster', nodeGone('clickhouse', 'warehouse')],
      ['PersistentVolume local-old-disk', 'of a Deployment, its node has left the cluster', nodeGone('gitea', 'repositories', 'Deployment')],
      ['Deployment media/jellyfin', 'two claims, on two nodes', (c, at) => {
        localClaim(c, at.namespace, 'config', 'k3s-worker01');
        localClaim(c, at.namespace, 'library', 'k3s-worker04');
        const volumes = ['config', 'library'].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
        const workload = c.workload(at, { ...fresh, replicas: 1, pod: { volumes }, container: { volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })) } });
        unschedulable(c, workload, schedulingMessage(c, volumeElsewhereReason(c)));
      }],
      ['Job ops/copy-archive', 'a Job that needs one of here and one of there', (c, at) => {
        localClaim(c, at.namespace, 'from', 'k3s-worker02');
        localClaim(c, at.namespace, 'to', 'k3s-worker03');
        const volumes = ['from', 'to'].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
        const workload = c.workload(at, { ...fresh, port: 0, pod: { volumes }, container: { volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })) } });
        unschedulable(c, workload, schedulingMessage(c, volumeElsewhereReason(c)));
      }],
      ['StatefulSet billing/ledger-db', 'its clients end', feltBy(dataElsewhere('k3s-worker03', { nodeSelector: { 'kubernetes.io/hostname': 'k3s-worker01' } }, { port: 5432 }), 'ledger-db', { name: 'invoices', log: [complaints.postgres] })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'missing_volume_claim',
    sources: [sources.placement, sources.scheduler],
    variants: [
      ['Deployment media/photoprism', 'never made', noClaim('photoprism-originals')],
      ['StatefulSet data/nats', 'misspelt', noClaim('nats-dta', { port: 4222 }, (c, { namespace }) => void localClaim(c, namespace, 'nats-data', 'k3s-worker01'))],
      ['Deployment wiki/bookstack', 'in another namespace', noClaim('uploads', {}, (c) => void localClaim(c, 'wiki-old', 'uploads', 'k3s-worker02'))],
      ['CronJob ops/archive', 'a CronJob', noClaim('archive', { port: 0 })],
      ['Deployment git/forgejo', 'it is being deleted', noClaim('repositories', {}, (c, { namespace }) => {
        const { claim } = localClaim(c, namespace, 'repositories', 'k3s-worker03');
        claim.metadata.deletionTimestamp = c.ago(5000);
        claim.metadata['deletionGracePeriodSeconds'] = 0;
        c.workload({ kind: 'Deployment', namespace, name: 'mirror' }, { ...days, replicas: 1, nodes: ['k3s-worker03'], ...onClaim('repositories', '/git') });
      }, 'persistentvolumeclaim "repositories" is being deleted')],
      ['DaemonSet logging/shipper', 'a DaemonSet that was given a claim', noClaim('buffer', { port: 0 })],
      ['StatefulSet fleet/fleet-db', 'its client ends', feltBy(noClaim('fleet-pgdata', { port: 5432 }), 'fleet-db', { name: 'tracker', log: [complaints.postgres] })],
    ],
  },
  {
    class: 'scheduling',
    cause: 'volume_provisioning_failed',
    sources: [sources.pvController, sources.provisioners],
    variants: [
      ['PersistentVolumeClaim data/data-minio-0', 'the class is there, its provisioner was never installed', unprovided('minio', 'ceph-block', nobody, { provisioner: 'rook-ceph.rbd.csi.ceph.com', kind: 'StatefulSet' })],
      ['PersistentVolumeClaim media/movies', 'NFS: no right to make the directory', unprovided('radarr', 'nfs-client', fails('failed to provision volume with StorageClass "nfs-client": unable to create directory to provision new pv: mkdir /persistentvolumes/media-movies-pvc-4c1f2d7e: permission denied', 'cluster.local/nfs-subdir-external-provisioner_nfs-subdir-external-provisioner-6d5f7c9b8-x2v4q_7f0e0b1c'), { provisioner: 'cluster.local/nfs-subdir-external-provisioner', served: 'nfs/nfs-subdir-external-provisioner' })],
      ['PersistentVolumeClaim shop/orders-data', 'Longhorn: a disk tag of the class that no disk has', unprovided('orders-db', 'longhorn-fast', fails('failed to provision volume with StorageClass "longhorn-fast": rpc error: code = Internal desc = Bad response statusCode [500]. Status [500 Internal Server Error]. Body: [message=unable to create volume: unable to create volume pvc-0b5f7c1e-44a2-4b0b-9a39-5d6c7c1f0e11: specified disk tag nvme does not exist, code=Server Error, detail=] from [http://longhorn-backend:9500/v1/volumes]', 'driver.longhorn.io_csi-provisioner-7c9d6b5f4-8kqzl_2f1c9a30'), { provisioner: 'driver.longhorn.io', kind: 'StatefulSet', served: 'longhorn-system/csi-provisioner' })],
      ['PersistentVolumeClaim logs/loki-chunks', 'Ceph does not answer', unprovided('loki', 'rbd', fails('failed to provision volume with StorageClass "rbd": rpc error: code = DeadlineExceeded desc = context deadline exceeded', 'rbd.csi.ceph.com_csi-rbdplugin-provisioner-5b8c7d6f9-w7m2n_c0b1a2f3'), { provisioner: 'rbd.csi.ceph.com', served: 'ceph-csi/csi-rbdplugin-provisioner' })],
      ['PersistentVolumeClaim home/frigate-clips', 'local-path: its helper pod did not finish', unprovided('frigate', 'local-path', fails('failed to provision volume with StorageClass "local-path": failed to create volume pvc-7d0c3e5a-92b4-4d51-8f3c-1b5e6a7c8d9e: create process timeout after 120 seconds', 'rancher.io/local-path_local-path-provisioner-774c6665dc-5rj8k_e1b2'), { late: true })],
      ['PersistentVolumeClaim crm/attachments', 'parameters of the class that the driver does not know', unprovided('suitecrm', 'smb', fails('failed to provision volume with StorageClass "smb": rpc error: code = InvalidArgument desc = source is a required parameter', 'smb.csi.k8s.io_csi-smb-controller-6f8d_f1'), { provisioner: 'smb.csi.k8s.io', served: 'kube-system/csi-smb-controller' })],
      ['PersistentVolumeClaim lab/scratch', 'a cloud\'s credentials have run out', unprovided('notebook', 'cloud-ssd', fails('failed to provision volume with StorageClass "cloud-ssd": rpc error: code = Unauthenticated desc = failed to create volume: unable to authenticate (unauthorized)', 'csi.cloud.example_csi-controller-0_ab'), { provisioner: 'csi.cloud.example', kind: 'StatefulSet', served: 'kube-system/csi-cloud-controller' })],
    ],
  },
];
