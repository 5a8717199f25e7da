import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KubeObject, Remedy } from '@larry/contracts';
import { readGitHead, readGitManifests } from './repository';
import { refineGitRemedies } from './refine-git';
import { cartManifest } from './testing-clone';

const manifest = cartManifest();
const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' };
const live = (image = 'cart:2.0'): KubeObject => ({ ...object, metadata: { name: 'cart', namespace: 'shop' }, spec: { template: { spec: { containers: [{ name: 'cart', image }] } } } });
const image = '/spec/template/spec/containers/0/image';
const remedy: Remedy = { layer: 'manifest', yaml: 'image: cart:1.9\n', note: 'in its source', wanted: [{ op: 'replace', path: image, value: 'cart:1.9' }] };

let folder: string;
let clone: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larry-clone-'));
  clone = join(folder, 'clone');
  mkdirSync(clone);
  git('init', '-q', '-b', 'main');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync('git', ['-C', clone, '-c', 'user.name=A Person', '-c', 'user.email=a.person@example.com', '-c', 'commit.gpgsign=false', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function commit(files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    writeFileSync(join(clone, file), text);
  }
  git('add', '-A');
  git('commit', '-q', '-m', 'what is there');
}

async function refined(running = live()): Promise<Extract<Remedy, { layer: 'manifest' }>> {
  const [finding] = await refineGitRemedies({ get: async () => running }, clone, [{ remedy }], () => object);
  return finding?.remedy as Extract<Remedy, { layer: 'manifest' }>;
}

/** Every file of the repository, with the time of its last change. */
function everything(at = clone): string[] {
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = join(at, entry.name);
    return entry.isDirectory() ? everything(path) : [`${path} ${statSync(path, { throwIfNoEntry: false })?.mtimeMs}`];
  });
}

it('makes a diff that git applies, and leaves the repository as it is', async () => {
  commit({ 'apps/shop/cart.yaml': `# shop\n---\n${manifest}`, 'README.md': 'x' });
  writeFileSync(join(clone, 'apps/shop/cart.yaml'), 'not committed\n');
  const before = everything();
  const { file, line, diff = '', note, change } = await refined();
  expect({ file, line }).toEqual({ file: 'apps/shop/cart.yaml', line: 3 });
  expect(change).toEqual({
    file, before: git('rev-parse', `HEAD:${file}`), after: expect.any(String) as string, declares: object,
    edits: [{ document: 0, path: ['spec', 'template', 'spec', 'containers', 0, 'image'], set: 'cart:1.9' }],
  });
  expect(note).toBe(`in its source; the diff is against commit ${git('rev-parse', 'HEAD').slice(0, 12)}`);
  expect(everything()).toEqual(before);
  git('checkout', '-q', '--', '.');
  writeFileSync(join(folder, 'change.diff'), diff);
  git('apply', join(folder, 'change.diff'));
  expect(readFileSync(join(clone, 'apps/shop/cart.yaml'), 'utf8')).toBe(`# shop\n---\n${manifest.replace('cart:2.0', 'cart:1.9')}`);
  expect(git('hash-object', '--no-filters', 'apps/shop/cart.yaml')).toBe(change?.after);
});

it('runs nothing that a repository names, and follows nothing out of it', async () => {
  const trap = join(folder, 'sprung');
  const program = join(folder, 'trap.sh');
  writeFileSync(program, `#!/bin/sh\ntouch ${trap}\ncat\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'outside.yaml'), manifest);
  symlinkSync('../outside.yaml', join(clone, 'linked.yaml'));
  commit({ 'cart.yaml': manifest, '.gitattributes': '*.yaml diff=trap filter=trap merge=trap\n', 'a\nb.yaml': manifest });
  for (const [key, value] of Object.entries({ 'core.fsmonitor': program, 'core.hooksPath': folder, 'diff.external': program, 'diff.trap.textconv': program, 'diff.trap.command': program, 'filter.trap.smudge': program, 'filter.trap.clean': program, 'merge.trap.driver': program, 'core.pager': program })) git('config', key, value);
  const { file, diff } = await refined();
  expect(file).toBe('cart.yaml');
  expect(diff).toContain('+          image: cart:1.9 # pinned');
  expect(existsSync(trap)).toBe(false);
});

it('says why there is no diff', async () => {
  commit({ 'test/cart.yaml': manifest, 'prod/cart.yaml': manifest });
  expect((await refined()).note).toContain('declares Deployment shop/cart 2 times: prod/cart.yaml:1, test/cart.yaml:1');
  commit({ 'test/cart.yaml': 'a: 1\n' });
  const other = await refined(live('cart:3.0'));
  expect(other.note).toContain('is cart:2.0 there and cart:3.0 in the cluster');
  expect(other).toMatchObject({ yaml: 'image: cart:1.9\n' });
  expect(other.diff).toBeUndefined();
  commit({ 'prod/cart.yaml': 'a: 1\n' });
  expect((await refined()).note).toContain('the repository declares no Deployment shop/cart');
});

it('takes a folder of a repository for that part of it', async () => {
  commit({ 'test/cart.yaml': manifest, 'prod/cart.yaml': manifest });
  const [finding] = await refineGitRemedies({ get: async () => live() }, join(clone, 'prod'), [{ remedy }], () => object);
  expect(finding?.remedy).toMatchObject({ file: 'prod/cart.yaml' });
});

it('reads one text for each blob, and no more than fits: a small repository can name one large text many times', async () => {
  const large = '#'.repeat(7 * 1024 * 1024);
  commit({ 'a/0.yaml': large, 'a/1.yaml': large, 'b.yaml': 'b: 1\n' });
  expect((await readGitManifests(join(clone, 'a'))).texts.get('a/1.yaml')).toHaveLength(large.length);
  commit(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a/${i}.yaml`, large])));
  await expect(readGitManifests(clone)).rejects.toThrow(/its YAML and JSON files are more than 64 MiB together; name a folder inside it$/);
});

it('refuses in one sentence what is no repository that can be read', async () => {
  await expect(readGitHead(clone)).rejects.toThrow(/it has no commit yet$/);
  await expect(readGitHead(join(folder, 'nowhere'))).rejects.toThrow(/there is no such folder/);
  await expect(readGitHead(folder)).rejects.toThrow(/it is no Git repository/);
});

// Only root can give a folder away.
(process.getuid?.() === 0 ? it : it.skip)('refuses a repository that belongs to somebody else, until Git is told to trust it', async () => {
  commit({ 'cart.yaml': manifest });
  const home = process.env['HOME'];
  process.env['HOME'] = folder;
  try {
    for (const path of [clone, join(clone, '.git')]) chownSync(path, 12345, 12345);
    await expect(readGitHead(clone)).rejects.toThrow(/it belongs to somebody else, .*safe\.directory/);
    writeFileSync(join(folder, '.gitconfig'), `[safe]\n\tdirectory = ${clone}\n`);
    expect(await readGitHead(clone)).toMatch(/^[0-9a-f]{40}$/);
  } finally {
    process.env['HOME'] = home;
  }
});
