import { startSimulatedCluster, type SimulatedCluster } from '@larry/simulation';
import { hasKubeTools } from '@larry/simulation/testing';
import { createPublicKey } from 'node:crypto';
import { charts, chartTools, kubectlOf, type ChartTools } from './src/helm';

const itWithTools = hasKubeTools() ? it : it.skip; // skipped: no helm 4 and kubectl 1.35 for this machine (put them on PATH, or set HELM and KUBECTL)

/** `larry install` and `larry uninstall` with the real helm, against the simulated cluster. */
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

const canary = 'pass-4f1c9e-canary';
const wanted = ['--images', 'registry.example/not-built', '--redis-url', `redis://:${canary}@redis-cluster.redis-ha.svc:6379`, '--write-namespaces', 'database', '--repair-helm', 'database', '--modes', 'observe,ask', '--user', 'ada'];

const kubectl = (...args: string[]): Promise<string> => kubectlOf(tools, ...args);

/** Names of everything that an installation could leave. */
async function everything(): Promise<string[]> {
  const kinds = 'validatingadmissionpolicy,validatingadmissionpolicybinding,namespace,secret,configmap,serviceaccount,service,deployment,statefulset,job,pvc,role,rolebinding,clusterrole,clusterrolebinding,poddisruptionbudget,networkpolicy';
  const names = await kubectl('get', kinds, '-A', '-o', 'jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}');
  return names.split('\n').filter(Boolean).sort();
}

async function secret(namespace: string, name: string): Promise<Record<string, string>> {
  const { data } = JSON.parse(await kubectl('get', 'secret', name, '-n', namespace, '-o', 'json')) as { data: Record<string, string> };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

itWithTools('shows what it would make and makes nothing: by --dry-run, and where nobody can be asked', async () => {
  const before = await everything();
  const dry = await tools.larry('install', ...wanted, '--dry-run');
  expect([dry.code, dry.err]).toEqual([0, '']);
  expect(dry.out).toMatch(/SIMULATED[\s\S]*new: meta-coordinator[\s\S]*of Secrets those in database\n {2}writes {6}what larry-01's playbooks declare, in database; repairs through Helm: Helm releases in database \(larry-01 then reads every Secret there\)[\s\S]*Nothing was made/);
  const unasked = await tools.larry('install', ...wanted);
  expect([unasked.code, unasked.err]).toEqual([2, expect.stringContaining('nobody can be asked here, and nothing was done; add --yes')]);
  const nowhere = await tools.larry('install', ...wanted.map((word) => (word === 'database' ? 'database,nowhere' : word)), '--yes');
  expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining('--write-namespaces: there is no namespace "nowhere" in this cluster')]);
  const without = await tools.larry('install', '--redis-url', 'redis://x');
  expect([without.code, without.err]).toEqual([2, expect.stringContaining('nobody can be asked here: give --images PREFIX')]);
  for (const [wrong, sentence] of [[['--modes', 'foo'], '--modes: "foo" is not one of'], [['--images', 'bad image'], '--images: "bad image" is not']] as const) {
    const refused = await tools.larry('install', ...wanted, ...wrong, '--dry-run');
    expect([refused.code, refused.out, refused.err]).toEqual([2, '', expect.stringContaining(sentence)]);
  }
  expect(await everything()).toEqual(before);
});

