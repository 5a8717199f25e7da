import type { Criterion, PlannedChange, TaskResult } from '@larry/contracts';
import { z } from 'zod';
import { changeDigest } from './effects';
import { approvalDigest, digestOfRequest, requestDiff } from './approval-request';
import { runPlaybook, type Hands, type PlaybookResult, type RunOptions } from './engine';
import type { Playbook, PlaybookContext } from './playbook';
import { aStep, aTargetObject, memoryJournal, memoryTarget, type MemoryTarget } from './testing';

const ref = aStep().target;
const start = () => aTargetObject({ uid: 'u1', resourceVersion: '1' });
const second: PlannedChange = aStep({ step: 'two', patch: [{ op: 'add', path: '/metadata/finalizers/-', value: 'larry.dev/three' }] });
const met: Criterion = { id: 'c', text: 'it holds', verdict: 'met', observation: { subject: 's', value: 'v', at: '2026-01-01T00:00:00Z' } };

function aPlaybook(steps: PlannedChange[], parts: Partial<Playbook> = {}): Playbook {
  return {
    id: 't',
    title: 't',
    description: '',
    options: z.strictObject({ n: z.number().default(1) }),
    access: [],
    observe: () => Promise.resolve({}),
    diagnose: () => ({ summary: 'Diagnosed.', findings: [], figures: {}, criteria: [], unknowns: [] }),
    plan: () => steps,
    validate: () => Promise.resolve([]),
    ...parts,
  };
}

/** One task's world over several attempts: target, journal and audit log outlive each. */
function aWorld(target: MemoryTarget = memoryTarget([start()])) {
  const journal = memoryJournal();
  const audit: string[] = [];
  const rollbacks: string[] = [];
  const verdicts = new Map<string, { granted: boolean; who: string }>();
  const hands: Hands = {
    writer: target.writer,
    journal,
    audit: { append: (entry) => Promise.resolve(audit.push(`${entry.step} ${entry.action} ${entry.actor}`)) },
    guard: () => undefined,
    approval: (digest) => Promise.resolve(verdicts.get(digest)),
    rollbackInitiated: (reason) => Promise.resolve(void rollbacks.push(reason)),
  };
  const run = (playbook: Playbook, options: Partial<RunOptions> = {}, given: unknown = {}, more: Partial<Hands> = {}): Promise<PlaybookResult> => {
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const context: PlaybookContext = {
      run: 'r', task: 't', cluster: target.cluster, options: given, signal: new AbortController().signal, results: new Map(), log,
      now: () => new Date(0), progress: () => undefined, wait: () => Promise.resolve(),
    };
    return runPlaybook(playbook, context, { mode: 'auto', allow: ['test'], hands: { ...hands, ...more }, ...options });
  };
  return { target, journal, audit, rollbacks, verdicts, run, finalizers: () => target.get(ref)?.metadata.finalizers };
}

const killed = new Error('killed');
const die = () => Promise.reject(killed);
const outcomes = (result: TaskResult) => result.changes.map((c) => [c.id, c.outcome]);

describe('an approval', () => {
  it('is good for one making: with the journal and the mark gone it does not make the change again', async () => {
    const target = memoryTarget([start()]);
    const made: string[] = [];
    const audit: Hands['audit'] = {
      append: (entry) => Promise.resolve(entry.action === 'change_applied' ? made.push(`${entry.run}/${entry.task}/${entry.step}`) : 0),
      wasMade: ({ run, task, step }) => Promise.resolve(made.includes(`${run}/${task}/${step}`)),
    };
    const approval = () => Promise.resolve({ granted: true, who: 'ada' });
    expect(await aWorld(target).run(aPlaybook([aStep()]), { mode: 'ask' }, {}, { audit, approval })).toMatchObject({ changes: [{ outcome: 'verified' }] });
    target.edit(start());
    const again = await aWorld(target).run(aPlaybook([aStep()]), { mode: 'ask' }, {}, { audit, approval });
    expect(again).toMatchObject({ changes: [{ outcome: 'superseded', reason: expect.stringContaining('this approval was used') as string }] });
    expect(target.accepted).toHaveLength(1);
  });
});

