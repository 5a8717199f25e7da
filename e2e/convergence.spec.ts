import { convergeTask, runSummarySchema, type Plan, type RunSummary } from '@larry/contracts';
import { eventually } from '@larry/redis/testing';
import { summaryToMarkdown } from '@larry/reports';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { approvalKeys } from './src/approval-keys';
import { testWorkerProgram, type Program } from './src/crew';
import { aPlan, aTask } from './src/plan';
import { runEnd, statuses } from './src/run';
import { aScene, faultEnv, faultHappened, redisForFile, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

const token = 'a-token-of-the-tests';

async function metaCoordinator(): Promise<Program> {
  const tokens = path.join(scene.crew.folder, 'tokens');
  writeFileSync(tokens, `ada:${createHash('sha256').update(token).digest('hex')}`);
  const workers = Object.fromEntries(scene.plan.larrys.map((l) => [l.id, testWorkerProgram]));
  return scene.crew.program('meta-coordinator', path.join(__dirname, '..', 'apps', 'meta-coordinator', 'dist', 'main.js'), {
    LARRY_TOKENS_FILE: tokens,
    LARRY_STATE_DIR: path.join(scene.crew.folder, 'state'),
    LARRY_APPROVAL_PRIVATE_KEY: approvalKeys.privateKey,
    LARRY_MODES_ALLOWED: 'observe,auto',
    LARRY_WORKER_PROGRAMS: JSON.stringify(workers),
  });
}

async function begin(meta: Program, plan: Plan): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${meta.port}/runs`, { method: 'POST', headers, body: JSON.stringify({ plan, mode: 'auto', allow: ['test'] }) });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return ((await response.json()) as { run: string }).run;
}

async function report(meta: Program): Promise<RunSummary> {
  const response = await fetch(`http://127.0.0.1:${meta.port}/runs/current/report`);
  return runSummarySchema.parse(await response.json());
}

const convergeIs = (...states: string[]): Promise<void> =>
  eventually(async () => {
    const task = (await scene.coordination.snapshot())?.tasks.find((t) => t.task === convergeTask);
    if (!task || !states.includes(task.status)) throw new Error(`converge is ${task?.status}`);
  }, 40_000);

/** How often the run was said to be complete. */
async function completions(run: string): Promise<number> {
  const { redis: client, keys } = scene.coordination;
  const entries = await client.commands.xrange(keys.events, '-', '+');
  return entries.filter(([, fields]) => fields.join(' ').includes('run_complete') && fields.join(' ').includes(run)).length;
}

const plan = aPlan({ 'larry-01': [aTask('effects-1', { with: { effects: 4 } })], 'larry-02': [aTask('noop-1')] });

it.each([
  ['has been claimed', ['claimed', 'in_progress']],
  ['has started', ['in_progress']],
  ['has been settled', ['completed']],
])('a meta-coordinator killed when its convergence %s leaves one valid report, by another', async (_, states) => {
  scene = await aScene(redis(), plan, { converger: false });
  const [doomed] = await Promise.all([metaCoordinator(), scene.crew.larry('larry-01'), scene.crew.larry('larry-02')]);
  const run = await begin(doomed, plan);
  await convergeIs(...states);
  doomed.signal('SIGKILL');
  const other = await metaCoordinator();
  const snapshot = await runEnd(scene.coordination, run);
  expect(statuses(snapshot)).toEqual({ 'effects-1': 'completed', 'noop-1': 'completed', converge: 'completed' });
  const summary = await eventually(() => report(other), 10_000);
  expect(summary).toMatchObject({ run, status: 'completed' });
  expect(summary.validations.find((v) => v.task === 'effects-1')).toMatchObject({ turned: [], criteria: [{ id: 'every-effect', verdict: 'met' }] });
  expect(await completions(run)).toBe(1);
  expect(scene.counts(run)).toMatchObject({ once: 4, doubled: [] });
});

it('the last worker to arrive is killed as it settles: it is done again, and the run converges once', async () => {
  scene = await aScene(redis(), plan, { converger: false, env: faultEnv({ task: 'effects-1', point: 'settle', action: 'kill' }) });
  const [meta] = await Promise.all([metaCoordinator(), scene.crew.larry('larry-01'), scene.crew.larry('larry-02')]);
  const run = await begin(meta, plan);
  await runEnd(scene.coordination, run);
  expect(scene.crew.faults()).toHaveLength(1);
  expect(await eventually(() => report(meta), 10_000)).toMatchObject({ run, status: 'completed', didWork: { done: 2, of: 2 } });
  expect(await completions(run)).toBe(1);
  expect(scene.counts(run)).toMatchObject({ once: 4, doubled: [] });
});

it('a phase that timed out with a paused worker ends the run with a valid report that names it', async () => {
  // The other Larry makes changes that do not help meanwhile.
  const slow = aPlan({ 'larry-01': [aTask('effects-1', { minutes: 0.1, with: { effects: 4 } })], 'larry-02': [aTask('effects-2', { with: { effects: 2, kinds: 'create', notHelping: ['all'] } })] });
  scene = await aScene(redis(), slow, { converger: false });
  const [meta, host] = await Promise.all([metaCoordinator(), scene.crew.larry('larry-01', faultEnv({ point: 'request', action: 'stop', nth: 2 })), scene.crew.larry('larry-02')]);
  const run = await begin(meta, slow);
  await faultHappened(scene.crew);
  // The whole machine of larry-01 is frozen, and nobody else can do its task.
  host.signal('SIGSTOP');
  const snapshot = await runEnd(scene.coordination, run);
  expect(snapshot.tasks.find((t) => t.task === 'effects-1')).toMatchObject({ status: 'skipped', skipReason: 'timed-out' });
  const summary = await eventually(() => report(meta), 10_000);
  expect(JSON.stringify(summary.larrys.find((l) => l.larry === 'larry-01'))).toContain('timed-out');
  await expectTakenBack(run, summary);
  host.signal('SIGCONT');
  expect(scene.counts(run).doubled).toEqual([]);
});

/** What did not help is told in the stream as it is taken back, and in the report: which, and why. */
async function expectTakenBack(run: string, summary: RunSummary): Promise<void> {
  const { redis: client, keys } = scene.coordination;
  const entries = await client.commands.xrange(keys.events, '-', '+');
  const alerts = entries.map(([, fields]) => fields.find((text) => text.includes('rollback_initiated'))).flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as { id: string; data: { change: string } }]));
  expect(alerts.map((a) => a.data.change)).toEqual([`${run}/effects-2/e001`, `${run}/effects-2/e000`]);
  expect(alerts[0]).toMatchObject({ from: 'larry-02', event: 'rollback_initiated', run, severity: 'warning', reason: 'it did not help', data: { target: expect.stringContaining('ConfigMap ') as string } });
  expect(new Set(alerts.map((a) => a.id)).size).toBe(2);
  const task = summary.larrys.flatMap((l) => l.tasks).find((t) => t.task === 'effects-2');
  expect(task).toMatchObject({ status: 'failed', result: { changes: [{ outcome: 'rolled-back', reason: 'it did not help' }, { outcome: 'rolled-back' }] } });
  expect(summaryToMarkdown(summary)).toMatch(/rolled.back[^\n]*it did not help/);
}
