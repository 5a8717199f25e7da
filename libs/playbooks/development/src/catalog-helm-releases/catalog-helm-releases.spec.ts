import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { criterionSchema, findingSchema, type KubeObject, type TaskResult } from '@larry/contracts';
import { aDeployment, aSecret, memoryCluster, type MemoryClusterOptions } from '@larry/kube/testing';
import { aContext } from '../catalog-deployments/__fixtures__/shop-cluster';
import type { ReleaseCatalog } from '../releases';
import { catalogHelmReleases } from '.';
import { aRecord, type RecordParts } from './__fixtures__/release-records';
import { diagnose } from './diagnose';
import { observe } from './observe';
import { manifestObjects, recordFacts, valueKeys } from './record';

async function catalog(objects: KubeObject[], options: MemoryClusterOptions = {}) {
  const diagnosis = diagnose(await observe(aContext(memoryCluster(objects, options), {})));
  diagnosis.findings.forEach((f) => findingSchema.parse(f));
  diagnosis.criteria.forEach((c) => criterionSchema.parse(c));
  return { ...diagnosis, releases: diagnosis.artifacts?.['releases'] as ReleaseCatalog };
}

describe('catalog-helm-releases', () => {
  it.each<[string, RecordParts]>([
    ['a Secret, gzipped', {}],
    ['a Secret, not gzipped', { gzip: false }],
    ['a ConfigMap, gzipped', { storage: 'ConfigMap' }],
    ['a ConfigMap, not gzipped', { storage: 'ConfigMap', gzip: false }],
  ])('reads a release from %s', async (_what, parts) => {
    const { releases } = await catalog([aRecord(parts)]);
    expect(releases.releases).toEqual([
      {
        id: 'shop/web', namespace: 'shop', name: 'web', revision: 1, status: 'deployed', chart: 'web', chartVersion: '1.2.3', appVersion: '4.5',
        updatedAt: '2026-06-01T10:00:00.123Z', description: 'Install complete', valueKeys: ['replicas'], manifestObjects: 2, hooks: 1,
        storage: parts.storage ?? 'Secret', revisions: [{ revision: 1, status: 'deployed', chartVersion: '1.2.3', updatedAt: '2026-06-01T10:00:00.123Z' }],
      },
    ]);
  });

  it('takes the highest revision for the latest, also past nine', async () => {
    const { releases, figures } = await catalog([9, 10, 2].map((revision) => aRecord({ revision, status: revision === 10 ? 'deployed' : 'superseded', chartVersion: `1.0.${revision}` })));
    expect(releases.releases[0]).toMatchObject({ revision: 10, chartVersion: '1.0.10' });
    expect(releases.releases[0]?.revisions.map((r) => r.revision)).toEqual([10, 9, 2]);
    expect(figures).toMatchObject({ releases: 1, revisions: 3 });
  });

  it('keeps the keys of values and never a value', async () => {
    const outcome = await catalog([aRecord({ config: { auth: { password: 'hunter2', users: [{ token: 'abc123xyz' }] }, image: 'x' }, description: 'failed: password=hunter2' })]);
    expect(outcome.releases.releases[0]?.valueKeys).toEqual(['auth.password', 'auth.users', 'image']);
    expect(JSON.stringify(outcome)).not.toMatch(/hunter2|abc123xyz/);
  });

  it.each<[string, RecordParts[], string[]]>([
    ['a failed upgrade', [{ status: 'superseded' }, { revision: 2, status: 'failed' }], ['helm-release-failed']],
    ['an upgrade that hangs', [{ status: 'deployed' }, { revision: 2, status: 'pending-upgrade' }], ['helm-release-stuck']],
    ['an upgrade that just began', [{ status: 'deployed' }, { revision: 2, status: 'pending-upgrade', updatedAt: '2026-06-01T11:58:00Z' }], []],
    ['a superseded latest', [{ status: 'superseded' }], ['helm-release-superseded']],
    ['an old failure that was mended', [{ status: 'failed' }, { revision: 2 }], []],
  ])('says what is wrong: %s', async (_what, records, rules) => {
    const { findings } = await catalog(records.map(aRecord));
    expect(findings.map((f) => f.rule)).toEqual(rules);
  });

  it('proposes to go back to a revision that was good', async () => {
    const { findings } = await catalog([aRecord({ status: 'deployed' }), aRecord({ revision: 2, status: 'failed' }), aRecord({ revision: 3, status: 'pending-rollback' })]);
    expect(findings[0]?.remedy).toMatchObject({ reason: expect.stringContaining('`helm rollback web 1 --namespace shop`') });
  });

  it('names records that cannot be decoded, and then does not claim to equal the storage', async () => {
    const { releases, findings, criteria, unknowns } = await catalog([aRecord(), aRecord({ name: 'bad', data: 'bm90IGd6aXA=' })]);
    expect(releases.corrupt).toEqual(['Secret shop/sh.helm.release.v1.bad.v1']);
    expect(findings.map((f) => f.rule)).toEqual(['helm-record-corrupt']);
    expect(criteria[0]?.verdict).toBe('not-met');
    expect(unknowns).toHaveLength(1);
    expect(releases.releases.find((r) => r.name === 'bad')).toMatchObject({ chartVersion: 'unknown', status: 'deployed' });
  });

  it('does not unpack a bomb', async () => {
    const bomb = Buffer.from(gzipSync(Buffer.alloc(80 * 1024 * 1024, 0x20)).toString('base64')).toString('base64');
    expect((await catalog([aRecord({ data: bomb })])).releases.corrupt).toHaveLength(1);
  });

  it('reads any damaged record without throwing', () => {
    const good = Buffer.from(String((aRecord()['data'] as { release: string }).release));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(good.length), (at, byte, cut) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        const facts = recordFacts(aRecord({ data: bytes.subarray(0, cut).toString('latin1') }));
        expect(facts.name).toBe('web');
      }),
    );
  });

  it('goes by the marks on objects where Secrets are closed, with versions unknown', async () => {
    const marked = aDeployment({ name: 'x', labels: { 'helm.sh/chart': 'my-chart-2.3.4' }, annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' } });
    const { releases, criteria, summary } = await catalog([marked, aRecord()], { unknown: { Secret: 'forbidden' } });
    expect(releases.releases[0]).toMatchObject({ id: 'shop/web', chart: 'my-chart', chartVersion: 'unknown', revision: 'unknown', status: 'unknown' });
    expect(criteria[0]).toMatchObject({ verdict: 'unknown', reason: "Helm's records cannot be read: forbidden" });
    expect(summary).toContain('versions are unknown');
  });

  it.each<[string, MemoryClusterOptions]>([
    ['manifests', { source: { type: 'manifests' } }],
    ['a dump', { source: { type: 'dump' }, unknown: { Secret: 'not in dump' } }],
  ])("does not call what %s cannot hold 0 releases", async (_what, options) => {
    const { summary, figures, criteria, unknowns } = await catalog([aDeployment({ name: 'x' })], options);
    expect(summary).toMatch(/^Helm releases are unknown: /);
    expect(figures['releases']).toBe('unknown');
    expect(criteria[0]?.verdict).toBe('unknown');
    expect(unknowns).not.toEqual([]);
  });

  it('did no work where nothing at all may be listed', async () => {
    const closed = ['Secret', 'ConfigMap', 'Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Service', 'ServiceAccount'];
    const { skip } = await catalog([aDeployment({ name: 'x' }), aRecord()], { unknown: Object.fromEntries(closed.map((kind) => [kind, 'forbidden'])) });
    expect(skip).toMatchObject({ reason: 'not-permitted', summary: expect.stringContaining('nothing could be read') as string });
  });

  it('says 0 where it looked into the storage and found none', async () => {
    expect(await catalog([aDeployment({ name: 'x' })])).toMatchObject({ summary: '0 Helm releases, 0 revisions.', figures: { releases: 0 } });
  });

  it('claims nothing for manifests, and equality for a cluster and a snapshot', async () => {
    const verdict = async (options: MemoryClusterOptions) => (await catalog([aRecord(), aSecret({ name: 'other' })], options)).criteria[0]?.verdict;
    expect(await verdict({ source: { type: 'manifests' } })).toBe('unknown');
    expect(await verdict({ source: { type: 'snapshot' } })).toBe('met');
    expect(await verdict({})).toBe('met');
  });
});

