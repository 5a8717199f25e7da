// What an idle crew on a cluster asks of the API server, and what watching many pods costs.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { apiCounter, configOf } from '../api-counter.mjs';
import { bigCluster } from '../big-cluster.mjs';
import { runMeasured, startReady, temporaryFolder } from '../children.mjs';
import { jobTemplate } from '../job-template.mjs';
import { app, program } from '../libraries.mjs';
import { mb } from '../measure.mjs';

/** As a kubelet asks. */
const probeEveryMs = 10_000;
/** Longer than a watch lives (240 s), so that each is begun anew at least once. */
const idleMs = 300_000;
const quickMs = 30_000;
const template = jobTemplate({ image: 'larry-01', args: ['apps/larry-01/dist/worker.js'] });

export async function idle({ redis, quick }) {
  const sim = await startReady([program('simulation.cjs')], { BENCH_ROOT: temporaryFolder() });
  try {
    const services = await Promise.all(['larry-01', 'meta-coordinator'].map((name) => idling(name, redis, sim.ready, quick ? quickMs : idleMs)));
    return { title: 'An idle crew whose workers are Jobs', rows: [...services, ...(await watching(quick ? 1000 : 10_000))] };
  } finally {
    await sim.stop();
  }
}

async function idling(name, redis, { url, token }, forMs) {
  const counter = await apiCounter(url, token);
  const folder = temporaryFolder();
  const file = path.join(folder, 'job.yaml');
  writeFileSync(file, template);
  const env = { REDIS_URL: redis.url, LARRY_PREFIX: `bench-idle-${name}:`, PORT: '0', LARRY_KUBECONFIG: counter.kubeconfig, LARRY_STATE_DIR: folder, LARRY_AUDIT_LOG: path.join(folder, 'audit.jsonl'), LARRY_LAUNCHER: 'job', LARRY_JOB_TEMPLATE: file, LARRY_NAMESPACE: 'default' };
  const service = await startReady([app(name)], env);
  try {
    const probe = () => fetch(`http://127.0.0.1:${service.ready.port}/readyz`).then((r) => r.ok, () => false);
    if (!(await probe())) throw new Error(`${name} is not ready`);
    counter.reset();
    const began = performance.now();
    while (performance.now() - began < forMs) {
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
      await probe();
    }
    const seconds = (performance.now() - began) / 1000;
    const requests = counter.total();
    return { what: `${name}: requests in an hour of idling`, measured: `${Math.round((requests * 3600) / seconds)}`, note: `${requests} in ${Math.round(seconds)} s, asked for its readiness every 10 s, times ${(3600 / seconds).toFixed(1)}: ${Object.entries(counter.byKind()).map(([what, n]) => `${n} ${what}`).join(', ') || 'none'}${forMs < 240_000 ? '; shorter than a watch lives, so that no renewal is in it' : ''}` };
  } finally {
    await service.stop();
    counter.close();
  }
}

/** Its workers' pods are what a coordinator watches; here there are as many of them as the whole cluster has. */
async function watching(pods) {
  const [without, many] = [await watched(0), await watched(pods)];
  return [
    { what: 'a launcher that watches no pods', measured: mb(without.resident), note: `resident; ${mb(without.most)} at most` },
    { what: `a launcher that watches ${pods} pods of its own`, measured: mb(many.resident), note: `resident 3 s after the list; ${mb(many.most)} at most; ${Math.round((many.resident - without.resident) / pods / 102.4) / 10} kB a pod. It watches those of its own workers alone, tens of them in a run` },
  ];
}

async function watched(pods) {
  const page = [...bigCluster(500)].filter(({ kind }) => kind === 'Pod');
  const server = createServer((asked, answer) => serve(page, pods, asked, answer));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kubeconfig = path.join(temporaryFolder(), 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(configOf(`http://127.0.0.1:${server.address().port}`, 't')));
  const seen = await runMeasured([program('watch-pods.cjs'), kubeconfig, template]);
  server.closeAllConnections();
  server.close();
  if (seen.code !== 0) throw new Error(`watch-pods exits ${seen.code}: ${seen.err.slice(-300)}`);
  return JSON.parse(seen.out);
}

function serve(page, pods, asked, answer) {
  const url = new URL(asked.url, 'http://x');
  // A watch in which nothing happens.
  if (url.searchParams.has('watch')) return void answer.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
  const send = (body) => void answer.writeHead(body ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(body ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, message: 'not found' }));
  if (asked.method !== 'POST') return send(bodyOf(page, pods, url));
  let text = '';
  asked.on('data', (chunk) => (text += chunk)).on('end', () => send(JSON.parse(text)));
}

function bodyOf(page, pods, url) {
  const verbs = ['create', 'delete', 'get', 'list', 'watch'];
  if (url.pathname === '/version') return { gitVersion: 'v1.35.2+k3s1' };
  if (url.pathname === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (url.pathname === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [{ name: 'batch', versions: [{ groupVersion: 'batch/v1', version: 'v1' }], preferredVersion: { groupVersion: 'batch/v1', version: 'v1' } }] };
  if (url.pathname === '/api/v1') return { kind: 'APIResourceList', groupVersion: 'v1', resources: [{ name: 'pods', kind: 'Pod', namespaced: true, verbs }] };
  if (url.pathname === '/apis/batch/v1') return { kind: 'APIResourceList', groupVersion: 'batch/v1', resources: [{ name: 'jobs', kind: 'Job', namespaced: true, verbs }] };
  if (url.pathname.endsWith('/jobs')) return { kind: 'JobList', apiVersion: 'batch/v1', metadata: { resourceVersion: '1' }, items: [] };
  if (!url.pathname.endsWith('/pods')) return undefined;
  const from = Number(url.searchParams.get('continue') ?? 0);
  const to = Math.min(pods, from + Math.min(500, Number(url.searchParams.get('limit') ?? 500)));
  const items = Array.from({ length: to - from }, (_, i) => ({ ...page[i], metadata: { ...page[i].metadata, namespace: 'default', name: `worker-${from + i}`, uid: `uid-${from + i}`, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: `job-${from + i}`, uid: `job-${from + i}`, controller: true }] } }));
  return { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1', ...(to < pods ? { continue: String(to) } : {}) }, items };
}
