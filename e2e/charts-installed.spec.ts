import { startSimulatedCluster, type SimulatedCluster } from '@larry/simulation';
import { hasKubeTools } from '@larry/simulation/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { chartFolder, charts, chartTools, kubectlOf, objectsOf, repository, type ChartTools } from './src/helm';

const execute = promisify(execFile);

const itWithTools = hasKubeTools() ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine (put them on PATH, or set HELM and KUBECTL)

/**
 * Each chart installed, scaled, upgraded, rolled back and uninstalled by the real helm and kubectl, against the simulated
 * cluster. No program of ours runs here: the image is one that no node has.
 */
let cluster: SimulatedCluster;
let tools: ChartTools;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  if (hasKubeTools()) tools = (await chartTools(cluster.kubeconfig)) as ChartTools;
});
afterAll(async () => {
  tools?.end();
  await cluster.close();
});

const image = (chart: string): string[] => ['--set', `image.repository=registry.example/not-built/${chart}`];
const name = (chart: string): string => (chart === 'meta-coordinator' ? chart : `${chart}-coordinator`);

function upgrade(chart: string, ...args: string[]) {
  return tools.helm('upgrade', '--install', chart, chartFolder(chart), '-n', chart, '--create-namespace', ...image(chart), ...args);
}

const kubectl = (...args: string[]): Promise<string> => kubectlOf(tools, ...args);

async function makeSecrets(chart: string): Promise<void> {
  if (chart === 'meta-coordinator') await kubectl('create', 'namespace', chart);
  const secret = (secretName: string, ...literals: string[]) => kubectl('create', 'secret', 'generic', secretName, '-n', chart, ...literals.map((literal) => `--from-literal=${literal}`));
  await secret('larry-redis', 'url=redis://redis-cluster.redis-ha.svc.cluster.local:6379');
  if (chart !== 'meta-coordinator') await secret('larry-keys', 'approval.pub=x', 'journal.key=y');
  else await Promise.all([secret('larry-keys', 'journal.key=y'), secret('larry-approval-key', 'approval.key=x'), secret('larry-tokens', 'tokens.json={}')]);
}

const replicas = async (chart: string): Promise<string> => kubectl('get', 'deployment', name(chart), '-n', chart, '-o', 'jsonpath={.spec.replicas}');

/** Everything of ours, in every namespace; what helm keeps on purpose and its own records are not among it. */
async function ours(chart: string): Promise<string[]> {
  const found = await kubectl('get', 'all,configmap,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,poddisruptionbudget,networkpolicy,horizontalpodautoscaler', '-A', '-l', `app.kubernetes.io/instance=${chart}`, '-o', 'name');
  return found.split('\n').filter(Boolean);
}

itWithTools.each(charts)('%s says in one sentence which Secret is missing, then is installed, scaled, upgraded, rolled back and uninstalled', async (chart) => {
  const refused = await upgrade(chart);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toMatch(new RegExp(`the Secret "larry-redis" is missing in namespace "${chart}": kubectl create secret generic larry-redis`));
  await makeSecrets(chart);
  const installed = await upgrade(chart);
  expect([installed.code, installed.err]).toEqual([0, expect.not.stringMatching(/error|warning/i)]);
  expect(installed.out).toContain(chart === 'meta-coordinator' ? 'kubectl port-forward' : `kubectl logs -n ${chart} -l app=larry-coordinator -f`);
  expect(await replicas(chart)).toBe('1');

  await kubectl('scale', '-n', chart, `deployment/${name(chart)}`, '--replicas', '3');
  const upgraded = await upgrade(chart, '--set', 'logLevel=debug');
  expect([upgraded.code, await replicas(chart)]).toEqual([0, '3']);
  expect(await kubectl('get', 'deployment', name(chart), '-n', chart, '-o', 'yaml')).toContain('value: debug');
  const back = await tools.helm('rollback', chart, '1', '-n', chart);
  expect([back.code, back.err, await replicas(chart)]).toEqual([0, '', '3']);
  expect(await kubectl('get', 'deployment', name(chart), '-n', chart, '-o', 'yaml')).not.toContain('value: debug');

  const before = await ours(chart);
  expect(before).toEqual(expect.arrayContaining([`deployment.apps/${name(chart)}`, `clusterrole.rbac.authorization.k8s.io/${chart}-read`]));
  const gone = await tools.helm('uninstall', chart, '-n', chart, '--wait');
  expect([gone.code, await ours(chart)]).toEqual([0, []]);
});

