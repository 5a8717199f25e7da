import type { TaskResult } from '@larry/contracts';
import { aResult, someFacts } from '../../test/builders';
import { unverified } from './gather';
import { larryReport } from './larry-report';

const source = { type: 'live' as const, name: 'k3s', simulated: false };

describe("a Larry's report of a task that was skipped for another's sake", () => {
  it.each([
    [{ status: 'skipped', skipReason: 'not-built' }, 'Not begun: it needs count, which is skipped (not-built).'],
    [{ status: 'failed', reason: 'no way' }, 'Not begun: it needs count, which is failed (no way).'],
  ] as const)('names the other and what became of it: %j', (count, reason) => {
    const facts = someFacts({ results: [], tasks: { count, draw: { status: 'skipped', skipReason: 'dependency' } } });
    const tasks = facts.plan.larrys.flatMap((l) => larryReport(l.id, { ...facts, source })?.tasks ?? []);
    expect(tasks.find((t) => t.task === 'draw')).toMatchObject({ status: 'skipped', skipReason: 'dependency', reason });
  });
});

it('a result is unverified by its mark, whatever its words are', () => {
  const said = (result: Partial<TaskResult>) => {
    const facts = someFacts({ results: [aResult('count', result)], tasks: { count: { status: 'completed' } } });
    return larryReport('larry-02', { ...facts, source })?.didWork;
  };
  const words = unverified(aResult('count')).unknowns;
  expect(said({ unknowns: words })).toBe(2);
  expect(said(unverified(aResult('count')))).toBe(1);
});
