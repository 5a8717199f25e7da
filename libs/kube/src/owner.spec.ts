import { createHash } from 'node:crypto';
import type { KubeObject, Owner } from '@larry/contracts';
import { aDeployment, aNode, aPod, aReplicaSet, aService, anObject } from './builders';
import { memoryCluster } from './memory-cluster';
import { ownerIn, ownerOf } from './owner';
import { ownersOf, rootOwner } from './root-owner';

const helm = { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'apps' };
const addon = { 'objectset.rio.cattle.io/owner-gvk': 'k3s.cattle.io/v1, Kind=Addon', 'objectset.rio.cattle.io/owner-name': 'coredns', 'objectset.rio.cattle.io/owner-namespace': 'kube-system' };
const deployment = (labels: Record<string, string>, annotations: Record<string, string> = {}) => aDeployment({ name: 'web', namespace: 'apps', labels, annotations });

describe('ownerOf', () => {
  const cases: [string, KubeObject, Owner][] = [
    ['Helm', deployment({ 'helm.sh/chart': 'web-1.2.3' }, helm), { kind: 'helm', release: 'web', namespace: 'apps', chart: 'web-1.2.3' }],
    ['nobody, where only a label speaks of Helm', deployment({ 'app.kubernetes.io/managed-by': 'Helm' }), { kind: 'none' }],
    ['a Kustomization of Flux', deployment({ 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' }), { kind: 'flux', resource: 'Kustomization flux-system/apps' }],
    ['a HelmRelease of Flux, although Helm installed it', deployment({ 'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'apps' }, helm), { kind: 'flux', resource: 'HelmRelease apps/web' }],
    ['Argo CD by tracking id', deployment({}, { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:apps/web' }), { kind: 'argocd', application: 'shop' }],
    ['nobody, where the tracking id is that of another object', deployment({}, { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:apps/other' }), { kind: 'none' }],
    ['Argo CD by label', deployment({ 'argocd.argoproj.io/instance': 'shop' }), { kind: 'argocd', application: 'shop' }],
    ['an AddOn of k3s', deployment({}, addon), { kind: 'k3s-addon', addon: 'coredns' }],
    ['a HelmChart of k3s', deployment({ 'helmcharts.helm.cattle.io/chart': 'traefik' }), { kind: 'k3s-helmchart', chart: 'traefik', namespace: 'apps' }],
    ['another owner of an object set', deployment({}, { ...addon, 'objectset.rio.cattle.io/owner-gvk': 'x.io/v1, Kind=X' }), { kind: 'controller', ref: { apiVersion: 'x.io/v1', kind: 'X', namespace: 'kube-system', name: 'coredns' } }],
  ];
  it.each(cases)('is %s', (_, object, owner) => {
    expect(ownerOf(object)).toEqual(owner);
  });

  it('is the controller before all labels, which controllers hand on', () => {
    const pod = aPod({ annotations: helm, labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' }, controller: aReplicaSet({ name: 'rs' }) });
    expect(ownerOf(pod)).toMatchObject({ kind: 'controller', ref: { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'default', name: 'rs' } });
  });

  it('is the file that it stands in before all else', () => {
    expect(ownerOf(deployment({}, helm), { file: 'a.yaml', line: 3 })).toEqual({ kind: 'manifest', file: 'a.yaml', line: 3 });
  });

  it('names the last field manager that does not write status', () => {
    const managedFields = [
      { manager: 'kubectl-client-side-apply', time: '2026-01-01T00:00:00Z' },
      { manager: 'kubectl-edit', time: '2026-01-03T00:00:00Z' },
      { manager: 'kube-controller-manager', time: '2026-01-09T00:00:00Z', subresource: 'status' },
    ];
    expect(ownerOf(aService({ metadata: { managedFields } }))).toEqual({ kind: 'none', lastManager: 'kubectl-edit' });
  });

  it('survives references of any shape', () => {
    const ownerReferences = [null, 'x', { controller: true }, { controller: true, name: 5 }] as never;
    expect(ownerOf(aService({ metadata: { ownerReferences, managedFields: [null, 7] } }))).toEqual({ kind: 'none' });
  });
});

describe('rootOwner', () => {
  const release = deployment({}, helm);
  const replicaSet = aReplicaSet({ name: 'web-1', namespace: 'apps', controller: release });
  const pod = aPod({ name: 'web-1-x', namespace: 'apps', controller: replicaSet });

  it('climbs from a pod to the release of its Deployment', async () => {
    const found = await rootOwner(memoryCluster([release, replicaSet, pod]), pod);
    expect(found).toMatchObject({ root: { kind: 'Deployment', name: 'web' }, object: release, owner: { kind: 'helm', release: 'web' } });
  });

  it('says the uppermost controller where nobody claims that one', async () => {
    const plain = aDeployment({ name: 'web', namespace: 'apps' });
    const found = await rootOwner(memoryCluster([plain, replicaSet, pod]), pod);
    expect(found.owner).toMatchObject({ kind: 'controller', ref: { kind: 'Deployment', name: 'web' } });
    expect((await rootOwner(memoryCluster([plain]), plain)).owner).toEqual({ kind: 'none' });
  });

  it('stops where the controller is gone, cannot be read, or its name was taken by another', async () => {
    const stop = { root: { kind: 'ReplicaSet', name: 'web-1' }, object: undefined, owner: { kind: 'controller', ref: { kind: 'ReplicaSet' } } };
    expect(await rootOwner(memoryCluster([pod]), pod)).toMatchObject(stop);
    expect(await rootOwner(memoryCluster([pod], { unknown: { ReplicaSet: 'not in dump' } }), pod)).toMatchObject(stop);
    const impostor = { ...replicaSet, metadata: { ...replicaSet.metadata, uid: 'other' } };
    expect(await rootOwner(memoryCluster([pod, impostor]), pod)).toMatchObject(stop);
  });

  it('is unknown for an object without marks where the source does not hold who wrote it, and never nobody', async () => {
    const plain = aDeployment({ name: 'web', namespace: 'apps' });
    const dump = memoryCluster([release, replicaSet], { source: { type: 'dump' } });
    expect((await rootOwner(dump, plain)).owner).toEqual({ kind: 'unknown', reason: 'not in dump' });
    expect((await rootOwner(dump, release)).owner).toMatchObject({ kind: 'helm' });
    expect((await rootOwner(dump, pod)).owner).toMatchObject({ kind: 'helm' });
    const written = aDeployment({ metadata: { managedFields: [{ manager: 'kubectl' }] } });
    expect(ownerIn(memoryCluster([], { source: { type: 'snapshot' } }), written)).toEqual({ kind: 'none', lastManager: 'kubectl' });
    expect(ownerIn(memoryCluster([]), plain)).toEqual({ kind: 'none' });
  });

  it('finds controllers without a namespace', async () => {
    const node = aNode({ name: 'n1' });
    expect(await rootOwner(memoryCluster([node]), aPod({ controller: node }))).toMatchObject({ root: { kind: 'Node', name: 'n1' }, object: node });
    const tenant = anObject('x.io/v1', 'Tenant', { name: 't', namespace: '' }, false);
    expect((await rootOwner(memoryCluster([tenant]), aService({ controller: tenant }))).object).toBe(tenant);
  });

  it('does not run in circles', async () => {
    const a = aService({ name: 'a' });
    const b = aService({ name: 'b', controller: a });
    const circular = aService({ name: 'a', controller: b });
    expect((await rootOwner(memoryCluster([circular, b]), b)).root.kind).toBe('Service');
  });

  it('knows the release that a HelmChart of k3s installed, and the file of an AddOn', async () => {
    const chart = anObject('helm.cattle.io/v1', 'HelmChart', { name: 'web', namespace: 'kube-system', spec: { targetNamespace: 'apps' } });
    const file = anObject('k3s.cattle.io/v1', 'Addon', { name: 'coredns', namespace: 'kube-system', spec: { source: '/var/lib/x.yaml' } });
    const owners = ownersOf(memoryCluster([chart, file]));
    expect((await owners.root(release)).owner).toEqual({ kind: 'k3s-helmchart', chart: 'web', namespace: 'kube-system' });
    expect((await owners.root(deployment({}, addon))).owner).toEqual({ kind: 'k3s-addon', addon: 'coredns', source: '/var/lib/x.yaml' });
    const elsewhere = deployment({}, { ...helm, 'meta.helm.sh/release-namespace': 'other' });
    expect((await owners.root(elsewhere)).owner).toMatchObject({ kind: 'helm' });
  });

  it.each<[string, Record<string, unknown>, string | undefined]>([
    ['its own name', { metadata: { name: 'web', namespace: 'apps' } }, 'web'],
    ['the name that it gives', { spec: { releaseName: 'web', targetNamespace: 'apps' } }, 'web'],
    ['a namespace and its name', { spec: { targetNamespace: 'apps' } }, 'apps-shop'],
    ['a long name cut short', { metadata: { name: 'w'.repeat(60), namespace: 'apps' } }, `${'w'.repeat(40)}-${createHash('sha256').update('w'.repeat(60)).digest('hex').slice(0, 12)}`],
    ['another cluster', { metadata: { name: 'web', namespace: 'apps' }, spec: { kubeConfig: { secretRef: { name: 'x' } } } }, undefined],
  ])('knows the release that a HelmRelease of Flux makes without labels: %s', async (_, more, release) => {
    const driver = anObject('helm.toolkit.fluxcd.io/v2', 'HelmRelease', { metadata: { name: 'shop', namespace: 'flux-system' }, ...more });
    const object = deployment({}, { ...helm, 'meta.helm.sh/release-name': release ?? 'web' });
    const { name, namespace } = driver.metadata;
    expect((await ownersOf(memoryCluster([driver])).root(object)).owner).toMatchObject(release ? { kind: 'flux', resource: `HelmRelease ${namespace}/${name}` } : { kind: 'helm', release: 'web' });
  });

  it('reads a controller once for all that it controls', async () => {
    const cluster = memoryCluster([release, replicaSet]);
    const get = jest.spyOn(cluster, 'get');
    const owners = ownersOf(cluster);
    for (let i = 0; i < 5; i += 1) await owners.root(aPod({ name: `p${i}`, namespace: 'apps', controller: replicaSet }));
    expect(get).toHaveBeenCalledTimes(2);
  });
});
