import { builtinCluster, SimulatedApiServer } from '@larry/simulation';
import { convergeTask, runSummarySchema, type KubeObject, type RunSummary, type TaskResult, type Validation } from '@larry/contracts';
import { eventually } from '@larry/redis/testing';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { redisForFile } from './scene';
import { Crew } from './src/crew';

const root = path.join(__dirname, '..');
const program = (app: string, file = 'main.js'): string => path.join(root, 'apps', app, 'dist', file);
const larrys = ['larry-01', 'larry-02', 'larry-03'];
const redis = redisForFile();

interface Fact {
  says: string;
  larry: string;
  /** The criterion that must turn, and what its observation must name. */
  turns: { task: string; criterion: string; naming: RegExp };
  changes: Change[];
}

interface Change {
  path: string;
  name: string;
  subresource?: string;
  /** A strategic merge patch; `null` deletes. */
  patch?: object | null;
  create?: object;
}

const database = '/apis/apps/v1/namespaces/database';
const scan = (group: '01' | '02', naming: RegExp) => ({ larry: 'larry-02', turns: { task: `security-scan-group-${group}`, criterion: 'group-covered', naming } });
const of = (larry: string, task: string, criterion: string, naming: RegExp) => ({ larry, turns: { task, criterion, naming } });
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

