import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitBranch } from '@larry/contracts';
import { gitBranches, isBranchOf } from './branches';
import { aCartBranch, aClone, cartManifest, type TestClone } from './testing-clone';

const file = 'apps/shop/cart.yaml';
const files = { [file]: cartManifest(), 'apps/shop/api.yaml': 'a: 1\n', 'bin/run.sh': 'echo\n', 'ünïcode "x".txt': 'x\n' };
const id = 'run-1/fix/one';
const at = '2026-11-23T04:00:00.789Z';

let clones: TestClone[] = [];
afterEach(() => {
  for (const clone of clones.splice(0)) clone.remove();
  clones = [];
});

function clone(...init: string[]): TestClone {
  const one = aClone(...init);
  clones.push(one);
  return one;
}

function aClonedShop(...init: string[]) {
  const one = clone(...init);
  const base = one.commit(files);
  return { ...one, base, change: aCartBranch(one), branches: gitBranches(one.folder) };
}

const make = (shop: Pick<ReturnType<typeof aClonedShop>, 'branches' | 'base'>, change: GitBranch, guard?: () => void) => shop.branches.create(change, { id, base: shop.base, at, ...(guard ? { guard } : {}) });
const tipOf = async ({ branches, change }: Pick<ReturnType<typeof aClonedShop>, 'branches' | 'change'>) => {
  const looked = await branches.look(change);
  if ('unreadable' in looked) throw new Error(looked.unreadable);
  return looked.standing.tip;
};

describe('a branch in a working clone', () => {
  it('holds one commit that changes the file alone, by Larry, with why and whose it is; nothing else of the repository is touched', async () => {
    const shop = aClonedShop();
    const { git, folder, base, change } = shop;
    writeFileSync(join(folder, 'apps/shop/api.yaml'), 'not committed\n');
    const before = shop.untouchable();
    expect(await make(shop, change)).toEqual({ outcome: 'done', commit: git('rev-parse', change.branch) });
    expect(shop.untouchable()).toEqual(before);
    expect(git('diff', '--stat', base, change.branch)).toContain('1 file changed, 1 insertion(+), 1 deletion(-)');
    expect(`${git('show', `${change.branch}:${file}`)}\n`).toBe(cartManifest('cart:1.9'));
    expect(git('log', '-1', '--format=%P|%an <%ae>|%cn|%at|%ct|%B', change.branch)).toBe(`${base}|Larry <larry@localhost>|Larry|1795406400|1795406400|${change.message}\nLarry-Change: ${id}`);
    expect(git('log', '-1', '--format=%(trailers:key=Larry-Change,valueonly)', change.branch)).toBe(id);
    expect(git('fsck', '--strict', '--no-dangling')).toBe('');
    expect(git('branch', '--format=%(refname:short)').split('\n')).toEqual([change.branch, 'main']);
    const tip = await tipOf(shop);
    expect(tip).toMatchObject({ change: id, base, exact: true, onHead: true });
    expect(tip && [isBranchOf(tip, id), isBranchOf(tip, 'run-2/fix/one')]).toEqual([true, false]);
  });

  it('is the same commit in every attempt', async () => {
    const shop = aClonedShop();
    const first = await make(shop, shop.change);
    shop.git('branch', '-q', '-D', shop.change.branch);
    expect(await make(shop, shop.change)).toEqual(first);
  });

  it('is made once by two at a time, and never over what is there', async () => {
    const shop = aClonedShop();
    const answers = await Promise.all([make(shop, shop.change), shop.branches.create(shop.change, { id, base: shop.base, at: '2026-11-23T05:00:00Z' })]);
    expect(answers.map((a) => a.outcome).sort()).toEqual(['done', 'failed']);
    const tip = shop.git('rev-parse', shop.change.branch);
    expect(await make(shop, shop.change)).toMatchObject({ outcome: 'failed' });
    expect(shop.git('rev-parse', shop.change.branch)).toBe(tip);
  });

  it('is not made when the guard throws: then only objects that nobody names are left', async () => {
    const shop = aClonedShop();
    const lost = () => {
      throw new Error('the lease is lost');
    };
    await expect(make(shop, shop.change, lost)).rejects.toThrow('the lease is lost');
    expect(await tipOf(shop)).toBeUndefined();
  });

  it('is taken away while its tip is the commit that was made, and not afterwards', async () => {
    const shop = aClonedShop();
    await make(shop, shop.change);
    const commit = shop.git('rev-parse', shop.change.branch);
    shop.git('branch', '-q', '-f', shop.change.branch, shop.base);
    expect(await shop.branches.remove(shop.change, { commit, at })).toMatchObject({ outcome: 'failed' });
    expect(shop.git('rev-parse', shop.change.branch)).toBe(shop.base);
    shop.git('branch', '-q', '-f', shop.change.branch, commit);
    expect(await shop.branches.remove(shop.change, { commit, at })).toEqual({ outcome: 'done', commit });
    expect(await tipOf(shop)).toBeUndefined();
  });

  it('tells whether it is merged, published or checked out', async () => {
    const shop = aClonedShop();
    await make(shop, shop.change);
    const commit = shop.git('rev-parse', shop.change.branch);
    expect([await shop.branches.hasMerged(commit), await shop.branches.publishedAs(commit)]).toEqual([false, []]);
    shop.git('update-ref', 'refs/remotes/origin/fix', commit);
    shop.git('checkout', '-q', shop.change.branch);
    expect((await tipOf(shop))?.checkedOut).toBe(shop.git('rev-parse', '--show-toplevel'));
    expect([await shop.branches.hasMerged(commit), await shop.branches.publishedAs(commit)]).toEqual([true, ['origin/fix']]);
  });
});

