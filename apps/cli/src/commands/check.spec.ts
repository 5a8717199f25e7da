import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
