import type { Verdict } from '@larry/contracts';
import { aCriterion, aTaskReport, aTaskResult } from '../builders';
import { claimedCriterion, criterionBasis, criterionMark, crossCheckMark, taskMark, validationMark } from './verdict-mark';

const observation = { subject: 's', value: 'v', at: 't' };
const unseen = (verdict: Verdict) => ({ id: 'c', text: 'c', verdict, reason: 'r' });
const taskWith = (...criteria: ReturnType<typeof aCriterion>[]) => aTaskReport({ result: aTaskResult({ criteria }) });
const validation = { task: 't', larry: 'l', at: 'now', criteria: [aCriterion()], turned: [] };

describe('a criterion', () => {
  it.each<[Verdict, string, string]>([
    ['met', '✅', '❔'],
    ['not-met', '❌', '❌'],
    ['provisional', '⏳', '⏳'],
    ['unknown', '❔', '❔'],
  ])('that is %s is %s with its observation and %s without', (verdict, seen, without) => {
    expect(criterionMark(aCriterion({ verdict, observation }))).toBe(seen);
    expect(criterionMark(unseen(verdict))).toBe(without);
  });

  it('says what was seen, when and how often, and why it is open', () => {
    expect(criterionBasis(aCriterion({ observation: { ...observation, basis: '3 looks' }, reason: 'too soon' }))).toBe('s = v, seen t (3 looks); too soon');
    expect(criterionBasis(unseen('unknown'))).toBe('r');
  });
});

describe('a claim that the run looked at again', () => {
  const claimed = aCriterion({ observation });
  const now = aCriterion({ verdict: 'not-met', observation: { ...observation, value: 'gone' } });

  it('is ❌ where it turned, with what was seen since beside what was claimed', () => {
    const told = claimedCriterion(claimed, { ...validation, criteria: [now], turned: [now.id] });
    expect(told).toEqual({ mark: '❌', basis: 'turned when it was looked at again: not-met, s = gone, seen t (claimed: met, s = v, seen t)' });
    expect(claimedCriterion(claimed, { ...validation, criteria: [], turned: [now.id] }).basis).toContain('looked at again: not spoken of any more');
  });

  it('is drawn as it was claimed where it did not turn, or nobody looked', () => {
    for (const seen of [undefined, validation, { ...validation, turned: ['another'] }]) expect(claimedCriterion(claimed, seen)).toEqual({ mark: '✅', basis: 's = v, seen t' });
  });

  it('takes the ✅ of its task with it', () => {
    expect(taskMark(taskWith(claimed), { ...validation, turned: [claimed.id] })).toBe('❌');
    expect(taskMark(taskWith(claimed), validation)).toBe('✅');
  });
});

describe('a task', () => {
  it('is ✅ only when it completed and every criterion was seen to be met', () => {
    expect(taskMark(taskWith(aCriterion()))).toBe('✅');
    expect(taskMark(taskWith(aCriterion(), unseen('provisional')))).toBe('⏳');
    expect(taskMark(taskWith(unseen('provisional'), unseen('unknown')))).toBe('❔');
    expect(taskMark(taskWith(unseen('unknown'), aCriterion({ verdict: 'not-met' })))).toBe('❌');
    expect(taskMark(taskWith())).toBe('❔');
  });

  it('is never ✅ in any other state, whatever its result says', () => {
    const marks = (['pending', 'ready', 'claimed', 'in_progress', 'awaiting_approval', 'failed', 'skipped'] as const).map((status) => taskMark(aTaskReport({ status })));
    expect(marks).toEqual(['❔', '❔', '❔', '❔', '❔', '❌', '⏭️']);
    const { result: _, ...noResult } = aTaskReport();
    expect(taskMark(noResult)).toBe('❔');
  });
});

it('draws a cross-check as agreeing only with what was seen', () => {
  const check = { id: 'c', title: 't', observation: '4 of 4' };
  expect((['agrees', 'differs', 'unknown'] as const).map((verdict) => crossCheckMark({ ...check, verdict }))).toEqual(['✅', '❌', '❔']);
  expect(crossCheckMark({ ...check, observation: ' ', verdict: 'agrees' })).toBe('❔');
});

describe('a validation', () => {
  it('holds only where every criterion was seen anew', () => {
    expect(validationMark(validation)).toEqual({ mark: '✅', text: 'holds' });
    expect(validationMark({ ...validation, criteria: [] }).mark).toBe('❔');
    expect(validationMark({ ...validation, criteria: [unseen('unknown')] })).toEqual({ mark: '❔', text: 'as it was claimed' });
    expect(validationMark({ ...validation, turned: ['all-scanned'] })).toEqual({ mark: '❌', text: 'turned: all-scanned' });
    expect(validationMark({ ...validation, problem: 'out of reach' })).toEqual({ mark: '❔', text: 'out of reach' });
  });
});