/** Ten facts, each observed by a task of the run, and each of them no longer so. */
const facts: Fact[] = [
  { says: 'PgAdmin is not ready any more', ...of('larry-01', 'fix-pgadmin-crashloop', 'pgadmin-ready', /0 of 1 ready/), changes: [{ path: `${database}/deployments`, name: 'pgadmin', subresource: 'status', patch: { status: { readyReplicas: 0, availableReplicas: 0 } } }, { path: '/api/v1/namespaces/database/pods', name: 'pgadmin-1', subresource: 'status', patch: { status: { conditions: [{ type: 'Ready', status: 'False' }] } } }] },
  { says: 'its container was restarted', ...of('larry-01', 'fix-pgadmin-crashloop', 'pgadmin-no-restarts', /3 restarts/), changes: [{ path: '/api/v1/namespaces/database/pods', name: 'pgadmin-1', subresource: 'status', patch: { status: { containerStatuses: [runningFor(1, 3)] } } }] },
  { says: 'a scanned namespace has one more workload', ...scan('01', /Deployment.* then, /), changes: [{ path: `${database}/deployments`, name: 'intruder', create: privileged('intruder') }] },
  { says: 'a scanned workload has another image', ...scan('01', /findings? .*(not in the result|gone|other evidence)/), changes: [{ path: `${database}/deployments`, name: 'postgres-exporter', patch: { spec: { template: { spec: { hostNetwork: true } } } } }] },
  { says: 'a namespace came that was not scanned', ...scan('02', /namespace.* not in the result \(shadow\)/), changes: [{ path: '/api/v1/namespaces', name: 'shadow', create: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shadow' } } }] },
  { says: 'a scanned object is gone', ...scan('02', /ConfigMap: \d+ then, \d+ now/), changes: [{ path: '/api/v1/namespaces/storage/configmaps', name: 'scanned', patch: null }] },
  { says: 'a counted object is gone', ...of('larry-03', 'catalog-deployments', 'count-matches', /CronJob/), changes: [{ path: '/apis/batch/v1/namespaces/database/cronjobs', name: 'postgresql-backup', patch: null }] },
  { says: 'a Helm record has another state', ...of('larry-03', 'catalog-helm-releases', 'matches-helm-list', /postgresql/), changes: [{ path: '/api/v1/namespaces/database/secrets', name: 'sh.helm.release.v1.postgresql.v3', patch: { metadata: { labels: { status: 'failed' } } } }] },
  { says: 'an asset came that nobody classified', ...of('larry-03', 'classify-assets', 'all-classified', /intruding-database.* is new/), changes: [{ path: `${database}/statefulsets`, name: 'intruding-database', create: statefulSet('intruding-database') }] },
  { says: 'an app runs from another image', ...of('larry-03', 'classify-assets', 'lineage-drawn', /pgadmin4:0\.1/), changes: [{ path: `${database}/deployments`, name: 'pgadmin', patch: { spec: { template: { spec: { containers: [{ name: 'pgadmin', image: 'dpage/pgadmin4:0.1' }] } } } } }] },
];

describe('facts that are falsified just before the convergence', () => {
  let server: SimulatedApiServer;
  let crew: Crew;
  let api: string;
  const token = 'e2e-token';

  beforeAll(async () => {
    // Without controllers: what is not falsified here stays as it is.
    server = await SimulatedApiServer.start({ port: 0 });
    server.load([...healthyCluster()]);
    const client = await redis().client();
    crew = new Crew({ redisUrl: redis().url, prefix: client.prefix, kubeconfig: server.kubeconfig(), ttlMs: 5000 });
    const tokens = path.join(crew.folder, 'tokens');
    writeFileSync(tokens, `ada:${createHash('sha256').update(token).digest('hex')}`);
    const workers = Object.fromEntries(larrys.map((larry) => [larry, program(larry, 'worker.js')]));
    const meta = await crew.program('meta-coordinator', program('meta-coordinator'), {
      LARRY_TOKENS_FILE: tokens,
      LARRY_STATE_DIR: path.join(crew.folder, 'state'),
      LARRY_WORKER_PROGRAMS: JSON.stringify(workers),
    });
    api = `http://127.0.0.1:${meta.port}`;
    for (const larry of larrys) await crew.program(larry, program(larry));
    // An operator's lock: the convergence waits until it is deleted, and every other task does its work.
    await client.commands.set(client.key(`task:lock:${convergeTask}`), 'an-operator');
    await post('/runs', { plan: aPlan() });
    await eventually(async () => {
      const { tasks, converge } = (await get('/runs/current')) as { tasks: { status: string }[]; converge: { status: string } };
      if (converge.status !== 'ready') throw new Error(JSON.stringify(tasks.map((t) => t.status)));
    }, 90_000);
  }, 120_000);

  afterAll(async () => {
    await crew?.stop();
    await server?.close();
  });

  const get = async (route: string): Promise<unknown> => (await fetch(api + route)).json();
  const post = async (route: string, body: object): Promise<unknown> => {
    const response = await fetch(api + route, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const resultOf = async (task: string): Promise<TaskResult> => ((await get(`/runs/current/tasks/${task}`)) as { result: TaskResult }).result;

  /** Asks a Larry as the meta-coordinator does. */
  async function validated(larry: string): Promise<Validation[]> {
    const plan = aPlan();
    const tasks = plan.larrys.find((l) => l.id === larry)?.tasks ?? [];
    const claims = await Promise.all(tasks.map(async (t) => ({ task: t.id, options: t.with ?? {}, result: await resultOf(t.id) })));
    const completed = claims.filter((c) => c.result?.outcome === 'completed');
    const env = { ...process.env, ...crew.env, LARRY_VALIDATE: '1', LARRY_ID: larry };
    const child = spawn(process.execPath, [program(larry, 'worker.js')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify({ run: 'run', tasks: completed }));
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    return (JSON.parse(output) as { validations: Validation[] }).validations;
  }

  it('begin as claims that hold: looked at again, none of them turns', async () => {
    const validations = (await Promise.all(larrys.map(validated))).flat();
    expect(validations.flatMap((v) => [...v.turned, ...(v.problem ? [v.problem] : [])])).toEqual([]);
    const claimed = await Promise.all(facts.map(async ({ turns }) => (await resultOf(turns.task)).criteria.find((c) => c.id === turns.criterion)?.verdict));
    expect(claimed).toEqual(facts.map(() => 'met'));
  });

  it.each(facts)('turn one by one: $says', async ({ larry, turns, changes }) => {
    const undo = await apply(server, changes);
    try {
      const validation = (await validated(larry)).find((v) => v.task === turns.task);
      expect(validation?.turned).toContain(turns.criterion);
      expect(validation?.criteria.find((c) => c.id === turns.criterion)).toMatchObject({ verdict: 'not-met', observation: { value: expect.stringMatching(turns.naming) as string } });
    } finally {
      await undo();
    }
  });

  it('turn all ten in the summary of the run', async () => {
    for (const { changes } of facts) await apply(server, changes);
    const client = await redis().client({ prefix: crew.env['LARRY_PREFIX'] ?? '' });
    await client.commands.del(client.key(`task:lock:${convergeTask}`));
    const summary = await eventually(async () => runSummarySchema.parse(await get('/runs/current/report')), 60_000);
    const turned = summary.validations.flatMap((v) => v.turned.map((criterion) => `${v.task}/${criterion}`));
    expect(turned.sort()).toEqual([...new Set(facts.map(({ turns }) => `${turns.task}/${turns.criterion}`))].sort());
    for (const { turns } of facts) expect(observationOf(summary, turns)).toMatch(turns.naming);
    expect(summary.lessons.join('\n')).toContain(`${turned.length} claims did not hold when looked at again`);
    const checks = Object.fromEntries(summary.crossChecks.map((c) => [c.id, c.verdict]));
    expect(checks['asset-count']).toBe('differs');
  });
});

function observationOf(summary: RunSummary, { task, criterion }: Fact['turns']): string | undefined {
  return summary.validations.find((v) => v.task === task)?.criteria.find((c) => c.id === criterion)?.observation?.value;
}

interface PlanDocument {
  larrys: { id: string; tasks: { id: string; with?: Record<string, unknown> }[] }[];
}

/** The default plan; nothing starts in this cluster, so nothing is waited for. */
function aPlan(): PlanDocument {
  const plan = parse(readFileSync(path.join(root, 'plans', '3-larry.yaml'), 'utf8')) as PlanDocument;
  for (const task of plan.larrys.flatMap((l) => l.tasks)) if (task.id === 'fix-pgadmin-crashloop') task.with = { settleSeconds: 0 };
  return plan;
}

/** The built-in cluster with a PgAdmin that has run well for two hours. */
function* healthyCluster(): Iterable<KubeObject> {
  const uid = 'c0ffee00-0000-4000-8000-000000000001';
  for (const object of builtinCluster(new Date())) {
    const isPgadmin = object.kind === 'Deployment' && object.metadata.name === 'pgadmin';
    yield isPgadmin ? repaired(object, uid) : object;
    if (isPgadmin) yield* podsOf(object, uid);
  }
  yield { ...configMap('scanned'), metadata: { name: 'scanned', namespace: 'storage' }, data: { a: '1' } };
}

function repaired(deployment: KubeObject, uid: string): KubeObject {
  const text = JSON.stringify(deployment).replaceAll('admin@pgadmin.local', 'admin@example.com');
  const object = JSON.parse(text) as KubeObject;
  const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  return { ...object, metadata: { ...object.metadata, uid, generation: 1, creationTimestamp: hoursAgo(3) }, status };
}

function* podsOf(deployment: KubeObject, uid: string): Iterable<KubeObject> {
  const template = (repaired(deployment, uid)['spec'] as { template: { metadata: { labels: Record<string, string> }; spec: object } }).template;
  const labels = { ...template.metadata.labels, 'pod-template-hash': 'hash' };
  const set = 'c0ffee00-0000-4000-8000-000000000002';
  const owner = (kind: string, name: string, of: string) => [{ apiVersion: 'apps/v1', kind, name, uid: of, controller: true, blockOwnerDeletion: true }];
  const at = { namespace: 'database', creationTimestamp: hoursAgo(2) };
  const selector = { matchLabels: labels };
  yield {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...at, name: 'pgadmin-hash', uid: set, labels, ownerReferences: owner('Deployment', 'pgadmin', uid), annotations: { 'deployment.kubernetes.io/revision': '1' } },
    spec: { replicas: 1, selector, template: { ...template, metadata: { labels } } },
    status: { replicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 },
  };
  yield {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...at, name: 'pgadmin-1', labels, ownerReferences: owner('ReplicaSet', 'pgadmin-hash', set) },
    spec: { ...template.spec, nodeName: 'k3s-worker01' },
    status: { phase: 'Running', startTime: hoursAgo(2), conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [runningFor(120, 0)] },
  };
}

function runningFor(minutes: number, restartCount: number): object {
  const startedAt = new Date(Date.now() - minutes * 60_000).toISOString();
  return { name: 'pgadmin', image: 'dpage/pgadmin4:9.8', imageID: '', ready: true, started: true, restartCount, state: { running: { startedAt } } };
}

function privileged(name: string): object {
  return { apiVersion: 'apps/v1', kind: 'Deployment', ...podTemplate(name, { securityContext: { privileged: true } }) };
}

function statefulSet(name: string): object {
  const { metadata, spec } = podTemplate(name, {});
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { serviceName: name, ...spec } };
}

function podTemplate(name: string, container: object) {
  const labels = { app: name };
  return { metadata: { name }, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'postgres:16', ...container }] } } } };
}

