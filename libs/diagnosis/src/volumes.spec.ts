import type { KubeObject } from '@larry/contracts';
import { aConfigMap, aNode, anEvent, anObject, aPod, aWorkload, diagnosed, minutesAgo, told, waiting, type WorkloadParts } from './testing';

const podOf = (objects: KubeObject[]) => objects[2] as KubeObject;
const dataVolume = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] };
const claim = (parts: object = {}, phase = 'Bound') => anObject('v1', 'PersistentVolumeClaim', { name: 'data', namespace: 'shop', spec: { storageClassName: 'local-path', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...parts }, status: { phase } });
const volumeOn = (node: string) => anObject('v1', 'PersistentVolume', { name: 'pv-1', spec: { accessModes: ['ReadWriteOnce'], nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }] } } }, status: { phase: 'Bound' } }, false);

function unscheduled(message: string, parts: WorkloadParts = {}): KubeObject[] {
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
  const objects = aWorkload('web', { node: null, podStatus: { phase: 'Pending', conditions }, podSpec: dataVolume, ...parts });
  return [...objects, anEvent(podOf(objects), 'FailedScheduling', message)];
}

const elsewhere = "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";

describe('a volume that lies on a node', () => {
  it('keeps a workload away from nodes that it asks for: its own fields are at fault', async () => {
    const findings = await diagnosed([aNode('node-1'), aNode('node-2'), claim({ volumeName: 'pv-1' }), volumeOn('node-1'), ...unscheduled("0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had volume node affinity conflict.", { podSpec: { ...dataVolume, nodeSelector: { 'kubernetes.io/hostname': 'node-2' } } })]);
    expect(told(findings)).toEqual(['volume_node_affinity_conflict Deployment shop/web']);
    expect(findings[0]?.title).toContain('pv-1, which lies on kubernetes.io/hostname In node-1');
  });

  it('is at fault itself when its node has left the cluster', async () => {
    expect(told(await diagnosed([aNode('node-1'), aNode('node-2'), claim({ volumeName: 'pv-1' }), volumeOn('node-9'), ...unscheduled(elsewhere)]))).toEqual(['volume_node_affinity_conflict PersistentVolume pv-1']);
  });

  it('leads to the cordon of that node', async () => {
    const cordoned = aNode('node-1', { spec: { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] } });
    expect(told(await diagnosed([cordoned, aNode('node-2'), aNode('node-3'), claim({ volumeName: 'pv-1' }), volumeOn('node-1'), ...unscheduled("0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match PersistentVolume's node affinity.")]))).toEqual(['node_cordon_mismatch Node node-1']);
  });

  it('makes its pods a symptom of that node when it is silent', async () => {
    const silent = aNode('node-1', { spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' }] }, status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }] } });
    const findings = await diagnosed([silent, aNode('node-2'), claim({ volumeName: 'pv-1' }), volumeOn('node-1'), ...unscheduled("0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) didn't match PersistentVolume's node affinity.")]);
    expect(told(findings)).toEqual(['kubelet_unavailable Node node-1']);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });
});

describe('claims', () => {
  it('names the workload whose claim does not exist, and the name that is nearly it', async () => {
    const [finding, ...others] = await diagnosed([aNode(), anObject('v1', 'PersistentVolumeClaim', { name: 'date', namespace: 'shop', spec: { volumeName: 'pv-7' }, status: { phase: 'Bound' } }), ...unscheduled('0/1 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')]);
    expect(told([finding as never, ...others])).toEqual(['missing_volume_claim Deployment shop/web']);
    expect(JSON.stringify(finding?.remedy)).toContain('date has nearly that name');
  });

  const unbound = () => unscheduled('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.');
  const storageClass = anObject('storage.k8s.io/v1', 'StorageClass', { name: 'local-path', provisioner: 'rancher.io/local-path' }, false);

  it('names the claim for which the provisioner makes no volume, in its own words', async () => {
    const pending = claim({}, 'Pending');
    const failed = anEvent(pending, 'ProvisioningFailed', 'failed to provision volume with StorageClass "local-path": failed to create volume pvc-1: create process timeout after 120 seconds');
    const findings = await diagnosed([aNode(), storageClass, pending, failed, ...unbound()]);
    expect(told(findings)).toEqual(['volume_provisioning_failed PersistentVolumeClaim shop/data']);
    expect(findings[0]?.title).toContain('timeout after 120 seconds');
  });

  it('takes what keeps the provisioner from running for the root', async () => {
    const pending = claim({}, 'Pending');
    const waits = anEvent(pending, 'ExternalProvisioning', "Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path' or manually by the system administrator.", { times: 40 });
    const provisioner = aWorkload('local-path-provisioner', { namespace: 'kube-system', containers: [waiting('ImagePullBackOff', 'Back-off pulling image: manifest unknown')], podStatus: { phase: 'Pending' } });
    const findings = await diagnosed([aNode(), storageClass, pending, waits, ...provisioner, ...unbound()]);
    expect(told(findings)).toEqual(['incorrect_image_reference Deployment kube-system/local-path-provisioner']);
    expect(findings[0]?.symptoms).toContain('PersistentVolumeClaim shop/data');
  });
});

describe('volumes that do not come to the node', () => {
  const creating = (parts: WorkloadParts = {}) => aWorkload('web', { containers: [waiting('ContainerCreating')], podStatus: { phase: 'Pending' }, podSpec: dataVolume, ageMinutes: 20, ...parts });
  const multiAttach = 'Multi-Attach error for volume "pv-1" Volume is already exclusively attached to one node and can\'t be attached to another';

  it('lets the old pod go first where a rolling update holds the volume', async () => {
    const objects = creating({ node: 'node-2' });
    const before = anObject('apps/v1', 'ReplicaSet', { name: 'web-old', namespace: 'shop', controller: objects[0] as KubeObject, annotations: { 'deployment.kubernetes.io/revision': '0' }, spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } } });
    const old = aPod('web-old-0', { labels: { app: 'web', 'pod-template-hash': 'old' }, controller: before, podSpec: dataVolume });
    const findings = await diagnosed([aNode('node-1'), aNode('node-2'), claim({ volumeName: 'pv-1' }), ...objects, before, old, anEvent(podOf(objects), 'FailedAttachVolume', multiAttach)]);
    expect(told(findings)).toEqual(['volume_attached_elsewhere Deployment shop/web']);
    expect(JSON.stringify(findings[0]?.remedy)).toContain('Recreate');
  });

  it('takes the silent node that still has the volume for the root', async () => {
    const silent = aNode('node-1', { status: { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }] } });
    const objects = creating({ node: 'node-2' });
    const old = aPod('web-aaaaa-9', { labels: { app: 'web', 'pod-template-hash': 'aaaaa' }, controller: objects[1] as KubeObject, podSpec: dataVolume });
    (old.metadata as { deletionTimestamp?: string }).deletionTimestamp = minutesAgo(8);
    const findings = await diagnosed([silent, aNode('node-2'), claim({ volumeName: 'pv-1' }), ...objects, old, anEvent(podOf(objects), 'FailedAttachVolume', multiAttach)]);
    expect(told(findings)).toEqual(['kubelet_unavailable Node node-1']);
  });

  it.each([
    ['MountVolume.SetUp failed for volume "data" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs 192.168.1.5:/export/media /var/lib/kubelet/pods/x\nOutput: mount.nfs: Connection timed out', 'the server does not answer'],
    ['MountVolume.SetUp failed for volume "data" : mount failed: exit status 32\nOutput: mount: /var/lib/kubelet/pods/x: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program.', 'the node lacks the helper program'],
    ['MountVolume.SetUp failed for volume "data" : hostPath type check failed: /srv/media is not a directory', 'is not what its type says'],
    ['MountVolume.MountDevice failed for volume "data" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name driver.longhorn.io not found in the list of registered CSI drivers', 'no such CSI driver'],
  ])('says why it cannot be mounted: %s', async (message, why) => {
    const objects = creating({ podSpec: { volumes: [{ name: 'data', nfs: { server: '192.168.1.5', path: '/export/media' } }] } });
    const findings = await diagnosed([aNode(), ...objects, anEvent(podOf(objects), 'FailedMount', message)]);
    expect(told(findings)).toEqual(['volume_mount_failed Deployment shop/web']);
    expect(findings[0]?.title).toContain(why);
  });

  it('says which key a subPath has not, when a folder is mounted on a file', async () => {
    const message = 'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "/var/lib/kubelet/pods/u/volume-subpaths/conf/app/0" to rootfs at "/etc/app.conf": mount src=/x, dst=/etc/app.conf, dstFd=/proc/thread-self/fd/8: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';
    const spec = { volumeMounts: [{ name: 'conf', mountPath: '/etc/app.conf', subPath: 'app.cnf' }] };
    const objects = creating({ containers: [{ ...waiting('RunContainerError', message), spec }], podSpec: { volumes: [{ name: 'conf', configMap: { name: 'conf' } }] } });
    const findings = await diagnosed([aNode(), ...objects, aConfigMap({ name: 'conf', namespace: 'shop', data: { 'app.conf': 'x=1' } })]);
    expect(told(findings)).toEqual(['mount_type_mismatch Deployment shop/web']);
    expect(findings[0]?.title).toContain('ConfigMap shop/conf has no key app.cnf');
  });
});
