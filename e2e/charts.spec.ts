import { hasKubeTools } from '@larry/simulation/testing';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chartFolder, charts, chartTools, objectsOf, repository, valueFiles, type ChartTools, type Rendered } from './src/helm';

const itWithTools = hasKubeTools() ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine (put them on PATH, or set HELM and KUBECTL)

/** What the charts render, by the real helm without a cluster. Installing is `charts-installed.spec.ts`. */
let tools: ChartTools;
beforeAll(async () => {
  if (hasKubeTools()) tools = (await chartTools()) as ChartTools;
});
afterAll(() => tools?.end());

const image = (chart: string): string[] => ['--set', `image.repository=localhost/larry/${chart}`];
const kinds = ['monitoring.coreos.com/v1/ServiceMonitor', 'monitoring.coreos.com/v1/PrometheusRule', 'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy'];
const served = kinds.flatMap((kind) => ['--api-versions', kind]);

const named = (objects: Rendered[], kind: string): Rendered[] => objects.filter((object) => object.kind === kind);
interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}
const rulesOf = (objects: Rendered[]): Rule[] => objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole').flatMap((role) => role['rules'] as Rule[]);
const reads = ['get', 'list', 'watch'];

it('what is generated is current: charts of the Larrys, rights, schemas, READMEs', () => {
  execFileSync(process.execPath, ['tools/charts.mjs', '--check'], { cwd: repository, stdio: 'pipe' });
});

