import { runSummarySchema } from '@larry/contracts';
import type { Coordination } from '@larry/coordination';
import { memoryCluster } from '@larry/kube/testing';
import { aResult, someFacts } from '../../test/builders';
import { abortedSummary, begunChanges } from './aborted-summary';

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
    { change: 'run-1/count/c', intent: {}, seen: 'made: Deployment database/pgadmin carries its mark' },
  ]]]);
  const summary = abortedSummary(halfARun(), source, begun);

  it('is one, and says that it is partial and why', () => {
    expect(runSummarySchema.parse(summary)).toMatchObject({ status: 'aborted', endedAt: '2026-01-01T00:00:05.000Z', didWork: { done: 1, of: 3 }, validations: [], crossChecks: [] });
    expect(summary.lessons[0]).toMatch(/aborted by ada at 2026-01-01T00:00:05.000Z: 1 of 3 tasks had ended, 2 were stopped or not begun. No claim was looked at anew/);
  });

  it('keeps what was done, and names the changes of what was stopped in the middle', () => {
    const tasks = Object.fromEntries(summary.larrys.flatMap((l) => l.tasks).map((t) => [t.task, t]));
    expect(tasks['repair']).toMatchObject({ status: 'completed', result: { summary: 'repair is done' } });
    expect(tasks['count']?.reason).toBe('it was stopped in the middle; its journal of changes: run-1/count/a (applied), run-1/count/b (begun; whether it was made is not known), run-1/count/c (begun; made: Deployment database/pgadmin carries its mark)');
    expect(tasks['draw']?.reason ?? '').not.toContain('in the middle');
    expect(summary.nextSteps[1]).toMatch(/Look at what count was changing: run-1\/count\/b \(begun/);
  });
});

it('a change without an outcome is looked at where it was to be made, and one with an outcome is not', async () => {
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'database', name: 'pgadmin' };
  const entries = ['made', 'missed', 'done', 'damaged'].map((step) => ({ change: `run-1/count/${step}`, intent: step === 'damaged' ? 'x' : { value: { verb: 'patch', target: { ...target, name: step } } }, ...(step === 'done' ? { outcome: { value: 'applied' } } : {}) }));
  const object = (name: string, annotations = {}) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'database', annotations } });
  const cluster = memoryCluster([object('made', { 'larry.dev/change': 'run-1/count/made' }), object('missed'), object('done')]);
  const begun = await begunChanges({ journal: { entries: async () => entries } } as unknown as Coordination, halfARun(), cluster);
  expect(begun.get('count')?.map((entry) => entry.seen)).toEqual(['made: Deployment database/made carries its mark', 'not made: Deployment database/missed does not carry its mark', undefined, undefined]);
});
