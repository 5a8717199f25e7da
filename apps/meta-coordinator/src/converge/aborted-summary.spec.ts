import { runSummarySchema } from '@larry/contracts';
import { aResult, someFacts } from '../../test/builders';
import { abortedSummary } from './aborted-summary';

const source = { type: 'live', name: 'c', simulated: false } as const;
const aborted = { status: 'skipped', skipReason: 'aborted' } as const;

/** `repair` completed, `count` was stopped in the middle, `draw` was never begun. */
function halfARun() {
  const facts = someFacts({ results: [aResult('repair')], tasks: { count: aborted, draw: { ...aborted, startedAt: undefined } } });
  return { ...facts, snapshot: { ...facts.snapshot, run: { ...facts.snapshot.run, status: 'aborted' as const, abortedBy: 'ada', endedAt: Date.parse('2026-01-01T00:00:05Z') } } };
}

describe('the summary of an aborted run', () => {
  const begun = new Map([['count', [
    { change: 'run-1/count/a', intent: {}, outcome: { value: 'applied', seal: 'x' } },
    { change: 'run-1/count/b', intent: {} },
  ]]]);
  const summary = abortedSummary(halfARun(), source, begun);

  it('is one, and says that it is partial and why', () => {
    expect(runSummarySchema.parse(summary)).toMatchObject({ status: 'aborted', endedAt: '2026-01-01T00:00:05.000Z', didWork: { done: 1, of: 3 }, validations: [], crossChecks: [] });
    expect(summary.lessons[0]).toMatch(/aborted by ada at 2026-01-01T00:00:05.000Z: 1 of 3 tasks had ended, 2 were stopped or not begun. No claim was looked at anew/);
  });

  it('keeps what was done, and names the changes of what was stopped in the middle', () => {
    const tasks = Object.fromEntries(summary.larrys.flatMap((l) => l.tasks).map((t) => [t.task, t]));
    expect(tasks['repair']).toMatchObject({ status: 'completed', result: { summary: 'repair is done' } });
    expect(tasks['count']?.reason).toBe('it was stopped in the middle; its journal of changes: run-1/count/a (applied), run-1/count/b (begun; whether it was made is not known)');
    expect(tasks['draw']?.reason ?? '').not.toContain('in the middle');
    expect(summary.nextSteps[1]).toMatch(/Look at what count was changing: run-1\/count\/b \(begun/);
  });
});
