import fc from 'fast-check';
import { criterionSchema, type KubeObject, type TaskResult } from '@larry/contracts';
import { aConfigMap, aDeployment, memoryCluster } from '@larry/kube/testing';
import { aContext, shopDigest, shopObjects } from '../catalog-deployments/__fixtures__/shop-cluster';
import { aRecord } from '../catalog-helm-releases/__fixtures__/release-records';
import type { Asset } from '../inventory';
import { anAsset, anInventory } from './__fixtures__/assets';
import { classify, classifyAll, repositoryOf } from './classify';
import { diagnose } from './diagnose';
import { drawMermaid, mermaidText } from './draw-mermaid';
import { drawSvg, xmlText } from './draw-svg';
import { healthScores } from './health';
import type { Lineage } from './lineage';
import { observe } from './observe';
import { orphansOf } from './orphans';
import { validate } from './validate';

const tagsOf = (asset: Partial<Asset>) => classify(anAsset(asset)).tags;
const helm = { labels: { 'helm.sh/chart': 'web-1.2.3' }, annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' } };
const shop = (): KubeObject[] => [...shopObjects().map((o) => (o.kind === 'Deployment' ? { ...o, metadata: { ...o.metadata, ...helm } } : o)), aRecord()];
const run = async (objects: KubeObject[], options = {}) => diagnose(await observe(aContext(memoryCluster(objects, options), {})));

describe('classify', () => {
  it.each<[Partial<Asset>, string, string]>([
    [{ images: ['docker.io/library/postgres:17'] }, 'database', 'image names postgres'],
    [{ images: ['quay.io/prometheuscommunity/postgres-exporter:v0.15'] }, 'monitoring', 'image names exporter'],
    [{ images: ['prometheus.corp.example/team/shop:1'] }, '', ''],
    [{ images: ['bitnami/redis:7', 'oliver006/redis_exporter:v1'] }, 'database', 'image names redis'],
    [{ images: ['rancher/mirrored-library-traefik:2.11'] }, 'network', 'image names traefik'],
    [{ images: ['ghcr.io/open-webui/open-webui:main'] }, 'ai', 'image names open-webui'],
    [{ images: ['x/y:1'], labels: { 'helm.sh/chart': 'kafka-28.0.0' } }, 'messaging', 'chart names kafka'],
    [{ images: ['x/y:1'], labels: { 'app.kubernetes.io/name': 'longhorn-manager' } }, 'storage', 'label names longhorn'],
    [{ images: ['x/y:1'], name: 'n8n' }, 'automation', 'name names n8n'],
    [{ images: ['x/y:1'], ports: [5432] }, 'database', 'port 5432 (PostgreSQL)'],
    [{ images: ['x/postgresqlish:1'] }, '', ''],
    [{ kind: 'ConfigMap', name: 'grafana' }, 'configuration', 'kind ConfigMap'],
    [{ id: 'Service.serving.knative.dev a/b', kind: 'Service', apiVersion: 'serving.knative.dev/v1' }, '', ''],
    [{ id: 'Certificate.cert-manager.io a/b', kind: 'Certificate', apiVersion: 'cert-manager.io/v1' }, 'security', 'group cert-manager.io'],
    [{ kind: 'Cluster', apiVersion: 'postgresql.cnpg.io/v1', name: 'main' }, 'database', 'group postgresql.cnpg.io'],
    [{ images: ['x/y:1'], namespace: 'kube-system' }, 'system', 'namespace kube-system'],
  ])('%j is %s because its %s', (asset, tag, rule) => {
    expect(tagsOf(asset)[0]).toEqual(tag === '' ? undefined : { tag, rule });
  });

  it('tags a Service as what it selects, too', () => {
    const [service] = classifyAll(
      anInventory([anAsset({ kind: 'Service', name: 'db' }), anAsset({ name: 'db', images: ['mysql:8'] })], { dependencies: [{ from: 'Service apps/db', to: 'Deployment apps/db', via: 'selector' }] }),
    );
    expect(service?.tags.map((t) => t.tag)).toEqual(['network', 'database']);
  });

  it.each([
    ['postgres', 'postgres'],
    ['localhost/a/b:1', 'a/b'],
    ['registry.example.com:5000/bitnami/redis:7@sha256:00', 'bitnami/redis'],
    ['library/redis', 'library/redis'],
  ])('the repository of %s is %s', (image, repository) => expect(repositoryOf(image)).toBe(repository));
});

describe('health', () => {
  it('is the sum of parts that are known, each with why', () => {
    const [sick, fresh] = healthScores(
      anInventory([
        anAsset({ name: 'sick', images: ['a/b:latest'], replicas: { desired: 2, ready: 1 }, pods: { count: 2, ready: 1, restarts: 30 } }),
        anAsset({ name: 'fresh', images: [`a/b@sha256:${'0'.repeat(64)}`], owner: { kind: 'flux', resource: 'x' } }),
      ]),
    );
    expect(sick?.parts.map((p) => [p.name, p.points, p.of])).toEqual([['ready', 20, 40], ['restarts', 0, 20], ['pinned', 0, 15], ['references', 15, 15], ['owner', 0, 10]]);
    expect(sick?.score).toBe(35);
    expect(fresh).toMatchObject({ score: 100, parts: [{ name: 'pinned' }, { name: 'references' }, { name: 'owner' }] });
  });
});

describe('orphans', () => {
  const forgotten = anAsset({ kind: 'Secret', name: 'forgotten', apiVersion: 'v1' });
  it('are what nothing refers to', () => {
    const used = anAsset({ kind: 'ConfigMap', name: 'used', apiVersion: 'v1' });
    const inventory = anInventory([forgotten, used, anAsset()], { dependencies: [{ from: 'Deployment apps/thing', to: used.id, via: 'volume' }] });
    expect(orphansOf(inventory)).toEqual({ known: true, ids: ['Secret apps/forgotten'] });
  });
  it.each<[string, Partial<Asset>]>([
    ["Helm's records and the cluster's own", { builtin: 'helm' }],
    ['what a controller owns', { owner: { kind: 'controller', ref: { apiVersion: 'x/v1', kind: 'X', name: 'x' } } }],
    ['what is found by a label', { labels: { grafana_dashboard: '1' } }],
  ])('are not %s', (_what, parts) => {
    expect(orphansOf(anInventory([{ ...forgotten, ...parts }]))).toEqual({ known: true, ids: [] });
  });
  it('are unknown while something that refers cannot be listed', () => {
    expect(orphansOf(anInventory([forgotten], { unlisted: [{ kind: 'StatefulSet', reason: 'not in dump' }] }))).toEqual({ known: false, reason: 'what refers to them cannot be listed: StatefulSet' });
    expect(orphansOf(anInventory([forgotten], { omitted: 3 })).known).toBe(false);
  });
});

describe('the lineage', () => {
  it('leads from the app over release and chart to image and digest', async () => {
    const { artifacts } = await run(shop());
    const { edges } = artifacts?.['lineage'] as Lineage;
    expect(edges.map((e) => `${e.from} → ${e.to}`)).toEqual([
      'app:Deployment shop/web → release:shop/web',
      'release:shop/web → chart:web 1.2.3',
      'chart:web 1.2.3 → image:example.com/web:1.4',
      `image:example.com/web:1.4 → digest:${shopDigest}`,
      'app:StatefulSet shop/db → image:postgres:17',
    ]);
  });

  const hostile = ['"]; click n0 "javascript:alert(1)"', '</text><script>alert(1)</script>', '#quot;', 'a\nb --> c', '%%{init: {}}%%', '\u202egnp', ']]>&<!--'];
  const lineageOfLabels = (labels: string[]): Lineage => ({ nodes: labels.map((label, i) => ({ id: `app:${i}`, kind: 'app' as const, label })), edges: [] });

  it.each(hostile)('draws the hostile name %j as text and nothing else', (label) => {
    const svg = drawSvg(lineageOfLabels([label]));
    expect(tagNames(svg)).toEqual(['g', 'rect', 'svg', 'text', 'title']);
    const labelLine = drawMermaid(lineageOfLabels([label])).split('\n')[2];
    expect(labelLine).toMatch(/^ {4}n0\["(?:[A-Za-z0-9 ._:/@+=,-]|#\d+;)*"\]$/);
  });

  it('draws any text as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(xmlText(text)).not.toMatch(/[<>"']|&(?!#\d+;)|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/);
        expect(mermaidText(text)).toMatch(/^(?:[A-Za-z0-9 ._:/@+=,-]|#\d+;)*$/);
        expect(wellFormed(drawSvg(lineageOfLabels([text])))).toBe(true);
      }),
    );
  });

  it('stays readable for many: the rest is a number', () => {
    const many = lineageOfLabels(Array.from({ length: 500 }, (_, i) => `app ${i}`));
    expect(drawSvg(many)).toContain('>and 440 more<');
    expect(drawMermaid(many)).toContain('["and 440 more"]');
    expect(drawSvg(many)).toContain('Lineage: 500 nodes, 0 edges');
  });
});

