// Every service as its own process, over a real Redis and a simulated cluster; and a worker process' whole life.
import path from 'node:path';
import { app } from '../libraries.mjs';
import { cpuMs, residentBytes, runMeasured, start, startReady, temporaryFolder } from '../children.mjs';
import { mb, median, ms, until } from '../measure.mjs';

const names = ['meta-coordinator', 'larry-01', 'larry-02', 'larry-03'];
const settleMs = 3000;

export async function services({ redis, quick }) {
  const folder = temporaryFolder();
  const kubeconfig = path.join(folder, 'kubeconfig');
  const sim = await startReady([app('cli'), 'sim', 'up', '--kubeconfig', kubeconfig]);
  const rows = [];
  try {
    const env = environment(redis, folder, kubeconfig);
    const node = median(await many(quick ? 3 : 5, async () => (await start(['-e', '0']).exited).took));
    rows.push({ what: 'node -e 0', measured: ms(node), note: 'the limit: Node alone' });
    for (const name of names) rows.push(await serviceRow(name, env, quick ? 1 : 3));
    rows.push(await workerRow(env, node, quick ? 3 : 7));
    rows.push({ what: 'simulated cluster, for comparison', measured: `${ms(sim.readyMs)}, ${mb(residentBytes(sim.pid))}`, note: 'no aim' });
  } finally {
    await sim.stop();
  }
  return { title: 'Start to ready, resident memory', rows };
}

function environment(redis, folder, kubeconfig) {
  const workers = Object.fromEntries(names.slice(1).map((name) => [name, app(name, 'worker.js')]));
  return {
    REDIS_URL: redis.url,
    LARRY_PREFIX: 'bench-services:',
    PORT: '0',
    LARRY_KUBECONFIG: kubeconfig,
    LARRY_STATE_DIR: folder,
    LARRY_AUDIT_LOG: path.join(folder, 'audit.jsonl'),
    LARRY_LOG_DIR: folder,
    LARRY_WORKER_PROGRAMS: JSON.stringify(workers),
  };
}

async function serviceRow(name, env, count) {
  const seen = await many(count, async () => {
    const service = await startReady([app(name)], env);
    try {
      await until(`${name} ready`, async () => (await fetch(`http://127.0.0.1:${service.ready.port}/readyz`)).ok, 20_000, 10);
      const readyMs = performance.now() - service.began;
      const cpu = cpuMs(service.pid);
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      return { readyMs, cpu, resident: residentBytes(service.pid) };
    } finally {
      await service.stop();
    }
  });
  const readyMs = median(seen.map((s) => s.readyMs));
  const resident = median(seen.map((s) => s.resident));
  return { what: name, measured: `${ms(readyMs)}, ${mb(resident)}`, note: `to /readyz 200 (${ms(median(seen.map((s) => s.cpu)))} CPU); memory 3 s later.`, aim: 'under 1.5 s, under 120 MB', met: readyMs < 1500 && resident < 120e6 };
}

/** A worker whose run is not there: starts, connects, is refused, exits 2: all that a worker does beside its task. */
async function workerRow(env, node, count) {
  const order = { LARRY_RUN: 'none', LARRY_TASK: 'none', LARRY_CLAIM: 'none', LARRY_ID: 'larry-02', LARRY_WORKER: 'bench', LARRY_PLANNED_NODE: 'none', LARRY_ATTEMPT: '1' };
  const seen = await many(count, () => runMeasured([app('larry-02', 'worker.js')], { ...env, ...order }));
  const wrong = seen.find(({ code }) => code !== 2);
  if (wrong) throw new Error(`the worker exits ${wrong.code}, not 2: ${wrong.err}${wrong.out}`);
  const took = median(seen.map((s) => s.took));
  return { what: 'a worker process without its task', measured: `${ms(took)}, ${mb(median(seen.map((s) => s.peak)))}`, note: `start, connect, refused, exit (${ms(median(seen.map((s) => s.cpu)))} CPU); Node alone is ${ms(node)} of it` };
}

async function many(count, measure) {
  const seen = [];
  for (let i = 0; i < count; i++) seen.push(await measure());
  return seen;
}
