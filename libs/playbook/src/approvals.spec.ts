import type { PlannedChange } from '@larry/contracts';
import { approvalDigest, digestOfRequest, requestDiff } from './approval-request';
import type { Hands } from './engine';
import { aStep, memoryTarget } from './testing';
import { aPlaybook, aWorld, start } from './testing/engine-world';

const ref = aStep().target;
const second: PlannedChange = aStep({ step: 'two', patch: [{ op: 'add', path: '/metadata/finalizers/-', value: 'larry.dev/three' }] });
const killed = new Error('killed');
const outcomes = (result: { changes: { id: string; outcome: string }[] }) => result.changes.map((c) => [c.id, c.outcome]);

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

describe('a mark that somebody forged', () => {
  const forged = () => ({ ...start(), metadata: { ...start().metadata, annotations: { 'larry.dev/change': 'r/t/one' } } });
  const toVerify = aStep({ patch: [], depends: [] });

  it('gives no adopted change, no word of anybody in its stead and no entry of a making', async () => {
    const world = aWorld(memoryTarget([forged()]));
    const result = await world.run(aPlaybook([toVerify]), { mode: 'ask' });
    expect(result.changes).toMatchObject([{ outcome: 'superseded', reason: expect.stringContaining('neither the journal nor the audit log') as string }]);
    expect([world.audit, await world.journal.entries()]).toEqual([[], []]);
  });

  it('is known as ours to the playbook by the journal or the audit log alone', async () => {
    const said: unknown[] = [];
    const asking = aPlaybook([], { observe: async ({ isOurs }) => said.push(await isOurs?.('one')) });
    const world = aWorld(memoryTarget([forged()]));
    await world.run(asking);
    await world.run(asking, {}, {}, { audit: { ...world.hands.audit, vouches: ({ step }) => Promise.resolve(step === 'one') } });
    await world.run(asking, { mode: 'observe' });
    expect(said).toEqual([false, true, undefined]);
  });

  it('is no making where the change itself stands: the audit log says so', async () => {
    const entries: unknown[] = [];
    const standing = { ...forged(), metadata: { ...forged().metadata, finalizers: ['larry.dev/one', 'larry.dev/two'] } };
    const audit: Hands['audit'] = { append: ({ action, details }) => Promise.resolve(entries.push([action, details['foundMarked']])) };
    expect(await aWorld(memoryTarget([standing])).run(aPlaybook([aStep()]), { mode: 'ask' }, {}, { audit })).toMatchObject({ changes: [{ outcome: 'verified' }] });
    expect(entries).toEqual([['change_adopted', true]]);
  });

  it('is adopted where it is no forgery: the audit log vouches for what the journal has lost', async () => {
    const world = aWorld(memoryTarget([forged()]));
    const audit: Hands['audit'] = { ...world.hands.audit, vouches: () => Promise.resolve(true) };
    expect(await world.run(aPlaybook([toVerify]), { mode: 'ask' }, {}, { audit })).toMatchObject({ changes: [{ outcome: 'verified' }] });
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
  return { writer: { ...target.writer, patch: (change, options) => (!options.dryRun && target.accepted.length > 0 ? Promise.reject(killed) : target.writer.patch(change, options)) } };
}

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
