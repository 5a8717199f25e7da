import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@larry/contracts';
import { openDump, openLive, openSnapshot, writeSnapshot, type ClusterReader, type KindInfo } from '@larry/kube';
import { SimulatedApiServer, startSimulatedCluster } from '@larry/simulation';
import { hasKubeTools, kubeTools } from '@larry/simulation/testing';
// The suite is jest's and so no part of any build: it comes from the sources, with the reader under test beside it.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { openLive as openLiveSource } from '../libs/kube/src';
// eslint-disable-next-line @nx/enforce-module-boundaries
import { conformanceLog, conformanceObjects, readerConformance } from '../libs/kube/src/reader.conformance';

const program = path.join(__dirname, '../apps/cli/dist/main.js');
const folder = mkdtempSync(path.join(tmpdir(), 'larry-kube-conformance-'));
const at = (name: string): string => path.join(folder, name);
const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function serverWith(objects: readonly KubeObject[]): Promise<SimulatedApiServer> {
  const server = await SimulatedApiServer.start();
  stops.push(() => server.close());
  const { skipped } = server.load(objects);
  if (skipped.length > 0) throw new Error(JSON.stringify(skipped));
  return server;
}

function kubeconfig(server: SimulatedApiServer, user?: string): string {
  const file = at(`kubeconfig-${stops.length}-${user?.replaceAll(':', '-') ?? 'admin'}`);
  writeFileSync(file, server.kubeconfig(user), { mode: 0o600 });
  return file;
}

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'geese.zoo.example' },
  spec: {
    group: 'zoo.example',
    scope: 'Namespaced',
    names: { plural: 'geese', singular: 'goose', kind: 'Goose', listKind: 'GooseList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
  },
} as unknown as KubeObject;

readerConformance('openLive against the simulated API server', async () => {
  const server = await serverWith([crd, ...conformanceObjects]);
  server.logs.append('one', 'web-1', 'app', 0, conformanceLog.map((line, i) => ({ time: new Date(1_760_000_000_000 + i).toISOString(), line })));
  return { reader: await openLiveSource({ kubeconfig: kubeconfig(server), retryMs: 1 }) };
});