itWithTools.each(charts.flatMap((chart) => valueFiles(chart).map((file) => [chart, path.basename(file), file])))('%s lints and renders with %s', async (chart, _, file) => {
  const lint = await tools.helm('lint', '--strict', chartFolder(chart), '-f', file, ...image(chart));
  expect([lint.code, lint.out]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
  const objects = await tools.template(chart, '-f', file, ...image(chart), ...served);
  const deployment = named(objects, 'Deployment')[0];
  expect(deployment?.metadata.namespace).toBe(chart);
  // Only a value makes the number of replicas Helm's.
  expect('replicas' in (deployment?.['spec'] as object)).toBe(file.endsWith('strict-values.yaml'));
  for (const { apiGroups, resources, verbs } of rulesOf(objects)) expect([...apiGroups, ...resources, ...verbs]).not.toContain('*');
});

describe.each(charts)('%s', (chart) => {
  itWithTools('may by default read no Secret and change nothing but the Jobs of its own namespace', async () => {
    const objects = await tools.template(chart, ...image(chart), ...served);
    const rules = rulesOf(objects);
    expect(rules.filter(({ resources }) => resources.includes('secrets'))).toEqual([]);
    const writes = rules.flatMap(({ resources, verbs }) => verbs.filter((verb) => !reads.includes(verb)).map((verb) => `${verb} ${resources.join(',')}`));
    expect(writes).toEqual(chart === 'meta-coordinator' ? [] : ['create jobs', 'delete jobs']);
    expect(named(objects, 'ValidatingAdmissionPolicy')).toEqual([]);
  });

  itWithTools('refuses to name an image that nobody can pull', async () => {
    await expect(tools.template(chart)).rejects.toThrow(/image\.repository is not given: .*scripts\/images/);
  });

  // The three Larrys have one schema.
  itWithTools.each(chart === 'larry-02' || chart === 'larry-03' ? [['logLevel=loud', '/logLevel']] : [
    ['replicas=many', '/replicas'],
    ['image.digest=sha256:1', '/image/digest'],
    ['redis.url=redis://user:word@redis:6379', '/redis/url'],
    ['node.affinity=sometimes', '/node/affinity'],
    ['resources.limits.memory=lots', '/resources/limits/memory'],
    ['rbac.readNamespaces={Not_A_Namespace}', '/rbac/readNamespaces/0'],
    ['logLevel=loud', '/logLevel'],
    ['replica=2', "'replica' not allowed"],
    ['rbac.customResources[0].apiGroup=*', '/rbac/customResources/0'],
  ])('refuses %s and names the value', async (value, name) => {
    await expect(tools.template(chart, ...image(chart), '--set', value)).rejects.toThrow(name);
  });

  itWithTools('has nothing for our own check to find but the right to create Jobs, which is what it is for', async () => {
    const objects = await tools.template(chart, '-f', path.join(chartFolder(chart), 'ci', 'strict-values.yaml'), '--set', 'rbac.readSecrets=false');
    expect(checked([...objects, ...jobsOf(objects)])).toEqual(chart === 'meta-coordinator' ? [] : [`rbac/create-pods RoleBinding ${chart}-launch`]);
  });
});

itWithTools("the check would find what the charts avoid: a worker's pod without its security context", async () => {
  const [job] = jobsOf(await tools.template('larry-01', '-f', path.join(chartFolder('larry-01'), 'ci', 'strict-values.yaml')));
  const spec = (job?.['spec'] as { template: { spec: { containers: Record<string, unknown>[] } } }).template.spec;
  delete spec.containers[0]?.['securityContext'];
  expect(checked([job as Rendered]).join()).toMatch(/pss-restricted/);
});

describe('the template of the Jobs', () => {
  itWithTools("has what the launcher asks for, the worker's account, and neither name nor work order", async () => {
    const [job] = jobsOf(await tools.template('larry-02', ...image('larry-02')), false);
    expect(job).toMatchObject({
      apiVersion: 'batch/v1',
      metadata: { labels: { app: 'larry-worker', 'larry-instance': 'larry-02' } },
      spec: { backoffLimit: 0, podReplacementPolicy: 'Failed', ttlSecondsAfterFinished: 86400, template: { spec: { restartPolicy: 'Never', serviceAccountName: 'larry-02-worker' } } },
    });
    expect(job?.metadata.name).toBeUndefined();
    const [worker] = (job as unknown as { spec: { template: { spec: { containers: { args: string[]; env: { name: string }[] }[] } } } }).spec.template.spec.containers;
    expect(worker?.args).toEqual(['apps/larry-02/dist/worker.js']);
    expect(worker?.env.map(({ name }) => name).filter((name) => /^LARRY_(RUN|TASK|CLAIM)$/.test(name))).toEqual([]);
  });

  itWithTools('changes the checksum in the pods of its coordinator, so that they are replaced', async () => {
    const sum = async (...args: string[]): Promise<unknown> => {
      const [deployment] = named(await tools.template('larry-01', ...image('larry-01'), ...args), 'Deployment');
      return (deployment?.['spec'] as { template: { metadata: { annotations: Record<string, string> } } }).template.metadata.annotations['checksum/config'];
    };
    const [before, same, after] = [await sum(), await sum('--set', 'podDisruptionBudget.enabled=false'), await sum('--set', 'workers.ttlSecondsAfterFinished=120')];
    expect(same).toBe(before);
    expect(after).not.toBe(before);
  });
});

describe('writing', () => {
  const write = [...image('larry-01'), '--set', 'rbac.writeNamespaces={database}'];

  itWithTools('is a Role in the listed namespaces alone, and confined to the declared fields where the cluster has policies', async () => {
    const objects = await tools.template('larry-01', ...write, '--set', 'storage.size=1Gi', ...served);
    const roles = named(objects, 'Role').filter(({ metadata }) => metadata.name.endsWith('-write'));
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['database']);
    const policies = named(objects, 'ValidatingAdmissionPolicy');
    expect(policies.filter((policy) => !JSON.stringify(policy).includes('system:serviceaccount:larry-01:larry-01-worker'))).toEqual([]);
    expect(policies.map((policy) => JSON.stringify(policy)).join()).toContain('/spec/template/spec/securityContext');
    const bound = named(objects, 'ValidatingAdmissionPolicyBinding').map(({ spec }) => (spec as { policyName: string }).policyName);
    expect(bound).toEqual(policies.map(({ metadata }) => metadata.name));
    // Not v1 alone: an IngressRoute of Traefik has none, and would not be looked at.
    expect(policies.filter((policy) => !JSON.stringify(policy).includes('"apiVersions":["*"]'))).toEqual([]);
  });

  itWithTools('needs an audit log that outlives the pod', async () => {
    await expect(tools.template('larry-01', ...write)).rejects.toThrow(/rbac\.writeNamespaces needs storage\.size or storage\.claim/);
    await expect(tools.template('meta-coordinator', ...image('meta-coordinator'), '--set', 'modesAllowed={ask}')).rejects.toThrow(/modesAllowed: ask and auto need storage/);
  });

  itWithTools('is refused for a Larry whose playbooks declare no write', async () => {
    const args = [...image('larry-03'), '--set', 'rbac.writeNamespaces={database}', '--set', 'storage.size=1Gi'];
    await expect(tools.template('larry-03', ...args)).rejects.toThrow(/no playbook of larry-03 declares a write/);
  });
});