describe('mode observe', () => {
  it.each(['mode', 'hands'])('proposes with a diff and changes nothing, by the %s alone', async (by) => {
    const world = aWorld();
    const result = await world.run(aPlaybook([aStep()]), by === 'mode' ? { mode: 'observe' } : { hands: undefined });
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'proposed', diff: '/metadata/finalizers/-\n+ "larry.dev/two"', digest: changeDigest(aStep(), start()) }] });
    expect([world.target.accepted, world.target.dryRuns, world.audit]).toEqual([[], 0, []]);
  });
});

describe('mode auto', () => {
  it('applies the steps in order, after a dry run of each, with an audit record before and after', async () => {
    const world = aWorld();
    const result = await world.run(aPlaybook([aStep(), second]));
    expect(outcomes(result)).toEqual([['r/t/one', 'verified'], ['r/t/two', 'verified']]);
    expect(result).toMatchObject({ outcome: 'completed', summary: 'Diagnosed. Changes: 2 verified.' });
    expect(world.finalizers()).toEqual(['larry.dev/one', 'larry.dev/two', 'larry.dev/three']);
    expect(world.target.accepted.map((w) => w.change)).toEqual(['r/t/one', 'r/t/two']);
    expect(world.target.dryRuns).toBe(2);
    expect(world.audit).toEqual(['one change_intended larry (auto)', 'one change_applied larry (auto)', 'two change_intended larry (auto)', 'two change_applied larry (auto)']);
  });

  it.each<[string, PlannedChange, string[]]>([
    ['a category that is not allowed', aStep(), []],
    ['a change that always asks', aStep({ alwaysAsk: true }), ['test']],
  ])('asks for %s', async (_, step, allow) => {
    const world = aWorld();
    const result = await world.run(aPlaybook([step]), { allow });
    expect(result).toMatchObject({ outcome: 'awaiting_approval', changes: [{ outcome: 'awaiting-approval' }] });
    expect(world.target.accepted).toEqual([]);
  });

  it('stops at the first step that does not succeed', async () => {
    const world = aWorld();
    world.target.fail({ refuse: 403 });
    const result = await world.run(aPlaybook([aStep(), second]));
    expect(result.changes).toMatchObject([{ outcome: 'refused', reason: 'refused with 403' }, { outcome: 'proposed', reason: 'an earlier step of this plan did not succeed' }]);
    expect(result.outcome).toBe('completed');
    expect(world.target.accepted).toEqual([]);
  });

  it('says which right it lacks, and what the dry run refused', async () => {
    const denied = aWorld(memoryTarget([start()], () => false));
    expect(await denied.run(aPlaybook([aStep()]))).toMatchObject({ changes: [{ outcome: 'unverified-no-patch-right', reason: 'unverified: no patch right on ConfigMap default/effects' }] });
    const refused = aWorld();
    const writer = { ...refused.target.writer, patch: () => Promise.resolve({ outcome: 'refused', status: 422, message: 'spec is bad' } as const) };
    expect(await refused.run(aPlaybook([aStep()]), {}, {}, { writer })).toMatchObject({ changes: [{ outcome: 'refused', reason: 'server dry run: spec is bad' }] });
    const silent = { ...refused.target.writer, patch: () => Promise.resolve({ outcome: 'unknown', message: '500: oops' } as const) };
    await expect(refused.run(aPlaybook([aStep()]), {}, {}, { writer: silent })).rejects.toThrow('server dry run of ConfigMap default/effects: 500: oops');
  });

  it('fails, and says so, when nobody can tell what became of a change', async () => {
    const world = aWorld();
    world.target.fail('lose-request');
    world.target.fail('lose-request');
    const result = await world.run(aPlaybook([aStep(), second]));
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'outcome-unknown', reason: 'no answer' }, { outcome: 'proposed' }] });
  });
});