describe('validate', () => {
  const recorded = [aRecord(), aRecord({ name: 'api' })];
  it.each<[string, KubeObject[], string, string]>([
    ['nothing changed', recorded, 'met', '2 records, listed twice and equal'],
    ['a release went', [aRecord()], 'not-met', '1 differences: Secret shop/sh.helm.release.v1.api.v1 is gone'],
    ['a revision came', [...recorded, aRecord({ revision: 2 })], 'not-met', '1 differences: Secret shop/sh.helm.release.v1.web.v2 is new'],
    ['a status changed', [aRecord({ status: 'failed' }), aRecord({ name: 'api' })], 'not-met', '1 differences: Secret shop/sh.helm.release.v1.web.v1 is failed, was deployed'],
    ['a record was rewritten', [aRecord({ chartVersion: '9.9.9' }), aRecord({ name: 'api' })], 'not-met', '1 differences: Secret shop/sh.helm.release.v1.web.v1 has another content'],
  ])('%s', async (_what, now, verdict, value) => {
    const { artifacts, criteria } = await catalog(recorded);
    const result = { artifacts: artifacts ?? {}, criteria } as TaskResult;
    const [criterion] = await catalogHelmReleases.validate(aContext(memoryCluster(now), {}), result);
    expect(criterion).toMatchObject({ verdict, observation: { value } });
  });
  it('is unknown when the records cannot be read any more', async () => {
    const { artifacts, criteria } = await catalog(recorded);
    const [criterion] = await catalogHelmReleases.validate(aContext(memoryCluster([], { unknown: { Secret: 'forbidden' } }), {}), { artifacts: artifacts ?? {}, criteria } as TaskResult);
    expect(criterion?.verdict).toBe('unknown');
  });
});

describe('the parts of a record', () => {
  it('counts the objects of a manifest, not its comments', () => {
    expect(manifestObjects('---\n# nothing\n---\nkind: A\n--- # x\napiVersion: v1\nkind: B\n  kind: inner\n')).toBe(2);
    expect(manifestObjects('')).toBe(0);
  });
  it('ends for values of any depth and width', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 2000; i++) deep = { d: deep };
    expect(valueKeys(deep).length).toBeLessThanOrEqual(100);
    expect(valueKeys(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i])))).toHaveLength(100);
    expect(valueKeys(null)).toEqual([]);
  });
});

const recordings = path.resolve(__dirname, '../../../../../../shared/recordings/helm-release');
(existsSync(recordings) ? describe : describe.skip)('records that the real Helm wrote (../shared/recordings)', () => {
  it.each([
    ['full.v1', 'demo', '0.1.0', 'superseded'],
    ['nr.v2', 'noreplicas', '0.1.0', 'deployed'],
  ])('%s', (file, chart, chartVersion, status) => {
    const object = JSON.parse(readFileSync(path.join(recordings, `sh.helm.release.v1.${file}.raw.json`), 'utf8')) as KubeObject;
    expect(recordFacts(object)).toMatchObject({ status, labelStatus: status, release: { chart, chartVersion } });
  });
});
