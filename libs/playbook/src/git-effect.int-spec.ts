import { canonicalJson, type KubeObject, type PlannedChange } from '@larry/contracts';
import { gitBranches } from '@larry/kube';
import { aCartBranch, aClone, cartManifest, type TestClone } from '@larry/kube/testing';
import { z } from 'zod';
import { requestDiff } from './approval-request';
import { applyChange, changeDigest, resolveIntent, type EffectContext } from './effects';
import { runPlaybook, type Hands, type PlaybookResult, type RunOptions } from './engine';
import type { EffectJournal, Intent } from './intent';
import type { Playbook, PlaybookContext } from './playbook';
import { rollBack } from './rollback';
import { memoryJournal, memoryTarget } from './testing';

const file = 'cart.yaml';
const image = '/spec/template/spec/containers/0/image';
const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'cart' };
const cart = (running = 'cart:2.0'): KubeObject => ({ ...target, metadata: { name: 'cart', namespace: 'shop', uid: 'u1', resourceVersion: '1' }, spec: { template: { spec: { containers: [{ name: 'cart', image: running }] } } } });
const secretLine = '# the old password was hunter2-hunter2\n';

let clones: TestClone[] = [];
afterEach(() => {
  for (const clone of clones.splice(0)) clone.remove();
  clones = [];
});

/** A working clone, a cluster and a task whose one change is a branch there. */
function aWorld(text = cartManifest()) {
  const clone = aClone();
  clones.push(clone);
  clone.commit({ [file]: text });
  const branch = aCartBranch(clone, file, text);
  const change: PlannedChange = { step: 'one', summary: 'Commit', verb: 'git-branch', target, depends: [image], category: 'git-branch', alwaysAsk: false, git: branch };
  const cluster = memoryTarget([cart()]);
  const journal = memoryJournal();
  const effects: EffectContext = { run: 'r', task: 't', cluster: cluster.cluster, writer: cluster.writer, git: gitBranches(clone.folder), journal, guard: () => undefined, signal: new AbortController().signal };
  const digest = changeDigest(change, cart());
  const intent = async (): Promise<Intent> => (await journal.entries())[0]?.intent as Intent;
  const tip = (): string => clone.git('for-each-ref', '--format=%(objectname)', `refs/heads/${branch.branch}`);
  return { clone, branch, change, cluster, journal, effects, digest, intent, tip, apply: async (more: Partial<EffectContext> = {}) => applyChange({ ...effects, ...more }, change, digest, (await journal.entries())[0]?.intent), undo: async () => rollBack(effects, await intent()) };
}

/** Dies where its word is asked for. */
const dead = () => {
  throw new Error('killed');
};
const dyingOutcome = (journal: EffectJournal): EffectJournal => ({ intent: (i) => journal.intent(i), outcome: () => Promise.reject(new Error('killed')), entries: () => journal.entries() });

describe('a branch is made', () => {
  it('once, with its outcome; neither the journal nor the request holds a line that was not shown', async () => {
    const world = aWorld(`${secretLine}${cartManifest()}`);
    const before = world.clone.untouchable();
    expect(await world.apply()).toEqual({ outcome: 'applied', commit: world.tip() });
    expect(world.journal.outcomeOf('r/t/one')).toBe('applied');
    expect(await world.apply()).toEqual({ outcome: 'adopted', commit: world.tip() });
    expect(world.clone.untouchable()).toEqual(before);
    expect(world.cluster.accepted).toEqual([]);
    const kept = canonicalJson(await world.journal.entries());
    expect(kept).toContain(world.branch.branch);
    expect(kept).not.toContain('hunter2');
    expect(world.clone.git('show', `${world.branch.branch}:${file}`)).toContain('hunter2');
  });

  it('not where its diff or message holds a secret of the file', async () => {
    const world = aWorld(`x: &p hunter2canary\npassword: *p\n---\n${cartManifest()}`);
    const { git } = world.effects;
    const edits = world.branch.edits.map((edit) => ({ ...edit, document: 1 }));
    const tried = async (more: object): Promise<string | undefined> => git?.tryOut({ ...world.branch, edits, ...more }, { id: 'r/t/one', base: world.clone.git('rev-parse', 'HEAD'), at: '2026-11-23T04:00:00Z' });
    expect(await tried({})).toBeUndefined();
    for (const more of [{ diff: '@@ -1 +1 @@\n x: &p hunter2canary\n' }, { message: 'fix: hunter2canary\n' }]) expect(await tried(more)).toContain('a secret value of the file');
  });

  it.each<[string, (world: ReturnType<typeof aWorld>) => Partial<EffectContext>, string, string]>([
    ['between its intent and the branch', () => ({ guard: dead }), 'not-applied', 'applied'],
    ['after the branch, before its outcome', ({ journal }) => ({ journal: dyingOutcome(journal) }), 'applied', 'adopted'],
  ])('once by a successor of who died %s', async (_, dying, became, then) => {
    const world = aWorld();
    await expect(world.apply(dying(world))).rejects.toThrow('killed');
    const made = world.tip();
    expect(await resolveIntent(world.effects, await world.intent())).toBe(became);
    expect(await world.apply()).toEqual({ outcome: then, commit: world.tip() });
    if (made !== '') expect(world.tip()).toBe(made);
  });

  it('by two attempts at once as one commit', async () => {
    const world = aWorld();
    const answers = await Promise.all([world.apply(), world.apply()]);
    expect(answers.map((a) => a.outcome).sort()).toEqual(['adopted', 'applied']);
    expect(answers.map((a) => 'commit' in a && a.commit)).toEqual([world.tip(), world.tip()]);
  });

  it('after the commit that is checked out by then, where the file is still the one that was approved', async () => {
    const world = aWorld();
    const head = world.clone.commit({ 'other.yaml': 'a: 1\n' });
    expect(await world.apply()).toMatchObject({ outcome: 'applied' });
    expect(world.clone.git('rev-parse', `${world.branch.branch}~1`)).toBe(head);
  });

  it('also when every record of it is lost: the trailer and the content tell', async () => {
    const world = aWorld();
    await world.apply();
    expect(await applyChange({ ...world.effects, journal: memoryJournal() }, world.change, world.digest)).toMatchObject({ outcome: 'adopted' });
  });
});

