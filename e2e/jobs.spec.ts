import type { KubeObject } from '@larry/contracts';
import type { TaskRecord } from '@larry/coordination';
import { eventually } from '@larry/redis/testing';
import { aJobScene, jobKind, podKind, type JobScene } from './job-scene';
import { faultEnv, redisForFile } from './scene';
import { jobNamespace } from './src/job-template';
import { aPlan, aTask } from './src/plan';
import { beginRun, runEnd, statuses } from './src/run';

const redis = redisForFile();
let scene: JobScene;
afterEach(() => scene.end());

const one = (effects: number) => aPlan({ 'larry-01': [aTask('effects-1', { with: { effects, kinds: 'patch' } })] });
const taskOf = (task: string): Promise<TaskRecord | undefined> => scene.coordination.task(task);
const atWork = (run: string, count = 1) => eventually(() => expect(scene.counts(run).once).toBeGreaterThanOrEqual(count), 30_000);

it('a run with Jobs: one Job a task on its planned node, named by its worker, its effects once; a second run takes the ended ones away', async () => {
  const tasks = [1, 2, 3, 4].map((n) => aTask(`effects-${n}`, { with: { effects: 3, kinds: 'patch' } }));
  const plan = aPlan({ 'larry-01': tasks });
  const names = tasks.map(({ id }) => `larry-01-${id}-worker`);
  scene = await aJobScene(redis(), plan);
  const larry = await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  const snapshot = await runEnd(scene.coordination, run);
  expect(statuses(snapshot)).toMatchObject({ 'effects-1': 'completed', 'effects-4': 'completed', converge: 'completed' });
  expect(scene.counts(run)).toEqual({ expected: 12, once: 12, doubled: [], missing: [] });
  expect(scene.jobsMade()).toEqual(names);
  const [job] = scene.jobs() as (KubeObject & { spec: Record<string, unknown> })[];
  expect(job?.metadata.labels).toMatchObject({ app: 'larry-worker', 'larry-instance': 'larry-01', 'larry.dev/run': run, 'larry.dev/attempt': '1' });
  expect(job?.spec).toMatchObject({ activeDeadlineSeconds: 300, backoffLimit: 0, podReplacementPolicy: 'Failed' });
  // The node is what the worker said at its start, not what was planned.
  expect(snapshot.tasks.find((t) => t.task === 'effects-1')?.node).toBe('k3s-worker01');
  await eventually(async () => expect(await scene.view('worker:larry-01-effects-1-worker:node')).toBe('k3s-worker01'));
  expect(larry.log().filter((l) => l['msg'] === 'launched')).toHaveLength(4);

  const second = await beginRun(scene.coordination, plan);
  expect(statuses(await runEnd(scene.coordination, second))).toMatchObject({ 'effects-1': 'completed', 'effects-4': 'completed' });
  expect(scene.jobsMade()).toEqual([...names, ...names].sort());
  expect(scene.jobs().map((j) => j.metadata.labels?.['larry.dev/run'])).toEqual(tasks.map(() => second));
});

it('a coordinator killed between the creation of a Job and its record: the next one keeps its claim for as long as the image takes, and makes no second Job', async () => {
  const ttlMs = 8000;
  const plan = one(20);
  let pulled = false;
  scene = await aJobScene(redis(), plan, { ttlMs, image: () => (pulled ? undefined : { waiting: { reason: 'ContainerCreating', message: '' } }) });
  const doomed = await scene.crew.larry('larry-01', faultEnv({ point: 'launch', action: 'kill' }));
  const run = await beginRun(scene.coordination, plan);
  expect(await doomed.exited).toBe('SIGKILL');
  const killed = Date.now();
  const next = await scene.crew.larry();
  // Longer than the lease that the killed one left behind: somebody renews it.
  await eventually(async () => {
    expect(Date.now()).toBeGreaterThan(killed + ttlMs + 1000);
    expect(await taskOf('effects-1')).toMatchObject({ status: 'claimed', attempt: 1 });
  }, 30_000);
  expect(next.log().filter((l) => l['msg'] === 'launched')).toEqual([]);
  pulled = true;
  scene.runner.retry();
  await atWork(run);
  expect(scene.jobsMade()).toEqual(['larry-01-effects-1-worker']);
  // It watches what it did not launch: a killed worker is followed at once, not when its lease lapses.
  const workerKilled = Date.now();
  process.kill(scene.runner.started[0]?.pid ?? 0, 'SIGKILL');
  await eventually(() => expect(scene.jobsMade()).toEqual(['larry-01-effects-1-worker', 'larry-01-effects-1-worker-2']), 20_000);
  expect(Date.now() - workerKilled).toBeLessThan(ttlMs - 1000);
  // And a coordinator that is stopped leaves its workers at work.
  await next.stop();
  await scene.crew.larry();
  expect((await runEnd(scene.coordination, run)).tasks[0]).toMatchObject({ status: 'completed', attempt: 2 });
  expect(scene.runner.started).toHaveLength(2);
  expect(scene.counts(run)).toMatchObject({ once: 20, doubled: [] });
});

