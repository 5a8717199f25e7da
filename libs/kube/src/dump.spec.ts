import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { openDump } from './dump';
import { aFolder, listAll, removeFolders } from './testing-folder';

afterAll(removeFolders);

const pod = { apiVersion: 'v1', kind: 'Pod' };
const items = (kind: string, objects: unknown[], apiVersion = 'v1') => JSON.stringify({ kind, apiVersion, metadata: {}, items: objects }, null, 4);
const aPodItem = (namespace: string, name: string) => ({ metadata: { name, namespace, labels: { app: name } }, status: { phase: 'Running' } });

/** What kubectl 1.35 writes for two namespaces, in small. */
const whole = {
  'nodes.json': items('NodeList', [{ metadata: { name: 'n1' } }]),
  'db/pods.json': items('PodList', [aPodItem('db', 'pg-0'), aPodItem('db', 'pg "]}{ -1')]),
  'db/events.json': items('EventList', [{ metadata: { name: 'e', namespace: 'db' }, lastTimestamp: '2026-03-01T10:00:00Z', involvedObject: { name: 'pg-0' } }]),
  'db/deployments.json': items('DeploymentList', [], 'apps/v1'),
  'db/pg-0/logs.txt':
    '==== START logs for container init of pod db/pg-0 ====\ninit says\n==== END logs for container init of pod db/pg-0 ====\n==== START logs for container pg of pod db/pg-0 ====\none\ntwo==== END logs for container pg of pod db/pg-0 ====\n',
  'kube-system/pods.json': items('PodList', [aPodItem('kube-system', 'dns')]),
};

