import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { testWorkerProgram } from './src/crew';
import { aPlan, aTask } from './src/plan';
import { beginRun, resultOf, statuses } from './src/run';
import { aScene, redisForFile, ttlMs, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

const effects = 5;
const plan = aPlan({ 'larry-01': [aTask('effects-1', { with: { effects } })] });

/** A worker process as a coordinator would start it; resolves with its exit code. */
function runWorkerProcess(env: Record<string, string>): Promise<number | null> {
  const child = spawn(process.execPath, [testWorkerProgram], { env: { PATH: process.env['PATH'] ?? '', ...scene.crew.env, ...env }, stdio: ['pipe', 'ignore', 'ignore'] });
  return new Promise((resolve) => child.once('exit', resolve));
}

async function claimed(run: string): Promise<Record<string, string>> {
  const claim = { run, task: 'effects-1', larry: 'larry-01', claim: randomBytes(6).toString('hex') };
  expect(await scene.coordination.claim(claim, 10 * ttlMs)).toMatchObject({ outcome: 'claimed' });
  return { LARRY_RUN: run, LARRY_TASK: claim.task, LARRY_CLAIM: claim.claim, LARRY_ID: claim.larry, LARRY_WORKER: 'w', LARRY_PLANNED_NODE: 'n', LARRY_ATTEMPT: '1' };
}

it('of two workers with one environment one is refused before any effect, and exits with 2', async () => {
  scene = await aScene(redis(), plan);
  const run = await beginRun(scene.coordination, plan);
  const env = await claimed(run);
  const codes = await Promise.all([runWorkerProcess(env), runWorkerProcess(env)]);
  expect(codes.sort()).toEqual([0, 2]);
  expect(scene.counts(run)).toEqual({ expected: effects, once: effects, doubled: [], missing: [] });
  expect((await resultOf(scene.coordination, 'effects-1')).changes).toHaveLength(effects);
});

it('a worker under an old claim, or of an ended run, exits with 2 and has touched nothing', async () => {
  scene = await aScene(redis(), plan);
  const run = await beginRun(scene.coordination, plan);
  const env = await claimed(run);
  expect(await runWorkerProcess({ ...env, LARRY_CLAIM: 'an-old-one' })).toBe(2);
  expect(await runWorkerProcess({ ...env, LARRY_RUN: 'another-run' })).toBe(2);
  await scene.coordination.abort(run, 'ann');
  expect(await runWorkerProcess(env)).toBe(2);
  expect(scene.server.journal()).toEqual([]);
  expect(statuses((await scene.coordination.snapshot())!)).toMatchObject({ 'effects-1': 'skipped' });
});

it('what a run may change is believed only with the signature of the key outside Redis: else nothing is changed', async () => {
  scene = await aScene(redis(), plan);
  const run = await beginRun(scene.coordination, plan);
  const env = await claimed(run);
  const key = scene.coordination.redis.key(`{larry}:blob:plan:${run}`);
  const stored = await scene.coordination.redis.commands.get(key);
  expect(stored).toContain('"test"');
  await scene.coordination.redis.commands.set(key, stored!.replace('"test"', '"test","workload-env"'));
  await runWorkerProcess(env);
  expect(scene.server.journal()).toEqual([]);
});