it('a Job deleted, a node drained, a pod forced away from a node that is cut off, and a second pod with one claim: each effect once', async () => {
  const ids = ['effects-1', 'effects-2', 'effects-3', 'effects-4'] as const;
  const nodes: Record<string, string> = { 'effects-2': 'k3s-worker01', 'effects-3': 'k3s-worker04' };
  const plan = aPlan({ 'larry-01': ids.map((id) => aTask(id, { node: nodes[id] ?? 'k3s-worker03', with: { effects: 40, kinds: 'patch' } })) });
  scene = await aJobScene(redis(), plan);
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  await eventually(async () => expect((await scene.coordination.snapshot())?.tasks.slice(0, 4).map((t) => t.status)).toEqual(ids.map(() => 'in_progress')), 30_000);
  const pods = scene.cluster.server.objects('pods', jobNamespace);
  const podOf = (task: string): KubeObject => pods.find((p) => p.metadata.labels?.['larry.dev/task'] === task) as KubeObject;

  await scene.api.delete(jobKind, { metadata: { namespace: jobNamespace, name: 'larry-01-effects-1-worker' } }, { propagationPolicy: 'Background' });
  await scene.runner.drain('k3s-worker01');
  scene.runner.cutOff('k3s-worker04');
  await scene.api.delete(podKind, podOf('effects-3'), { gracePeriodSeconds: 0 });
  const { nodeName: _, ...spec } = podOf('effects-4')['spec'] as Record<string, unknown>;
  await scene.api.create(podKind, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'twin', namespace: jobNamespace, labels: { 'larry.dev/task': 'effects-4' } }, spec }, jobNamespace);

  const { tasks } = await runEnd(scene.coordination, run);
  expect(tasks.slice(0, 4).map(({ task, status, attempt, node }) => [task, status, attempt, node])).toEqual([
    ['effects-1', 'completed', 2, 'k3s-worker03'],
    ['effects-2', 'completed', 2, 'k3s-worker02'],
    // Nobody saw it end, and it renewed its lease: nothing was taken from it.
    ['effects-3', 'completed', 1, 'k3s-worker04'],
    ['effects-4', 'completed', 1, 'k3s-worker03'],
  ]);
  expect(scene.counts(run)).toEqual({ expected: 160, once: 160, doubled: [], missing: [] });
  await eventually(() => expect(scene.runner.started.filter((s) => s.task === 'effects-4')).toHaveLength(2));
  await eventually(() => expect(scene.runner.output.join('')).toContain('not mine'));
});

it('a node that dies without a word, with two replicas: the lease lapses, and another node takes the work once', async () => {
  const ttlMs = 5000;
  scene = await aJobScene(redis(), one(25), { ttlMs });
  // Each replica watches every worker, whoever launched it.
  await Promise.all([scene.crew.larry(), scene.crew.larry()]);
  const run = await beginRun(scene.coordination, one(25));
  await atWork(run);
  scene.runner.nodeDies('k3s-worker01');
  const died = Date.now();
  await eventually(() => expect(scene.jobsMade()).toContain('larry-01-effects-1-worker-2'), 20_000);
  // A lease, two seconds, and what a busy machine adds: not the grace of a pod that nobody ends.
  expect(Date.now() - died).toBeLessThan(ttlMs + 2000 + 5000);
  const snapshot = await runEnd(scene.coordination, run);
  expect(snapshot.tasks[0]).toMatchObject({ status: 'completed', node: 'k3s-worker02', attempt: 2 });
  expect(scene.counts(run)).toMatchObject({ once: 25, doubled: [] });
  expect(scene.jobsMade()).toHaveLength(2);
});

