import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { aConfigMap, aDeployment, aPod, aSecret, anObject } from './builders';
import { ClusterUnavailableError } from './errors';
import { decodeHelmRelease } from './helm-release';
import { memoryCluster } from './memory-cluster';
import type { ClusterReader } from './reader';
import { openSnapshot } from './snapshot';
import { writeSnapshot } from './snapshot-write';
import { aFolder, listAll, removeFolders } from './testing-folder';

afterAll(removeFolders);

const secretKind = { apiVersion: 'v1', kind: 'Secret' };
const b64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

async function written(reader: ClusterReader): Promise<string> {
  const folder = join(await aFolder(), 'snap');
  await writeSnapshot(reader, folder, { now: () => new Date('2026-05-01T00:00:00Z') });
  return folder;
}

async function everyByte(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(entries.filter((e) => e.isFile()).map((e) => readFile(join(e.parentPath, e.name), 'utf8')));
  return texts.join('\n');
}

const crashing = (name: string, namespace = 'db') =>
  aPod({ name, namespace, status: { phase: 'Running', containerStatuses: [{ name: 'app', restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } }] } });

describe('a snapshot', () => {
  it('keeps what the source was, when, and what it could not tell', async () => {
    const source = memoryCluster([aDeployment()], { source: { name: 'ctx', simulated: true, serverVersion: 'v1.35.2' }, unknown: { Secret: 'forbidden: secrets' } });
    const reader = await openSnapshot(await written(source));
    expect(reader.source).toMatchObject({ type: 'snapshot', simulated: true, takenAt: '2026-05-01T00:00:00.000Z', serverVersion: 'v1.35.2' });
    await expect(listAll(reader, secretKind)).rejects.toThrow('Secret: unknown (forbidden: secrets)');
    await expect(listAll(reader, { apiVersion: 'x.io/v1', kind: 'X' })).rejects.toThrow('not served when the snapshot was taken');
  });

  it('drops the values of Secrets and keeps their keys', async () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ kind: 'Secret', data: { hint: b64('tulip') } }) };
    const folder = await written(memoryCluster([aSecret({ name: 's', annotations, data: { hint: b64('tulip'), empty: '' } })]));
    const [secret] = await listAll(await openSnapshot(folder), secretKind);
    expect(Object.keys(secret?.['data'] as object)).toEqual(['hint', 'empty']);
    expect(await everyByte(folder)).not.toContain(b64('tulip'));
  });

  it('keeps that a literal was a token, or no secret at all, where its value is gone', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const key = `-----BEGIN ${'PRIVATE'} KEY-----\nMIIEow\n-----END ${'PRIVATE'} KEY-----`;
    const env = { SETTING: token, DB_PASSWORD: token, URL: `x ${token} y`, PLAIN_PASSWORD: 'tulip', REF_PASSWORD: '$(FROM)', TOKEN: '/run/token' };
    const config = aConfigMap({ data: { 'tls.pem': key, 'ca.pem': key.replaceAll(' PRIVATE KEY', ' CERTIFICATE'), ...env } });
    const folder = await written(memoryCluster([config]));
    const [read] = await listAll(await openSnapshot(folder), { apiVersion: 'v1', kind: 'ConfigMap' });
    expect(read?.['data']).toEqual({
      'tls.pem': '[redacted token]',
      'ca.pem': '[redacted PEM]',
      SETTING: '[redacted token]',
      DB_PASSWORD: '[redacted token]',
      URL: 'x [redacted token] y',
      PLAIN_PASSWORD: '[redacted]',
      REF_PASSWORD: '[redacted, no secret]',
      TOKEN: '[redacted, no secret]',
    });
    expect(await everyByte(folder)).not.toMatch(/a1B2|MIIEow|tulip/);
  });

  it('redacts literals that hold secrets in objects and logs', async () => {
    const env = [
      { name: 'POSTGRES_PASSWORD', value: 'tulip-1' },
      { name: 'MODE', value: 'fast' },
    ];
    const pod = { ...crashing('p'), spec: { containers: [{ name: 'app', env }] } };
    const folder = await written(memoryCluster([pod], { logs: { 'db/p/app': 'password=tulip-2', 'db/p/app:previous': ['ok'] } }));
    const bytes = await everyByte(folder);
    expect(bytes).not.toContain('tulip');
    expect(bytes).toContain('fast');
  });

  it('holds the log and the log before the restart', async () => {
    const reader = await openSnapshot(await written(memoryCluster([crashing('p')], { logs: { 'db/p/app': 'now', 'db/p/app:previous': 'before' } })));
    expect(await reader.logs({ namespace: 'db', name: 'p' }, 'app')).toEqual(['now']);
    expect(await reader.logs({ namespace: 'db', name: 'p' }, 'app', { previous: true })).toEqual(['before']);
  });

  it('says why a log is not in it', async () => {
    const reader = await openSnapshot(await written(memoryCluster([crashing('p')])));
    await expect(reader.logs({ namespace: 'db', name: 'p' }, 'app')).rejects.toThrow('not in the snapshot: no log of db/p/app');
  });

  it('keeps Helm releases readable without their secrets', async () => {
    const release = {
      name: 'web', version: 2, namespace: 'apps',
      info: { status: 'deployed', notes: 'your password is tulip' },
      chart: { metadata: { name: 'web', version: '1.2.3' }, templates: [{ data: 'tulip' }], values: { image: 'x' } },
      config: { auth: { password: 'tulip' }, replicas: 2 },
      manifest: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  hint: tulip\n',
    }; // prettier-ignore
    const packed = gzipSync(JSON.stringify(release)).toString('base64');
    const secret = aSecret({ name: 'sh.helm.release.v1.web.v2', type: 'helm.sh/release.v1', data: { release: b64(packed) } });
    const configMap = aConfigMap({ name: 'sh.helm.release.v1.web.v2', labels: { owner: 'helm' }, data: { release: packed } });
    const reader = await openSnapshot(await written(memoryCluster([secret, configMap])));
    const stored = [...(await listAll(reader, secretKind)), ...(await listAll(reader, { apiVersion: 'v1', kind: 'ConfigMap' }))];
    expect(stored).toHaveLength(2);
    for (const object of stored) {
      const decoded = decodeHelmRelease(object);
      expect(decoded).toMatchObject({ name: 'web', version: 2, info: { status: 'deployed' }, chart: { metadata: { version: '1.2.3' } }, config: { replicas: 2 } });
      expect(JSON.stringify(decoded)).not.toContain('tulip');
      expect(object.metadata.annotations).toMatchObject({ 'larry.dev/redacted-release': 'true' });
    }
  });

  it('never writes outside its folder, whatever the names are', async () => {
    const evil = { ...crashing('../../../evil', '..'), kind: 'Pod' };
    const strange = anObject('../../x/v1', '../Kind', { name: 'a\u001b[2J/b' });
    const folder = await written(memoryCluster([evil, crashing('a/b'), strange], { logs: { '../../../../evil/app': 'x', 'db/a/b/app': 'y' } }));
    expect(await readdir(dirname(folder))).toEqual(['snap']);
    const reader = await openSnapshot(folder);
    expect(reader.files().skipped).toEqual([]);
    expect(await listAll(reader, { apiVersion: '../../x/v1', kind: '../Kind' })).toHaveLength(1);
    await expect(reader.logs({ namespace: '..', name: '..' }, 'larry-snapshot')).rejects.toThrow('not in the snapshot');
  });

  it('replaces an earlier snapshot and refuses any other folder that is not empty', async () => {
    const folder = await written(memoryCluster([aDeployment()]));
    await writeSnapshot(memoryCluster([aDeployment({ name: 'new' })]), folder);
    const objects = await listAll(await openSnapshot(folder), { apiVersion: 'apps/v1', kind: 'Deployment' });
    expect(objects.map((o) => o.metadata.name)).toEqual(['new']);
    const foreign = await aFolder({ 'thesis.txt': 'x' });
    await expect(writeSnapshot(memoryCluster([]), foreign)).rejects.toThrow('the folder is not empty and not a snapshot');
    expect(await readdir(foreign)).toEqual(['thesis.txt']);
    await expect(writeSnapshot(memoryCluster([]), await aFolder())).resolves.toMatchObject({ version: 1 });
  });

  it.each([
    ['the source fails', new ClusterUnavailableError('the API server went away'), 'the API server went away'],
    ['the disk is full', Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), 'the disk is full; no snapshot was written'],
  ])('leaves nothing behind when %s', async (_, error, message) => {
    const source = memoryCluster([aDeployment()]);
    const failing: ClusterReader = {
      ...source,
      async *list(kind, options) {
        yield* source.list(kind, options);
        if (kind.kind === 'Deployment') throw error;
      },
    };
    const parent = await aFolder();
    await expect(writeSnapshot(failing, join(parent, 'snap'))).rejects.toThrow(message);
    expect(await readdir(parent)).toEqual([]);
  });

  it('does not trust a damaged file and names it', async () => {
    const folder = await written(memoryCluster([aDeployment(), aConfigMap()]));
    await truncate(join(folder, 'objects/deployments.apps.ndjson'), 10);
    await writeFile(join(folder, 'stray'), '');
    const reader = await openSnapshot(folder);
    await expect(listAll(reader, { apiVersion: 'apps/v1', kind: 'Deployment' })).rejects.toThrow('damaged: 10 bytes instead of');
    expect(await listAll(reader, { apiVersion: 'v1', kind: 'ConfigMap' })).toHaveLength(1);
    expect(reader.files().skipped.map((s) => s.file).sort()).toEqual(['objects/deployments.apps.ndjson', 'stray']);
  });

  it('lists one namespace after the whole as before it, names that hold the name of another included', async () => {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const places = ['prod', 'prod-eu', 'test'].flatMap((namespace) => ['a', 'prod'].map((name) => aConfigMap({ name, namespace })));
    const reader = await openSnapshot(await written(memoryCluster(places)));
    const names = async (): Promise<string[]> => {
      const listed: string[] = [];
      for await (const { metadata } of reader.list(kind, { namespace: 'prod' })) listed.push(`${metadata.namespace}/${metadata.name}`);
      return listed;
    };
    const before = await names();
    expect(await listAll(reader, kind)).toHaveLength(6);
    expect(await names()).toEqual(before);
    expect(before).toEqual(['prod/a', 'prod/prod']);
  });

  it('tells a damaged line to whoever lists another namespace, each time', async () => {
    const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
    const folder = await written(memoryCluster([aConfigMap({ namespace: 'prod' }), aConfigMap({ namespace: 'test' })]));
    const file = join(folder, 'objects/configmaps.core.ndjson');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"namespace":"test"', '"namespace""test" '));
    const reader = await openSnapshot(folder);
    for (let time = 0; time < 2; time++) {
      await expect((async () => { for await (const _ of reader.list(kind, { namespace: 'prod' })); })()).rejects.toThrow('a line is not a ConfigMap');
    }
  });

  it('refuses an index that leads out of the folder or is of another version', async () => {
    const folder = await written(memoryCluster([aDeployment()]));
    const index = await readFile(join(folder, 'larry-snapshot.json'), 'utf8');
    const rewrite = (text: string) => writeFile(join(folder, 'larry-snapshot.json'), text);
    await rewrite(index.replace('objects/deployments.apps.ndjson', '../../etc/passwd'));
    await expect(openSnapshot(folder)).rejects.toThrow('take the snapshot again');
    await rewrite(index.replace('"version": 1', '"version": 9'));
    await expect(openSnapshot(folder)).rejects.toThrow('larry-snapshot.json: version:');
    await rewrite('{');
    await expect(openSnapshot(folder)).rejects.toThrow('is not JSON');
    await expect(openSnapshot(await aFolder())).rejects.toThrow('not a snapshot: it has no larry-snapshot.json');
  });

  it('reports its progress', async () => {
    const steps: string[] = [];
    await writeSnapshot(memoryCluster([crashing('p')], { logs: { 'db/p/app': 'x' } }), join(await aFolder(), 's'), { onProgress: (p) => steps.push(`${p.step} ${p.kind ?? ''}`) });
    expect(steps[0]).toBe('objects Pod');
    expect(steps.at(-1)).toBe('logs ');
  });
});