describe('openDump', () => {
  it('gives the elements of the lists the kind that their file says', async () => {
    const reader = await openDump(await aFolder(whole));
    const pods = await listAll(reader, pod);
    expect(pods.map((p) => [p.apiVersion, p.kind, p.metadata.name])).toEqual([
      ['v1', 'Pod', 'pg-0'],
      ['v1', 'Pod', 'pg "]}{ -1'],
      ['v1', 'Pod', 'dns'],
    ]);
    expect(await listAll(reader, pod, { namespace: 'db', fieldSelector: 'metadata.name=pg-0' })).toHaveLength(1);
    expect(await reader.get({ ...pod, namespace: 'db', name: 'pg-0' })).toMatchObject({ kind: 'Pod', status: { phase: 'Running' } });
    expect(await reader.get({ ...pod, namespace: 'db', name: 'gone' })).toBeUndefined();
    expect(await listAll(reader, { apiVersion: 'apps/v1', kind: 'Deployment' }, { namespace: 'db' })).toEqual([]);
  });

  it('sees the logs of every pod, in the order of their names, also where the folder of one is called like something else', async () => {
    const names = ['constructor', ...Array.from({ length: 130 }, (_, i) => `pg-${String(i).padStart(3, '0')}`)];
    const reader = await openDump(await aFolder({ 'nodes.json': items('NodeList', []), ...Object.fromEntries(names.map((name) => [`db/${name}/logs.txt`, '']).reverse()), 'db/node_modules/x.json': '{}' }));
    expect(reader.files()).toEqual({ loaded: [...names.map((name) => `db/${name}/logs.txt`), 'nodes.json'], skipped: [{ file: 'db/node_modules', reason: 'npm packages: not looked into' }] });
  });

  it.each([
    ['JSON', 'db/pods.json', '{\n    "kind": "PodList",\n    "apiVersion": "v1",\n    "metadata": {\n        "resourceVersion": "214"\n    },\n    "items": null\n}\n'],
    ['YAML', 'db/pods.yaml', '---\napiVersion: v1\nitems: null\nkind: PodList\nmetadata:\n  resourceVersion: "222"\n'],
  ])('reads an empty list as kubectl 1.35 writes one of a real API server in %s: none, not damaged', async (_, file, text) => {
    const reader = await openDump(await aFolder({ [file]: text }));
    expect(await listAll(reader, pod, { namespace: 'db' })).toEqual([]);
    expect(reader.files()).toEqual({ loaded: [file], skipped: [] });
  });

  it('still calls a file without a list damaged', async () => {
    const reader = await openDump(await aFolder({ 'db/pods.json': '{"kind": "items", "x": null}', 'nodes.json': items('NodeList', []) }));
    expect(reader.files().skipped).toEqual([{ file: 'db/pods.json', reason: 'holds no list of objects' }]);
  });

  it('says unknown, never none, of kinds and namespaces that it lacks', async () => {
    const reader = await openDump(await aFolder(whole));
    await expect(listAll(reader, { apiVersion: 'v1', kind: 'Secret' })).rejects.toThrow('Secret: unknown (not in dump)');
    await expect(reader.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'db', name: 'x' })).rejects.toThrow('ConfigMap: unknown (not in dump)');
    await expect(listAll(reader, pod, { namespace: 'other' })).rejects.toThrow('Pod: unknown (namespace other is not in dump)');
    await expect(reader.get({ ...pod, namespace: 'other', name: 'x' })).rejects.toThrow('namespace other is not in dump');
    expect(reader.source.namespaces).toEqual(['db', 'kube-system']);
    const kinds = await reader.kinds();
    expect(kinds.find((k) => k.kind === 'Pod')?.availability).toEqual({ state: 'listed' });
    expect(kinds.find((k) => k.kind === 'Event')?.availability).toEqual({ state: 'listed', incomplete: 'not in dump for namespace kube-system' });
    expect(kinds.find((k) => k.kind === 'Ingress')?.availability).toEqual({ state: 'unknown', reason: 'not in dump' });
  });

  it('takes its time from events, and from the newest file where there are none', async () => {
    expect((await openDump(await aFolder(whole))).source).toMatchObject({ type: 'dump', simulated: false, takenAt: '2026-03-01T10:00:00Z' });
    const silent = await aFolder({ 'nodes.json': items('NodeList', []) });
    await utimes(join(silent, 'nodes.json'), 1_700_000_000, 1_700_000_000);
    expect((await openDump(silent)).source.takenAt).toBe('2023-11-14T22:13:20.000Z');
  });

  it('takes no time from a clock that is years ahead, unless all are', async () => {
    const event = (lastTimestamp: string) => ({ metadata: { name: `e${lastTimestamp.slice(0, 4)}`, namespace: 'db' }, lastTimestamp, involvedObject: { name: 'pg-0' } });
    const takenAt = async (...events: unknown[]) => (await openDump(await aFolder({ 'nodes.json': items('NodeList', []), 'db/events.json': items('EventList', events) }))).source.takenAt;
    expect(await takenAt(event('2020-03-01T10:00:00Z'), event('2093-01-01T00:00:00Z'))).toBe('2020-03-01T10:00:00Z');
    expect(await takenAt(event('2093-01-01T00:00:00Z'))).toBe('2093-01-01T00:00:00Z');
  });

  it('knows the dump of a simulated cluster by its nodes', async () => {
    const nodes = items('NodeList', [{ metadata: { name: 'n1', labels: { 'larry.dev/simulated': 'true' } } }]);
    expect((await openDump(await aFolder({ 'nodes.json': nodes }))).source.simulated).toBe(true);
  });

  it('reads YAML dumps', async () => {
    const yaml =
      'apiVersion: v1\nitems:\n- metadata:\n    creationTimestamp: "2026-01-01T00:00:00Z"\n    name: a\n    namespace: db\n  spec:\n    note: |-\n      text\n\n      - not an item\n- metadata:\n    name: b\n    namespace: db\nkind: PodList\nmetadata:\n  resourceVersion: "9"\n';
    const reader = await openDump(await aFolder({ 'db/pods.yaml': yaml, 'db/services.yaml': '---\napiVersion: v1\nitems: []\nkind: ServiceList\nmetadata: {}\n' }));
    const pods = await listAll(reader, pod);
    expect(pods.map((p) => p.metadata.name)).toEqual(['a', 'b']);
    expect(pods[0]).toMatchObject({ kind: 'Pod', spec: { note: 'text\n\n- not an item' } });
    expect(await listAll(reader, { apiVersion: 'v1', kind: 'Service' })).toEqual([]);
    const cut = await openDump(await aFolder({ 'db/pods.yaml': yaml.slice(0, yaml.indexOf('kind: PodList')) }));
    expect(cut.files().skipped).toEqual([{ file: 'db/pods.yaml', partial: true, reason: expect.stringContaining('cut off at byte') as string }]);
  });

  it('names files that were cut off, uses what stands before the cut, and claims nothing about the rest', async () => {
    const cutAt = whole['db/pods.json'].indexOf(']}{ -1');
    const reader = await openDump(await aFolder({ ...whole, 'db/pods.json': whole['db/pods.json'].slice(0, cutAt), 'db/services.json': '{"kind": "Serv' }));
    expect((await listAll(reader, pod)).map((p) => p.metadata.name)).toEqual(['pg-0', 'dns']);
    await expect(listAll(reader, pod, { namespace: 'db' })).rejects.toThrow(/^Pod: unknown \(db\/pods.json: cut off at byte \d+; 1 objects can be read\)$/);
    await expect(listAll(reader, { apiVersion: 'v1', kind: 'Service' })).rejects.toThrow('db/services.json: cut off at byte 14');
    const { loaded, skipped } = reader.files();
    expect(skipped).toEqual([
      { file: 'db/pods.json', partial: true, reason: expect.stringContaining('cut off') as string },
      { file: 'db/services.json', reason: 'cut off at byte 14' },
    ]);
    expect(loaded).toContain('db/pods.json');
    expect(loaded.length + skipped.filter((s) => !s.partial).length).toBe(7);
  });

  it('reads a file that is too large to be held as a whole like any other', async () => {
    const large = ['a', 'b', 'c'].map((name) => ({ ...aPodItem('db', name), spec: { note: name.repeat(3 * 1024 * 1024) } }));
    const seen: string[] = [];
    const reader = await openDump(await aFolder({ 'db/pods.json': items('PodList', large), 'nodes.json': items('NodeList', []) }), (object) => seen.push(object.metadata.name));
    expect(seen).toEqual(['a', 'b', 'c']);
    expect((await listAll(reader, pod)).map((p) => p.metadata.name)).toEqual(['a', 'b', 'c']);
  });

  it('names elements that are no objects of their folder', async () => {
    const reader = await openDump(await aFolder({ 'db/pods.json': items('PodList', [aPodItem('db', 'a'), aPodItem('../etc', 'b'), 'x', { metadata: {} }]) }));
    expect((await listAll(reader, pod)).map((p) => p.metadata.name)).toEqual(['a']);
    expect(reader.files().skipped[0]?.reason).toBe('2 elements are not Pods of this namespace; 1 objects can be read');
  });

  it('reads the log of one container, also when its last line has no end', async () => {
    const reader = await openDump(await aFolder(whole));
    const of = (container: string, previous = false) => reader.logs({ namespace: 'db', name: 'pg-0' }, container, { previous });
    expect(await of('pg')).toEqual(['one', 'two']);
    expect(await of('init')).toEqual(['init says']);
    await expect(of('pg', true)).rejects.toThrow('a dump has no previous logs');
    await expect(of('other')).rejects.toThrow('the dump has no log of container other of pod db/pg-0');
    await expect(reader.logs({ namespace: '..', name: '../etc' }, 'x')).rejects.toThrow('the dump has no');
  });

  it('keeps a log line that only looks like the end of the log', async () => {
    const end = '==== END logs for container a of pod db/p ====';
    const log = `==== START logs for container a of pod db/p ====\none\n${end}\ntwo\n${end}\n`;
    const reader = await openDump(await aFolder({ 'nodes.json': items('NodeList', []), 'db/p/logs.txt': log }));
    expect(await reader.logs({ namespace: 'db', name: 'p' }, 'a')).toEqual(['one', end, 'two']);
  });

  it('says why kubectl could not read a log', async () => {
    const log = '==== START logs for container a of pod db/p ====\nRequest log error: container is waiting\n==== END logs for container a of pod db/p ====\n';
    const reader = await openDump(await aFolder({ 'nodes.json': items('NodeList', []), 'db/p/logs.txt': log }));
    await expect(reader.logs({ namespace: 'db', name: 'p' }, 'a')).rejects.toThrow('kubectl could not read the log when it wrote the dump: container is waiting');
  });

  it('refuses a folder that is no dump', async () => {
    await expect(openDump(await aFolder({ 'a.yaml': 'a: 1' }))).rejects.toThrow('not a folder of kubectl cluster-info dump --output-directory');
  });
});
