import { aPlanOf } from './builders';
import { localNode, planHash, runSpecOf } from './run-plan';

const plan = aPlanOf('larry-01', [{ id: 'first' }, { id: 'second', needs: ['first'], after: ['first'], node: 'w2', minutes: 7, attempts: 2 }]);

describe('runSpecOf', () => {
  it('carries what tasks wait for, their limits and attempts, and where workers really run', () => {
    const spec = runSpecOf(plan, 'r', 'ask');
    expect(spec).toMatchObject({ run: 'r', mode: 'ask', planHash: planHash(plan) });
    expect(spec.tasks).toEqual([
      { id: 'first', larry: 'larry-01', worker: 'first-worker', node: 'local (planned w1)', needs: [], after: [], limitMs: 300_000, attempts: 3 },
      { id: 'second', larry: 'larry-01', worker: 'second-worker', node: 'local (planned w2)', needs: ['first'], after: ['first'], limitMs: 420_000, attempts: 2 },
    ]);
    expect(runSpecOf(plan, 'r', 'ask', (node) => node).tasks[1]?.node).toBe('w2');
  });

  it('ends 15 minutes after the critical path', () => {
    expect(runSpecOf(plan, 'r', 'ask').deadlineMs).toBeGreaterThanOrEqual((5 + 7 + 15) * 60_000);
  });

  it('gives the convergence to the meta-coordinator, with its own time', () => {
    expect(runSpecOf(plan, 'r', 'ask').converge).toMatchObject({ id: 'converge', larry: 'meta-coordinator', limitMs: 60_000, needs: [] });
  });
});

it('knows a plan by its content', () => {
  expect(planHash(aPlanOf('larry-01', [{ id: 'a' }]))).toBe(planHash(aPlanOf('larry-01', [{ id: 'a' }])));
  expect(planHash(aPlanOf('larry-01', [{ id: 'a' }]))).not.toBe(planHash(aPlanOf('larry-01', [{ id: 'b' }])));
});

it('never says that a process runs on the node that it is planned for', () => {
  expect(localNode('k3s-worker01')).toBe('local (planned k3s-worker01)');
});
