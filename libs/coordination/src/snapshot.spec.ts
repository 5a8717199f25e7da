import { pairs, readSnapshot } from './snapshot';
import type { GraphEntry } from './run-spec';

const entry = (id: string, more: Partial<GraphEntry> = {}): GraphEntry => ({ id, larry: 'larry-01', worker: 'w', needs: [], after: [], next: [], limit: 1, attempts: 1, order: 0, ...more });

/** A snapshot at 1000 ms of tasks with these status words. */
function at1000(status: Record<string, string>, due: Record<string, string> = {}) {
  const graph = new Map(Object.keys(status).filter((name) => !name.includes('/')).map((id) => [id, entry(id)]));
  const run = new Map([['id', 'r'], ['status', 'running'], ['phases', '["larry-01"]'], ['started:larry-01', '500']]);
  return readSnapshot({ now: 1000, run, status: new Map(Object.entries(status)), due: new Map(Object.entries(due)), deadlines: new Map() }, graph);
}

describe('a snapshot', () => {
  it.each([
    ['ready', undefined, true],
    ['ready', '1001', false],
    ['claimed', '1001', false],
    ['claimed', '1000', true],
    ['in_progress', '999', true],
    ['pending', undefined, false],
    ['awaiting_approval', undefined, false],
    ['completed', undefined, false],
  ])('says whether somebody may claim a task that is %s with due %s', (status, due, claimable) => {
    expect(at1000({ a: status }, due ? { a: due } : {}).tasks[0]?.claimable).toBe(claimable);
  });

  it('computes a phase from its tasks: failed iff one failed, and skipped work is no progress', () => {
    expect(at1000({ a: 'completed', b: 'skipped:no-target', c: 'ready' }).run.phases[0]).toMatchObject({ status: 'in_progress', progress: 33, skipped: 1 });
    expect(at1000({ a: 'completed', b: 'skipped:no-target' }).run.phases[0]).toMatchObject({ status: 'completed', progress: 50 });
    expect(at1000({ a: 'failed', b: 'completed' }).run.phases[0]).toMatchObject({ status: 'failed' });
  });

  it('reads the reason and the attempt beside the status', () => {
    expect(at1000({ a: 'skipped:denied', 'a/attempt': '3' }).tasks).toEqual([expect.objectContaining({ status: 'skipped', skipReason: 'denied', attempt: 3 })]);
  });

  it('reads flat lists as maps', () => {
    expect([...pairs(['a', '1', 'b', '2'])]).toEqual([['a', '1'], ['b', '2']]);
  });
});