describe('mode ask', () => {
  const granted = { granted: true, who: 'ann' };

  it('applies exactly the digest that a person granted, and names who', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep()]), { mode: 'ask' });
    world.verdicts.set(asked.changes[0]!.digest, granted);
    world.target.edit({ ...world.target.get(ref)!, status: { churn: 1 } });
    const result = await world.run(aPlaybook([aStep()]), { mode: 'ask' });
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'verified', approvedBy: 'ann' }] });
    expect(world.audit[0]).toBe('one change_intended ann');
  });

  it('asks anew when a field that the change depends on was edited after the grant', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep()]), { mode: 'ask' });
    world.verdicts.set(asked.changes[0]!.digest, granted);
    world.target.edit({ ...world.target.get(ref)!, data: { a: 'edited' } });
    const again = await world.run(aPlaybook([aStep()]), { mode: 'ask' });
    expect(again.outcome).toBe('awaiting_approval');
    expect(again.changes[0]!.digest).not.toBe(asked.changes[0]!.digest);
    expect(world.target.accepted).toEqual([]);
  });

  it('applies nothing of what was denied', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    world.verdicts.set(asked.asks!.digest, { granted: false, who: 'ben' });
    expect(await world.run(aPlaybook([aStep(), second]), { mode: 'ask' })).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'refused', reason: 'denied by ben' }, { outcome: 'refused' }] });
    expect(world.target.accepted).toEqual([]);
  });

  it('asks once for all steps of a plan, having tried each in a dry run, and applies both by that one word', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    expect([world.target.dryRuns, world.target.accepted]).toEqual([2, []]);
    const { digest, request } = asked.asks!;
    expect(asked.changes).toMatchObject([{ outcome: 'awaiting-approval', reason: `larry approve ${digest.slice(0, 12)}` }, { outcome: 'awaiting-approval' }]);
    expect(digest).toBe(approvalDigest(asked.changes.map((c) => c.digest)));
    expect(digestOfRequest(request)).toBe(digest);
    expect(requestDiff(request)).toContain('+ "larry.dev/two"\nchange 2 of 2:');
    world.verdicts.set(digest, granted);
    const result = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'verified', approvedBy: 'ann' }, { outcome: 'verified', approvedBy: 'ann' }] });
    expect(result.asks).toBeUndefined();
  });

  it('takes the word on one step of several for none', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    for (const { digest } of asked.changes) world.verdicts.set(digest, granted);
    expect((await world.run(aPlaybook([aStep(), second]), { mode: 'ask' })).outcome).toBe('awaiting_approval');
    expect(world.target.accepted).toEqual([]);
  });

  it.each(['waits', 'is denied'])('applies nothing of mode auto either while another step %s', async (how) => {
    const world = aWorld();
    const steps = [aStep(), { ...second, alwaysAsk: true }];
    const asked = await world.run(aPlaybook(steps));
    expect(asked.asks?.digest).toBe(asked.changes[1]!.digest);
    if (how === 'is denied') world.verdicts.set(asked.asks!.digest, { granted: false, who: 'ben' });
    const result = await world.run(aPlaybook(steps));
    expect(result.changes).toMatchObject([{ outcome: 'proposed', reason: expect.stringContaining('another step of this plan') as string }, { outcome: how === 'waits' ? 'awaiting-approval' : 'refused' }]);
    expect(world.target.accepted).toEqual([]);
  });

  it('goes on with the rest of an approved plan when its attempt ended in the middle', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    world.verdicts.set(asked.asks!.digest, granted);
    await expect(world.run(aPlaybook([aStep(), second]), { mode: 'ask' }, {}, diesAtSecond(world))).rejects.toThrow(killed);
    expect(world.target.accepted).toHaveLength(1);
    expect(outcomes(await world.run(aPlaybook([aStep(), second]), { mode: 'ask' }))).toEqual([['r/t/one', 'verified'], ['r/t/two', 'verified']]);
  });

  it('asks for nothing more once a part is in effect, so that no denial leaves half a plan unreported', async () => {
    const world = aWorld();
    const asked = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    world.verdicts.set(asked.asks!.digest, granted);
    await expect(world.run(aPlaybook([aStep(), second]), { mode: 'ask' }, {}, diesAtSecond(world))).rejects.toThrow(killed);
    world.target.edit({ ...world.target.get(ref)!, data: { a: 'edited' } });
    const result = await world.run(aPlaybook([aStep(), second]), { mode: 'ask' });
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'verified' }, { outcome: 'proposed', reason: expect.stringContaining('run again') as string }] });
    expect(world.target.accepted).toHaveLength(1);
  });

  it.each<[string, PlannedChange]>([
    ['a password in the patch', aStep({ patch: [{ op: 'add', path: '/data/password', value: 'hunter2' }] })],
    ['a password it depends on', aStep({ depends: ['/data/token'] })],
  ])('never puts %s where people are asked', async (_, step) => {
    const world = aWorld(memoryTarget([{ ...start(), data: { a: '1', z: '26', token: 'hunter2' } }]));
    const result = await world.run(aPlaybook([step]), { mode: 'ask' });
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'refused', reason: expect.stringContaining('secret value') as string }] });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });
});