describe('a branch is not made', () => {
  it.each<[string, (world: ReturnType<typeof aWorld>) => unknown, RegExp]>([
    ['where the file is another by then', ({ clone }) => clone.commit({ [file]: cartManifest('cart:2.1') }), /^cart\.yaml is another at commit [0-9a-f]{12}: it changed after it was diagnosed$/],
    ['where the object is another by then', ({ cluster }) => cluster.edit(cart('cart:2.1')), /changed after it was diagnosed/],
    ['over a symbolic branch to nowhere', ({ clone, branch }) => clone.git('symbolic-ref', `refs/heads/${branch.branch}`, 'refs/heads/nobody'), /is taken without a commit/],
    ['over somebody else\'s commit', ({ clone, branch }) => clone.git('branch', '-q', branch.branch), /somebody else's commit is never overwritten/],
  ])('%s', async (_, meanwhile, reason) => {
    const world = aWorld();
    meanwhile(world);
    const before = world.tip();
    expect(await world.apply()).toMatchObject({ outcome: 'superseded', reason: expect.stringMatching(reason) as string });
    expect(world.tip()).toBe(before);
  });

  it('where the configuration names no repository, or git cannot', async () => {
    const world = aWorld();
    const { git: _, ...without } = world.effects;
    expect(await applyChange(without, world.change, world.digest)).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('--git') as string });
    world.clone.git('branch', '-q', 'larry');
    expect(await world.apply()).toMatchObject({ outcome: 'refused', reason: expect.stringContaining('there is a branch larry') as string });
    expect(world.journal.outcomeOf('r/t/one')).toBe('refused');
  });

  it('and what a person made of it is left to people', async () => {
    const world = aWorld();
    await expect(world.apply({ journal: dyingOutcome(world.journal) })).rejects.toThrow('killed');
    world.clone.git('branch', '-q', '-f', world.branch.branch, world.clone.git('commit-tree', 'HEAD^{tree}', '-p', world.tip(), '-m', 'mine\n\nLarry-Change: r/t/one'));
    expect(await resolveIntent(world.effects, await world.intent())).toBe('outcome-unknown');
    expect(await world.undo()).toMatchObject({ outcome: 'superseded' });
  });
});

