import type { KubeObject } from '@larry/contracts';
import { aDeployment, anObject, aPod, memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from './__fixtures__/scan';

const privileged = { containers: [{ name: 'app', image: 'a:1', securityContext: { privileged: true } }] };

async function ownedBy(objects: KubeObject[], origins = {}) {
  const { findings } = await scan(memoryCluster([namespace('kube-system'), ...objects], { origins }));
  const found = findings.find((f) => f.rule === 'pss-baseline/privileged');
  return { owner: found?.owner, remedy: found?.remedy };
}

describe('the owner in a finding', () => {
  it('is the HelmChart of k3s that installed the release', async () => {
    const annotations = { 'meta.helm.sh/release-name': 'traefik', 'meta.helm.sh/release-namespace': 'kube-system' };
    const chart = anObject('helm.cattle.io/v1', 'HelmChart', { name: 'traefik', namespace: 'kube-system' });
    const { owner, remedy } = await ownedBy([
      chart,
      aDeployment({ namespace: 'kube-system', annotations, template: privileged }),
    ]);
    expect(owner).toEqual({ kind: 'k3s-helmchart', chart: 'traefik', namespace: 'kube-system' });
    expect(remedy).toMatchObject({ layer: 'manifest', note: expect.stringContaining('HelmChartConfig') as string });
  });

  it('is the AddOn of k3s with its file', async () => {
    const annotations = {
      'objectset.rio.cattle.io/owner-gvk': 'k3s.cattle.io/v1, Kind=Addon',
      'objectset.rio.cattle.io/owner-name': 'coredns',
    };
    const addon = anObject('k3s.cattle.io/v1', 'Addon', {
      name: 'coredns',
      namespace: 'kube-system',
      spec: { source: '/manifests/coredns.yaml' },
    });
    const { owner, remedy } = await ownedBy([
      addon,
      aDeployment({ namespace: 'kube-system', annotations, template: privileged }),
    ]);
    expect(owner).toEqual({ kind: 'k3s-addon', addon: 'coredns', source: '/manifests/coredns.yaml' });
    expect(remedy).toMatchObject({
      layer: 'none',
      reason: expect.stringContaining('/manifests/coredns.yaml') as string,
    });
  });

  it('is the custom resource that controls a pod', async () => {
    const cluster = anObject('postgresql.cnpg.io/v1', 'Cluster', { name: 'pg', namespace: 'database' });
    const { owner, remedy } = await ownedBy([
      cluster,
      aPod({ name: 'pg-1', namespace: 'database', controller: cluster, spec: privileged }),
    ]);
    expect(owner).toMatchObject({ kind: 'controller', ref: { kind: 'Cluster', name: 'pg' } });
    expect(remedy).toMatchObject({
      layer: 'none',
      reason: expect.stringContaining('Cluster database/pg makes it') as string,
    });
  });

  it('is the file that the object stands in', async () => {
    const web = aDeployment({ name: 'web', namespace: 'shop', template: privileged });
    const { owner, remedy } = await ownedBy([web], { 'Deployment shop/web': { file: 'web.yaml', line: 7 } });
    expect(owner).toEqual({ kind: 'manifest', file: 'web.yaml', line: 7 });
    expect(remedy).toMatchObject({ layer: 'manifest', file: 'web.yaml', line: 7 });
  });
});
