import type { KubeObject } from '@larry/contracts';
import type { Chance } from './chance';
import type { Node, Pod } from './objects';

/** The kubelets' versions that the cases come from; the wording of some messages hangs on them. */
export const versions = ['v1.31.6+k3s1', 'v1.32.5+k3s1', 'v1.33.4+k3s1', 'v1.34.2+k3s1', 'v1.35.2+k3s1'] as const;

export interface NodeSet {
  nodes: Node[];
  leases: KubeObject[];
}

/** The quick start's names: three masters, four workers. */
export const quickStartNames = ['k3s-master01', 'k3s-master02', 'k3s-master03', 'k3s-worker01', 'k3s-worker02', 'k3s-worker03', 'k3s-worker04'];
/** A cluster as k3s or as kubeadm sets it up. */
export interface Flavour {
  kubeadm: boolean;
  /** Masters first: three of them. */
  names: string[];
}

export const quickStart: Flavour = { kubeadm: false, names: quickStartNames };
export const lab: Flavour = { kubeadm: false, names: ['lab-cp1', 'lab-cp2', 'lab-cp3', 'lab-node1', 'lab-node2', 'lab-node3', 'lab-node4'] };
export const kubeadm: Flavour = { kubeadm: true, names: ['cp-1', 'cp-2', 'cp-3', 'node-1', 'node-2', 'node-3', 'node-4'] };

/** Three masters and four workers as k3s registers them, each with its lease. */
export function makeNodes(chance: Chance, names: string[], version: string, mastersTainted: boolean, ago: (seconds: number) => string): NodeSet {
  const nodes = names.map((name, index) => makeNode(chance, { name, index, version, tainted: mastersTainted && index < 3 }, ago));
  const leases = nodes.map((node) => lease('kube-node-lease', node.metadata.name, node.metadata.name, ago(chance.int(1, 9)), 40));
  return { nodes, leases };
}

/** A lease as kubelets and leader election write it (`coordination.k8s.io/v1`). */
export function lease(namespace: string, name: string, holder: string, renewTime: string, seconds: number): KubeObject {
  const micro = renewTime.replace('Z', '.104882Z');
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace, uid: `lease-${namespace}-${name}`, creationTimestamp: '2026-01-04T09:00:00Z' },
    spec: { holderIdentity: holder, leaseDurationSeconds: seconds, renewTime: micro },
  };
}

interface NodeSpec {
  name: string;
  index: number;
  version: string;
  tainted: boolean;
}

function makeNode(chance: Chance, { name, index, version, tainted }: NodeSpec, ago: (seconds: number) => string): Node {
  const master = index < 3;
  const resources = { cpu: master ? '4' : '8', memory: master ? '8131048Ki' : '16307216Ki', 'ephemeral-storage': '102106404Ki', pods: '110' };
  const ip = `192.168.50.${11 + index}`;
  const heartbeat = ago(chance.int(20, 280));
  const since = ago(chance.int(20, 60) * 86_400);
  const condition = (type: string, status: string, reason: string, message: string) => ({ type, status, reason, message, lastHeartbeatTime: heartbeat, lastTransitionTime: since });
  const k3s = version.includes('k3s');
  const roles: Record<string, string> = !master ? {} : k3s ? { 'node-role.kubernetes.io/control-plane': 'true', 'node-role.kubernetes.io/etcd': 'true' } : { 'node-role.kubernetes.io/control-plane': '' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: chance.uid(),
      creationTimestamp: '2026-01-04T09:00:00Z',
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...(k3s ? { 'node.kubernetes.io/instance-type': 'k3s' } : {}), ...roles },
      annotations: k3s ? { 'flannel.alpha.coreos.com/public-ip': ip, 'k3s.io/internal-ip': ip } : { 'kubeadm.alpha.kubernetes.io/cri-socket': 'unix:///run/containerd/containerd.sock' },
    },
    spec: {
      podCIDR: `10.42.${index}.0/24`,
      ...(k3s ? { providerID: `k3s://${name}` } : {}),
      ...(tainted ? { taints: [{ key: 'node-role.kubernetes.io/control-plane', ...(k3s ? { value: 'true' } : {}), effect: 'NoSchedule' }] } : {}),
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: ip },
        { type: 'Hostname', address: name },
      ],
      capacity: resources,
      allocatable: resources,
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      nodeInfo: { kubeletVersion: version, containerRuntimeVersion: k3s ? 'containerd://2.1.4-k3s1' : 'containerd://2.1.4', osImage: 'Ubuntu 24.04.2 LTS', kernelVersion: '6.8.0-57-generic', operatingSystem: 'linux', architecture: 'amd64' },
    },
  };
}

/** A node that pods are taken away from: nobody new is placed there. */
export function isLost({ spec: { taints = [] } }: Node): boolean {
  return taints.some(({ key, effect }) => effect === 'NoExecute' && /^node\.kubernetes\.io\/(unreachable|not-ready)$/.test(key));
}

/** What the node controller does to the pods of a node that has become silent (`controller/util/node` MarkPodsNotReady). */
export function markPods(node: Node, pods: Pod[]): void {
  const ready = node.status.conditions.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'Unknown') return;
  for (const pod of pods.filter(({ spec }) => spec.nodeName === node.metadata.name)) {
    for (const condition of pod.status.conditions) if (condition.type === 'Ready' && condition.status === 'True') Object.assign(condition, { status: 'False', lastTransitionTime: ready.lastTransitionTime });
  }
}