describe('a branch is taken back', () => {
  it('once, and whoever asks again finds it gone', async () => {
    const world = aWorld();
    await world.apply();
    expect([await world.undo(), world.tip(), world.journal.outcomeOf('r/t/one')]).toEqual([{ outcome: 'applied' }, '', 'rolled-back']);
    expect(await world.undo()).toEqual({ outcome: 'adopted' });
  });

  it.each<[string, (world: ReturnType<typeof aWorld>) => unknown, RegExp]>([
    ['with commits on top', ({ clone, branch, tip }) => clone.git('branch', '-q', '-f', branch.branch, clone.git('commit-tree', 'HEAD^{tree}', '-p', tip(), '-m', 'mine')), /somebody else's commit/],
    ['that is checked out', ({ clone, branch }) => clone.git('checkout', '-q', branch.branch), /is checked out in .*: take it back there/],
    ['that was published', ({ clone, tip }) => clone.git('update-ref', 'refs/remotes/origin/x', tip()), /was published: take it back there/],
  ])('but not one %s', async (_, meanwhile, reason) => {
    const world = aWorld();
    await world.apply();
    meanwhile(world);
    const before = world.tip();
    expect(await world.undo()).toMatchObject({ outcome: 'superseded', reason: expect.stringMatching(reason) as string });
    expect(world.tip()).toBe(before);
  });
});

describe('a run', () => {
  function aRun(world: ReturnType<typeof aWorld>, change = world.change, run = 'r') {
    const verdicts = new Map<string, { granted: boolean; who: string }>();
    const audit: Record<string, unknown>[] = [];
    const hands: Hands = {
      writer: world.cluster.writer, git: gitBranches(world.clone.folder), journal: run === 'r' ? world.journal : memoryJournal(), guard: () => undefined,
      audit: { append: (entry) => Promise.resolve(audit.push({ action: entry.action, ...entry.details })) },
      approval: (digest) => Promise.resolve(verdicts.get(digest)), rollbackInitiated: () => Promise.resolve(),
    };
    const playbook: Playbook = {
      id: 't', title: 't', description: '', options: z.object({}), access: [], observe: () => Promise.resolve({}), plan: () => [change], validate: () => Promise.resolve([]),
      diagnose: () => ({ summary: 'Diagnosed.', findings: [], figures: {}, criteria: [], unknowns: [] }),
    };
    const quiet = () => undefined;
    const context: PlaybookContext = { run, task: 't', cluster: world.cluster.cluster, options: {}, signal: new AbortController().signal, results: new Map(), log: { debug: quiet, info: quiet, warn: quiet }, now: () => new Date(0), progress: quiet, wait: () => Promise.resolve() };
    return { verdicts, audit, run: (mode: RunOptions['mode'], allow: string[] = []): Promise<PlaybookResult> => runPlaybook(playbook, context, { mode, allow, hands }) };
  }

  it('asks with the branch, the message and the lines; the log and the report name the commit', async () => {
    const world = aWorld();
    const { run, verdicts, audit } = aRun(world);
    const parked = await run('ask');
    const shown = parked.asks ? requestDiff(parked.asks.request) : '';
    expect(shown).toContain(`a commit on the new branch ${world.branch.branch}, which changes ${file} (Deployment shop/cart)`);
    expect(shown).toContain('  fix(shop): incorrect image reference of Deployment cart\n');
    expect(shown).toContain('\n-          image: cart:2.0 # pinned\n+          image: cart:1.9 # pinned');
    expect(world.tip()).toBe('');
    verdicts.set(parked.asks?.digest ?? '', { granted: true, who: 'ada' });
    const made = await run('ask');
    expect(made.changes).toMatchObject([{ outcome: 'verified', approvedBy: 'ada', git: { branch: world.branch.branch, commit: world.tip() } }]);
    expect(audit.map((a) => [a['action'], a['branch'], a['commit']])).toEqual([['change_intended', world.branch.branch, undefined], ['change_applied', world.branch.branch, world.tip()]]);
    expect((await run('ask')).changes).toMatchObject([{ outcome: 'verified', git: { commit: world.tip() } }]);
  });

  it('makes it in auto only where the category is allowed', async () => {
    const world = aWorld();
    expect((await aRun(world).run('auto')).outcome).toBe('awaiting_approval');
    expect((await aRun(world).run('auto', ['git-branch'])).changes).toMatchObject([{ outcome: 'verified' }]);
  });

  it('asks nobody for what an earlier run made, for a secret, or for what git could not make', async () => {
    const world = aWorld();
    const { git } = world.change;
    const secret = { ...world.change, git: git && { ...git, wanted: [{ op: 'add', path: '/spec/template/spec/containers/0/env/0', value: { name: 'DB_PASSWORD', value: 'hunter2-hunter2' } }] } };
    expect((await aRun(world, secret, 'r2').run('ask')).changes).toMatchObject([{ outcome: 'refused', reason: expect.stringContaining('belongs in no commit') as string }]);
    await world.apply();
    const other = await aRun(world, world.change, 'r2').run('ask');
    expect(other.changes).toMatchObject([{ outcome: 'superseded', reason: `branch ${world.branch.branch} holds this change already, by r/t/one: merge it, or delete it to have it made anew` }]);
    world.clone.git('branch', '-q', '-D', world.branch.branch);
    world.clone.git('branch', '-q', 'larry');
    expect((await aRun(world, world.change, 'r2').run('ask')).changes).toMatchObject([{ outcome: 'refused', reason: expect.stringContaining('there is a branch larry') as string }]);
  });
});