describe('repairing through Helm', () => {
  const repair = [...image('larry-01'), '--set', 'repair.helm.namespaces={shop}'];

  itWithTools('is a Role over Secrets in the named namespaces alone, narrowed by policies, and a helm for the Jobs', async () => {
    const objects = await tools.template('larry-01', ...repair, '--set', 'storage.size=1Gi', ...served);
    const withSecrets = objects.filter((object) => /Role$/.test(object.kind) && (object['rules'] as Rule[]).some(({ resources }) => resources.includes('secrets')));
    expect(withSecrets.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toEqual(['Role shop/larry-01-helm']);
    expect(named(objects, 'RoleBinding').filter(({ metadata }) => metadata.namespace === 'shop').map(({ subjects }) => subjects)).toEqual([[{ kind: 'ServiceAccount', name: 'larry-01-worker', namespace: 'larry-01' }]]);
    const policies = named(objects, 'ValidatingAdmissionPolicy');
    const ofSecrets = policies.filter((policy) => JSON.stringify(policy).includes('"secrets"'));
    expect(ofSecrets.map((policy) => JSON.stringify(policy))).toEqual([expect.stringMatching(/"CREATE","UPDATE","DELETE".*larry-01:larry-01-worker.*helm\.sh\/release\.v1.*managedFields/)]);
    expect(named(objects, 'ValidatingAdmissionPolicyBinding')).toHaveLength(policies.length);
    expect(JSON.stringify(jobsOf(objects))).toContain('{"name":"LARRY_HELM","value":"/opt/larry/bin/helm"}');
    expect(JSON.stringify(jobsOf(await tools.template('larry-01', ...image('larry-01'), ...served)))).not.toContain('LARRY_HELM');
  });

  itWithTools('leaves every ConfigMap as it is, but in the namespaces where writing is allowed as well', async () => {
    const strict = async (...more: string[]): Promise<string[]> => {
      const policies = named(await tools.template('larry-01', ...repair, '--set', 'storage.size=1Gi', ...served, ...more), 'ValidatingAdmissionPolicy');
      return policies.map((policy) => JSON.stringify(policy)).filter((policy) => policy.includes('["configmaps"]') && policy.includes('/metadata/managedFields only'));
    };
    expect(await strict()).toEqual([expect.not.stringContaining('request.namespace')]);
    expect(await strict('--set', 'rbac.writeNamespaces={database,web}')).toEqual([expect.stringContaining(`!(request.namespace in ['database','web'])`)]);
  });

  itWithTools.each([
    ['larry-01', ['--set', 'storage.size=1Gi'], 'needs an API server with ValidatingAdmissionPolicies'],
    ['larry-01', served, 'needs storage.size or storage.claim'],
    ['larry-03', [...served, '--set', 'storage.size=1Gi'], 'no playbook of larry-03 repairs through Helm'],
  ])('is refused for %s with %j', async (chart, more, sentence) => {
    await expect(tools.template(chart, ...image(chart), ...repair.slice(2), ...more)).rejects.toThrow(sentence);
  });
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
(hasPromtool ? it : it.skip).each(charts)('the alert rules of %s are rules to promtool (skipped where none is on PATH)', (chart) => {
  const said = spawnSync('promtool', ['check', 'rules', path.join(chartFolder(chart), 'files', 'alerts.yaml')], { encoding: 'utf8' });
  expect([said.status, said.stdout]).toEqual([0, expect.stringContaining('SUCCESS: 3 rules found')]);
});

describe('scripts/images', () => {
  const images = (...args: string[]) => spawnSync('scripts/images', ['--dry-run', ...args], { cwd: repository, encoding: 'utf8' });

  it('says what it would run for every service, and runs nothing', () => {
    const { status, stderr } = images('--engine', 'podman', '--load-into', 'k3s');
    expect(status).toBe(0);
    for (const chart of charts) expect(stderr).toContain(`+ podman save localhost/larry/${chart}:0.1.0 | k3s ctr images import -`);
  });

  it.each([
    [['--engine', 'make'], '--engine make: use docker, podman or buildah'],
    [['--platform', 'linux/mips'], '--platform linux/mips: use linux/amd64'],
    [['larry-04'], 'there is no service "larry-04"'],
    [['--load-into'], '--load-into needs a value'],
    [['--engine', 'docker', '--platform', 'linux/amd64,linux/arm64', '--load-into', 'k3s'], 'several platforms in one go need --load-into registry'],
  ])('refuses %j by one sentence', (args, sentence) => {
    const { status, stderr } = images(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });
});

/** Findings of `larry check` over objects: rule, kind and name. */
function checked(objects: Rendered[]): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-charts-check-'));
  try {
    writeFileSync(path.join(folder, 'objects.yaml'), objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    const said = spawnSync(process.execPath, [path.join(repository, 'apps/cli/dist/main.js'), 'check', '--json', '--manifests', folder], { encoding: 'utf8', env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder } });
    const report = JSON.parse(said.stdout) as { findings: { rule: string; object: { kind: string; name: string } }[] };
    return report.findings.map(({ rule, object }) => `${rule} ${object.kind} ${object.name}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Jobs that ConfigMaps hold the templates of, named as the launcher would. */
function jobsOf(objects: Rendered[], complete = true): Rendered[] {
  return named(objects, 'ConfigMap').flatMap(({ data, metadata }) => {
    const [job] = objectsOf((data as Record<string, string>)['job.yaml'] ?? '');
    if (!job) return [];
    return [complete ? { ...job, metadata: { ...job.metadata, name: `${metadata.name}-attempt`, namespace: metadata.namespace as string } } : job];
  });
}