describe('what a repository may not do to a branch', () => {
  it('a symbolic branch to nowhere counts as taken', async () => {
    const shop = aClonedShop();
    shop.git('symbolic-ref', `refs/heads/${shop.change.branch}`, 'refs/heads/nobody');
    expect(await tipOf(shop)).toEqual({ commit: '', exact: false, onHead: false });
  });

  it('an unborn branch of a linked work tree counts as taken', async () => {
    const shop = aClonedShop();
    const folder = join(shop.folder, '.git', 'linked');
    shop.git('worktree', 'add', '-q', '--detach', folder);
    shop.git('-C', folder, 'symbolic-ref', 'HEAD', `refs/heads/${shop.change.branch}`);
    expect(await tipOf(shop)).toEqual({ commit: '', exact: false, onHead: false });
  });

  it.each(['refs/heads/larry', 'logs/refs/heads/larry'])('%s as a link out of the clone is refused, and nothing is written there', async (place) => {
    const shop = aClonedShop();
    const outside = mkdtempSync(join(tmpdir(), 'larry-outside-'));
    try {
      symlinkSync(outside, join(shop.folder, '.git', place));
      const sentence = expect.stringContaining(`${place} is a link out of the repository`) as string;
      expect(await shop.branches.look(shop.change)).toEqual({ unreadable: sentence });
      expect(await shop.branches.tryOut(shop.change, { id, base: shop.base, at })).toEqual(sentence);
      expect(await make(shop, shop.change)).toEqual({ outcome: 'failed', message: sentence });
      expect(await shop.branches.remove(shop.change, { commit: shop.base, at })).toEqual({ outcome: 'failed', message: sentence });
      expect(readdirSync(outside)).toEqual([]);
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });
});

describe('whatever the repository is', () => {
  it('an executable file stays one, other names and kinds of entries stay as they are', async () => {
    const shop = clone();
    shop.commit(files);
    const other = clone();
    const inner = other.commit({ x: '1' });
    shop.git('update-index', '--add', '--cacheinfo', `160000,${inner},vendored`);
    shop.git('update-index', '--chmod=+x', file);
    shop.git('commit', '-q', '-m', 'modes');
    const base = shop.git('rev-parse', 'HEAD');
    const change = aCartBranch(shop);
    expect(await make({ branches: gitBranches(shop.folder), base }, change)).toMatchObject({ outcome: 'done' });
    expect(shop.git('diff', '--raw', '--no-abbrev', base, change.branch)).toBe(`:100755 100755 ${change.before} ${change.after} M\t${file}`);
  });

  it.each<[string, string[]]>([['SHA-256', ['--object-format=sha256']], ['SHA-1', []]])('with %s, below a folder of it, from a detached head, whatever attributes and line ends it sets', async (_, init) => {
    const shop = clone(...init);
    shop.git('config', 'core.autocrlf', 'true');
    const text = cartManifest().replaceAll('\n', '\r\n');
    const base = ((): string => {
      shop.commit({ '.gitattributes': '*.yaml text eol=crlf filter=trap ident\n' });
      const blob = shop.git('hash-object', '-w', '--no-filters', (writeFileSync(join(shop.folder, 'crlf'), text), 'crlf'));
      rmSync(join(shop.folder, 'crlf'));
      shop.git('update-index', '--add', '--cacheinfo', `100644,${blob},${file}`);
      shop.git('commit', '-q', '-m', 'with CRLF');
      return shop.git('rev-parse', 'HEAD');
    })();
    shop.git('checkout', '-q', '-f', '--detach');
    const change = aCartBranch(shop, file, text);
    const below = gitBranches(join(shop.folder, 'apps'));
    expect(await make({ branches: below, base }, change)).toMatchObject({ outcome: 'done' });
    expect(shop.git('cat-file', 'blob', `${change.branch}:${file}`)).toBe(text.replace('cart:2.0', 'cart:1.9').trim());
    expect(await tipOf({ branches: below, change })).toMatchObject({ exact: true, onHead: true });
  });

  it('bare, shallow or another work tree of it', async () => {
    const shop = aClonedShop();
    shop.commit({ more: 'x' });
    const place = mkdtempSync(join(tmpdir(), 'larry-clones-'));
    try {
      shop.git('clone', '-q', '--bare', shop.folder, join(place, 'bare'));
      shop.git('clone', '-q', '--depth=1', `file://${shop.folder}`, join(place, 'shallow'));
      shop.git('worktree', 'add', '-q', '--detach', join(place, 'tree'));
      for (const name of ['bare', 'shallow', 'tree']) {
        const branches = gitBranches(join(place, name));
        const looked = await branches.look(shop.change);
        const head = 'standing' in looked ? looked.standing.head : '';
        expect(await branches.tryOut(shop.change, { id, base: head, at })).toBeUndefined();
        expect(await branches.create(shop.change, { id, base: head, at })).toMatchObject({ outcome: 'done' });
        expect(await tipOf({ branches, change: shop.change })).toMatchObject({ exact: true, onHead: true });
      }
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  it('with hooks, signatures and programs of its own: none of them is started', async () => {
    const shop = aClonedShop();
    const [trap, program] = [join(shop.folder, '.git/sprung'), join(shop.folder, '.git/hooks/trap')];
    mkdirSync(join(shop.folder, '.git/hooks'), { recursive: true });
    writeFileSync(program, `#!/bin/sh\ntouch ${trap}\nexit 1\n`, { mode: 0o755 });
    for (const hook of ['reference-transaction', 'pre-commit', 'post-index-change', 'commit-msg']) writeFileSync(join(shop.folder, '.git/hooks', hook), `#!/bin/sh\ntouch ${trap}\nexit 1\n`, { mode: 0o755 });
    for (const [key, value] of Object.entries({ 'commit.gpgSign': 'true', 'gpg.program': program, 'core.fsmonitor': program, 'filter.trap.clean': program, 'core.editor': program, 'core.hooksPath': join(shop.folder, '.git/hooks'), 'i18n.commitEncoding': 'ISO-8859-1' })) shop.git('config', key, value);
    expect(await make(shop, shop.change)).toMatchObject({ outcome: 'done' });
    expect(await shop.branches.remove(shop.change, { commit: shop.git('-c', 'core.fsmonitor=false', 'rev-parse', shop.change.branch), at })).toMatchObject({ outcome: 'done' });
    expect(existsSync(trap)).toBe(false);
  });
});

describe('what cannot be made is said in one sentence, and nothing is left behind', () => {
  const objects = (folder: string): string[] => readdirSync(join(folder, '.git/objects'), { recursive: true }).map(String).sort();
  const tried = (shop: ReturnType<typeof aClonedShop>, change = shop.change) => shop.branches.tryOut(change, { id, base: shop.base, at });

  it('a try leaves no object, no branch and no folder', async () => {
    const shop = aClonedShop();
    const before = objects(shop.folder);
    expect(await tried(shop)).toBeUndefined();
    expect([objects(shop.folder), await tipOf(shop)]).toEqual([before, undefined]);
  });

  it('a branch named larry is in the way', async () => {
    const shop = aClonedShop();
    shop.git('branch', '-q', 'larry');
    const says = `there is a branch larry, so that Git can make none named ${shop.change.branch}: rename it (git branch -m larry OTHER)`;
    expect(await tried(shop)).toBe(says);
    expect(await make(shop, shop.change)).toEqual({ outcome: 'failed', message: says });
  });

  it('another git holds the branch, or died', async () => {
    const shop = aClonedShop();
    const lock = join(shop.folder, '.git/refs/heads', `${shop.change.branch}.lock`);
    mkdirSync(join(lock, '..'), { recursive: true });
    writeFileSync(lock, '');
    expect(await make(shop, shop.change)).toEqual({ outcome: 'failed', message: expect.stringMatching(/\.lock is there: another git works on the branch, or died while it did; once none runs, remove that file$/) as string });
  });

  it('objects cannot be written', async () => {
    const shop = aClonedShop();
    // Where the blob would come stands a file, so that root cannot write there either.
    writeFileSync(join(shop.folder, '.git/objects', shop.change.after.slice(0, 2)), '');
    expect(await make(shop, shop.change)).toEqual({ outcome: 'failed', message: expect.stringMatching(/^the repository cannot be written \(.*\): Larry needs the rights of whoever commits there$/) as string });
    expect(await tipOf(shop)).toBeUndefined();
  });

  // Root may write everywhere.
  (process.getuid?.() === 0 ? it.skip : it)('a repository that may only be read is known before anybody is asked', async () => {
    const shop = aClonedShop();
    chmodSync(join(shop.folder, '.git/objects'), 0o555);
    expect(await tried(shop)).toMatch(/^the repository cannot be written/);
    chmodSync(join(shop.folder, '.git/objects'), 0o755);
  });

  it('the edits do not give what was planned, or the file is another by then, or gone', async () => {
    const shop = aClonedShop();
    expect(await tried(shop, { ...shop.change, after: shop.change.before })).toBe(`the edits of ${file} do not give what was planned: another version of Larry planned it`);
    const base = shop.commit({ [file]: cartManifest('cart:3.0') });
    expect(await shop.branches.tryOut(shop.change, { id, base, at })).toBe('the file is not in the commit as it was planned');
    expect(await shop.branches.look(shop.change)).toMatchObject({ standing: { head: base, blob: shop.git('rev-parse', `HEAD:${file}`) } });
    renameSync(join(shop.folder, 'apps'), join(shop.folder, 'other'));
    shop.git('add', '-A');
    shop.git('commit', '-q', '-m', 'moved');
    expect(await shop.branches.look(shop.change)).toEqual({ standing: { head: shop.git('rev-parse', 'HEAD') } });
  });

  it('a repository that is none', async () => {
    expect(await gitBranches(tmpdir()).look(aClonedShop().change)).toEqual({ unreadable: expect.stringContaining('it is no Git repository') as string });
  });
});

it('takes no commit of somebody else\'s for Larry\'s, however it is called', async () => {
  const shop = aClonedShop();
  const forged = shop.git('commit-tree', `${shop.base}^{tree}`, '-p', shop.base, '-m', `fix\n\nLarry-Change: ${id}`);
  shop.git('branch', '-q', shop.change.branch, forged);
  expect(await tipOf(shop)).toMatchObject({ change: id, exact: false });
  shop.git('branch', '-q', '-D', shop.change.branch);
  await make(shop, shop.change);
  const ours = shop.git('rev-parse', shop.change.branch);
  const hidden = shop.git('commit-tree', `${shop.base}^{tree}`, '-m', 'another history');
  const over = shop.git('commit-tree', `${ours}^{tree}`, '-p', hidden, '-m', `fix\n\nLarry-Change: ${id}`);
  shop.git('branch', '-q', '-f', shop.change.branch, over);
  const tip = await tipOf(shop);
  expect(tip).toMatchObject({ change: id, exact: true, onHead: false });
  expect(tip && isBranchOf(tip, id, shop.base)).toBe(false);
});