it('what keeps a worker from starting ends its task with the reason', async () => {
  const waiting: Record<string, { reason: string; message: string }> = {
    'effects-1': { reason: 'ImagePullBackOff', message: 'Back-off pulling image "larry-01:9.9"' },
    'effects-2': { reason: 'CreateContainerConfigError', message: 'secret "larry-redis" not found' },
    'effects-3': { reason: 'InvalidImageName', message: 'couldn\'t parse image name "larry 01"' },
  };
  const unmounted = { waiting: { reason: 'ContainerCreating' }, warning: { reason: 'FailedMount', message: 'MountVolume.SetUp failed for volume "keys" : secret "larry-keys" not found' } };
  const tasks = [1, 2, 3, 4].map((n) => aTask(`effects-${n}`, { attempts: 1, with: { effects: 1 } }));
  const plan = aPlan({ 'larry-01': [...tasks, aTask('noop-1', { attempts: 1 })] });
  const foreign: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'larry-01-noop-1-worker', namespace: jobNamespace }, spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'x' }] } } } };
  const env = { LARRY_LAUNCH_PATIENCE_MS: '2000' };
  scene = await aJobScene(redis(), plan, { env, objects: [foreign], image: (task) => (task === 'effects-4' ? unmounted : waiting[task] && { waiting: waiting[task] }) });
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  const snapshot = await runEnd(scene.coordination, run);
  expect(statuses(snapshot)).toMatchObject({ 'effects-1': 'failed', 'effects-2': 'failed', 'effects-3': 'failed', 'effects-4': 'failed', 'noop-1': 'failed' });
  expect((await taskOf('effects-1'))?.reason).toMatch(/could not start within \d s: ImagePullBackOff: Back-off pulling image "larry-01:9\.9"/);
  expect((await taskOf('effects-2'))?.reason).toContain('CreateContainerConfigError: secret "larry-redis" not found');
  expect((await taskOf('effects-3'))?.reason).toContain('InvalidImageName');
  expect((await taskOf('effects-4'))?.reason).toMatch(/could not start within \d s: FailedMount: .*secret "larry-keys" not found/);
  expect((await taskOf('noop-1'))?.reason).toMatch(/Job larry-01\/larry-01-noop-1-worker exists and is not of larry-01: delete it/);
  // What could not start is taken away; the foreign Job is left alone.
  await eventually(() => expect(scene.jobs().map((j) => j.metadata.name)).toEqual(['larry-01-noop-1-worker']));
});

it('a quota that allows no pods and a scheduler that finds no room end the task with their words', async () => {
  const quota: KubeObject = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace: jobNamespace }, spec: { hard: { pods: '0' } } };
  const plan = aPlan({ 'larry-01': [aTask('noop-1', { attempts: 1 })] });
  scene = await aJobScene(redis(), plan, { env: { LARRY_LAUNCH_PATIENCE_MS: '2000' }, objects: [quota] });
  await scene.crew.larry();
  await runEnd(scene.coordination, await beginRun(scene.coordination, plan));
  expect((await taskOf('noop-1'))?.reason).toMatch(/could not start within \d s: FailedCreate: Error creating: .*exceeded quota: none/);
  await scene.api.delete({ apiVersion: 'v1', kind: 'ResourceQuota', plural: 'resourcequotas', namespaced: true }, { metadata: { namespace: jobNamespace, name: 'none' } });
  scene.runner.unschedulable = '0/7 nodes are available: 7 Insufficient memory.';
  await runEnd(scene.coordination, await beginRun(scene.coordination, plan));
  expect((await taskOf('noop-1'))?.reason).toContain('Unschedulable: 0/7 nodes are available: 7 Insufficient memory.');
});

it('an API server in trouble at every request launches each worker once, and watches that are refused, forgotten and cut miss no end', async () => {
  const tasks = [1, 2, 3, 4, 5, 6].map((n) => aTask(`effects-${n}`, { with: { effects: 2, kinds: 'patch' } }));
  const plan = aPlan({ 'larry-01': tasks });
  scene = await aJobScene(redis(), plan, { env: { LARRY_MAX_WORKERS: '6' } });
  const { faults } = scene.cluster.server;
  for (const code of [410, 500, 429, 410] as const) faults.add({ method: 'GET', path: /namespaces\/larry-01\/.*watch=true/, fault: { kind: 'answer', code } });
  const larry = await scene.crew.larry();
  const create = { method: 'POST', path: /\/jobs(\?|$)/ };
  faults.add({ ...create, fault: { kind: 'cut-after' } });
  faults.add({ ...create, fault: { kind: 'answer', code: 500 } });
  faults.add({ ...create, fault: { kind: 'answer', code: 429, retryAfterSeconds: 1 } });
  faults.add({ ...create, fault: { kind: 'answer', code: 409 } });
  faults.add({ ...create, fault: { kind: 'answer', code: 503 } });
  faults.add({ ...create, fault: { kind: 'answer', code: 401 } });
  const run = await beginRun(scene.coordination, plan);
  await atWork(run);
  scene.cluster.server.compact();
  const snapshot = await runEnd(scene.coordination, run);
  expect(faults.pending()).toBe(0);
  expect(snapshot.tasks.slice(0, 6).map((t) => [t.status, t.attempt])).toEqual(tasks.map(() => ['completed', 1]));
  expect(scene.jobsMade()).toEqual(tasks.map(({ id }) => `larry-01-${id}-worker`));
  expect(scene.counts(run)).toEqual({ expected: 12, once: 12, doubled: [], missing: [] });
  await eventually(() => expect(larry.log().filter((l) => l['msg'] === 'worker ended')).toHaveLength(6), 20_000);
});