/** The worker dies where it would make its second write. */
function diesAtSecond({ target }: ReturnType<typeof aWorld>): Partial<Hands> {
  return { writer: { ...target.writer, patch: (change, options) => (!options.dryRun && target.accepted.length > 0 ? die() : target.writer.patch(change, options)) } };
}

describe('verification', () => {
  const notHelped = (...steps: string[]) => ({ verify: () => Promise.resolve({ criteria: [met], rollBack: steps.map((step) => ({ step, reason: 'it did not help' })) }) });

  it('adds its criteria, and takes back what did not help, the later step first', async () => {
    const world = aWorld();
    const result = await world.run(aPlaybook([aStep(), second], notHelped('one', 'two')));
    expect(result).toMatchObject({ outcome: 'failed', criteria: [met], changes: [{ outcome: 'rolled-back', reason: 'it did not help' }, { outcome: 'rolled-back' }] });
    expect(world.target.get(ref)).toMatchObject({ metadata: { finalizers: ['larry.dev/one'] } });
    expect(world.target.get(ref)?.metadata.annotations).toBeUndefined();
    expect(world.rollbacks).toEqual(['it did not help', 'it did not help']);
  });

  it('fails when what did not help cannot be taken back', async () => {
    const world = aWorld();
    const { verify } = notHelped('one');
    const edited: Playbook['verify'] = (...given) => {
      const live = world.target.get(ref)!;
      world.target.edit({ ...live, metadata: { ...live.metadata, finalizers: ['larry.dev/theirs'] } });
      return verify(...(given as unknown as []));
    };
    const result = await world.run(aPlaybook([aStep(), second], { verify: edited }));
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'superseded', reason: expect.stringContaining('and the rollback failed') as string }, { outcome: 'verified' }] });
  });
});

describe('what is not seen well for long enough', () => {
  it('is provisional and says why, beside what is verified', async () => {
    const world = aWorld();
    const verify: Playbook['verify'] = () => Promise.resolve({ criteria: [met], rollBack: [], provisional: [{ step: 'one', reason: 'seen well for 2 of 10 minutes' }] });
    const result = await world.run(aPlaybook([aStep(), second], { verify }));
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'provisional', reason: 'seen well for 2 of 10 minutes' }, { outcome: 'verified' }] });
    expect(world.rollbacks).toEqual([]);
  });
});

