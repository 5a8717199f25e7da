import { aNamespace, memoryCluster } from '@larry/kube/testing';
import type { Criterion, TaskResult, Verdict } from '@larry/contracts';
import { definePlaybook, emptyResult } from '@larry/playbook';
import { z } from 'zod';
import { turnedCriteria, validateAnew } from './validation';

const at = '2026-01-02T03:04:05.000Z';
const criterion = (verdict: Verdict, id = 'c'): Criterion =>
  verdict === 'met' || verdict === 'not-met' ? { id, text: id, verdict, observation: { subject: 's', value: 'v', at } } : { id, text: id, verdict, reason: 'r' };

describe('turnedCriteria', () => {
  const order: Verdict[] = ['met', 'provisional', 'unknown', 'not-met'];
  const table = order.flatMap((before, b) => order.map((after, a): [Verdict, Verdict, boolean] => [before, after, a > b]));

  it.each(table)('claimed %s and now %s: turned is %s', (before, after, turned) => {
    expect(turnedCriteria([criterion(before)], [criterion(after)])).toEqual(turned ? ['c'] : []);
  });

  it('takes silence for unknown, and no notice of what was never claimed', () => {
    expect(turnedCriteria([criterion('met')], [])).toEqual(['c']);
    expect(turnedCriteria([criterion('unknown')], [])).toEqual([]);
    expect(turnedCriteria([], [criterion('not-met')])).toEqual([]);
  });
});

const playbook = (id: string, validate: () => Promise<Criterion[]>, options: z.ZodType = z.strictObject({})) =>
  definePlaybook({ id, title: id, description: id, options, access: [], observe: async () => ({}), diagnose: () => ({ summary: '', findings: [], figures: {}, criteria: [], unknowns: [] }), validate });

const library = {
  built: [
    playbook('throws', () => Promise.reject(new Error('the cluster is gone'))),
    playbook('turns', async () => [criterion('not-met')]),
    playbook('holds', async () => [criterion('met')]),
  ],
  notBuilt: [{ id: 'later', why: 'not yet' }],
};

const claimed = (task: string): TaskResult => ({ ...emptyResult(task, at), criteria: [criterion('met')] });
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

describe('validateAnew', () => {
  const validate = (...tasks: string[]) =>
    validateAnew(
      { run: 'r', tasks: tasks.map((task) => ({ task, options: {}, result: claimed(task) })) },
      { larry: 'larry-01', libraries: [library], cluster: memoryCluster([aNamespace('one')]), signal: new AbortController().signal, log },
    );

  it('says what turned and what holds', async () => {
    expect(await validate('turns', 'holds')).toMatchObject([
      { task: 'turns', larry: 'larry-01', turned: ['c'], criteria: [{ verdict: 'not-met' }] },
      { task: 'holds', turned: [] },
    ]);
  });

  it("says one task's trouble as its own, and goes on with the others", async () => {
    const [first, second] = await validate('throws', 'holds');
    expect(first).toMatchObject({ task: 'throws', criteria: [], turned: [], problem: 'could not be observed anew: the cluster is gone' });
    expect(second).toMatchObject({ task: 'holds', criteria: [{ verdict: 'met' }] });
  });

  it.each(['later', 'nobody'])('has a problem with %s, for which it has no playbook: never a claim that holds', async (task) => {
    expect(await validate(task)).toMatchObject([{ task, criteria: [], turned: [], problem: 'this Larry has no playbook for it' }]);
  });
});