itWithTools('installs four releases with keys that fit each other, again without changing them, and takes everything out', async () => {
  const before = await everything();
  const installed = await tools.larry('install', ...wanted, '--yes');
  expect([installed.code, installed.err]).toEqual([0, '']);
  expect(installed.out).toMatch(/export LARRY_TOKEN=[0-9a-f]{48}/);
  const releases = JSON.parse((await tools.helm('list', '-A', '-o', 'json')).out) as { name: string; status: string }[];
  expect(releases.filter(({ name }) => (charts as readonly string[]).includes(name)).map(({ status }) => status)).toEqual(['deployed', 'deployed', 'deployed', 'deployed']);

  const { 'approval.key': privateKey = '' } = await secret('meta-coordinator', 'larry-approval-key');
  const keys = await secret('larry-03', 'larry-keys');
  expect(keys['approval.pub']).toBe(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
  expect(await kubectl('get', 'role', '-n', 'database', '-l', 'app.kubernetes.io/part-of=larry', '-o', 'name')).toBe('role.rbac.authorization.k8s.io/larry-01-helm\nrole.rbac.authorization.k8s.io/larry-01-write\n');
  for (const chart of charts) expect((await tools.helm('get', 'values', chart, '-n', chart)).out + (await tools.helm('get', 'manifest', chart, '-n', chart)).out).not.toContain(canary);

  const less = await tools.larry('install', '--images', 'registry.example/not-built', '--dry-run');
  expect([less.code, less.out]).toEqual([0, expect.stringContaining('nothing (was: database); repairs through Helm: none (was: database); runs may be: observe (was: observe, ask)')]);
  const [address = ''] = wanted.filter((word) => word.includes(canary));
  const again = await tools.larry('install', ...wanted.map((word) => (word === '--redis-url' ? '--redis-url-file' : word === address ? tools.file('redis-url', `${address}\n`) : word)), '--yes');
  expect([again.code, again.out]).toEqual([0, expect.not.stringContaining('LARRY_TOKEN')]);
  expect(await secret('larry-03', 'larry-keys')).toEqual(keys);
  const other = await tools.larry('install', '--images', 'registry.example/not-built', '--redis-url', 'redis://another:6379', '--yes');
  expect([other.code, other.err]).toEqual([2, expect.stringContaining('the Secret larry-redis in namespace larry-01 holds another address')]);

  // What a run leaves: a mark on somebody's object, and a Job.
  await kubectl('annotate', 'deployment', 'pgadmin', '-n', 'database', 'larry.dev/change=run/fix-pgadmin-crashloop/1', 'somebody/else=stays');
  await kubectl('create', 'job', 'larry-01-cleanup-worker', '-n', 'larry-01', '--image=registry.example/not-built/larry-01');
  await kubectl('label', 'job', 'larry-01-cleanup-worker', '-n', 'larry-01', 'app=larry-worker', 'larry-instance=larry-01', 'app.kubernetes.io/part-of=larry');

  const listed = await tools.larry('uninstall', '--dry-run');
  expect(listed.err).toBe('');
  expect(listed.out).toMatch(/release larry-01[\s\S]*Job larry-01\/larry-01-cleanup-worker[\s\S]*Secret meta-coordinator\/larry-approval-key[\s\S]*PersistentVolumeClaim[\s\S]*larry\.dev\/change of Deployment database\/pgadmin \(the object stays\)[\s\S]*Namespace meta-coordinator/);
  const gone = await tools.larry('uninstall', '--yes');
  expect([gone.code, gone.err, gone.out.trim().split('\n').at(-1)]).toEqual([0, '', 'All of it is removed.']);
  expect(await everything()).toEqual(before);
  expect(await kubectl('get', 'deployment', 'pgadmin', '-n', 'database', '-o', 'jsonpath={.metadata.annotations}')).toMatch(/^(?!.*larry\.dev).*somebody\/else/);
  expect((await tools.larry('uninstall', '--yes')).out).toContain("Nothing of Larry's is in");
});

const foreign = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: pg-data, namespace: database, labels: { app: larry-redis, larry-instance: meta-coordinator, app.kubernetes.io/part-of: larry } }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: v1
kind: Secret
metadata: { name: prod-tls, namespace: database, labels: { app.kubernetes.io/part-of: larry, larry.dev/made-by: install } }
---
apiVersion: batch/v1
kind: Job
metadata: { name: larry-01-theirs, namespace: database, labels: { app: larry-worker, larry-instance: larry-01, app.kubernetes.io/part-of: larry } }
spec: { suspend: true, template: { spec: { restartPolicy: Never, containers: [{ name: c, image: registry.example/x }] } } }
---
apiVersion: v1
kind: Namespace
metadata: { name: victim-ns, labels: { app.kubernetes.io/part-of: larry, larry.dev/made-by: install } }
---
apiVersion: v1
kind: Namespace
metadata: { name: meta-coordinator, labels: { app.kubernetes.io/part-of: larry, larry.dev/made-by: install } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: theirs, namespace: meta-coordinator, labels: { app.kubernetes.io/part-of: larry } }
`;

itWithTools('removes nothing that only bears labels like ours, and no namespace that holds something else', async () => {
  await kubectl('apply', '-f', tools.file('foreign.yaml', foreign));
  const before = await everything();
  const listed = await tools.larry('uninstall', '--yes');
  expect([listed.code, listed.err]).toEqual([0, '']);
  expect(listed.out).toMatch(/^Nothing to remove in .*\nNamespace meta-coordinator stays: ConfigMap theirs in it is not ours\n$/);
  expect(await everything()).toEqual(before);
  await kubectl('delete', 'configmap', 'theirs', '-n', 'meta-coordinator');
  expect((await tools.larry('uninstall', '--yes')).out).toMatch(/Namespace meta-coordinator\nAll of it is removed/);
  expect(await everything()).toEqual(before.filter((name) => !/meta-coordinator/.test(name)));
});

itWithTools('says in one sentence that helm is missing', async () => {
  const said = await tools.larryWithoutHelm('install', ...wanted, '--yes');
  expect([said.code, said.err]).toEqual([2, expect.stringMatching(/^larry: there is no helm on PATH: install helm/)]);
});
