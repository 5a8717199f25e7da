import { criterionSchema, findingSchema, type KubeObject, type TaskResult } from '@larry/contracts';
import { aConfigMap, aDeployment, aNamespace, anObject, aPod, aReplicaSet, aSecret, memoryCluster, type MemoryClusterOptions } from '@larry/kube/testing';
import type { ClusterReader } from '@larry/kube';
import type { Inventory } from '../inventory';
import { aContext, shopDigest, shopObjects } from './__fixtures__/shop-cluster';
import { diagnose } from './diagnose';
import { hostReferences } from './host-names';
import { observe } from './observe';
import { validate } from './validate';

async function catalog(objects: KubeObject[], options: MemoryClusterOptions = {}, maxAssets = 3000) {
  const diagnosis = diagnose(await observe(aContext(memoryCluster(objects, options), {})), { maxAssets });
  diagnosis.findings.forEach((f) => findingSchema.parse(f));
  diagnosis.criteria.forEach((c) => criterionSchema.parse(c));
  return { ...diagnosis, inventory: diagnosis.artifacts?.['inventory'] as Inventory };
}
const asResult = (diagnosis: Awaited<ReturnType<typeof catalog>>) => ({ artifacts: JSON.parse(JSON.stringify(diagnosis.artifacts)) as unknown, criteria: diagnosis.criteria }) as TaskResult;
const links = (inventory: Inventory) => inventory.dependencies.map((d) => `${d.from} → ${d.to} (${d.via})`);

describe('catalog-deployments', () => {
  it('counts every object and lists each but those that controllers make', async () => {
    const { inventory, figures } = await catalog(shopObjects());
    expect(figures).toMatchObject({ assets_discovered: 17, assets: 13, namespaces: 1, kinds_unlisted: 0 });
    expect(inventory.assets.map((a) => a.id)).toContain('Certificate.cert-manager.io shop/web');
    expect(inventory.assets.some((a) => a.kind === 'Pod' || a.kind === 'ReplicaSet' || a.kind === 'Event')).toBe(false);
    expect(inventory.counts.find((c) => c.kind === 'Pod')).toMatchObject({ objects: 2, derived: 2 });
  });

  it('folds pods into the workload that controls them, with the digests that run', async () => {
    const { inventory } = await catalog(shopObjects().reverse());
    const web = inventory.assets.find((a) => a.id === 'Deployment shop/web');
    expect(web).toMatchObject({ images: ['example.com/web:1.4'], ports: [8080], pods: { count: 2, ready: 2, restarts: 2 }, digests: { 'example.com/web:1.4': [shopDigest] }, replicas: { desired: 2, ready: 2 } });
  });

  it("keeps an operator's workload as an asset, with its pods", async () => {
    const custom = anObject('acme.io/v1', 'Database', { name: 'd' });
    const owned = aDeployment({ name: 'd', controller: custom });
    const set = aReplicaSet({ name: 'd-1', controller: owned });
    const { inventory } = await catalog([custom, owned, set, aPod({ name: 'd-1-x', controller: set })]);
    expect(inventory.assets.find((a) => a.kind === 'Deployment')).toMatchObject({ owner: { kind: 'controller' }, pods: { count: 1 } });
  });

  it('resolves what depends on what', async () => {
    const { inventory } = await catalog(shopObjects());
    expect(links(inventory).sort()).toEqual(
      [
        'Certificate.cert-manager.io shop/web → Secret shop/forgotten (field secretName)',
        'Deployment shop/web → ConfigMap shop/web (envFrom)',
        'Deployment shop/web → PersistentVolumeClaim shop/uploads (volume)',
        'Deployment shop/web → Secret shop/web (env TOKEN)',
        'Deployment shop/web → Service shop/cache (host name in CACHE_HOST)',
        'Deployment shop/web → Service shop/db (host name in DB_URL)',
        'Deployment shop/web → ServiceAccount shop/web (serviceAccountName)',
        'Ingress shop/web → Service shop/web (backend)',
        'Service shop/db → StatefulSet shop/db (selector)',
        'Service shop/web → Deployment shop/web (selector)',
        'StatefulSet shop/db → Service shop/db (serviceName)',
      ].sort(),
    );
  });

  it('reports what is referred to and missing, but not where the kind cannot be listed', async () => {
    const { findings, inventory } = await catalog(shopObjects());
    expect(inventory.dangling).toEqual([{ from: 'Deployment shop/web', to: 'Secret shop/missing-tls', via: 'volume' }]);
    expect(findings.map((f) => [f.rule, f.title])).toEqual([['dangling-reference', 'Deployment shop/web needs Secret shop/missing-tls, which does not exist']]);
    const blind = await catalog(shopObjects(), { unknown: { Secret: 'forbidden' } });
    expect(blind.findings).toEqual([]);
    expect(blind.unknowns).toContainEqual({ subject: 'Secret objects', reason: 'forbidden' });
    expect((await catalog(shopObjects(), { source: { type: 'manifests' } })).findings).toEqual([]);
  });

  it('keeps no value of a Secret or variable', async () => {
    expect(JSON.stringify(await catalog(shopObjects()))).not.toMatch(/hunter2|aHVudGVy|web:secret|is a word/);
  });

  it('lists workloads first when there are more assets than it may list, and says how many it left out', async () => {
    const { inventory, unknowns, figures } = await catalog([...Array.from({ length: 50 }, (_, i) => aConfigMap({ name: `c${i}` })), aDeployment({ name: 'z' })], {}, 10);
    expect(inventory.assets[0]?.kind).toBe('Deployment');
    expect(inventory).toMatchObject({ omitted: 41 });
    expect(figures['assets_discovered']).toBe(51);
    expect(unknowns[0]?.subject).toBe('41 assets');
  });
});

