import { larryPoints } from './src/fault-points';
import { aPlan, aTask } from './src/plan';
import { beginRun, runEnd, statuses } from './src/run';
import { eventually } from '@larry/redis/testing';
import { aScene, faultEnv, redisForFile, ttlMs, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

/** Enough for a coordinator to see its worker at work, which it asks for at a third of the lease. */
const effects = 25;

/** A coordinator or a worker on a busy machine renews it in time. */
const lease = 2 * ttlMs;

it('coordinators killed after lock, claim, launch and start leave tasks that one worker each takes within a lease and two seconds', async () => {
  const tasks = Array.from({ length: 8 }, (_, i) => aTask(`effects-${i + 1}`, { with: { effects } }));
  const plan = aPlan({ 'larry-01': tasks });
  scene = await aScene(redis(), plan, { ttlMs: lease, env: { LARRY_MAX_WORKERS: '1' } });
  const survivors = await Promise.all([scene.crew.larry(), scene.crew.larry()]);
  const doomed = await Promise.all(larryPoints.map((point) => scene.crew.larry('larry-01', faultEnv({ point, action: 'kill' }))));
  // So that each of the others gets a task.
  survivors.forEach((s) => s.signal('SIGSTOP'));
  const run = await beginRun(scene.coordination, plan);
  await eventually(() => expect(scene.crew.faults()).toHaveLength(larryPoints.length), 30_000);
  expect(await Promise.all(doomed.map((d) => d.exited))).toEqual(larryPoints.map(() => 'SIGKILL'));
  const killed = Math.max(...scene.crew.faults().map((f) => f.at));
  survivors.forEach((s) => s.signal('SIGCONT'));
  const snapshot = await runEnd(scene.coordination, run);

  expect(new Set(Object.values(statuses(snapshot)))).toEqual(new Set(['completed']));
  expect(scene.counts(run)).toEqual({ expected: 8 * effects, once: 8 * effects, doubled: [], missing: [] });
  for (const { task, point, at } of scene.crew.faults()) {
    // The first attempt's worker, where there was one, is an orphan: its leash is gone, and it gives the task back.
    const orphaned = point === 'launch' || point === 'started';
    const successors = scene.crew.boots().filter((b) => b.task === task && b.at >= at && !(orphaned && b.attempt === '1'));
    // One is what is expected; a further one is right after a lease that lapsed or was given back (a machine too busy to
    // renew for 0.8 of it), and as an attempt of its own: the same attempt is never started twice.
    const [returns, errors] = (await scene.coordination.redis.commands.hmget(scene.coordination.keys.task(task ?? ''), 'returns', 'errors')).map(Number);
    const attempt = snapshot.tasks.find((t) => t.task === task)?.attempt;
    expect([point, attempt]).toEqual([point, 1 + (returns ?? 0) + (errors ?? 0)]);
    expect([point, successors.map((b) => b.attempt)]).toEqual([point, [...new Set(successors.map((b) => b.attempt))]]);
    expect(successors.length).toBeGreaterThanOrEqual(1);
  }
  // Two survivors take one task at a time; the first of those that were left behind waits for nothing but its lease.
  const left = scene.crew.boots().filter((b) => b.at > killed && scene.crew.faults().some((f) => f.task === b.task));
  expect(Math.min(...left.map((b) => b.at)) - killed).toBeLessThan(lease + 2000 + 5000);
});

it('a worker that needs three leases to start is launched once', async () => {
  const plan = aPlan({ 'larry-01': [aTask('effects-1', { with: { effects: 3 } })] });
  scene = await aScene(redis(), plan, { ttlMs: lease, env: { TEST_STARTUP_MS: String(3 * lease) } });
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
