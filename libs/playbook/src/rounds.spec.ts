import type { KubeObject, PlannedChange } from '@larry/contracts';
import type { Playbook, Verification } from './playbook';
import { aStep, aTargetObject, memoryTarget, type MemoryTarget } from './testing';
import { aPlaybook, aWorld, start } from './testing/engine-world';

const ref = aStep().target;
const keys = ['a', 'b', 'c', 'd'] as const;
type Key = (typeof keys)[number];

/** An object with these faults, of which only the first shows; `b` needs a person where the plan says so. */
const broken = (...bad: Key[]): KubeObject => ({ ...start(), data: Object.fromEntries(keys.map((key) => [key, bad.includes(key) ? 'bad' : 'good'])) });
const dataOf = (target: MemoryTarget) => (target.get(ref) as unknown as { data: Record<Key, string> }).data;
const isBad = (object: { data: Record<Key, string> } | undefined, key: Key): boolean => object?.data[key] === 'bad';

const mends = (key: Key, more: Partial<PlannedChange> = {}): PlannedChange => aStep({ step: key, patch: [{ op: 'replace', path: `/data/${key}`, value: 'good' }], depends: [`/data/${key}`], ...more });

/** Mends one fault after the other; `cannot` are those for which it has no change, `asks` those that need a person. */
function mending({ cannot = [], asks = [], ...parts }: { cannot?: Key[]; asks?: Key[] } & Partial<Playbook> = {}): Playbook {
  type Facts = { data: Record<Key, string> } | undefined;
  const first = (facts: Facts) => keys.find((key) => isBad(facts, key));
  const change = (key: Key) => mends(key, asks.includes(key) ? { alwaysAsk: true } : {});
  return aPlaybook([], {
    independentSteps: true,
    observe: (context) => context.cluster.get(ref),
    diagnose: (facts) => ({ summary: 'Diagnosed.', figures: {}, criteria: [], unknowns: [], findings: findingsOf(first(facts as Facts)) }),
    plan: (facts) => [first(facts as Facts)].flatMap((key) => (key === undefined || cannot.includes(key) ? [] : [change(key)])),
    next: (facts) => {
      const key = first(facts as Facts);
      return key === undefined || cannot.includes(key) ? { none: 'that is for people' } : { change: change(key) };
    },
    verify: async (context, _facts, applied): Promise<Verification> => {
      const key = first((await context.cluster.get(ref)) as unknown as Facts);
      const steps = applied.map((c) => c.step);
      if (key === undefined || steps.length === 0) return { criteria: [], rollBack: [] };
      if (steps.includes(key)) return { criteria: [], rollBack: steps.map((step) => ({ step, reason: `${key} is still bad` })) };
      return { criteria: [], rollBack: [], uncovered: [{ steps, reason: `${key} is bad now` }] };
    },
    ...parts,
  });
}

const findingsOf = (key: Key | undefined) => (key === undefined ? [] : [{ id: `t/${key}`, rule: key, object: ref } as never]);
const said = (result: { changes: { id: string; outcome: string }[] }) => result.changes.map((c) => `${c.id.slice(-1)} ${c.outcome}`);

