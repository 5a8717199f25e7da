import { eventually, testRedis } from '@larry/redis/testing';
import { hasKubeTools } from '@larry/simulation/testing';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chartTools, kubectlOf, repository } from './src/helm';
import { startSimulation } from './src/simulation';
import { differences, type Inventory, type Thing } from './src/try-cluster/inventory';
import type { StepOutcome } from './src/try-cluster/report';

const itWithTools = hasKubeTools() && process.platform === 'linux' ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine, or no Linux
const folder = mkdtempSync(path.join(tmpdir(), 'larry-trial-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tryCluster(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; out: string; err: string }> {
  const { KUBECONFIG: _, ...own } = process.env;
  return new Promise((resolve) => {
    execFile(path.join(repository, 'scripts/try-cluster'), words, { env: { ...own, ...env }, timeout: 280_000 }, (error, out, err) => {
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, out, err });
    });
  });
}

itWithTools('install, a run in trouble, scale, upgrade, rollback and uninstall by the real helm and kubectl leave nothing behind, and nothing is done twice', async () => {
  const evidence = path.join(folder, 'trial.json');
  // Three minutes and leases of 30 s, at a fifteenth and a sixth: the pull still takes longer than two leases.
  const tried = await tryCluster(['--pull-seconds', '12', '--lease-ms', '5000', '--json', evidence]);
  const { steps } = JSON.parse(readFileSync(evidence, 'utf8')) as { steps: StepOutcome[] };
  expect(steps.filter(({ outcome }) => outcome !== 'done')).toEqual([]);
  const said = (step: string): string => steps.find((s) => s.step === step)?.said ?? '';
  expect(said('the run ends')).toMatch(/completed, exit code 0: \d+ completed, \d+ skipped, 0 failed; attempts beyond the first: .*2/);
  expect(said('Jobs on the nodes of the plan')).toMatch(/^16 of 16 tasks .*had a Job/);
  expect(said('nothing is done twice')).toMatch(/^16 tasks ended once each in Redis' stream; at the API server \d+ Jobs were made, each once, and 0 changes of the run/);
  expect(said('helm uninstall takes the Jobs')).toMatch(/Jobs and their pods went with the release/);
  expect(said('nothing is left behind')).toMatch(/by uid the same as before/);
  expect([tried.code, tried.err]).toEqual([0, '']);
}, 300_000);

itWithTools("does nothing to somebody's cluster without --yes; and no program outlives a simulation that is killed", async () => {
  const [simulation, redis] = await Promise.all([startSimulation(), testRedis()]);
  const tools = await chartTools(simulation.kubeconfig);
  const kubeconfig = tools?.file('try.kubeconfig', simulation.kubeconfig) ?? '';
  const unasked = await tryCluster(['--images', 'registry.example', '--redis-url', redis.url], { KUBECONFIG: kubeconfig });
  expect(unasked).toMatchObject({ code: 2, out: expect.stringMatching(/On larry-simulated .*\(SIMULATED\) this will/) as unknown, err: 'try-cluster: nothing was done: add --yes to do it\n' });
  expect(await kubectlOf(tools, 'get', 'namespace', 'meta-coordinator', '--ignore-not-found')).toBe('');

  const env = [{ name: 'REDIS_URL', value: redis.url }, { name: 'LARRY_LISTEN', value: '0.0.0.0' }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'p', image: 'localhost/larry-01', args: ['apps/larry-01/dist/main.js'], env }] } };
  await kubectlOf(tools, 'create', '-n', 'default', '-f', tools?.file('pod.json', JSON.stringify(pod)) ?? '');
  await eventually(() => expect(simulation.processes()).toHaveLength(1), 30_000);
  simulation.child.kill('SIGKILL');
  await eventually(() => expect(simulation.processes()).toEqual([]), 30_000);
  await simulation.stop();
  tools?.end();
  await redis.stop();
}, 120_000);

describe('the comparison of a cluster with before', () => {
  const thing = (uid: string, more: Partial<Thing> = {}): Thing => ({ uid, name: `Thing ${uid}`, owners: [], ...more });
  const inventory = (...things: Thing[]): Inventory => ({ things: new Map(things.map((t) => [t.uid, t])), unknown: [] });

  it('tells what is left, gone and changed from what the controllers of others did', () => {
    const before = inventory(thing('deployment', { generation: 1 }), thing('old-pod', { owners: [{ uid: 'deployment' }] }), thing('config'));
    const after = inventory(thing('deployment', { generation: 2 }), thing('set', { owners: [{ uid: 'deployment' }] }), thing('new-pod', { owners: [{ uid: 'set' }] }), thing('secret'), thing('job', { owners: [{ uid: 'account-that-is-gone' }] }));
    expect(differences(before, after)).toEqual({ left: ['Thing job', 'Thing secret'], ofOthers: ['Thing new-pod', 'Thing set'], gone: ['Thing config'], changed: ['Thing deployment'] });
  });

  it('counts what was made again under its name as left and as gone, and is not caught by owners in a circle', () => {
    const before = inventory(thing('a', { name: 'Secret x' }));
    const after = inventory(thing('b', { name: 'Secret x', owners: [{ uid: 'c' }] }), thing('c', { name: 'Secret y', owners: [{ uid: 'b' }] }));
    expect(differences(before, after)).toMatchObject({ left: ['Secret x', 'Secret y'], gone: ['Secret x'] });
  });
});
