import { someFacts } from '../../test/builders';
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