describe('classify-assets', () => {
  it('classifies or names every asset, and says so by observation', async () => {
    const { criteria, figures, artifacts } = await run([...shop(), aDeployment({ name: 'mystery', namespace: 'shop' })]);
    criteria.forEach((c) => criterionSchema.parse(c));
    expect(criteria.map((c) => [c.id, c.verdict])).toEqual([['all-classified', 'met'], ['lineage-drawn', 'met']]);
    expect(criteria[0]?.observation?.value).toMatch(/unclassified: Deployment shop\/mystery$/);
    expect(figures).toMatchObject({ lineage_nodes: 9, lineage_edges: 6, unclassified: 1 });
    expect(artifacts?.['orphans']).toEqual({ known: true, ids: [] });
  });

  it('works on the catalogs of the run where there are any', async () => {
    const alone = await observe(aContext(memoryCluster(shop()), {}));
    expect(alone.own).toBe(true);
    const results = { 'catalog-deployments': { artifacts: { inventory: alone.inventory } } as unknown as TaskResult, 'catalog-helm-releases': { artifacts: { releases: alone.releases } } as unknown as TaskResult };
    const given = await observe(aContext(memoryCluster([]), {}, results));
    expect(given).toMatchObject({ own: false, inventory: { assets: { length: alone.inventory.assets.length } } });
  });

  it('does not believe an artifact of another shape', async () => {
    const results = { 'catalog-deployments': { artifacts: { inventory: { assets: [{}] } } } as unknown as TaskResult };
    expect((await observe(aContext(memoryCluster([]), {}, results))).own).toBe(true);
  });

  it('claims no lineage where nothing runs', async () => {
    expect((await run([aConfigMap()])).criteria[1]?.verdict).toBe('unknown');
  });

  it.each<[string, (objects: KubeObject[]) => KubeObject[], string[], string]>([
    ['nothing changed', (o) => o, ['met', 'met'], '14 classified'],
    ['an asset came', (o) => [...o, aConfigMap({ name: 'late' })], ['not-met', 'met'], 'ConfigMap default/late is new'],
    ['an asset went', (o) => o.filter((x) => x.kind !== 'Ingress'), ['not-met', 'met'], 'Ingress shop/web is gone'],
    ['an image changed', (o) => o.map((x) => (x.kind === 'StatefulSet' ? (JSON.parse(JSON.stringify(x).replaceAll('postgres:17', 'kafka:4')) as KubeObject) : x)), ['not-met', 'not-met'], 'StatefulSet shop/db is now messaging'],
    ['the chart changed', (o) => [...o.filter((x) => x['type'] !== 'helm.sh/release.v1'), aRecord({ chartVersion: '2.0.0' })], ['met', 'not-met'], '14 classified'],
  ])('is looked at anew by validate: %s', async (_what, change, verdicts, difference) => {
    const { artifacts, criteria } = await run(shop());
    const result = JSON.parse(JSON.stringify({ artifacts, criteria })) as TaskResult;
    const now = await validate(aContext(memoryCluster(change(shop())), {}), result);
    expect(now.map((c) => c.verdict)).toEqual(verdicts);
    expect(now[0]?.observation?.value).toContain(difference);
  });
});

const tagNames = (svg: string): string[] => [...new Set([...svg.matchAll(/<([a-z]+)/gi)].map((m) => m[1] as string))].sort();

/** Every element that is opened is closed, in order. */
function wellFormed(svg: string): boolean {
  const open: string[] = [];
  for (const [, close, name, self] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/gi)) {
    if (self) continue;
    if (!close) open.push(name as string);
    else if (open.pop() !== name) return false;
  }
  return open.length === 0;
}