describe('faults that hide each other in one object', () => {
  it('are mended one after the other, each change tried and recorded by itself, and kept once the object is well', async () => {
    const world = aWorld(memoryTarget([broken('a', 'b', 'c')]));
    const result = await world.run(mending());
    expect(said(result)).toEqual(['a verified', 'b verified', 'c verified']);
    expect(result).toMatchObject({ outcome: 'completed', findings: [{ id: 't/a' }, { id: 't/b' }, { id: 't/c' }] });
    expect(world.target.accepted.map((w) => w.change)).toEqual(['r/t/a', 'r/t/b', 'r/t/c']);
    expect(world.target.dryRuns).toBe(3);
    expect(world.audit).toEqual(['a', 'b', 'c'].flatMap((key) => [`${key} change_intended larry (auto)`, `${key} change_applied larry (auto)`]));
  });

  it.each<[string, Key[], Parameters<typeof mending>[0], string[], RegExp]>([
    ['there is no change for the next', ['a', 'b'], { cannot: ['b'] }, ['a rolled-back'], /^b is bad now; that is for people$/],
    ['they are too many', ['a', 'b', 'c', 'd'], {}, ['a rolled-back', 'b rolled-back', 'c rolled-back'], /^d is bad now; 3 changes of one object/],
    ['the task has no next change', ['a', 'b'], { next: undefined }, ['a rolled-back'], /makes no further change/],
  ])('are all left as they were, the last change first, where %s', async (_, bad, playbook, outcomes, reason) => {
    const world = aWorld(memoryTarget([broken(...bad)]));
    const before = world.target.get(ref)!;
    const result = await world.run(mending(playbook));
    expect(said(result)).toEqual(outcomes);
    expect(result.outcome).toBe('failed');
    expect(world.rollbacks).toEqual(outcomes.map(() => expect.stringMatching(reason)));
    expect(world.audit.filter((line) => line.includes('rolled_back')).map((line) => line[0])).toEqual(outcomes.map((o) => o[0]).reverse());
    expect(dataOf(world.target)).toEqual((before as unknown as { data: unknown }).data);
    expect(world.target.get(ref)?.metadata.annotations).toBeUndefined();
  });

  it('do not send it round in circles: what was changed before in the run is not changed again', async () => {
    const world = aWorld(memoryTarget([broken('a', 'b')]));
    const circle = mending({
      // Mending b breaks a again, which the verification takes for something that was hidden.
      verify: async (context, _facts, applied) => {
        const steps = applied.map((c) => c.step);
        const live = (await context.cluster.get(ref)) as unknown as { data: Record<Key, string> };
        if (steps.includes('b') && live.data.a === 'good') world.target.edit({ ...live, data: { ...live.data, a: 'bad' } } as never);
        return { criteria: [], rollBack: [], uncovered: [{ steps, reason: 'something is bad' }] };
      },
    });
    const result = await world.run(circle);
    expect(result.changes).toMatchObject([{ reason: expect.stringContaining('the change for that is in effect already') as string }, { outcome: 'rolled-back' }]);
    expect(world.audit.filter((line) => line.includes('intended'))).toHaveLength(2);
  });

  it('do not hold up what is well: that is verified in the end as ever, and taken back before the rest where it did not help', async () => {
    const other = aTargetObject({ name: 'other', uid: 'u2', resourceVersion: '1' });
    const otherRef = { ...ref, name: 'other' };
    const world = aWorld(memoryTarget([broken('a', 'b'), other]));
    const base = mending();
    const verify: Playbook['verify'] = async (context, facts, applied) => {
      const seen = await base.verify!(context, facts, applied.filter((c) => c.target.name !== 'other'));
      const done = applied.some((c) => c.step === 'b');
      return done && applied.some((c) => c.step === 'other') ? { ...seen, provisional: [{ step: 'other', reason: 'for 2 minutes' }] } : seen;
    };
    const result = await world.run(mending({ verify, plan: () => [mends('a'), aStep({ step: 'other', target: otherRef })] }));
    expect(result.changes.map((c) => [c.id, c.outcome])).toEqual([['r/t/a', 'verified'], ['r/t/other', 'provisional'], ['r/t/b', 'verified']]);
  });
});

describe('a next change that needs a person', () => {
  const asking = () => mending({ asks: ['b'] });

  it('is asked for while the first stays in effect, and made by that word alone; all are verified then', async () => {
    const world = aWorld(memoryTarget([broken('a', 'b')]));
    const parked = await world.run(asking());
    expect(parked).toMatchObject({ outcome: 'awaiting_approval', asks: { begun: true, changes: [parked.changes[1]!.digest] }, changes: [{ outcome: 'provisional', reason: expect.stringContaining('taken back with a denial') as string }, { outcome: 'awaiting-approval' }] });
    expect(dataOf(world.target)).toMatchObject({ a: 'good', b: 'bad' });
    world.verdicts.set(parked.asks!.digest, { granted: true, who: 'ann' });
    const result = await world.run(asking());
    expect(said(result)).toEqual(['a verified', 'b verified']);
    expect(result.changes.map((c) => c.approvedBy)).toEqual([undefined, 'ann']);
    expect(world.target.accepted).toHaveLength(2);
  });

  it('takes the first back with a denial, and says who denied it', async () => {
    const world = aWorld(memoryTarget([broken('a', 'b')]));
    const parked = await world.run(asking());
    world.verdicts.set(parked.asks!.digest, { granted: false, who: 'ben' });
    const result = await world.run(asking());
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'rolled-back', reason: 'b is bad now; the change for that was not made: denied by ben' }, { outcome: 'refused', reason: 'denied by ben' }] });
    expect(dataOf(world.target)).toMatchObject({ a: 'bad', b: 'bad' });
    expect(world.rollbacks).toHaveLength(1);
  });

  it('takes the first back where nobody decides in time', async () => {
    const world = aWorld(memoryTarget([broken('a', 'b')]));
    await world.run(asking());
    const result = await world.run(asking(), {}, {}, { asksNoMore: true });
    expect(result).toMatchObject({ outcome: 'failed', changes: [{ outcome: 'rolled-back' }, { outcome: 'refused', reason: 'nobody decided on it in time' }] });
    expect(dataOf(world.target)).toMatchObject({ a: 'bad', b: 'bad' });
  });

  it('is not made where the object is well by itself in the meantime', async () => {
    const world = aWorld(memoryTarget([broken('a', 'b')]));
    const parked = await world.run(asking());
    world.verdicts.set(parked.asks!.digest, { granted: true, who: 'ann' });
    const live = world.target.get(ref)!;
    world.target.edit({ ...live, data: { ...dataOf(world.target), b: 'good' } } as never);
    expect(said(await world.run(asking()))).toEqual(['a verified']);
    expect(world.target.accepted).toHaveLength(1);
  });
});