itWithTools.each([
  ['larry-01', 'fix-pgadmin-crashloop', ['secrets']],
  ['larry-02', 'security-scan-group-02', []],
  ['larry-03', 'catalog-deployments', ['secrets']],
])('the account that %s gives its workers may read all that %s looks at', async (chart, task, closed) => {
  expect((await upgrade(chart, '--set', 'checkSecrets=false')).code).toBe(0);
  const token = (await kubectl('create', 'token', `${chart}-worker`, '-n', chart)).trim();
  const config = parse(cluster.kubeconfig) as { users: { user: unknown }[] };
  config.users.forEach((user) => (user.user = { token }));
  const kubeconfig = tools.file(`${chart}.kubeconfig`, stringify(config));
  const { stdout } = await execute(process.execPath, ['apps/cli/dist/main.js', 'playbook', 'run', task, '--json', '--kubeconfig', kubeconfig], { cwd: repository, maxBuffer: 64 * 1024 * 1024 });
  const refused = [...stdout.matchAll(/forbidden: (\S+) is forbidden/g)].map(([, resource]) => resource as string);
  // Other custom resources are the operator's to name (rbac.customResources).
  expect([...new Set(refused)].filter((resource) => !/\.(traefik|cert-manager)\.io$|\.coreos\.com$/.test(resource))).toEqual(closed);
  expect((await tools.helm('uninstall', chart, '-n', chart, '--wait')).code).toBe(0);
}, 60_000);

itWithTools('a write right for a namespace that is not there is refused by its name', async () => {
  const { code, err } = await upgrade('larry-01', '--set', 'rbac.writeNamespaces={no-such}', '--set', 'storage.size=1Gi', '--dry-run=server');
  expect(code).not.toBe(0);
  expect(err).toContain('rbac.writeNamespaces: there is no namespace "no-such" in this cluster');
});

itWithTools('the API server takes every object of every set of values, the Jobs that the coordinator would make with its own account included', async () => {
  for (const chart of charts) {
    const objects = await tools.template(chart, '-f', `${chartFolder(chart)}/ci/strict-values.yaml`);
    const file = tools.file(`${chart}.yaml`, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    expect((await kubectl('create', '--dry-run=server', '--validate=strict', '-f', file)).trim().split('\n')).toHaveLength(objects.length);
    if (chart === 'meta-coordinator') continue;
    const template = objects.find(({ metadata }) => metadata.name === `${chart}-job`)?.['data'] as Record<string, string>;
    const [job] = objectsOf(template['job.yaml'] ?? '');
    const named = { ...job, metadata: { ...job?.metadata, name: `${chart}-cleanup-worker`, namespace: chart } };
    expect((await upgrade(chart)).code).toBe(0);
    const made = await kubectl('create', '--dry-run=server', '--validate=strict', '-f', tools.file('job.json', JSON.stringify(named)), '--as', `system:serviceaccount:${chart}:${chart}-coordinator`);
    expect(made).toContain(`job.batch/${chart}-cleanup-worker created (server dry run)`);
    const elsewhere = await tools.kubectl('auth', 'can-i', 'create', 'jobs', '-n', 'database', '--as', `system:serviceaccount:${chart}:${chart}-coordinator`);
    expect(elsewhere.out.trim()).toBe('no');
  }
});
