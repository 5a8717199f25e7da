import type { KubeObject } from '@larry/contracts';
import { aDaemonSet, aDeployment, anObject, memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from './__fixtures__/scan';
import { baselineVersion } from './k3s-baseline';
import { binding, right, role } from './rules/rbac-risk/__fixtures__/rbac';

const balancer = {
  securityContext: { sysctls: [{ name: 'net.ipv4.ip_forward', value: '1' }] },
  containers: [
    {
      name: 'lb-tcp-80',
      image: 'rancher/klipper-lb:v0.4.13',
      ports: [{ containerPort: 80, hostPort: 80 }],
      securityContext: { capabilities: { add: ['NET_ADMIN'] } },
    },
  ],
};
const marks = async (...objects: KubeObject[]) => {
  const { findings, figures } = await scan(memoryCluster([namespace('kube-system'), ...objects]));
  return {
    open: findings.filter((f) => !f.accepted && f.object.kind !== 'Namespace').map((f) => f.rule),
    expected: findings.filter((f) => f.accepted),
    figures,
  };
};

describe('the baseline of k3s', () => {
  it('marks what its service balancer needs, with reason and version, and does not hide it', async () => {
    const { open, expected, figures } = await marks(
      aDaemonSet({ name: 'svclb-traefik-1a2b', namespace: 'kube-system', template: balancer }),
    );
    expect(open).toEqual([]);
    expect(expected.map((f) => f.rule)).toEqual(
      expect.arrayContaining(['pss-baseline/host-ports', 'pss-baseline/capabilities', 'pss-baseline/sysctls']),
    );
    expect(expected.every((f) => f.severity === 'info' && f.accepted?.owner === baselineVersion)).toBe(true);
    expect(figures).toMatchObject({ high: 0, medium: 0, accepted: expected.length });
  });

  it('does not cover the same thing in another namespace, under another name, or of another kind', async () => {
    expect(
      (await marks(aDaemonSet({ name: 'svclb-traefik-1a2b', namespace: 'other', template: balancer }))).open,
    ).toContain('pss-baseline/capabilities');
    expect((await marks(aDaemonSet({ name: 'miner', namespace: 'kube-system', template: balancer }))).open).toContain(
      'pss-baseline/capabilities',
    );
    expect(
      (await marks(aDeployment({ name: 'svclb-x', namespace: 'kube-system', template: balancer }))).open,
    ).toContain('pss-baseline/capabilities');
  });

  it('does not cover what a part of k3s is not known for', async () => {
    const template = {
      containers: [
        { name: 'coredns', image: 'rancher/mirrored-coredns-coredns:1.12.3', securityContext: { privileged: true } },
      ],
    };
    expect((await marks(aDeployment({ name: 'coredns', namespace: 'kube-system', template }))).open).toContain(
      'pss-baseline/privileged',
    );
  });

  it('covers rights of Kubernetes itself only for their own holder', async () => {
    const powers = role('system:controller:x', [right(['pods'], ['create'])]);
    const own = await marks(
      powers,
      binding('system:controller:x', 'system:controller:x', ['ServiceAccount kube-system/x']),
      binding('cluster-admin', 'cluster-admin', ['Group system:masters']),
    );
    expect(own.open).toEqual([]);
    expect(own.expected.map((f) => f.rule)).toEqual(
      expect.arrayContaining(['rbac/create-pods', 'rbac/cluster-admin-person']),
    );
    const foreign = await marks(
      powers,
      binding('system:controller:x', 'system:controller:x', ['ServiceAccount shop/x']),
      binding('cluster-admin', 'cluster-admin', ['ServiceAccount shop/x']),
    );
    expect(foreign.open.sort()).toEqual(['rbac/cluster-admin', 'rbac/create-pods']);
  });

  it('leaves an ordinary namespace to be judged', async () => {
    const { findings } = await scan(
      memoryCluster([namespace('kube-system'), namespace('shop'), anObject('v1', 'ConfigMap', { namespace: 'shop' })]),
    );
    expect(
      findings.filter((f) => f.rule === 'pss-admission/not-enforced').map((f) => [f.object.name, f.severity]),
    ).toEqual([
      ['shop', 'low'],
      ['kube-system', 'info'],
    ]);
  });
});