/** A world that dies at the n-th thing that is done outside, before or after it was done. */
function dying(world: ReturnType<typeof aWorld>, at: number, after: boolean) {
  let done = 0;
  const mortal = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    done += 1;
    if (done !== at) return work(...args);
    if (after) await work(...args);
    throw new Error('killed');
  };
  const { journal, hands } = world;
  const patch = mortal(world.target.writer.patch);
  return {
    reached: () => done >= at,
    hands: {
      journal: { ...journal, intent: mortal(journal.intent), outcome: mortal(journal.outcome) },
      writer: { ...world.target.writer, patch: (c: never, o: { dryRun: boolean }) => (o.dryRun ? world.target.writer.patch(c, o) : patch(c, o)) } as never,
      rollbackInitiated: mortal(hands.rollbackInitiated),
      audit: { ...hands.audit, append: mortal(hands.audit.append) },
    },
  };
}

describe('a chain whose attempts die at every step', () => {
  const stories: Record<string, { bad: Key[]; playbook: Playbook; ends: string[] }> = {
    'that helps': { bad: ['a', 'b', 'c'], playbook: mending(), ends: ['a verified', 'b verified', 'c verified'] },
    'that does not help': { bad: ['a', 'b', 'c'], playbook: mending({ cannot: ['c'] }), ends: ['a rolled-back', 'b rolled-back'] },
    'of which the second is granted': { bad: ['a', 'b', 'c'], playbook: mending({ asks: ['b'] }), ends: ['a verified', 'b verified', 'c verified'] },
    'of which the second is denied': { bad: ['a', 'b'], playbook: mending({ asks: ['b'] }), ends: ['a rolled-back'] },
  };
  const decide = (name: string) => ({ granted: !name.includes('denied'), who: 'ann' });

  /** Attempts until the task has ended; each dies at its `at`-th step, as long as `deaths` last. */
  async function lived(name: string, at: number, after: boolean, deaths: number) {
    const { bad, playbook } = stories[name]!;
    const world = aWorld(memoryTarget([broken(...bad)]));
    let died = 0;
    for (let attempt = 1; attempt < 40; attempt++) {
      const mortal = died < deaths ? dying(world, at, after) : undefined;
      try {
        const result = await world.run(playbook, {}, {}, mortal?.hands as never);
        if (!result.asks) return { world, result, died };
        world.verdicts.set(result.asks.digest, decide(name));
      } catch (error) {
        if (!mortal?.reached()) throw error;
        died += 1;
      }
    }
    throw new Error('it does not end');
  }

  it.each(Object.keys(stories))('%s: it comes out the same, each change is made once and taken back once, and none is forgotten', async (name) => {
    const whole = await lived(name, Infinity, false, 0);
    const { ends } = stories[name]!;
    expect(said(whole.result).filter((s) => !s.endsWith('refused'))).toEqual(ends);
    const state = JSON.stringify({ data: dataOf(whole.world.target), annotations: whole.world.target.get(ref)?.metadata.annotations });
    let deaths = 0;
    for (let at = 1; ; at++) {
      for (const after of [false, true]) {
        for (const times of [1, 3]) {
          const { world, result, died } = await lived(name, at, after, times);
          if (died === 0) {
            expect(deaths).toBeGreaterThan(20);
            return;
          }
          deaths += died;
          const label = `${name}, dies ${times} times ${after ? 'after' : 'before'} step ${at}`;
          expect([label, said(result).filter((s) => !s.endsWith('refused')).sort()]).toEqual([label, [...ends].sort()]);
          expect([label, JSON.stringify({ data: dataOf(world.target), annotations: world.target.get(ref)?.metadata.annotations })]).toEqual([label, state]);
          expect([label, world.target.accepted]).toEqual([label, whole.world.target.accepted]);
        }
      }
    }
  });
});