function hoursAgo(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString();
}

/** Makes changes and gives their undoing. */
async function apply(server: SimulatedApiServer, changes: readonly Change[]): Promise<() => Promise<void>> {
  const undoings: (() => Promise<void>)[] = [];
  for (const change of changes) undoings.unshift(await applyOne(server, change));
  return async () => {
    for (const undo of undoings) await undo();
  };
}

async function applyOne(server: SimulatedApiServer, { path: folder, name, subresource, patch, create }: Change): Promise<() => Promise<void>> {
  const at = `${folder}/${name}`;
  if (create) {
    // A namespace that was deleted stays where no controller empties it.
    await call(server, 'POST', folder, create, [201, 409]);
    return async () => void (await call(server, 'DELETE', at));
  }
  const before = (await call(server, 'GET', at)) as KubeObject;
  if (patch === null) {
    await call(server, 'DELETE', at);
    return async () => void (await call(server, 'POST', folder, { ...before, metadata: { ...before.metadata, uid: undefined, resourceVersion: undefined } }));
  }
  const target = subresource ? `${at}/${subresource}` : at;
  await call(server, 'PATCH', target, patch);
  return async () => {
    const { metadata } = (await call(server, 'GET', at)) as KubeObject;
    await call(server, 'PUT', target, { ...before, metadata: { ...before.metadata, resourceVersion: metadata.resourceVersion } });
  };
}

async function call(server: SimulatedApiServer, method: string, route: string, body?: unknown, expected = [200, 201]): Promise<unknown> {
  const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
  const headers = { authorization: `Bearer ${server.adminToken}`, 'content-type': type };
  const response = await fetch(server.url + route, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!expected.includes(response.status)) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
  return response.json();
}
