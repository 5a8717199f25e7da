import { larryPoints } from './src/fault-points';
import { aPlan, aTask } from './src/plan';
import { beginRun, runEnd, statuses } from './src/run';
import { eventually } from '@larry/redis/testing';
import { aScene, faultEnv, faultHappened, redisForFile, ttlMs, type Scene } from './scene';
import { cpus, loadavg } from 'node:os';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

/** Enough for a coordinator to see its worker at work, which it asks for at a third of the lease. */
const effects = 25;

it.each(larryPoints)('a coordinator killed after its %s, of three replicas, leaves a task that one worker takes within a lease and two seconds', async (point) => {
  const plan = aPlan({ 'larry-01': [1, 2, 3, 4].map((n) => aTask(`effects-${n}`, { with: { effects } })) });
  scene = await aScene(redis(), plan, { env: { LARRY_MAX_WORKERS: '1' } });
  const [doomed] = await Promise.all([scene.crew.larry('larry-01', faultEnv({ point, action: 'kill' })), scene.crew.larry(), scene.crew.larry()]);
  const run = await beginRun(scene.coordination, plan);
  const { task, at } = await faultHappened(scene.crew);
  expect(await doomed?.exited).toBe('SIGKILL');
  const snapshot = await runEnd(scene.coordination, run);

  expect(new Set(Object.values(statuses(snapshot)))).toEqual(new Set(['completed']));
  expect(scene.counts(run)).toEqual({ expected: 4 * effects, once: 4 * effects, doubled: [], missing: [] });
  // The first attempt's worker, where there was one, is an orphan: its leash is gone, and it gives the task back.
  const orphaned = point === 'launch' || point === 'started';
  const successors = scene.crew.boots().filter((b) => b.task === task && b.at >= at && !(orphaned && b.attempt === '1'));
  expect(successors).toHaveLength(1);
  // A process needs a while to start, the longer the more run for each core.
  const busy = Math.max(1, loadavg()[0]! / cpus().length);
  expect(successors[0]!.at - at).toBeLessThan(ttlMs + 2000 + 5000 * busy);
});

it('a worker that needs three leases to start is launched once', async () => {
  const plan = aPlan({ 'larry-01': [aTask('effects-1', { with: { effects: 3 } })] });
  scene = await aScene(redis(), plan, { env: { TEST_STARTUP_MS: String(3 * ttlMs) } });
  await Promise.all([scene.crew.larry(), scene.crew.larry()]);
  const run = await beginRun(scene.coordination, plan);
  const snapshot = await runEnd(scene.coordination, run);
  expect(scene.crew.boots()).toHaveLength(1);
  expect(snapshot.tasks.find((t) => t.task === 'effects-1')).toMatchObject({ status: 'completed', attempt: 1 });
  expect(scene.counts(run)).toMatchObject({ once: 3, doubled: [] });
});

it('three replicas share the work, and one that is added or stopped in the middle changes speed alone', async () => {
  const tasks = Array.from({ length: 8 }, (_, i) => aTask(`effects-${i + 1}`, { with: { effects: 3 } }));
  const plan = aPlan({ 'larry-01': tasks });
  scene = await aScene(redis(), plan, { env: { LARRY_MAX_WORKERS: '1' } });
  const [first, second] = await Promise.all([scene.crew.larry(), scene.crew.larry()]);
  const run = await beginRun(scene.coordination, plan);
  await eventually(() => expect(scene.crew.boots().length).toBeGreaterThanOrEqual(2), 20_000);
  const third = await scene.crew.larry();
  await second?.stop();
  const snapshot = await runEnd(scene.coordination, run);
  expect(new Set(Object.values(statuses(snapshot)))).toEqual(new Set(['completed']));
  expect(scene.counts(run)).toEqual({ expected: 24, once: 24, doubled: [], missing: [] });
  for (const replica of [first, second, third]) expect(replica?.log().filter((l) => l['msg'] === 'launched').length).toBeGreaterThanOrEqual(1);
});