/** Everything that a source can list, by kind and name. */
async function everything(reader: ClusterReader): Promise<{ kinds: Map<string, KindInfo>; objects: Map<string, KubeObject> }> {
  const kinds = new Map<string, KindInfo>();
  const objects = new Map<string, KubeObject>();
  for (const kind of await reader.kinds()) {
    if (kind.availability.state !== 'listed') continue;
    kinds.set(`${kind.apiVersion} ${kind.kind}`, kind);
    for await (const object of reader.list(kind)) objects.set(`${object.apiVersion} ${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, object);
  }
  return { kinds, objects };
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** kubectl leaves the managers out of a dump; a snapshot writes JSON inside of strings anew. */
const comparable = (object: KubeObject | undefined): unknown => {
  const { managedFields: _, annotations, ...metadata } = (object?.metadata ?? {}) as unknown as Record<string, unknown> & { annotations?: Record<string, string> };
  const applied = annotations?.[lastApplied];
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, ...(applied ? { [lastApplied]: JSON.parse(applied) as unknown } : {}) } } };
};

/** A settled built-in cluster as it stands still: no controller changes it between two readings. */
async function stillCluster(): Promise<SimulatedApiServer> {
  const cluster = await startSimulatedCluster({ speed: 60 });
  await cluster.settled();
  const live = await openLive({ kubeconfig: kubeconfig(cluster.server) });
  const { objects } = await everything(live);
  await live.close();
  await cluster.close();
  return serverWith([...objects.values()].sort((a, b) => Number(b.kind === 'CustomResourceDefinition') - Number(a.kind === 'CustomResourceDefinition')));
}

describe('one cluster through every source', () => {
  let server: SimulatedApiServer;
  let live: Awaited<ReturnType<typeof everything>>;
  let reader: ClusterReader;
  const real = process.env['KUBECONFIG_CONFORMANCE'];
  let config: string;

  beforeAll(async () => {
    server = await stillCluster();
    config = real ?? kubeconfig(server);
    reader = await openLive({ kubeconfig: config });
    stops.push(() => reader.close());
    live = await everything(reader);
  });

  it('lists kinds and objects', () => {
    expect(live.kinds.size).toBeGreaterThan(20);
    expect(live.objects.size).toBeGreaterThan(real ? 10 : 150);
  });

  it('reads back from a snapshot what it read from the server, Secrets and secret literals aside', async () => {
    await writeSnapshot(reader, at('snapshot'));
    const snapshot = await openSnapshot(at('snapshot'));
    const back = await everything(snapshot);
    await snapshot.close();
    expect([...back.kinds.keys()].sort()).toEqual([...live.kinds.keys()].sort());
    if (real) return; // A real cluster goes on living between two readings.
    expect([...back.objects.keys()].sort()).toEqual([...live.objects.keys()].sort());
    const changed = [...back.objects].filter(([key, object]) => !isDeepStrictEqual(comparable(object), comparable(live.objects.get(key))));
    for (const [, object] of changed) expect(JSON.stringify(object)).toMatch(/redacted/i);
    expect(changed.length).toBeLessThan(live.objects.size / 3);
    expect(JSON.stringify(changed)).not.toMatch(/"(password|token)":"[^<[]{6,}/i);
  });

  // Skipped: no kubectl for this machine (put one on PATH, or name one by KUBECTL).
  (hasKubeTools() ? it : it.skip)('reads from the dump of the real kubectl what it reads from the server, in the kinds that a dump holds', async () => {
    const tools = await kubeTools();
    const dumped = await ended(tools?.kubectl ?? 'kubectl', ['--kubeconfig', config, 'cluster-info', 'dump', '--all-namespaces', '--output-directory', at('dump')]);
    expect(dumped).toMatchObject({ code: 0 });
    const dump = await openDump(at('dump'));
    const back = await everything(dump);
    const unknown = (await dump.kinds()).filter((k) => k.availability.state === 'unknown').map((k) => k.kind);
    await dump.close();
    expect([...back.kinds.values()].map((k) => k.kind)).toEqual(expect.arrayContaining(['Pod', 'Deployment', 'Service', 'ReplicaSet', 'DaemonSet', 'Node', 'Event']));
    expect(unknown).toEqual(expect.arrayContaining(['Secret', 'ConfigMap', 'StatefulSet', 'NetworkPolicy']));
    if (real) return;
    const overlap = [...live.objects.keys()].filter((key) => back.kinds.has(key.split(' ').slice(0, 2).join(' ')));
    expect([...back.objects.keys()].sort()).toEqual(overlap.sort());
    for (const key of overlap) expect(comparable(back.objects.get(key))).toEqual(comparable(live.objects.get(key)));
    expect(overlap.length).toBeGreaterThan(80);
  });
});

describe('an account that may only read what the role "view" lets it', () => {
  const account = 'system:serviceaccount:ops:larry';
  let server: SimulatedApiServer;
  let config: string;

  beforeAll(async () => {
    server = await stillCluster();
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'larry-view' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'larry', namespace: 'ops' }],
    };
    server.load([binding]);
    config = kubeconfig(server, account);
  });

  const mutations = (): string[] => Object.keys(server.requests()).filter((verb) => !['get', 'list', 'watch', 'other'].includes(verb));

  it('sends no mutating request in larry check, and says of what it may not list that it is unknown', async () => {
    const check = await larry(['check', '--kubeconfig', config, '--json']);
    expect(check.code).toBe(0);
    const report = JSON.parse(check.out) as { unknowns: { subject: string; reason: string }[]; findings: unknown[]; tasks: { task: string; outcome: string; criteria: { id: string; verdict: string }[] }[] };
    expect(report.findings.length).toBeGreaterThan(0);
    const closed = report.unknowns.filter((u) => /permitted|forbidden/.test(u.reason)).map((u) => u.subject).join(' ');
    for (const kind of ['Secret', 'Node', 'ClusterRole']) expect(closed).toContain(kind);
    expect(report.tasks.flatMap((t) => t.criteria).find((c) => c.id === 'matches-helm-list')?.verdict).toBe('unknown');
    expect(mutations()).toEqual([]);
    expect(server.journal()).toEqual([]);
  });

  it('sends none in a whole run either, and the run completes', async () => {
    const run = await larry(['run', '--kubeconfig', config, '--state', at('state'), '--json'], 110_000);
    expect(run.err).not.toMatch(/^\s+at /m);
    const summary = JSON.parse(run.out) as { mode: string; status: string; didWork: { done: number } };
    expect(summary).toMatchObject({ mode: 'observe', status: 'completed' });
    expect(summary.didWork.done).toBeGreaterThanOrEqual(4);
    expect(mutations()).toEqual([]);
    expect(server.journal()).toEqual([]);
  });
});

describe('a cluster that answers badly', () => {
  let server: SimulatedApiServer;
  let config: string;
  beforeAll(async () => {
    server = await serverWith([crd, ...conformanceObjects]);
    config = kubeconfig(server);
  });
  afterEach(() => server.faults.clear());

  const deployments = /^\/apis\/apps\/v1\/deployments/;

  it('401 costs one sentence, and exit code 3', async () => {
    server.faults.add({ fault: { kind: 'answer', code: 401 }, times: 1000 });
    const { code, out, err } = await larry(['check', '--kubeconfig', config]);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^larry: .* refuses the credentials of this context \(401\).*\n$/);
  });

  it.each([
    [403, /forbidden|permitted/i],
    [500, /500|Internal error/i],
  ] as const)('%i on one kind makes that kind unknown, and the others go on', async (code, reason) => {
    server.faults.add({ path: deployments, fault: { kind: 'answer', code }, times: 1000 });
    const ended = await larry(['check', '--kubeconfig', config, '--json']);
    expect([0, 4]).toContain(ended.code);
    const report = JSON.parse(ended.out) as { unknowns: { subject: string; reason: string }[]; tasks: { task: string; outcome: string }[] };
    const named = report.unknowns.filter((u) => /Deployment/.test(u.subject) || /deployments/i.test(u.reason));
    expect(named.map((u) => u.reason).join('; ')).toMatch(reason);
    expect(report.tasks.some((t) => t.outcome === 'completed')).toBe(true);
    expect(ended.err).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['429 with the time to wait', { kind: 'answer', code: 429, retryAfterSeconds: 1 }],
    ['500 once', { kind: 'answer', code: 500 }],
    ['a cut connection', { kind: 'cut-after' }],
  ] as const)('%s is waited for and tried again: nothing is unknown because of it', async (_what, fault) => {
    server.faults.add({ path: deployments, fault });
    const live = await openLive({ kubeconfig: config, retryMs: 1 });
    const names: string[] = [];
    for await (const object of live.list({ apiVersion: 'apps/v1', kind: 'Deployment' })) names.push(object.metadata.name);
    await live.close();
    expect(names).toEqual(['web', 'web']);
    expect(server.faults.pending()).toBe(0);
  });

  it('410 in the middle of a list begins it anew: each object once', async () => {
    const many = await serverWith([...conformanceObjects, ...Array.from({ length: 1200 }, (_, i) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c${i}`, namespace: 'two' } }))]);
    many.faults.add({ path: /configmaps.*continue=/, fault: { kind: 'answer', code: 410 } });
    const live = await openLive({ kubeconfig: kubeconfig(many), retryMs: 1 });
    const names = new Set<string>();
    let seen = 0;
    for await (const object of live.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: 'two' })) {
      names.add(object.metadata.name);
      seen += 1;
    }
    await live.close();
    expect(many.faults.pending()).toBe(0);
    expect([seen, names.size]).toEqual([1200, 1200]);
  });

  it('hanging costs its time limit and a sentence, not the evening', async () => {
    server.faults.add({ path: deployments, fault: { kind: 'hang' }, times: 1000 });
    const live = await openLive({ kubeconfig: config, timeoutMs: 300, retryMs: 1 });
    const listed = (async () => {
      for await (const object of live.list({ apiVersion: 'apps/v1', kind: 'Deployment' })) throw new Error(object.metadata.name);
    })();
    await expect(listed).rejects.toThrow(/no answer|did not answer|within|s\b/);
    await live.close();
  });
});

/** Runs a program without standing in the way of the server in this process. */
function ended(file: string, args: string[], timeoutMs = 60_000, env: NodeJS.ProcessEnv = process.env): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

function larry(args: string[], timeoutMs?: number) {
  const { REDIS_URL: _, KUBECONFIG: __, ...env } = process.env;
  return ended(process.execPath, [program, ...args], timeoutMs, { ...env, XDG_STATE_HOME: at('xdg'), HOME: at('home') });
}
