import type { KubeObject } from '@larry/contracts';
import { aNode, anEvent, anObject, aWorkload, diagnosed, told, type WorkloadParts } from './testing';

const podOf = (objects: KubeObject[]) => objects[2] as KubeObject;
const setOf = (objects: KubeObject[]) => objects[1] as KubeObject;
const big = (cpu: string, memory = '64Mi') => [{ spec: { resources: { requests: { cpu, memory } } } }];
const master = aNode('master-1', { labels: { 'node-role.kubernetes.io/control-plane': '' }, spec: { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } });

/** A workload whose pod no node takes, with the scheduler's words. */
function unscheduled(message: string, parts: WorkloadParts = {}): KubeObject[] {
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
  const objects = aWorkload('web', { node: null, podStatus: { phase: 'Pending', conditions }, ...parts });
  return [...objects, anEvent(podOf(objects), 'FailedScheduling', message)];
}

describe('admission', () => {
  const refused = (message: string, extra: KubeObject[] = []) => {
    const objects = aWorkload('web', { pods: 0 });
    return diagnosed([aNode(), ...objects, anEvent(setOf(objects), 'FailedCreate', message), ...extra]);
  };

  it.each([
    ['requests.cpu', 'requested: requests.cpu=500m, used: requests.cpu=1900m, limited: requests.cpu=2', 'namespace_cpu_quota_exceeded'],
    ['memory', 'requested: limits.memory=1Gi, used: limits.memory=7680Mi, limited: limits.memory=8Gi', 'namespace_memory_quota_exceeded'],
    ['pods', 'requested: pods=1, used: pods=10, limited: pods=10', 'namespace_pod_quota_exceeded'],
    ['memory beside cpu that fits', 'requested: requests.cpu=100m,requests.memory=1Gi, used: requests.cpu=100m,requests.memory=1Gi, limited: requests.cpu=2,requests.memory=1Gi', 'namespace_memory_quota_exceeded'],
  ])('names the quota for %s', async (_, text, cause) => {
    const findings = await refused(`Error creating: pods "web-aaaaa-x" is forbidden: exceeded quota: compute, ${text}`);
    expect(told(findings)).toEqual([`${cause} ResourceQuota shop/compute`]);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });

  it('names the workload for an account that does not exist, and not once it does', async () => {
    const message = 'Error creating: pods "web-aaaaa-" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found';
    expect(told(await refused(message))).toEqual(['missing_service_account Deployment shop/web']);
    expect(told(await refused(message, [anObject('v1', 'ServiceAccount', { name: 'robot', namespace: 'shop' })]))).toEqual(['unknown Deployment shop/web']);
  });
});

