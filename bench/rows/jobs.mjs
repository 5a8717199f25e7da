// Workers as Jobs: against processes, in requests to the API server, and a thousand of them. The simulated cluster is a process
// of its own; its kubelet starts the worker's program at once, so that no image is pulled and no sandbox is made.
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apiCounter } from '../api-counter.mjs';
import { startReady, temporaryFolder } from '../children.mjs';
import { jobTemplate } from '../job-template.mjs';
import { aRunSpec, aRunTask, Coordination, JobLauncher, LarryEngine, openLive, parseJobTemplate, ProcessLauncher, program, silent } from '../libraries.mjs';
import { byCallers, median, ms, until } from '../measure.mjs';

const rate = { perSecond: 20, burst: 40 };

export async function jobs({ redis, quick }) {
  const root = rootWithWorker();
  const sim = await startReady([program('simulation.cjs')], { BENCH_ROOT: root });
  const counter = await apiCounter(sim.ready.url, sim.ready.token);
  try {
    const rows = [...(await firstSteps(redis, counter, quick ? 3 : 7)), await requestsPerRun(redis, counter)];
    if (!quick) rows.push(await aThousand(counter));
    return { title: 'Workers as Jobs', rows };
  } finally {
    counter.close();
    await sim.stop();
  }
}

/** A folder that the simulation takes for the built programs. */
function rootWithWorker() {
  const root = temporaryFolder();
  const dist = path.join(root, 'apps', 'larry-01', 'dist');
  mkdirSync(dist, { recursive: true });
  writeFileSync(path.join(dist, 'worker.js'), `require(${JSON.stringify(program('first-step.cjs'))});\n`);
  return root;
}

/** In turns: a run of one task by a process, one by a Job. */
async function firstSteps(redis, counter, count) {
  const seen = { process: [], job: [] };
  for (let i = 0; i < count; i++) {
    for (const kind of ['process', 'job']) seen[kind].push((await aRun(redis, kind, counter, 1)).firstStepMs);
  }
  const [byProcess, byJob] = [median(seen.process), median(seen.job)];
  return [
    { what: 'claim to first step, a process', measured: `p50 ${ms(byProcess)}, max ${ms(Math.max(...seen.process))}`, note: `${count} times; Node's start, the connection, the start script` },
    { what: 'claim to first step, a Job', measured: `p50 ${ms(byJob)}, max ${ms(Math.max(...seen.job))}`, note: `${(byJob / byProcess).toFixed(2)}x the process: beside that the Job's creation, its controller, the scheduler and the kubelet, all simulated; no image is pulled. A real cluster adds its own` },
  ];
}

async function requestsPerRun(redis, counter) {
  const tasks = 16;
  const { requests, kinds, openRequests } = await aRun(redis, 'job', counter, tasks);
  return { what: `requests to the API server, a run of ${tasks} Jobs`, measured: `${requests}`, note: `by the launcher from the run's beginning to its end: ${worded(kinds)}. Before that, once at its start: ${openRequests}` };
}

/** Jobs alone, without coordination: what the rate limit lets through. */
async function aThousand(counter) {
  const count = 1000;
  const template = jobTemplate({ image: 'busybox:1', command: ['true'] });
  const launcher = await openLauncher(counter, template, {});
  counter.reset();
  const began = performance.now();
  const codes = {};
  await byCallers(64, count, async (i) => {
    const worker = await launcher.launch(orderOf(i));
    const { code } = await worker.exited;
    codes[code] = (codes[code] ?? 0) + 1;
  });
  const took = performance.now() - began;
  const requests = counter.total();
  await launcher.close();
  return { what: `${count} Jobs, 64 at a time, ${rate.perSecond} requests a second`, measured: ms(took), note: `${ms((count - rate.burst) * (1000 / rate.perSecond))} is the rate alone; ${codes[0] ?? 0} of ${count} ended with exit code 0; ${requests} requests, ${counter.mostInASecond()} at most within a second (burst ${rate.burst})` };
}

const orderOf = (i) => ({ run: `bench-${process.pid}`, task: `thousand-${i}`, claim: randomUUID(), larry: 'larry-01', worker: `thousand-${i}-worker`, plannedNode: 'none', attempt: 1, limitMs: 600_000 });

async function openLauncher(counter, template, env) {
  const cluster = await openLive({ kubeconfig: counter.kubeconfig, rate });
  return JobLauncher.open({ larry: 'larry-01', template: parseJobTemplate(template, 'default', 'template'), namespace: 'default', cluster, log: silent, nodeAffinity: 'preferred', env });
}

/** One run of tasks that do nothing. `firstStepMs`: of its first task, from the launch, which follows the claim at once. */
async function aRun(redis, kind, counter, tasks) {
  const prefix = `bench-${randomUUID()}:`;
  const client = await redis.client({ prefix });
  const coordination = new Coordination(client);
  const env = { REDIS_URL: redis.url, LARRY_PREFIX: prefix };
  counter.reset();
  const workerOf = () => openLauncher(counter, jobTemplate({ image: 'larry-01', args: ['apps/larry-01/dist/worker.js'], env: Object.entries(env).map(([name, value]) => ({ name, value })) }), {});
  const launcher = kind === 'process' ? new ProcessLauncher({ program: program('first-step.cjs'), env, logFolder: temporaryFolder() }) : await workerOf();
  const openRequests = counter.total();
  counter.reset();
  const launchedAt = new Map();
  const observed = new Proxy(launcher, { get: (target, name) => (name === 'launch' ? (order) => (launchedAt.set(order.task, Date.now()), target.launch(order)) : bound(target, name)) });
  const engine = new LarryEngine({ larry: 'larry-01', coordination, launcher: observed, log: silent, maxWorkers: 8 });
  const ids = Array.from({ length: tasks }, (_, i) => `task-${i}-${randomUUID().slice(0, 8)}`);
  await coordination.createRun(aRunSpec(ids.map((id) => aRunTask({ id, worker: `${id}-worker` }))));
  await engine.start();
  try {
    await until('the run', async () => (await coordination.snapshot()).tasks.filter((t) => !t.converge).every((t) => t.status === 'completed'), 120_000);
    const at = Number(await client.commands.hget(client.key('first-step'), ids[0]));
    return { firstStepMs: at - launchedAt.get(ids[0]), requests: counter.total(), kinds: counter.byKind(), openRequests };
  } finally {
    await engine.stop();
    await launcher.close?.();
    await client.close();
  }
}

function bound(target, name) {
  const value = target[name];
  return typeof value === 'function' ? value.bind(target) : value;
}

const worded = (kinds) => Object.entries(kinds).map(([what, n]) => `${n} ${what}`).join(', ') || 'none';
