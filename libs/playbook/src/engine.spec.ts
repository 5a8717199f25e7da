import type { Criterion, PlannedChange, TaskResult } from '@larry/contracts';
import { changeDigest } from './effects';
import type { Playbook } from './playbook';
import { aStep, memoryTarget } from './testing';
import { aPlaybook, aWorld, start } from './testing/engine-world';

const ref = aStep().target;
const second: PlannedChange = aStep({ step: 'two', patch: [{ op: 'add', path: '/metadata/finalizers/-', value: 'larry.dev/three' }] });
const met: Criterion = { id: 'c', text: 'it holds', verdict: 'met', observation: { subject: 's', value: 'v', at: '2026-01-01T00:00:00Z' } };

const killed = new Error('killed');
const die = () => Promise.reject(killed);
const outcomes = (result: TaskResult) => result.changes.map((c) => [c.id, c.outcome]);

describe('mode observe', () => {
  it.each(['mode', 'hands'])('proposes with a diff and changes nothing, by the %s alone', async (by) => {
    const world = aWorld();
    const result = await world.run(aPlaybook([aStep()]), by === 'mode' ? { mode: 'observe' } : { hands: undefined });
    expect(result).toMatchObject({ outcome: 'completed', changes: [{ outcome: 'proposed', diff: '/metadata/finalizers/-\n+ "larry.dev/two"', digest: changeDigest(aStep(), start()) }] });
    expect([world.target.accepted, world.target.dryRuns, world.audit]).toEqual([[], 0, []]);
  });
});

describe('a step that belongs to another', () => {
  const follower: PlannedChange = { ...second, after: aStep().step };

  it('is made after it, and not where that was not made', async () => {
    const both = aPlaybook([aStep(), follower], { independentSteps: true });
    expect((await aWorld().run(both)).changes.map((c) => c.outcome)).toEqual(['verified', 'verified']);
    const without = await aWorld().run(aPlaybook([follower], { independentSteps: true }));
    expect(without.changes).toMatchObject([{ outcome: 'proposed', reason: 'the step that it belongs to was not made' }]);
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
