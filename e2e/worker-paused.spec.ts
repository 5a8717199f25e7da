import { eventually } from '@larry/redis/testing';
import { continueProcess, type Program } from './src/crew';
import type { Fault } from './src/fault-points';
import { aPlan, aTask } from './src/plan';
import { beginRun, resultOf, runEnd, statuses } from './src/run';
import { appended } from './src/target';
import { aScene, faultEnv, faultHappened, redisForFile, ttlMs, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

const effects = 6;
/** Long enough for all three workers to get to their third effect before the first one's lease lapses. */
const longTtlMs = 2000;
const kinds = [
  { task: 'effects-1', kinds: 'patch', method: 'PATCH' },
  { task: 'effects-2', kinds: 'create', method: 'POST' },
  { task: 'effects-3', kinds: 'delete', method: 'DELETE' },
] as const;

/** A machine that freezes: each worker stops itself in synchronous code at its third effect, and then its coordinator. */
async function frozen(point: Fault['point']): Promise<{ run: string; host: Program; workers: number[]; stoppedAt: number }> {
  const plan = aPlan({ 'larry-01': kinds.map((k) => aTask(k.task, { with: { effects, kinds: k.kinds, deployments: 1 } })) });
  scene = await aScene(redis(), plan, { ttlMs: longTtlMs });
  const host = await scene.crew.larry('larry-01', faultEnv(...kinds.map(({ task, method }): Fault => ({ task, point, action: 'stop', method, nth: 3 }))));
  const run = await beginRun(scene.coordination, plan);
  await eventually(() => expect(scene.crew.faults()).toHaveLength(kinds.length), 20_000);
  host.signal('SIGSTOP');
  return { run, host, workers: scene.crew.faults().map((f) => f.pid), stoppedAt: Date.now() };
}

const accepted = (): number => scene.server.journal().filter((e) => e.manager === 'larry' && e.changed).length;

/** What a worker says whose settlement comes too late; its log passes through its coordinator. */
async function expectRefused(): Promise<void> {
  const said = expect.objectContaining({ msg: "the result was refused: the task is somebody else's now" }) as unknown;
  for (const { task } of kinds) await eventually(() => expect(scene.crew.workerLog('larry-01', task)).toContainEqual(said), 10_000);
}

async function expectOnce(run: string): Promise<void> {
  const snapshot = await runEnd(scene.coordination, run);
  const all = effects * scene.tasks.length;
  expect(scene.counts(run)).toEqual({ expected: all, once: all, doubled: [], missing: [] });
  expect(new Set(appended(scene.server)).size).toBe(appended(scene.server).length);
  for (const { id } of scene.tasks) {
    expect(statuses(snapshot)).toMatchObject({ [id]: 'completed' });
    expect((await resultOf(scene.coordination, id)).changes.map((c) => c.outcome)).toEqual(Array.from({ length: effects }, () => 'verified'));
  }
}

describe('workers paused for two leases with a patch, a creation and a deletion on their way', () => {
  it('whose successors have applied them send requests that come to nothing, and their results are refused', async () => {
    const { run, host, workers } = await frozen('request');
    await scene.crew.larry();
    await runEnd(scene.coordination, run);
    workers.forEach(continueProcess);
    host.signal('SIGCONT');
    await expectRefused();
    await expectOnce(run);
  });

  it('that go on before anybody has looked leave changes that their successors adopt', async () => {
    const { run, host, workers, stoppedAt } = await frozen('request');
    const before = accepted();
    await eventually(() => expect(Date.now() - stoppedAt).toBeGreaterThan(2 * longTtlMs), 3 * longTtlMs);
    workers.forEach(continueProcess);
    await eventually(() => expect(accepted()).toBe(before + kinds.length), 10_000);
    workers.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await scene.crew.larry();
    host.signal('SIGCONT');
    await expectOnce(run);
  });
});

it('workers paused for two leases between their intent and the guard send nothing at all', async () => {
  const { run, host, workers } = await frozen('intended');
  const { stop } = await scene.crew.larry();
  await runEnd(scene.coordination, run);
  await stop();
  const { patch, create, delete: remove } = scene.server.requests();
  workers.forEach(continueProcess);
  host.signal('SIGCONT');
  await expectRefused();
  expect(scene.server.requests()).toMatchObject({ patch, create, delete: remove });
  await expectOnce(run);
});

it('a worker that hangs is ended by its own coordinator when its lease has lapsed, so that one replica is enough', async () => {
  const plan = aPlan({ 'larry-01': [aTask('effects-1', { with: { effects } })] });
  scene = await aScene(redis(), plan, { env: faultEnv({ point: 'request', action: 'stop', nth: 3 }) });
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  const { at } = await faultHappened(scene.crew);
  await expectOnce(run);
  expect(scene.crew.boots()[1]!.at - at).toBeLessThan(ttlMs + 2000 + 5000);
});