describe('scheduling', () => {
  it('takes the CPU that no node has, beside a control plane that never was a candidate', async () => {
    const objects = unscheduled('0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }. preemption: 0/2 nodes are available', { containers: big('64') });
    expect(told(await diagnosed([master, aNode(), ...objects]))).toEqual(['cpu_capacity_mismatch Deployment shop/web']);
  });

  it('takes the memory that no node has', async () => {
    expect(told(await diagnosed([aNode(), ...unscheduled('0/1 nodes are available: 1 Insufficient memory.', { containers: big('100m', '64Gi') })]))).toEqual(['memory_capacity_mismatch Deployment shop/web']);
  });

  it('takes the device that no node offers, with nodes in sight and without', async () => {
    const gpu = unscheduled('0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.');
    for (const objects of [[aNode(), ...gpu], gpu]) {
      const [finding] = await diagnosed(objects);
      expect(told([finding as never])).toEqual(['extended_resource_capacity_mismatch Deployment shop/web']);
      expect(finding?.title).toContain('nvidia.com/gpu');
    }
  });

  it('shows the words of a scheduler that it does not understand', async () => {
    const [finding] = await diagnosed([aNode(), ...unscheduled('0/1 nodes are available: 1 node(s) were not to its taste.')]);
    expect(finding?.cause).toBe('unknown');
    expect(JSON.stringify(finding?.evidence)).toContain('not to its taste');
  });

  it('takes the selector when no node has its labels', async () => {
    const objects = unscheduled("0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.", { podSpec: { nodeSelector: { disk: 'ssd' } } });
    expect(told(await diagnosed([master, aNode(), ...objects]))).toEqual(['node_selector_mismatch Deployment shop/web']);
  });

  it('takes the affinity when it is one that no node fits', async () => {
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['mars'] }] }] } };
    expect(told(await diagnosed([aNode(), ...unscheduled("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", { podSpec: { affinity: { nodeAffinity } } })]))).toEqual(['node_affinity_mismatch Deployment shop/web']);
  });

  it('takes the cordon of the one node that the selector names, whatever most nodes say', async () => {
    const nodes = [aNode('node-1'), aNode('node-2'), aNode('node-3', { spec: { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] } })];
    const objects = unscheduled("0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector.", { podSpec: { nodeSelector: { 'kubernetes.io/hostname': 'node-3' } } });
    expect(told(await diagnosed([...nodes, ...objects]))).toEqual(['node_cordon_mismatch Node node-3']);
  });

  it('takes the taint of the nodes that the selector names', async () => {
    const gpu = aNode('gpu-1', { labels: { pool: 'gpu' }, spec: { taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }] } });
    const objects = unscheduled("0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 1 node(s) didn't match Pod's node affinity/selector.", { podSpec: { nodeSelector: { pool: 'gpu' } } });
    const findings = await diagnosed([master, aNode(), gpu, ...objects]);
    expect(told(findings)).toEqual(['taint_toleration_mismatch Deployment shop/web']);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'patch', patch: [{ op: 'add', path: '/spec/template/spec/tolerations', value: [{ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }] }] });
  });

  it('takes the anti-affinity when every node has such a pod', async () => {
    const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' }] };
    const objects = unscheduled("0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.", { podSpec: { affinity: { podAntiAffinity } } });
    const sibling = { ...podOf(aWorkload('web', {})), metadata: { ...podOf(aWorkload('web', {})).metadata, name: 'web-aaaaa-9', uid: 'other' } };
    expect(told(await diagnosed([aNode(), ...objects, sibling]))).toEqual(['pod_anti_affinity_conflict Deployment shop/web']);
  });

  it('reads the message alone where nodes cannot be seen', async () => {
    const objects = unscheduled('0/5 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory.', { containers: big('1', '1Gi') });
    expect(told(await diagnosed(objects, { unknown: { Node: 'forbidden' } }))).toEqual(['memory_capacity_mismatch Deployment shop/web']);
  });

  it('hears the silence of a scheduler that is gone', async () => {
    const objects = aWorkload('web', { node: null, podStatus: { phase: 'Pending', conditions: [] } });
    expect(told(await diagnosed([master, aNode(), ...objects]))).toEqual(['kube_scheduler_unavailable Node master-1']);
  });
});

describe('claims', () => {
  const claim = (spec: Record<string, unknown>) => anObject('v1', 'PersistentVolumeClaim', { name: 'data', namespace: 'shop', spec: { storageClassName: 'manual', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } }, ...spec }, status: { phase: 'Pending' } });
  const volume = (spec: Record<string, unknown> = {}) => anObject('v1', 'PersistentVolume', { name: 'disk', spec: { storageClassName: 'manual', accessModes: ['ReadWriteOnce'], capacity: { storage: '20Gi' }, ...spec }, status: { phase: 'Available' } }, false);
  const user = unscheduled('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available', { podSpec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } });

  it.each([
    ['pvc_storage_class_mismatch', { storageClassName: 'fast' }, {}],
    ['pvc_access_mode_mismatch', { accessModes: ['ReadWriteMany'] }, {}],
    ['pvc_capacity_mismatch', { resources: { requests: { storage: '100Gi' } } }, {}],
    ['pvc_selector_mismatch', { selector: { matchLabels: { tier: 'gold' } } }, {}],
    ['pv_binding_occupied', {}, { claimRef: { namespace: 'other', name: 'theirs' } }],
  ])('%s', async (cause, ofClaim, ofVolume) => {
    const findings = await diagnosed([aNode(), claim(ofClaim), volume(ofVolume), ...user]);
    expect(told(findings)).toEqual([`${cause} PersistentVolumeClaim shop/data`]);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });

  it('waits with a claim whose volume is made by its class when a pod comes', async () => {
    const storageClass = anObject('storage.k8s.io/v1', 'StorageClass', { name: 'local-path', provisioner: 'rancher.io/local-path', volumeBindingMode: 'WaitForFirstConsumer' }, false);
    expect(await diagnosed([aNode(), storageClass, claim({ storageClassName: 'local-path' })])).toEqual([]);
  });
});
