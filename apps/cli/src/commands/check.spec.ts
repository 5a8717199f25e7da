import type { CheckReport } from '@larry/contracts';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../user-error';
import { buildProgram } from '../program';
import { check } from './check';

let folder: string;
let out: string;
let err: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'larry-check-'));
  out = '';
  err = '';
  jest.replaceProperty(process, 'env', { ...process.env, HOME: folder, XDG_STATE_HOME: folder, XDG_CACHE_HOME: folder });
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = 0;
  rmSync(folder, { recursive: true });
});

function put(name: string, text: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\n';

describe('larry check of a folder', () => {
  it.each([
    ['nothing', 'm/.keep', ''],
    ['no Kubernetes objects', 'm/a.yaml', 'a: 1\n'],
  ])('that holds %s is incomplete, and says so', async (_, file, text) => {
    put(file, text);
    await check({ manifests: path.join(folder, 'm'), failOn: 'never' });
    expect(process.exitCode).toBe(4);
    expect(err.match(/nothing was read from .*: no YAML or JSON with Kubernetes objects/g)).toHaveLength(1);
    expect(out).toMatch(/^Files: \d = 0 loaded/m);
    expect(out).not.toContain('No findings in what could be read');
  });

  it('that holds an object is complete, and counts a file once whatever is skipped in it', async () => {
    put('m/a.yaml', `${configMap}---\na: 1\n---\nb: 2\n`);
    await check({ manifests: path.join(folder, 'm'), failOn: 'never' });
    expect(process.exitCode).toBe(0);
    expect(err).not.toContain('nothing was read');
    expect(out).toMatch(/^Files: 1 = 1 loaded \+ 0 skipped; and 2 documents skipped/m);
  });
});

describe('the files of larry check', () => {
  const list = (kind: string, items: unknown[] | null, apiVersion = 'v1') => JSON.stringify({ kind, apiVersion, metadata: {}, items }, null, 4);
  /** Links count and are not followed: `recursive` follows them from Node 22 on. */
  const filesOf = (folder: string): number =>
    readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => sum + (entry.isDirectory() ? filesOf(path.join(folder, entry.name)) : 1), 0);
  const reported = async (words: Partial<Parameters<typeof check>[0]>): Promise<CheckReport> => {
    await check({ ...words, json: true, failOn: 'never' });
    return JSON.parse(out) as CheckReport;
  };

  it('add up for a default dump of two namespaces as a real API server gives it', async () => {
    put('d/nodes.json', list('NodeList', null));
    for (const namespace of ['default', 'kube-system']) {
      for (const file of ['events', 'pods', 'services', 'replication-controllers']) put(`d/${namespace}/${file}.json`, list(`${file}List`, null));
      for (const file of ['daemonsets', 'replicasets']) put(`d/${namespace}/${file}.json`, list(`${file}List`, [], 'apps/v1'));
      put(`d/${namespace}/deployments.json`, list('DeploymentList', [{ metadata: { name: 'web', namespace }, spec: { template: { spec: { containers: [{ name: 'a', image: 'x' }] } } } }], 'apps/v1'));
      put(`d/${namespace}/web-1/logs.txt`, '');
    }
    const { files, findings } = await reported({ dump: path.join(folder, 'd') });
    expect(files).toEqual({ loaded: filesOf(path.join(folder, 'd')), skipped: [] });
    expect(new Set(findings.map((f) => f.owner.kind))).toEqual(new Set(['unknown']));
  });

  it('add up for a tree of manifests, each file loaded or skipped once with its reason', async () => {
    put('m/ok.yaml', configMap);
    put('m/twice.yaml', configMap);
    put('m/z.yaml', `${configMap.replace('name: a', 'name: b')}---\na: 1\n---\n${configMap}`);
    put('m/broken.yaml', 'a: b\n  c: d\n');
    put('m/chart/Chart.yaml', 'name: x\n');
    put('m/chart/templates/t.yaml', 'kind: {{ .Values.kind }}\n');
    put('m/k/kustomization.yaml', 'namespace: prod\nresources: [s.yaml]\n');
    put('m/k/s.yaml', 'apiVersion: v1\nkind: Service\nmetadata: {name: s}\n');
    writeFileSync(path.join(folder, 'm/latin.yaml'), Buffer.from('a: \u00fc', 'latin1'));
    symlinkSync('..', path.join(folder, 'm/loop'));
    const { files } = await reported({ manifests: path.join(folder, 'm') });
    const whole = files.skipped.filter((s) => !s.partial);
    expect(files.loaded + whole.length).toBe(filesOf(path.join(folder, 'm')));
    expect(new Set(whole.map((s) => s.file)).size).toBe(whole.length);
    expect([files.loaded, files.skipped.filter((s) => s.reason === '').length]).toEqual([3, 0]);
  });
});

describe('larry check --exceptions', () => {
  it.each([
    ['is missing', undefined, /exceptions file .*e\.yaml cannot be read/],
    ['is not YAML', 'a: [', /e\.yaml:1: not YAML/],
    ['has a wrong field', '- rule: x\n  object: { kind: Pod }\n  owner: me\n  reason: known\n  expires: never\n', /e\.yaml:5: expires: must be a day/],
  ])('with a file that %s ends before the check, and names what is wrong', async (_, text, sentence) => {
    put('m/a.yaml', configMap);
    if (text !== undefined) put('e.yaml', text);
    const ended = check({ manifests: path.join(folder, 'm'), exceptions: path.join(folder, 'e.yaml'), failOn: 'never' });
    await expect(ended).rejects.toThrow(UserError);
    await expect(ended).rejects.toMatchObject({ message: expect.stringMatching(sentence) as string, exitCode: 2 });
    expect(out).toBe('');
  });

  it('takes the file that its own help shows', async () => {
    let help = '';
    const command = buildProgram().commands.find((c) => c.name() === 'check');
    command?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    const example = /^ {2}- rule: [^]*?expires: .*$/m.exec(help)?.[0] ?? '';
    put('m/a.yaml', configMap);
    await check({ manifests: path.join(folder, 'm'), exceptions: put('e.yaml', example), failOn: 'never' });
    expect(example).toContain('owner:');
    expect(process.exitCode).toBe(0);
  });
});
