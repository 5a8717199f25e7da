import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { JsonRecord, KubeObject } from '@larry/contracts';
import { findValues } from './find-values';
import { parseManifest } from './rendered';
import { openRenderer } from './renderer';
import type { HelmRelease } from './release';
import { aRelease, helmForTests } from './testing';
import type { WantedOperation } from './wanted';
import { stringify } from 'yaml';

const helm = helmForTests();
const itWithHelm = helm ? it : it.skip;
if (!helm) console.log('find-values.int-spec: what renders charts is skipped, there is no helm on PATH');

/** The release with the manifest that its chart renders. */
async function installed(release: HelmRelease): Promise<HelmRelease> {
  const rendered = await openRenderer(release, { helm: helm ?? '' }, (renderer) => renderer.render(undefined));
  if ('failed' in rendered) throw new Error(rendered.failed);
  return { ...release, manifest: [...rendered.objects.values()].map((o) => stringify(o)).join('---\n') };
}

/** The object as the API server would show it: a default more, and a sidecar that somebody injected. */
function liveOf(release: HelmRelease, kind = 'Deployment'): KubeObject {
  const object = [...(parseManifest(release.manifest, release.namespace)?.values() ?? [])].find((o) => o['kind'] === kind) as unknown as KubeObject;
  return { ...object, metadata: { ...object.metadata, namespace: release.namespace, uid: 'u1' } };
}

function withSidecar(live: KubeObject): KubeObject {
  const copy = structuredClone(live) as unknown as { spec: { template: { spec: { containers: JsonRecord[] } } } };
  copy.spec.template.spec.containers.unshift({ name: 'proxy', image: 'envoy:1' });
  return copy as unknown as KubeObject;
}

const container = '/spec/template/spec/containers/0';
const replace = (path: string, value: unknown): WantedOperation[] => [{ op: 'replace', path, value }];
const add = (path: string, value: unknown): WantedOperation[] => [{ op: 'add', path, value }];

async function found(config: JsonRecord, operations: WantedOperation[], options: { kind?: string; extra?: Record<string, string>; live?: (o: KubeObject) => KubeObject } = {}) {
  const release = await installed(aRelease(config, options.extra));
  const live = liveOf(release, options.kind);
  return findValues(release, options.live?.(live) ?? live, operations, { helm: helm ?? '' });
}

