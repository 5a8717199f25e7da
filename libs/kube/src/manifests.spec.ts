import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openManifests } from './manifests';
import type { ClusterReader } from './reader';
import { aFolder, listAll, removeFolders } from './testing-folder';

afterAll(removeFolders);

const configMap = { apiVersion: 'v1', kind: 'ConfigMap' };
const configMapYaml = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const reasons = (reader: ClusterReader) => Object.fromEntries(reader.files().skipped.map((s) => [s.file, s.reason]));

describe('openManifests', () => {
  it('reads many documents a file and says on which line each begins', async () => {
    const reader = await openManifests(await aFolder({ 'a/all.yaml': `# first\n---\n${configMapYaml('one')}---\n\n${configMapYaml('two')}` }));
    const objects = await listAll(reader, configMap);
    expect(objects.map((o) => o.metadata.name)).toEqual(['one', 'two']);
    expect(objects.map((o) => reader.originOf(o))).toEqual([
      { file: 'a/all.yaml', line: 3 },
      { file: 'a/all.yaml', line: 9 },
    ]);
  });

  it('tells of files without the secrets that their names hold', async () => {
    const token = `hvs.${'CAES'.repeat(8)}`;
    const reader = await openManifests(await aFolder({ [`a-${token}.yaml`]: configMapYaml('one'), 'db-password=hunter2.yaml': 'a: [', 'token-review.yaml': configMapYaml('two') }));
    const objects = await listAll(reader, configMap);
    expect(objects.map((o) => reader.originOf(o)?.file)).toEqual(['a-[redacted].yaml', 'token-review.yaml']);
    expect(JSON.stringify(reader.files())).not.toMatch(/CAES|hunter2/);
  });

  it('flattens lists, typed lists too, with the line of each element', async () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: one}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: two}\n`;
    const typed = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMapList', items: [{ metadata: { name: 'three' } }] });
    const reader = await openManifests(await aFolder({ 'list.yml': list, 'typed.json': typed }));
    const objects = await listAll(reader, configMap);
    expect(objects.map((o) => [o.kind, o.metadata.name, reader.originOf(o)?.line])).toEqual([
      ['ConfigMap', 'one', 4],
      ['ConfigMap', 'two', 7],
      ['ConfigMap', 'three', 1],
    ]);
  });

  it('goes on after a document that does not parse and names its file and line', async () => {
    const reader = await openManifests(await aFolder({ 'mixed.yaml': `${configMapYaml('one')}---\na: b\n  c: d\n---\n${configMapYaml('two')}` }));
    expect((await listAll(reader, configMap)).map((o) => o.metadata.name)).toEqual(['one', 'two']);
    expect(reader.files()).toEqual({
      loaded: ['mixed.yaml'],
      skipped: [{ file: 'mixed.yaml', line: 6, partial: true, reason: expect.stringContaining('does not parse: Nested mappings') as string }],
    });
  });

  it('counts every file once, loaded or skipped with its own reason', async () => {
    const root = await aFolder({
      'ok.yaml': configMapYaml('ok'),
      'README.md': '#',
      'chart/Chart.yaml': 'name: x',
      'chart/values.yaml': 'a: 1',
      'chart/templates/plain.yaml': 'kind: ConfigMap\nmetadata: {name: "{{ .x }}"}\napiVersion: v1\n',
      'loose.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n',
      'k/kustomization.yaml': 'patches: [{path: patch.yaml}]',
      'k/patch.yaml': configMapYaml('ok'),
      'other.yaml': 'hello: world\n---\njust text\n',
      'nameless.yaml': 'apiVersion: v1\nkind: Pod\n',
      'empty.yaml': '# nothing\n',
      'broken.json': '{"apiVersion": "v1", "kind"',
      'labels.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: {on: yes}}\n',
      '.git/config': 'x',
    });
    await symlink('/etc/passwd', join(root, 'link.yaml'));
    const reader = await openManifests(root);
    const { loaded, skipped } = reader.files();
    expect(loaded).toEqual(['ok.yaml']);
    expect(skipped.some((s) => s.partial)).toBe(false);
    expect(reasons(reader)).toEqual({
      'README.md': 'not YAML or JSON',
      'chart/Chart.yaml': 'Helm chart description, not a manifest',
      'chart/values.yaml': 'Helm values, not a manifest',
      'chart/templates/plain.yaml': 'Helm template: render it with helm template',
      'loose.yaml': 'Helm template: render it with helm template',
      'k/kustomization.yaml': 'Kustomize file, not built (not applied: patches): kubectl kustomize k renders it',
      'k/patch.yaml': 'Kustomize patch: a part of an object',
      'other.yaml': 'not a Kubernetes object: no apiVersion and kind (and 1 more documents)',
      'nameless.yaml': 'Pod without metadata.name',
      'empty.yaml': 'empty',
      'broken.json': 'does not parse: cut off at byte 27',
      'labels.yaml': 'ConfigMap: metadata.labels: the value of "true" is not a string',
      '.git': 'a Git folder: not looked into',
      'link.yaml': 'a symbolic link: not followed',
    });
  });

  it('loads YAML whose text merely holds braces', async () => {
    const rule = `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r}\nspec:\n  text: "{{ $labels.pod }} of {{ if eq $value 1.0 }}x{{ end }}"\n`;
    const reader = await openManifests(await aFolder({ 'rule.yaml': rule }));
    expect(reader.files().loaded).toEqual(['rule.yaml']);
  });

  it('reads scalars as kubectl does', async () => {
    const yaml = `${configMapYaml('x')}data: {mode: 0644, on: yes, time: 12:30, date: 2026-01-01, hex: 0x10}\n`;
    const [object] = await listAll(await openManifests(await aFolder({ 'a.yaml': yaml })), configMap);
    expect(object?.['data']).toEqual({ mode: 420, true: true, time: '12:30', date: '2026-01-01', hex: 16 });
  });

  it('takes plural and scope from definitions in the tree and guesses the scope of others by their namespace', async () => {
    const definition = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: geese.zoo.io}\nspec: {group: zoo.io, scope: Cluster, names: {kind: Goose, plural: geese}}\n`;
    const files = {
      'a.yaml': 'apiVersion: zoo.io/v1\nkind: Goose\nmetadata: {name: g, namespace: stray}\n',
      'b.yaml': 'apiVersion: wild.io/v1\nkind: Policy\nmetadata: {name: p, namespace: x}\n',
      'z.yaml': definition,
    };
    const kinds = await (await openManifests(await aFolder(files))).kinds();
    expect(kinds.filter(({ apiVersion }) => /^(zoo|wild)/.test(apiVersion))).toEqual([
      { apiVersion: 'zoo.io/v1', kind: 'Goose', resource: 'geese', namespaced: false, availability: { state: 'listed' } },
      { apiVersion: 'wild.io/v1', kind: 'Policy', resource: 'policies', namespaced: true, availability: { state: 'listed' } },
    ]);
  });

  it('puts namespaced objects without a namespace into default', async () => {
    const [object] = await listAll(await openManifests(await aFolder({ 'a.yaml': configMapYaml('x') })), configMap);
    expect(object?.metadata.namespace).toBe('default');
  });

  it('lists a kind without documents as empty, and what only a running cluster has as unknown', async () => {
    const reader = await openManifests(await aFolder({ 'a.yaml': configMapYaml('x') }));
    expect(await listAll(reader, { apiVersion: 'apps/v1', kind: 'Deployment' })).toEqual([]);
    await expect(listAll(reader, { apiVersion: 'v1', kind: 'Pod' })).rejects.toThrow('Pod: unknown (manifests have no runtime state)');
    await expect(reader.logs({ namespace: 'x', name: 'y' }, 'z')).rejects.toThrow('manifests have no logs');
  });

  it('lists Pods that stand in the files', async () => {
    const reader = await openManifests(await aFolder({ 'a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n' }));
    expect(await listAll(reader, { apiVersion: 'v1', kind: 'Pod' })).toHaveLength(1);
  });

  it('refuses an alias bomb and deep nesting without losing the other files', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    const reader = await openManifests(await aFolder({ 'a.yaml': bomb, 'b.yaml': '['.repeat(200_000), 'c.yaml': configMapYaml('x') }));
    expect(reader.files().loaded).toEqual(['c.yaml']);
    expect(reasons(reader)).toEqual({ 'a.yaml': expect.stringContaining('does not parse') as string, 'b.yaml': expect.stringContaining('does not parse') as string });
  });

  it('does not read files that are too large, and says so', async () => {
    const reader = await openManifests(await aFolder({ 'big.yaml': `# ${'x'.repeat(8 * 1024 * 1024)}`, 'bin.yaml': 'a\0b' }));
    expect(reasons(reader)).toEqual({ 'big.yaml': 'larger than 8 MiB', 'bin.yaml': 'not a text file' });
  });

  it('skips text that is not UTF-8, by name, and reads UTF-8 with a byte order mark', async () => {
    const reader = await openManifests(
      await aFolder({
        'latin1.yaml': Buffer.from(`${configMapYaml('x')}data: {city: M\u00fcnchen}\n`, 'latin1'),
        'utf16le.yaml': Buffer.from(`\ufeff${configMapYaml('y')}`, 'utf16le'),
        'utf16be.yaml': Buffer.from(`\ufeff${configMapYaml('y')}`, 'utf16le').swap16(),
        'marked.yaml': `\ufeff${configMapYaml('z')}`,
      }),
    );
    expect(reader.files().loaded).toEqual(['marked.yaml']);
    expect(reasons(reader)).toEqual({
      'latin1.yaml': 'not UTF-8 text: save it as UTF-8',
      'utf16le.yaml': 'UTF-16 text: save it as UTF-8',
      'utf16be.yaml': 'UTF-16 text: save it as UTF-8',
    });
  });

  it('lists an object that stands twice once, and skips the other with the place of the first', async () => {
    const other = configMapYaml('x').replace('name: x', 'name: x\n  namespace: default');
    const reader = await openManifests(
      await aFolder({ 'a.yaml': configMapYaml('x'), 'b.yaml': `${configMapYaml('two')}---\n${other}---\n${configMapYaml('two')}`, 'c.yaml': `${other}data: {a: b}\n` }),
    );
    expect((await listAll(reader, configMap)).map((o) => [o.metadata.name, reader.originOf(o)?.file])).toEqual([['x', 'a.yaml'], ['two', 'b.yaml']]); // prettier-ignore
    expect(reader.files()).toEqual({
      loaded: ['a.yaml', 'b.yaml'],
      skipped: [
        { file: 'b.yaml', line: 6, reason: 'same object as in a.yaml:1', partial: true },
        { file: 'b.yaml', line: 12, reason: 'same object as in b.yaml:1', partial: true },
        { file: 'c.yaml', line: 1, reason: 'same object as in a.yaml:1, and not the same text: check its folder by itself to have this one read' },
      ],
    });
  });

  it('says in one sentence that a folder is not there', async () => {
    await expect(openManifests('/nowhere/at/all')).rejects.toThrow('/nowhere/at/all: no such file or folder');
  });
});
