import type { KubeObject } from '@larry/contracts';
import type { Cluster } from './cluster';
import type { Pod } from './objects';
import { waiting } from './trouble';
import type { Workload, WorkloadSpec } from './workload';

/** What a volume is made of. */
export interface Disk {
  /** Its name; made of the claim's uid by default, as provisioners do. */
  volume?: string;
  storageClass?: string;
  mode?: string;
  size?: string;
  /** `nfs`, `hostPath`, `csi` and so on. */
  source: Record<string, unknown>;
  /** The only node it is on. */
  node?: string;
  ageS?: number;
}

/** A claim and the volume that it is bound to. */
export function boundClaim(c: Cluster, namespace: string, name: string, disk: Disk): { claim: KubeObject; volume: KubeObject } {
  const { storageClass = 'local-path', mode = 'ReadWriteOnce', size = '10Gi', ageS = 12 * 86_400 } = disk;
  const bound = { accessModes: [mode], storageClassName: storageClass, volumeMode: 'Filesystem' };
  const claim = c.add('v1', 'PersistentVolumeClaim', { name, namespace }, { metadataAnnotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' }, spec: { ...bound, resources: { requests: { storage: size } } }, status: { phase: 'Bound', accessModes: [mode], capacity: { storage: size } } }, ageS);
  claim.metadata.finalizers = ['kubernetes.io/pvc-protection'];
  const volumeName = disk.volume ?? `pvc-${claim.metadata.uid}`;
  Object.assign(claim['spec'] as object, { volumeName });
  const nodeAffinity = disk.node === undefined ? {} : { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [disk.node] }] }] } } };
  const volume = c.add('v1', 'PersistentVolume', { name: volumeName }, {
    spec: { ...bound, capacity: { storage: size }, persistentVolumeReclaimPolicy: disk.volume === undefined ? 'Delete' : 'Retain', claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid: claim.metadata.uid }, ...disk.source, ...nodeAffinity },
    status: { phase: 'Bound' },
  }, ageS);
  volume.metadata.finalizers = ['kubernetes.io/pv-protection'];
  return { claim, volume };
}

/** A claim that k3s' local-path provisioner has served: a directory of one node. */
export function localClaim(c: Cluster, namespace: string, name: string, node: string): { claim: KubeObject; volume: KubeObject } {
  return boundClaim(c, namespace, name, { node, source: { hostPath: { path: `/var/lib/rancher/k3s/storage/${name}`, type: 'DirectoryOrCreate' } } });
}

/** A claim that Longhorn has served, of a class that is in the cluster. */
export function longhornClaim(c: Cluster, namespace: string, name: string): { claim: KubeObject; volume: KubeObject } {
  return boundClaim(c, namespace, name, { storageClass: 'longhorn', source: { csi: { driver: 'driver.longhorn.io', fsType: 'ext4', volumeHandle: name } } });
}

/** A storage class, by default one that provisions at once. */
export function storageClass(c: Cluster, name: string, provisioner: string, volumeBindingMode: 'Immediate' | 'WaitForFirstConsumer' = 'Immediate'): void {
  c.add('storage.k8s.io/v1', 'StorageClass', { name }, { provisioner, reclaimPolicy: 'Delete', volumeBindingMode });
}

/** Longhorn, running. */
export function longhorn(c: Cluster): void {
  const namespace = 'longhorn-system';
  storageClass(c, 'longhorn', 'driver.longhorn.io');
  c.add('storage.k8s.io/v1', 'CSIDriver', { name: 'driver.longhorn.io' }, { spec: { attachRequired: true, podInfoOnMount: true, volumeLifecycleModes: ['Persistent'] } });
  const days = { ageS: 40 * 86_400, podAgeS: 20 * 86_400, service: false, port: 9500 };
  c.workload({ kind: 'DaemonSet', namespace, name: 'longhorn-manager' }, { ...days, image: 'docker.io/longhornio/longhorn-manager:v1.9.1' });
  c.workload({ kind: 'DaemonSet', namespace, name: 'longhorn-csi-plugin' }, { ...days, image: 'docker.io/longhornio/longhorn-csi-plugin:v1.9.1' });
  c.workload({ kind: 'Deployment', namespace, name: 'csi-provisioner' }, { ...days, replicas: 3, image: 'docker.io/longhornio/csi-provisioner:v5.3.0' });
  c.workload({ kind: 'Deployment', namespace, name: 'csi-attacher' }, { ...days, replicas: 3, image: 'docker.io/longhornio/csi-attacher:v4.9.0' });
}

/** A volume that a node has, as the attach/detach controller and the driver keep it. */
export function attached(c: Cluster, volume: KubeObject, node: string, ageS = 6 * 86_400): void {
  const driver = ((volume['spec'] as { csi?: { driver?: string; volumeHandle?: string } }).csi ?? {});
  c.add('storage.k8s.io/v1', 'VolumeAttachment', { name: `csi-${c.chance.hex(64)}` }, { spec: { attacher: driver.driver ?? 'driver.longhorn.io', nodeName: node, source: { persistentVolumeName: volume.metadata.name } }, status: { attached: true } }, ageS);
  const name = `kubernetes.io/csi/${driver.driver}^${driver.volumeHandle}`;
  Object.assign(c.node(node).status, { volumesAttached: [{ name, devicePath: '' }], volumesInUse: [name] });
}

/** A pod's spec with the claim mounted at `path`. */
export function onClaim(claimName: string, path: string, spec: WorkloadSpec = {}): WorkloadSpec {
  return { ...spec, pod: { ...spec.pod, volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] }, container: { ...spec.container, volumeMounts: [{ name: 'data', mountPath: path }] } };
}

/**
 * A volume that does not come to the pod's node. The attach/detach controller says so once for each pod; the kubelet
 * then repeats that it waits (kubernetes 1.3x `attachdetach/reconciler`, `kubelet/volumemanager`).
 */
export function notAttached(c: Cluster, workload: Workload, message: string, options: { only?: number[]; saidS?: number } = {}): Pod[] {
  const pods = waiting(c, workload, { reason: 'ContainerCreating' }, options);
  for (const pod of pods) {
    c.event(pod, { reason: 'FailedAttachVolume', message, from: 'attachdetach-controller', lastS: options.saidS ?? 880 });
    c.event(pod, { reason: 'FailedMount', message: 'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: context deadline exceeded', count: 6, lastS: c.chance.int(20, 110), firstS: 760 });
  }
  return pods;
}

/** `Multi-Attach error` in the controller's three wordings. */
export function multiAttach(volume: KubeObject, ...users: string[]): string {
  const why = users.length === 0 ? "Volume is already exclusively attached to one node and can't be attached to another" : `Volume is already used by pod(s) ${users.join(', ')}`;
  return `Multi-Attach error for volume "${volume.metadata.name}" ${why}`;
}