describe('steps that do not build on each other', () => {
  const person = aStep({ alwaysAsk: true });

  it('are made where nobody has to be asked, and the rest is left for another run', async () => {
    const world = aWorld();
    const result = await world.run(aPlaybook([person, second], { independentSteps: true }));
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'proposed', reason: expect.stringContaining('run again to be asked') as string }, { outcome: 'verified' }] });
    expect((await aWorld().run(aPlaybook([person, second]))).outcome).toBe('awaiting_approval');
    expect((await aWorld().run(aPlaybook([person], { independentSteps: true }))).outcome).toBe('awaiting_approval');
  });

  it('do not wait for one that the cluster refuses', async () => {
    const refused = aStep({ patch: [{ op: 'replace', path: '/spec/none', value: 1 }] });
    const apart = await aWorld().run(aPlaybook([refused, second], { independentSteps: true }));
    expect(apart.changes.map((c) => c.outcome)).toEqual([expect.stringMatching(/refused|superseded/), 'verified']);
    const together = await aWorld().run(aPlaybook([refused, second]));
    expect(together.changes[1]).toMatchObject({ outcome: 'proposed', reason: 'an earlier step of this plan did not succeed' });
  });
});

describe('a successor', () => {
  it('repeats no step that was applied, though a later step has put its own mark there', async () => {
    const world = aWorld();
    await expect(world.run(aPlaybook([aStep(), second], { verify: die }))).rejects.toThrow(killed);
    const result = await world.run(aPlaybook([aStep(), second]));
    expect(outcomes(result)).toEqual([['r/t/one', 'verified'], ['r/t/two', 'verified']]);
    expect(world.finalizers()).toEqual(['larry.dev/one', 'larry.dev/two', 'larry.dev/three']);
    expect(world.target.accepted).toHaveLength(2);
  });

  it.each<[string, Partial<Playbook>]>([
    ['plans nothing any more', { plan: () => [] }],
    ['finds nothing to do any more', { diagnose: () => ({ summary: '', findings: [], figures: {}, criteria: [], unknowns: [], skip: { reason: 'nothing-to-do', summary: 'Fine.' } }) }],
  ])('verifies and reports what its predecessor did when it %s', async (_, parts) => {
    const world = aWorld();
    await expect(world.run(aPlaybook([aStep()], { verify: die }))).rejects.toThrow(killed);
    const seen: string[] = [];
    const verify: Playbook['verify'] = (_context, _facts, applied) => {
      seen.push(...applied.map((c) => c.step));
      return Promise.resolve({ criteria: [], rollBack: [{ step: 'one', reason: 'it did not help' }] });
    };
    const result = await world.run(aPlaybook([], { ...parts, verify }));
    expect(seen).toEqual(['one']);
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ id: 'r/t/one', outcome: 'rolled-back' }] });
    expect(world.finalizers()).toEqual(['larry.dev/one']);
  });

  it('adopts a change whose outcome was never written, and takes it back with the pre-image of then', async () => {
    const world = aWorld();
    await expect(world.run(aPlaybook([aStep()]), {}, {}, { journal: { ...world.journal, outcome: die } })).rejects.toThrow(killed);
    expect(world.journal.outcomeOf('r/t/one')).toBeUndefined();
    const result = await world.run(aPlaybook([aStep()], { verify: () => Promise.resolve({ criteria: [], rollBack: [{ step: 'one', reason: 'no help' }] }) }));
    expect(outcomes(result)).toEqual([['r/t/one', 'rolled-back']]);
    expect(world.finalizers()).toEqual(['larry.dev/one']);
  });

  it.each(['planned again', 'not planned any more'])('adopts a creation, %s', async (how) => {
    const step = aStep({ verb: 'create', depends: [], object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'effects', namespace: 'default' } } });
    const world = aWorld(memoryTarget([]));
    await expect(world.run(aPlaybook([step]), {}, {}, { journal: { ...world.journal, outcome: die } })).rejects.toThrow(killed);
    expect(outcomes(await world.run(aPlaybook(how === 'planned again' ? [step] : [])))).toEqual([['r/t/one', 'verified']]);
    expect(world.target.accepted).toHaveLength(1);
  });

  it('goes on behind a deletion whose every record is lost', async () => {
    const deletion = aStep({ step: 'zero', verb: 'delete', target: { ...ref, name: 'doomed' }, depends: [] });
    const target = memoryTarget([start(), { ...start(), metadata: { ...start().metadata, name: 'doomed' } }]);
    await expect(aWorld(target).run(aPlaybook([deletion, aStep()], { verify: die }))).rejects.toThrow(killed);
    expect(outcomes(await aWorld(target).run(aPlaybook([deletion, aStep(), second])))).toEqual([['r/t/zero', 'verified'], ['r/t/one', 'verified'], ['r/t/two', 'verified']]);
    expect(target.accepted.map((w) => w.verb)).toEqual(['delete', 'patch', 'patch']);
  });

  it('does what its predecessor only intended', async () => {
    const world = aWorld();
    await expect(world.run(aPlaybook([aStep()]), {}, {}, { writer: { ...world.target.writer, patch: (c, o) => (o.dryRun ? world.target.writer.patch(c, o) : die()) } })).rejects.toThrow(killed);
    expect(outcomes(await world.run(aPlaybook([aStep()])))).toEqual([['r/t/one', 'verified']]);
    expect(world.target.accepted).toHaveLength(1);
  });

  it('never repeats what cannot be told: under a foreign mark it is unknown, and the task fails', async () => {
    const world = aWorld();
    await expect(world.run(aPlaybook([aStep()]), {}, {}, { journal: { ...world.journal, outcome: die } })).rejects.toThrow(killed);
    const live = world.target.get(ref)!;
    world.target.edit({ ...live, metadata: { ...live.metadata, annotations: { 'larry.dev/change': 'other/t/x' } } });
    const result = await world.run(aPlaybook([aStep(), second]));
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'outcome-unknown' }, { outcome: 'proposed' }] });
    expect(world.target.accepted).toHaveLength(1);
  });

  it('goes on with a rollback in whose middle its predecessor died', async () => {
    const world = aWorld();
    const verify: Playbook['verify'] = () => Promise.resolve({ criteria: [], rollBack: [{ step: 'one', reason: 'no help' }] });
    const dying = { ...world.journal, outcome: (id: string, o: Parameters<typeof world.journal.outcome>[1]) => (o === 'rolled-back' ? die() : world.journal.outcome(id, o)) };
    await expect(world.run(aPlaybook([aStep()], { verify }), {}, {}, { journal: dying })).rejects.toThrow(killed);
    expect(world.journal.outcomeOf('r/t/one')).toBe('rolling-back');
    const result = await world.run(aPlaybook([aStep()], { verify }));
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'rolled-back' }] });
    expect(world.target.accepted).toHaveLength(2);
    expect(await world.run(aPlaybook([aStep()]))).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'rolled-back', reason: 'an earlier attempt took it back; it is not tried twice in a run' }] });
    expect(world.target.accepted).toHaveLength(2);
  });
});

it('refuses options that do not fit, naming the field and what to do', async () => {
  await expect(aWorld().run(aPlaybook([]), {}, { n: 'many' })).rejects.toThrow(/^task t, option "n": .*; correct it in the plan$/);
});

it('skips with the reason of the diagnosis where there was nothing to do', async () => {
  const skip = { reason: 'no-target', summary: 'No PgAdmin here.' } as const;
  const diagnose = () => ({ summary: '', findings: [], figures: {}, criteria: [], unknowns: [], skip });
  expect(await aWorld().run(aPlaybook([aStep()], { diagnose }))).toMatchObject({ outcome: 'skipped', skipReason: 'no-target', summary: 'No PgAdmin here.', changes: [] });
});
