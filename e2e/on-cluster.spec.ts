import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { hasKubeTools } from '@larry/simulation/testing';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { approvalKeys, journalKey } from './src/approval-keys';
import { chartFolder, charts, chartTools, repository, type ChartTools } from './src/helm';
import { startSimulation, type SimulationProcess } from './src/simulation';

const itWithTools = hasKubeTools() && process.platform === 'linux' ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine, or no Linux

/**
 * The four releases on a cluster, by the real helm and kubectl: our own programs run in its pods, workers are Jobs. The
 * cluster is `larry sim up`; Redis is a real one outside of it.
 */
const token = 'a-token-for-this-test';
let simulation: SimulationProcess;
let redis: TestRedis;
let tools: ChartTools | undefined;
let api = '';

interface Task {
  task: string;
  larry: string;
  worker: string;
  node: string;
  plannedNode: string;
  status: string;
  skipReason?: string;
}
interface PodList {
  items: { metadata: { name: string; labels: Record<string, string> }; spec: { nodeName: string }; status: { phase: string; podIP: string } }[];
}

beforeAll(async () => {
  [redis, simulation] = await Promise.all([testRedis(), startSimulation()]);
  tools = await chartTools(simulation.kubeconfig);
  await Promise.all(charts.map(install));
  for (const chart of charts) await kubectl('rollout', 'status', `deployment/${nameOf(chart)}`, '-n', chart, '--timeout=60s');
  api = `http://${(await podsOf('meta-coordinator', 'app.kubernetes.io/name=meta-coordinator')).items[0]?.status.podIP}:8080`;
}, 180_000);
afterAll(async () => {
  tools?.end();
  await simulation?.stop();
  await redis?.stop();
}, 60_000);

const nameOf = (chart: string): string => (chart === 'meta-coordinator' ? chart : `${chart}-coordinator`);

async function kubectl(...args: string[]): Promise<string> {
  const { code, out, err } = await (tools as ChartTools).kubectl(...args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
  return out;
}

async function helm(...args: string[]): Promise<string> {
  const { code, out, err } = await (tools as ChartTools).helm(...args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${err}`);
  return out;
}

const image = (chart: string): string[] => ['--set', `image.repository=registry.example/${chart}`];

/** The Secrets that a chart asks for, and the chart. */
async function install(chart: string): Promise<void> {
  if (chart === 'meta-coordinator') await kubectl('create', 'namespace', chart);
  const secret = (name: string, ...from: string[]) => kubectl('create', 'secret', 'generic', name, '-n', chart, ...from);
  const file = (key: string, name: string) => `--from-file=${key}=${name}`;
  await secret('larry-redis', `--from-literal=url=${redis.url}`);
  await secret('larry-keys', file('approval.pub', approvalKeys.publicKey), file('journal.key', journalKey));
  if (chart === 'meta-coordinator') {
    const tokens = JSON.stringify({ tester: createHash('sha256').update(token).digest('hex') });
    await secret('larry-approval-key', file('approval.key', approvalKeys.privateKey));
    await secret('larry-tokens', `--from-literal=tokens.json=${tokens}`);
  }
  await helm('install', chart, chartFolder(chart), '-n', chart, ...image(chart));
}

async function podsOf(namespace: string, selector: string): Promise<PodList> {
  return JSON.parse(await kubectl('get', 'pods', '-n', namespace, '-l', selector, '-o', 'json')) as PodList;
}

const asMe = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

async function begin(): Promise<string> {
  const plan: unknown = parse(readFileSync(path.join(repository, 'plans', '3-larry.yaml'), 'utf8'));
  const answer = await fetch(`${api}/runs`, { method: 'POST', headers: asMe, body: JSON.stringify({ plan, mode: 'observe', allow: [] }) });
  const text = await answer.text();
  expect([answer.status, text]).toEqual([201, expect.stringContaining('"run"')]);
  return (JSON.parse(text) as { run: string }).run;
}

async function current(): Promise<{ status: string; tasks: Task[] }> {
  const answer = await fetch(`${api}/runs/current`, { headers: asMe });
  return (await answer.json()) as { status: string; tasks: Task[] };
}

const jobsOf = async (larry: string): Promise<string[]> => (await kubectl('get', 'jobs', '-n', larry, '-l', 'app=larry-worker', '-o', 'name')).split('\n').filter(Boolean);

itWithTools('a run goes to its end with Jobs on the nodes of the plan, while its releases are scaled, upgraded and rolled back', async () => {
  const followed = (tools as ChartTools).kubectl('logs', '-n', 'larry-01', '-l', 'app=larry-coordinator', '-f');
  await begin();
  await eventually(async () => expect((await jobsOf('larry-03')).length).toBeGreaterThan(0), 30_000);
  await kubectl('scale', '-n', 'larry-03', 'deployment/larry-03-coordinator', '--replicas', '2');
  await helm('upgrade', 'larry-03', chartFolder('larry-03'), '-n', 'larry-03', ...image('larry-03'), '--set', 'logLevel=debug');
  await helm('rollback', 'larry-03', '1', '-n', 'larry-03');
  expect(await kubectl('get', 'deployment', '-n', 'larry-03', 'larry-03-coordinator', '-o', 'jsonpath={.spec.replicas}')).toBe('2');

  await eventually(async () => expect((await current()).status).toBe('completed'), 100_000);
  const { tasks } = await current();
  expect(tasks.filter(({ status }) => status === 'failed')).toEqual([]);
  expect(tasks.filter(({ status }) => status === 'completed').length).toBeGreaterThanOrEqual(6);
  for (const { larry, worker, plannedNode } of tasks.filter(({ status }) => status === 'completed')) {
    const { items } = await podsOf(larry, 'app=larry-worker');
    const pods = items.filter((pod) => pod.metadata.labels['batch.kubernetes.io/job-name']?.startsWith(`${larry}-${worker}`));
    expect(pods.map((pod) => [pod.spec.nodeName, pod.status.phase])).toContainEqual([plannedNode, 'Succeeded']);
  }

  await kubectl('rollout', 'status', '-n', 'larry-03', 'deployment/larry-03-coordinator', '--timeout=60s');
  await kubectl('scale', '-n', 'larry-01', 'deployment/larry-01-coordinator', '--replicas', '0');
  expect((await followed).out).toContain('"larry":"larry-01"');
  await kubectl('scale', '-n', 'larry-01', 'deployment/larry-01-coordinator', '--replicas', '1');
  await kubectl('rollout', 'status', '-n', 'larry-01', 'deployment/larry-01-coordinator', '--timeout=60s');
}, 180_000);

itWithTools('a release that is uninstalled while a run goes on is gone, and no process outlives a simulation that is killed', async () => {
  await begin();
  await eventually(async () => expect((await jobsOf('larry-02')).length).toBeGreaterThan(0), 30_000);
  await helm('uninstall', 'larry-02', '-n', 'larry-02', '--wait');
  await eventually(async () => expect(await jobsOf('larry-02')).toEqual([]), 30_000);
  await eventually(async () => expect((await podsOf('larry-02', 'app.kubernetes.io/instance=larry-02')).items).toEqual([]), 30_000);
  expect(simulation.processes().length).toBeGreaterThanOrEqual(3);
  simulation.child.kill('SIGKILL');
  await eventually(() => expect(simulation.processes()).toEqual([]), 30_000);
}, 120_000);