describe('the values that decide a field', () => {
  itWithHelm.each<[string, JsonRecord, WantedOperation[], { path: (string | number)[]; value: unknown }]>([
    ['a part of an image that the user gave', { image: { tag: 'latst' } }, replace(`${container}/image`, 'docker.io/library/nginx:1.25'), { path: ['image', 'tag'], value: '1.25' }],
    ['a part of an image that is a default of the chart', {}, replace(`${container}/image`, 'docker.io/library/httpd:1.25'), { path: ['image', 'repository'], value: 'library/httpd' }],
    ['a tag that is empty, so that the chart takes its own', {}, replace(`${container}/image`, 'docker.io/library/nginx:1.27'), { path: ['image', 'tag'], value: '1.27' }],
    ['a number', { replicas: 0 }, replace('/spec/replicas', 1), { path: ['replicas'], value: 1 }],
    ['a path of a probe', {}, replace(`${container}/readinessProbe/httpGet/path`, '/'), { path: ['probe', 'path'], value: '/' }],
    ['a variable in a list', {}, replace(`${container}/env/0/value`, 'admin@example.com'), { path: ['env', 0, 'value'], value: 'admin@example.com' }],
    ['a variable more', {}, add(`${container}/env/-`, { name: 'DEBUG', value: '1' }), { path: ['extraEnv', 0], value: { name: 'DEBUG', value: '1' } }],
    ['what stands nowhere yet', {}, add('/spec/template/spec/securityContext/fsGroup', 5050), { path: ['podSecurityContext', 'fsGroup'], value: 5050 }],
    ['a whole map that stands nowhere yet', {}, add('/spec/template/spec/securityContext', { fsGroup: 5050 }), { path: ['podSecurityContext'], value: { fsGroup: 5050 } }],
    ['a limit two levels below an empty map', {}, add(`${container}/resources/limits/memory`, '256Mi'), { path: ['resources', 'limits', 'memory'], value: '256Mi' }],
  ])('are found for %s', async (_, config, operations, value) => {
    const result = await found(config, operations);
    expect(result).toMatchObject({ upgrade: { release: 'shop', namespace: 'web', revision: 3, set: [value] } });
    const [change, ...others] = 'upgrade' in result ? result.upgrade.rendered : [];
    expect(others).toEqual([]);
    expect(change?.object).toBe('Deployment web/shop');
  });

  itWithHelm('are found in an object to which others have added', async () => {
    const operations = replace('/spec/template/spec/containers/1/image', 'docker.io/library/nginx:1.27');
    expect(await found({}, operations, { live: withSidecar })).toMatchObject({ upgrade: { set: [{ path: ['image', 'tag'], value: '1.27' }], rendered: [{ path: '/spec/template/spec/containers/0/image', after: 'docker.io/library/nginx:1.27' }] } });
  });

  itWithHelm('are found together where two fields have to change', async () => {
    const operations = [...replace('/spec/replicas', 2), ...replace(`${container}/readinessProbe/initialDelaySeconds`, 30)];
    const result = await found({}, operations);
    expect('upgrade' in result && [...result.upgrade.set].sort((a, b) => a.path.length - b.path.length)).toEqual([{ path: ['replicas'], value: 2 }, { path: ['probe', 'delay'], value: 30 }]);
  });

  itWithHelm.each<[string, JsonRecord, WantedOperation[], Parameters<typeof found>[2], string]>([
    ['a value decides something else as well', {}, replace('/spec/ports/0/targetPort', 9090), { kind: 'Service' }, 'port decides apps Deployment web/shop'],
    ['the chart writes the field itself', {}, replace('/spec/selector/app', 'other'), { kind: 'Service' }, 'no value of its chart decides this field alone'],
    ['a checksum would change too', {}, replace('/spec/replicas', 2), { extra: { 'templates/sum.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sum}\ndata: {sum: {{ toJson .Values | sha256sum | quote }}}\n' } }, 'replicas decides ConfigMap web/sum /data/sum as well'],
    ['the chart renders anew each time', {}, replace('/spec/replicas', 2), { extra: { 'templates/r.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: r}\ndata: {r: {{ randAlphaNum 12 | quote }}}\n' } }, 'does not render again to what is installed'],
    ['somebody changed the field after Helm', {}, replace('/spec/replicas', 2), { live: (o) => ({ ...o, spec: { ...(o['spec'] as JsonRecord), replicas: 7 } }) }, 'was changed in the cluster after Helm wrote it'],
    ['it is a secret', { env: [{ name: 'DB_PASSWORD', value: 'old' }] }, replace(`${container}/env/0/value`, 'hunter2hunter2'), {}, 'secret'],
  ])('do not say where %s', async (_, config, operations, options, reason) => {
    const result = await found(config, operations, options);
    expect('none' in result ? result.none : result.upgrade).toContain(reason);
  });

  itWithHelm('leave no file behind, whether they are found or not', async () => {
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('larry-helm-'));
    const before = folders();
    await found({}, replace('/spec/replicas', 2));
    expect(folders().filter((name) => !before.includes(name))).toEqual([]);
  });

  it.each<[string, Partial<HelmRelease>, string]>([
    ['another upgrade is under way', { status: 'pending-upgrade' }, 'is pending-upgrade, not deployed'],
    ['the chart has subcharts', { chart: { ...aRelease().chart, metadata: { dependencies: [{ name: 'postgresql' }] } } }, 'has subcharts'],
    ['a template leads out of the chart', { chart: { ...aRelease().chart, templates: [{ name: '../../etc/cron.d/x', data: '' }] } }, 'leads out of the chart'],
  ])('are not looked for where %s', async (_, more, reason) => {
    const live = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace: 'web' } };
    const result = await findValues(aRelease({}, {}, more), live, replace('/spec/replicas', 2), { helm: '/nowhere' });
    expect('none' in result && result.none).toContain(reason);
  });
});
