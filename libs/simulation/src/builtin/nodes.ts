import type { KubeObject } from '@larry/contracts';

/** The version that the simulated nodes give. */
const kubeletVersion = 'v1.36.2+k3s1';

interface NodeRow {
  name: string;
  master: boolean;
  ip: string;
  cpu: string;
  memory: string;
  zone: string;
}

const rows: NodeRow[] = [
  ...[1, 2, 3].map((n) => ({ name: `k3s-master0${n}`, master: true, ip: `10.20.0.1${n}`, cpu: '4', memory: '8Gi', zone: `rack-${n}` })),
  ...[1, 2, 3, 4].map((n) => ({ name: `k3s-worker0${n}`, master: false, ip: `10.20.0.2${n}`, cpu: '8', memory: '32Gi', zone: `rack-${((n - 1) % 3) + 1}` })),
];

/** Three masters and four workers, each marked as simulated. */
export function nodes(): KubeObject[] {
  return rows.map((row, i) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: row.name, labels: labelsOf(row), annotations: { 'k3s.io/hostname': row.name, 'k3s.io/internal-ip': row.ip, 'node.alpha.kubernetes.io/ttl': '0' } },
    spec: { podCIDR: `10.42.${i}.0/24`, podCIDRs: [`10.42.${i}.0/24`], providerID: `k3s://${row.name}` },
    status: {
      addresses: [{ type: 'InternalIP', address: row.ip }, { type: 'Hostname', address: row.name }],
      capacity: amounts(row),
      allocatable: amounts(row),
      nodeInfo: {
        architecture: 'amd64',
        bootID: '',
        containerRuntimeVersion: 'simulated://larry',
        kernelVersion: '0.0.0-simulated',
        kubeProxyVersion: '',
        kubeletVersion,
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'Larry simulation',
        systemUUID: '',
      },
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  }));
}

function labelsOf({ name, master, zone }: NodeRow): Record<string, string> {
  const roles = master ? ['control-plane', 'etcd', 'master'] : [];
  return {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/instance-type': 'k3s',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'node.kubernetes.io/instance-type': 'k3s',
    'topology.kubernetes.io/zone': zone,
    'larry.dev/simulated': 'true',
    ...Object.fromEntries(roles.map((role) => [`node-role.kubernetes.io/${role}`, 'true'])),
    ...(master ? {} : { 'node-role.kubernetes.io/worker': 'true' }),
  };
}

function amounts({ cpu, memory }: NodeRow): Record<string, string> {
  return { cpu, memory, 'ephemeral-storage': '100Gi', pods: '110' };
}
