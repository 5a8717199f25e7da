import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonRecord, KubeObject, Owner, Remedy } from '@larry/contracts';
import { gitBranches, refineGitRemedies, type ClusterReader } from '@larry/kube';
import { memoryCluster } from '@larry/kube/testing';
import { stringify } from 'yaml';
import { refineHelmRemedies } from './refine-remedies';
import type { HelmRelease } from './release';
import { openRenderer } from './renderer';
import { aRelease, helmForTests, releaseSecret } from './testing';

const helm = helmForTests();
const itWithHelm = helm ? it : it.skip;
if (!helm) console.log('declared-values.int-spec: what renders charts is skipped, there is no helm on PATH');

const origin = { 'helm.toolkit.fluxcd.io/name': 'shop', 'helm.toolkit.fluxcd.io/namespace': 'apps' };
const marks = { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'web' };
const image = '/spec/template/spec/containers/0/image';
const toTag = (tag: string) => [{ op: 'replace', path: image, value: `docker.io/library/nginx:${tag}` }];
const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'web', name: 'shop' };
const flux: Owner = { kind: 'flux', resource: 'HelmRelease apps/shop' };
const k3s: Owner = { kind: 'k3s-helmchart', chart: 'shop', namespace: 'kube-system' };
const helmOwner: Owner = { kind: 'helm', release: 'shop', namespace: 'web' };

/** As `kubectl get helmrelease` shows one of Flux 2.4 and newer. */
const helmRelease = (spec: JsonRecord): KubeObject => ({
  apiVersion: 'helm.toolkit.fluxcd.io/v2',
  kind: 'HelmRelease',
  metadata: { name: 'shop', namespace: 'apps', labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' } },
  spec: { interval: '10m', chart: { spec: { chart: 'web', version: '1.x', sourceRef: { kind: 'HelmRepository', name: 'shop' } } }, releaseName: 'shop', targetNamespace: 'web', ...spec },
});
const helmChart = (kind: string, spec: JsonRecord, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'helm.cattle.io/v1', kind, metadata: { name: 'shop', namespace: 'kube-system', annotations: { 'helmcharts.helm.cattle.io/managed-by': 'helm-controller', ...annotations } },
  spec: kind === 'HelmChart' ? { chart: 'web', repo: 'https://charts.example', targetNamespace: 'web', ...spec } : spec,
}); // prettier-ignore

const renderings = new Map<string, Promise<JsonRecord[]>>();

/** What the chart renders with these values; asked for once each. */
function rendered(release: HelmRelease, labels: Record<string, string>): Promise<JsonRecord[]> {
  const key = JSON.stringify([release.config, release.chart.values, labels]);
  const render = async (): Promise<JsonRecord[]> => {
    const result = await openRenderer(release, { helm: helm ?? '', added: { labels, annotations: {} } }, (renderer) => renderer.render(undefined));
    if ('failed' in result) throw new Error(result.failed);
    return [...result.objects.values()];
  };
  const objects = renderings.get(key) ?? render();
  renderings.set(key, objects);
  return objects;
}

/** A cluster in which the release is installed from these values: by Flux with its labels, and its records beside the HelmRelease. */
async function clusterWith(drivers: KubeObject[], config: JsonRecord, { labels = {}, storage = 'web', unknown = {}, env }: { labels?: Record<string, string>; storage?: string; unknown?: Record<string, string>; /** Of the chart's own values. */ env?: object[] } = {}): Promise<ClusterReader> {
  const release = aRelease(config);
  if (env) Object.assign(release.chart.values, { env });
  const objects = await rendered(release, labels);
  const installed: HelmRelease = { ...release, manifest: objects.map((o) => stringify(o)).join('---\n') };
  const secret = releaseSecret(installed);
  const live = objects.map((o): KubeObject => ({ ...o, metadata: { ...(o['metadata'] as object), namespace: 'web', annotations: marks } }) as unknown as KubeObject);
  return memoryCluster([...live, ...drivers, { ...secret, metadata: { ...secret.metadata, namespace: storage } }], { unknown });
}

async function refined(cluster: ClusterReader, owner: Owner, wanted: object[] = toTag('1.25'), layer: 'manifest' | 'none' = 'manifest'): Promise<{ owner: Owner; remedy: Remedy }> {
  const remedy = (layer === 'manifest' ? { layer, yaml: 'x: y\n', note: 'another image', wanted } : { layer, reason: 'another image', wanted }) as Remedy;
  const [found] = await refineHelmRemedies(cluster, { file: helm ?? '' }, [{ owner, remedy }], () => object);
  if (!found) throw new Error('no finding');
  return found;
}

