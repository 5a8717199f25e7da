import { canonicalJson } from '@larry/contracts';
import type { Fault } from './src/fault-points';
import { aPlan, aTask } from './src/plan';
import { beginRun, resultOf, runEnd, statuses } from './src/run';
import { appended } from './src/target';
import { aScene, faultEnv, redisForFile, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

const methods = { patch: 'PATCH', create: 'POST', delete: 'DELETE' } as const;
const kinds = ['patch', 'create', 'delete'] as const;
const cases = kinds
  .flatMap((kind) => (['intent', 'intended', 'request', 'reply', 'outcome'] as const).map((point) => ({ kind, point })))
  .map((each, i) => ({ ...each, task: `effects-${i + 1}` }));
const effects = 6;

/** No lease is waited for: the launcher sees the exit. A longer one does not lapse on a machine that is busy. */
const ttlMs = 10_000;
/** The process must be started again, and sooner than a lease would lapse. */
const againWithinMs = ttlMs - 500;

// Branches and pull requests are no effects of the engine yet: docs/protocol.md, *Git and forges*, has no test here.
it('a worker killed at intent, request, reply or outcome of a patch, a creation or a deletion leaves each effect applied once', async () => {
  const faults = cases.map(({ kind, point, task }): Fault => ({ task, point, action: 'kill', method: methods[kind], nth: 3 }));
  const plan = aPlan({ 'larry-01': cases.map(({ kind, task }) => aTask(task, { with: { effects, kinds: kind, deployments: 1 } })) });
  scene = await aScene(redis(), plan, { ttlMs, env: { ...faultEnv(...faults), LARRY_MAX_WORKERS: '4' } });
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  const snapshot = await runEnd(scene.coordination, run, 90_000);

  const all = cases.length * effects;
  expect(scene.counts(run)).toEqual({ expected: all, once: all, doubled: [], missing: [] });
  expect(appended(scene.server)).toHaveLength(5 * effects);
  expect(new Set(Object.values(statuses(snapshot)))).toEqual(new Set(['completed']));
  expect(scene.crew.faults()).toHaveLength(cases.length);
  for (const { task } of cases) {
    const result = await resultOf(scene.coordination, task);
    expect(result.changes.map((c) => c.outcome)).toEqual(Array.from({ length: effects }, () => 'verified'));
    expect(result.criteria).toMatchObject([{ id: 'every-effect', verdict: 'met' }]);
    const [first, second, ...more] = scene.crew.boots().filter((b) => b.task === task);
    expect(more).toEqual([]);
    const died = scene.crew.faults().find((f) => f.pid === first?.pid);
    expect((second?.at ?? 0) - (died?.at ?? 0)).toBeLessThan(againWithinMs);
  }
});

describe('a rollback', () => {
  /** In canonical form: the server is free in the order of fields. */
  const objects = (): string =>
    canonicalJson(['deployments.apps', 'configmaps'].map((r) => scene.server.objects(r, 'default').map(({ metadata, ...rest }) => [metadata.name, metadata.annotations ?? null, rest])));

  it.each<[string, Fault[]]>([
    ['restores the objects byte for byte', []],
    [
      'restores them as well when its workers are killed at the request or the reply of what restores',
      [
        { task: 'effects-1', point: 'request', action: 'kill', method: 'PATCH', nth: 9 },
        { task: 'effects-2', point: 'reply', action: 'kill', method: 'DELETE', nth: 2 },
        { task: 'effects-3', point: 'request', action: 'kill', method: 'POST', nth: 2 },
      ],
    ],
  ])('%s', async (_, faults) => {
    const plan = aPlan({ 'larry-01': kinds.map((kind, i) => aTask(`effects-${i + 1}`, { with: { effects, kinds: kind, deployments: 2, notHelping: ['all'] } })) });
    scene = await aScene(redis(), plan, { ttlMs, env: faultEnv(...faults) });
    const before = objects();
    await scene.crew.larry();
    const run = await beginRun(scene.coordination, plan);
    const snapshot = await runEnd(scene.coordination, run);
    expect(scene.crew.faults()).toHaveLength(faults.length);
    expect(statuses(snapshot)).toMatchObject({ 'effects-1': 'failed', 'effects-2': 'failed', 'effects-3': 'failed' });
    for (const i of [1, 2, 3]) expect((await resultOf(scene.coordination, `effects-${i}`)).changes.map((c) => c.outcome)).toEqual(Array.from({ length: effects }, () => 'rolled-back'));
    expect(objects()).toBe(before);
  });
});
