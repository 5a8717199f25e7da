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
const kinds = ['patch', 'create', 'delete'] as const;
const methods = { patch: 'PATCH', create: 'POST', delete: 'DELETE' } as const;

/** A machine that freezes: the worker stops itself in synchronous code, and its coordinator with it. */
async function frozen(kind: (typeof kinds)[number], point: Fault['point']): Promise<{ run: string; host: Program; worker: number; stoppedAt: number }> {
  const plan = aPlan({ 'larry-01': [aTask('effects-1', { with: { effects, kinds: kind, deployments: 1 } })] });
  scene = await aScene(redis(), plan);
  const host = await scene.crew.larry('larry-01', faultEnv({ point, action: 'stop', method: methods[kind], nth: 3 }));
  const run = await beginRun(scene.coordination, plan);
  const { pid, at } = await faultHappened(scene.crew);
  host.signal('SIGSTOP');
  return { run, host, worker: pid, stoppedAt: at };
}

const accepted = (): number => scene.server.journal().filter((e) => e.manager === 'larry' && e.changed).length;

/** What a worker says whose settlement comes too late; its log passes through its coordinator. */
function expectRefused(): Promise<void> {
  const said = expect.objectContaining({ msg: "the result was refused: the task is somebody else's now" }) as unknown;
  return eventually(() => expect(scene.crew.workerLog('larry-01', 'effects-1')).toContainEqual(said), 10_000);
}

async function expectOnce(run: string): Promise<void> {
  const snapshot = await runEnd(scene.coordination, run);
  expect(statuses(snapshot)).toMatchObject({ 'effects-1': 'completed' });
  expect(scene.counts(run)).toEqual({ expected: effects, once: effects, doubled: [], missing: [] });
  expect(new Set(appended(scene.server)).size).toBe(appended(scene.server).length);
  expect((await resultOf(scene.coordination, 'effects-1')).changes.map((c) => c.outcome)).toEqual(Array.from({ length: effects }, () => 'verified'));
}

describe.each(kinds)('a worker paused for two leases in front of a %s', (kind) => {
  it('whose successor has applied it sends a request that comes to nothing, and its result is refused', async () => {
    const { run, host, worker } = await frozen(kind, 'request');
    await scene.crew.larry();
    await runEnd(scene.coordination, run);
    continueProcess(worker);
    host.signal('SIGCONT');
    await expectRefused();
    await expectOnce(run);
  });

  it('that goes on before anybody has looked leaves a change that its successor adopts', async () => {
    const { run, host, worker, stoppedAt } = await frozen(kind, 'request');
    const before = accepted();
    await eventually(() => expect(Date.now() - stoppedAt).toBeGreaterThan(2 * ttlMs), 3 * ttlMs);
    continueProcess(worker);
    await eventually(() => expect(accepted()).toBe(before + 1), 10_000);
    process.kill(worker, 'SIGKILL');
    await scene.crew.larry();
    host.signal('SIGCONT');
    await expectOnce(run);
  });
});

it('a worker paused for two leases between its intent and the guard sends nothing at all', async () => {
  const { run, host, worker } = await frozen('patch', 'intended');
  const { stop } = await scene.crew.larry();
  await eventually(() => expect(accepted()).toBe(effects), 20_000);
  await runEnd(scene.coordination, run);
  await stop();
  const requests = scene.server.requests()['patch'] ?? 0;
  continueProcess(worker);
  host.signal('SIGCONT');
  await expectRefused();
  expect(scene.server.requests()['patch'] ?? 0).toBe(requests);
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