const inFlux = { labels: origin, storage: 'apps' };
const tag = (value: string): JsonRecord => ({ image: { tag: value } });
const block = 'image:\n  tag: latst # the newest\n';

describe('the value of a release that a controller drives', () => {
  itWithHelm.each<[string, () => Promise<ClusterReader>, Owner, object[], { object: JsonRecord; wanted: object[]; yaml: string; note: string }]>([
    [
      'Flux by a HelmRelease that gives it', () => clusterWith([helmRelease({ values: tag('latst') })], tag('latst'), inFlux), flux, toTag('1.25'),
      { object: { kind: 'HelmRelease', namespace: 'apps', name: 'shop' }, wanted: [{ op: 'replace', path: '/spec/values/image/tag', value: '1.25' }], yaml: 'spec:\n  values:\n    image:\n      tag: "1.25"\n', note: 'spec.values.image.tag of HelmRelease apps/shop' },
    ],
    [
      'Flux by a HelmRelease that leaves it to the chart', () => clusterWith([helmRelease({})], {}, inFlux), flux, [{ op: 'replace', path: '/spec/replicas', value: 2 }],
      { object: { kind: 'HelmRelease' }, wanted: [{ op: 'add', path: '/spec/values/replicas', value: 2 }], yaml: 'spec:\n  values:\n    replicas: 2\n', note: 'Flux would undo a helm upgrade' },
    ],
    [
      'Flux, with an element of a list of the chart', () => clusterWith([helmRelease({ values: tag('1.25') })], tag('1.25'), inFlux), flux, [{ op: 'replace', path: '/spec/template/spec/containers/0/env/1/value', value: 'slow' }],
      { object: { kind: 'HelmRelease' }, wanted: [{ op: 'add', path: '/spec/values/env', value: [{ name: 'EMAIL', value: 'admin@shop.local' }, { name: 'MODE', value: 'slow' }] }], yaml: 'spec:\n  values:\n    env:\n      - name: EMAIL\n        value: admin@shop.local\n      - name: MODE\n        value: slow\n', note: 'spec.values.env' },
    ],
    [
      'k3s by the text of a HelmChart', () => clusterWith([helmChart('HelmChart', { valuesContent: block })], tag('latst')), k3s, toTag('1.25'),
      { object: { kind: 'HelmChart', namespace: 'kube-system', name: 'shop' }, wanted: [{ op: 'replace', path: '/spec/valuesContent/image/tag', value: '1.25' }], yaml: 'spec:\n  valuesContent: |\n    image:\n      tag: "1.25"\n', note: 'k3s would undo a helm upgrade' },
    ],
    [
      'k3s by a HelmChart without values', () => clusterWith([helmChart('HelmChart', {})], {}), k3s, toTag('1.27'),
      { object: { kind: 'HelmChart' }, wanted: [{ op: 'add', path: '/spec/valuesContent', value: 'image:\n  tag: "1.27"\n' }], yaml: 'spec:\n  valuesContent: |\n    image:\n      tag: "1.27"\n', note: 'spec.valuesContent.image.tag' },
    ],
    [
      'k3s by the HelmChartConfig that overrides it', () => clusterWith([helmChart('HelmChart', { valuesContent: 'image: {tag: "1.25"}' }), helmChart('HelmChartConfig', { valuesContent: block })], tag('latst')), k3s, toTag('1.25'),
      { object: { kind: 'HelmChartConfig' }, wanted: [{ op: 'replace', path: '/spec/valuesContent/image/tag', value: '1.25' }], yaml: 'spec:\n  valuesContent: |\n    image:\n      tag: "1.25"\n', note: 'of HelmChartConfig kube-system/shop' },
    ],
    [
      'k3s by a single value over all others', () => clusterWith([helmChart('HelmChart', { valuesContent: 'image: {tag: "1.25"}', set: { 'image.tag': 'latst', replicas: 1 } })], { ...tag('latst'), replicas: 1 }), k3s, toTag('1.25'),
      { object: { kind: 'HelmChart' }, wanted: [{ op: 'replace', path: '/spec/set/image.tag', value: '1.25' }], yaml: 'spec:\n  set:\n    image.tag: "1.25"\n', note: 'spec.set.image.tag' },
    ],
  ])('is said where it is declared: %s', async (_, cluster, owner, wanted, { object: declaring, wanted: steps, yaml, note }) => {
    const { remedy } = await refined(await cluster(), owner, wanted);
    expect(remedy).toMatchObject({ layer: 'manifest', yaml, wanted, declared: { object: declaring, wanted: steps } });
    expect('note' in remedy && remedy.note).toContain(note);
  }); // prettier-ignore

  const mode = [{ op: 'replace', path: '/spec/template/spec/containers/0/env/0/value', value: 'slow' }];
  itWithHelm.each<[string, () => Promise<ClusterReader>, Owner, string, object[]?]>([
    ['a ConfigMap gives it', () => clusterWith([helmRelease({ valuesFrom: [{ kind: 'ConfigMap', name: 'shop-values' }] })], tag('latst'), inFlux), flux, 'ConfigMap shop-values gives image.tag: the change belongs there'],
    ['a Secret gives it', () => clusterWith([helmChart('HelmChart', { valuesSecrets: [{ name: 'shop-values', keys: ['values.yaml'] }] })], tag('latst')), k3s, 'Secret shop-values gives image.tag'],
    ['the controller has not come to it', () => clusterWith([helmRelease({ values: tag('1.24') })], tag('latst'), inFlux), flux, 'spec.values.image.tag of HelmRelease apps/shop is not what the release was made with'],
    ['somebody else upgraded the release', () => clusterWith([helmChart('HelmChart', {})], tag('latst')), k3s, 'and HelmChart kube-system/shop does not: its controller has not come to it yet, or somebody else upgraded the release'],
    ['HelmChartConfigs cannot be read', () => clusterWith([helmChart('HelmChart', { valuesContent: block }), helmChart('HelmChartConfig', {})], tag('latst'), { unknown: { HelmChartConfig: 'forbidden' } }), k3s, 'whether a HelmChartConfig overrides its values cannot be seen'],
    ['Flux changes more than the chart renders', () => clusterWith([helmRelease({ values: tag('latst') })], tag('latst'), { labels: { ...origin, patched: 'yes' }, storage: 'apps' }), flux, 'does not render again to what is installed'],
    ['a list with a secret in it would be written out', () => clusterWith([helmRelease({})], {}, { ...inFlux, env: [{ name: 'MODE', value: 'fast' }, { name: 'DB_PASSWORD', value: 'hunter2hunter2' }] }), flux, 'spec.values.env of HelmRelease apps/shop would hold a secret', mode],
    ['the HelmRelease is in another cluster', () => clusterWith([], tag('latst'), inFlux), flux, 'it is not in this cluster'],
  ])('is left to people, with the reason, where %s', async (_, cluster, owner, reason, wanted = toTag('1.25')) => {
    const { remedy } = await refined(await cluster(), owner, wanted);
    expect(remedy).toMatchObject({ layer: 'manifest', yaml: 'x: y\n', note: expect.stringContaining(reason) as string });
    expect(remedy).not.toHaveProperty('wanted');
    expect(remedy).not.toHaveProperty('declared');
  });

  itWithHelm.each<[string, () => Promise<ClusterReader>, Owner, string]>([
    ['Flux, whose labels somebody took off', () => clusterWith([helmRelease({ values: tag('latst') })], tag('latst'), inFlux), flux, 'manifest'],
    ['k3s, which leaves no mark', () => clusterWith([helmChart('HelmChart', { valuesContent: block })], tag('latst')), k3s, 'manifest'],
    ['Flux, with values that cannot be found', () => clusterWith([helmRelease({ values: tag('1.0') })], tag('latst'), inFlux), flux, 'none'],
    ['perhaps Flux, whose HelmReleases cannot be read', () => clusterWith([helmRelease({})], tag('latst'), { unknown: { HelmRelease: 'forbidden' } }), helmOwner, 'none'],
  ])('is never upgraded by Larry where the object says only that Helm owns it, and it is driven by %s', async (_, cluster, owner, layer) => {
    const found = await refined(await cluster(), helmOwner, toTag('1.25'), 'none');
    expect(found.owner).toEqual(owner);
    expect(found.remedy.layer).toBe(layer);
    expect(found.remedy).not.toHaveProperty('upgrade');
    expect(JSON.stringify(found.remedy)).not.toContain('"command"');
  });

  itWithHelm('is upgraded where the HelmReleases and HelmCharts that there are drive others', async () => {
    const others = [helmRelease({ releaseName: 'other' }), helmChart('HelmChart', { targetNamespace: 'elsewhere' }), helmChart('HelmChart', {}, { 'helmcharts.helm.cattle.io/unmanaged': 'true' })];
    expect((await refined(await clusterWith(others, tag('latst')), helmOwner, toTag('1.25'), 'none')).remedy).toMatchObject({ layer: 'helm-value', upgrade: { release: 'shop', set: [{ path: ['image', 'tag'], value: '1.25' }] } });
  });

  it('is not looked for where Argo CD renders the chart, and the remedy says where its values stand', async () => {
    const application = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'shop', namespace: 'argocd' }, spec: { source: { chart: 'web', helm: { valuesObject: {}, parameters: [] } } } };
    const { remedy } = await refined(memoryCluster([application as unknown as KubeObject]), { kind: 'argocd', application: 'shop' });
    expect(remedy).toMatchObject({ note: expect.stringContaining('by the values of Application argocd/shop (helm.parameters, helm.valuesObject)') as string });
    expect(remedy).not.toHaveProperty('wanted');
    const plain = { ...application, spec: { source: { path: 'shop', directory: {} } } };
    expect((await refined(memoryCluster([plain as unknown as KubeObject]), { kind: 'argocd', application: 'shop' })).remedy).toMatchObject({ wanted: toTag('1.25') });
  });
});