describe('the count', () => {
  it('is met on a live cluster by a second listing, and unknown for a folder', async () => {
    expect((await catalog(shopObjects())).criteria[0]).toMatchObject({ verdict: 'met', observation: { value: expect.stringMatching(/^17 objects of \d+ kinds, counted twice$/) } });
    expect((await catalog(shopObjects(), { source: { type: 'snapshot', takenAt: '2026-01-01T00:00:00Z' } })).criteria[0]?.verdict).toBe('unknown');
  });

  it.each<[string, (objects: KubeObject[]) => KubeObject[], string | undefined]>([
    ['nothing changed', (o) => o, undefined],
    ['a pod came', (o) => [...o, aPod({ name: 'web-1-c', namespace: 'shop', controller: o.find((x) => x.kind === 'ReplicaSet') as KubeObject })], undefined],
    ['a pod of nobody came', (o) => [...o, aPod({ name: 'stray' })], 'Pod: 1 now, 0 in the catalog'],
    ['a Secret went', (o) => o.filter((x) => x.metadata.name !== 'forgotten'), 'Secret: 1 now, 2 in the catalog'],
    ['a ConfigMap was exchanged for another', (o) => [...o.filter((x) => x.kind !== 'ConfigMap'), aConfigMap({ name: 'other', namespace: 'shop' })], 'ConfigMap: 1 as before, but others'],
  ])('is looked at anew by validate: %s', async (_what, change, difference) => {
    const result = asResult(await catalog(shopObjects()));
    const [criterion] = await validate(aContext(memoryCluster(change(shopObjects())), {}), result);
    expect(criterion?.verdict).toBe(difference === undefined ? 'met' : 'not-met');
    if (difference) expect(criterion?.observation?.value).toBe(difference);
  });

  it('is unknown when a kind cannot be counted again, and when there is nothing to compare with', async () => {
    const result = asResult(await catalog(shopObjects()));
    expect((await validate(aContext(memoryCluster(shopObjects(), { unknown: { Secret: 'forbidden' } }), {}), result))[0]?.verdict).toBe('unknown');
    expect((await validate(aContext(memoryCluster([]), {}), { artifacts: {} } as TaskResult))[0]?.verdict).toBe('unknown');
  });

  it('takes the catalog anew when objects came while it was taken', async () => {
    let listings = 0;
    const before = memoryCluster([aNamespace('a')]);
    const after = memoryCluster([aNamespace('a'), aNamespace('b')]);
    const moving: ClusterReader = { ...before, list: (kind, options) => (kind.kind === 'Namespace' && ++listings > 1 ? after : before).list(kind, options) };
    const diagnosis = diagnose(await observe(aContext(moving, {})), { maxAssets: 10 });
    expect(diagnosis.figures['assets']).toBe(2);
    expect(diagnosis.criteria[0]?.verdict).toBe('met');
  });
});

describe('hostReferences', () => {
  it.each<[string, string, string[]]>([
    ['DB_HOST', 'postgres', ['ns/postgres']],
    ['DB_HOST', 'postgres.data', ['data/postgres']],
    ['DB_HOST', 'db.example.com', []],
    ['X', 'postgres.data.svc', ['data/postgres']],
    ['REDIS_URL', 'redis://:pw@redis.cache.svc.cluster.local:6379/0', ['cache/redis']],
    ['URL', 'http://user:p@api:80/db?x=other', ['ns/api']],
    ['BROKERS', 'kafka-0:9092,kafka-1:9092', ['ns/kafka-0', 'ns/kafka-1']],
    ['NAME', 'postgres', []],
    ['ADDR', '10.0.0.1:80', []],
  ])('%s=%s', (name, value, expected) => {
    expect(hostReferences(name, value, 'ns').map((r) => `${r.namespace}/${r.name}`)).toEqual(expected);
  });
  it('ends for values of any length', () => {
    for (const value of ['a'.repeat(100_000), '-.-.-.'.repeat(20_000), 'a.'.repeat(50_000), 'x://'.repeat(30_000)]) {
      expect(hostReferences('HOST', value, 'ns').length).toBeLessThan(1000);
    }
  });
});

it('survives objects of any shape', async () => {
  const odd = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x\x1b[2J', namespace: 'n', ownerReferences: [null, 3] }, spec: { containers: [null, 3, { env: {}, volumeMounts: 1 }], volumes: 'no' }, status: [] } as unknown as KubeObject;
  const { inventory } = await catalog([odd, aSecret({ data: 7 as unknown as Record<string, string> })]);
  expect(inventory.assets.map((a) => a.name)).toEqual(expect.arrayContaining(['x']));
});