describe('in the repository that declares it', () => {
  let clone: string;
  const git = (...args: string[]): string => execFileSync('git', ['-C', clone, '-c', 'user.name=A Person', '-c', 'user.email=a.person@example.com', '-c', 'commit.gpgsign=false', ...args], { encoding: 'utf8' });
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'larry-clone-'));
    git('init', '-q', '-b', 'main');
  });
  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  async function inGit(cluster: ClusterReader, owner: Owner, text: string): Promise<Extract<Remedy, { layer: 'manifest' }>> {
    writeFileSync(join(clone, 'shop.yaml'), text);
    git('add', '-A');
    git('commit', '-q', '-m', 'what is there');
    const [found] = await refineGitRemedies(cluster, clone, [await refined(cluster, owner)], () => object);
    return found?.remedy as Extract<Remedy, { layer: 'manifest' }>;
  }
  const releaseText = 'apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: shop\n  namespace: apps\nspec:\n  values:\n    image:\n      tag: latst # the newest\n';
  const chartText = `apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata:\n  name: shop\n  namespace: kube-system\nspec:\n  valuesContent: |-\n    # of the shop\n${block.replace(/^(?=.)/gm, '    ')}`;

  itWithHelm.each<[string, () => Promise<ClusterReader>, Owner, string, object]>([
    ['a HelmRelease', () => clusterWith([helmRelease({ values: tag('latst') })], tag('latst'), inFlux), flux, releaseText, { kind: 'HelmRelease', namespace: 'apps' }],
    ['a HelmChart', () => clusterWith([helmChart('HelmChart', { valuesContent: block })], tag('latst')), k3s, chartText, { kind: 'HelmChart', namespace: 'kube-system' }],
  ])('is a diff of exactly that value: %s', async (_, cluster, owner, text, declares) => {
    const { file, diff = '', change, wanted } = await inGit(await cluster(), owner, text);
    expect(file).toBe('shop.yaml');
    expect(change).toMatchObject({ file, declares });
    expect(wanted).toEqual(toTag('1.25'));
    writeFileSync(join(clone, '.diff'), diff);
    git('apply', '.diff');
    const after = text.replace('latst', '"1.25"');
    expect(readFileSync(join(clone, 'shop.yaml'), 'utf8')).toBe(after);
    // And the commit on a branch that the run makes of it.
    if (!change) throw new Error('no change');
    const branch = { ...change, branch: 'larry/one', message: 'fix: one', wanted: toTag('1.25'), diff };
    expect(await gitBranches(clone).create(branch, { id: 'r/t/one', base: git('rev-parse', 'HEAD').trim(), at: '2026-11-23T05:00:00Z' })).toMatchObject({ outcome: 'done' });
    expect(git('show', 'larry/one:shop.yaml')).toBe(after);
  });

  itWithHelm.each<[string, string, string]>([
    ['another value than what runs', releaseText.replace('latst', '"1.24"'), 'is 1.24 there and latst in the cluster'],
    ['a variable of Flux', releaseText.replace('latst', '${TAG}'), 'is ${TAG} there'],
    ['what SOPS has encrypted', `${releaseText}sops:\n  mac: ENC[AES256_GCM,data:x,type:str]\n`, 'encrypted with SOPS'],
    ['no such HelmRelease', 'a: 1\n', 'the repository declares no HelmRelease apps/shop'],
  ])('is refused where the file has %s', async (_, text, reason) => {
    const remedy = await inGit(await clusterWith([helmRelease({ values: tag('latst') })], tag('latst'), inFlux), flux, text);
    expect(remedy.diff).toBeUndefined();
    expect(remedy.note).toContain(reason);
  });
});
