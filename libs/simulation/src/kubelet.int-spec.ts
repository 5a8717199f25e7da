import { ApiClient, ManualClock } from './cluster';
import { kinds } from './cluster/kinds';
import type { Container, ContainerStatus, Deployment, Pod, PodSpec } from './cluster/types';
import { startSimulatedCluster, type SimulatedCluster } from './simulated-cluster';
import { eventually } from './testing';

const ns = 'default';
let clock: ManualClock;
let cluster: SimulatedCluster;
let api: ApiClient;

beforeEach(async () => {
  clock = new ManualClock();
  cluster = await startSimulatedCluster({ objects: [], clock });
  api = new ApiClient({ url: cluster.url, token: cluster.adminToken, userAgent: 'spec' });
});
afterEach(async () => {
  api.close();
  await cluster.close();
});

const pods = () => cluster.server.objects('pods', ns) as unknown as Pod[];
const status = (): ContainerStatus | undefined => pods()[0]?.status?.containerStatuses?.[0];
const events = (reason: string) => cluster.server.objects('events', ns).filter((event) => event.reason === reason);
const lines = (previous = false) => cluster.server.logs.read(ns, pods()[0]?.metadata.name ?? '', 'main', previous)?.map((each) => each.line);

async function aPod(container: Partial<Container>, spec: Partial<PodSpec> = {}): Promise<void> {
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: ns }, spec: { containers: [{ name: 'main', image: 'busybox', ...container }], ...spec } };
  await api.create(kinds.pods, pod, ns);
}

/** Lets requests and watches catch up, without moving the time. */

describe('a crash-looping container', () => {
  /** How long such a script runs: the time of a shell's start. */
  const runMs = 100;
  const isRunningFor = (restarts: number) => eventually(() => expect(status()).toMatchObject({ restartCount: restarts, state: { running: {} } }));

  it('is restarted at once, then after 10, 20 and 40 s, and shows CrashLoopBackOff in between', async () => {
    await aPod({ command: ['sh', '-c', 'echo trying; exit 3'] });
    await isRunningFor(0);
    clock.advance(runMs);
    await isRunningFor(1);
    for (const [i, seconds] of [10, 20, 40].entries()) {
      clock.advance(runMs);
      const uid = pods()[0]?.metadata.uid;
      const message = `back-off ${seconds}s restarting failed container=main pod=p_${ns}(${uid})`;
      await eventually(() => expect(status()).toMatchObject({ restartCount: i + 1, ready: false, state: { waiting: { reason: 'CrashLoopBackOff', message } }, lastState: { terminated: { exitCode: 3, reason: 'Error' } } }));
      clock.advance(seconds * 1000 - 200);
      await new Promise((resolve) => setImmediate(resolve));
      expect(status()).toMatchObject({ restartCount: i + 1, state: { waiting: { reason: 'CrashLoopBackOff' } } });
      clock.advance(210);
      await isRunningFor(i + 2);
    }
    expect(pods()[0]?.status?.phase).toBe('Running');
    await eventually(() => expect(events('BackOff')[0]).toMatchObject({ type: 'Warning', count: 3, source: { component: 'kubelet' } }));
    expect(lines(true)).toEqual(['trying']);
  });

  it('keeps its count of restarts when the kubelet starts anew', async () => {
    await aPod({ command: ['sh', '-c', 'exit 1'] });
    await isRunningFor(0);
    clock.advance(runMs);
    await isRunningFor(1);
    await cluster.restartClients();
    clock.advance(runMs);
    await eventually(() => expect(status()?.restartCount).toBe(2));
  });

  it('ends for good where the policy says so', async () => {
    await aPod({ command: ['sh', '-c', 'exit 7'] }, { restartPolicy: 'Never' });
    await isRunningFor(0);
    clock.advance(1000);
    await eventually(() => expect(pods()[0]?.status).toMatchObject({ phase: 'Failed', containerStatuses: [{ restartCount: 0, state: { terminated: { exitCode: 7 } } }] }));
  });
});

describe('what keeps a container from starting', () => {
  it('a Secret that is missing, until it is there', async () => {
    await aPod({ image: 'nginx', env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] });
    await eventually(() => expect(status()?.state.waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'secret "s" not found' }));
    await eventually(() => expect(events('Failed')[0]?.message).toBe('Error: secret "s" not found'));
    await api.create(kinds.secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k: 'eA==' } }, ns);
    await eventually(() => expect(status()?.ready).toBe(true));
    expect(status()?.restartCount).toBe(0);
  });

  it('a volume that cannot be mounted', async () => {
    await aPod({ image: 'nginx', volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { volumes: [{ name: 'v', configMap: { name: 'gone' } }] });
    await eventually(() => expect(events('FailedMount')[0]?.message).toBe('MountVolume.SetUp failed for volume "v" : configmap "gone" not found'));
    expect(status()?.state.waiting?.reason).toBe('ContainerCreating');
  });

  it('a user that it must not be', async () => {
    await aPod({ image: 'nginx', securityContext: { runAsNonRoot: true } });
    await eventually(() => expect(status()?.state.waiting).toMatchObject({ reason: 'CreateContainerConfigError', message: expect.stringContaining('container has runAsNonRoot and image will run as root') }));
  });

  it('an init container that has not ended well', async () => {
    await aPod({ image: 'nginx' }, { initContainers: [{ name: 'first', image: 'busybox', command: ['sh', '-c', 'sleep 5; exit 0'] }] });
    await eventually(() => expect(pods()[0]?.status?.initContainerStatuses?.[0]?.state).toHaveProperty('running'));
    expect(status()?.state.waiting?.reason).toBe('PodInitializing');
    clock.advance(6000);
    await eventually(() => expect(status()?.ready).toBe(true));
  });
});

describe('probes', () => {
  const http = (port: number) => ({ httpGet: { path: '/', port }, periodSeconds: 1, failureThreshold: 2 });

  it('make a container ready when its port answers, not before', async () => {
    await aPod({ image: 'n8nio/n8n:1', readinessProbe: http(5678) });
    await eventually(() => expect(status()?.state).toHaveProperty('running'));
    expect(status()?.ready).toBe(false);
    clock.advance(2100);
    await eventually(() => expect(status()?.ready).toBe(true));
  });

  it('restart a container whose liveness fails, with the events of the kubelet', async () => {
    await aPod({ image: 'nginx', livenessProbe: http(9999) });
    await eventually(() => expect(status()?.state).toHaveProperty('running'));
    clock.advance(1500);
    await eventually(() => expect(status()?.restartCount).toBe(1));
    await eventually(() => expect(events('Unhealthy')[0]?.message).toMatch(/^Liveness probe failed: Get "http:\/\/10\.42\.\d+\.\d+:9999\/": dial tcp .* connect: connection refused$/));
    await eventually(() => expect(events('Killing')[0]?.message).toBe('Container main failed liveness probe, will be restarted'));
  });

  it('kill what needs more memory than its limit', async () => {
    await aPod({ image: 'grafana/grafana:12', resources: { limits: { memory: '16Mi' } } });
    await eventually(() => expect(status()?.state).toHaveProperty('running'));
    clock.advance(1000);
    await eventually(() => expect(status()?.lastState.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' }));
  });
});

it('a pod that is deaf to SIGTERM is killed after its grace period, not before', async () => {
  await aPod({ command: ['sleep', 'infinity'] }, { terminationGracePeriodSeconds: 7 });
  await eventually(() => expect(status()?.ready).toBe(true));
  await api.delete(kinds.pods, { metadata: { name: 'p', namespace: ns } });
  await eventually(() => expect(events('Killing')).toHaveLength(1));
  clock.advance(6_500);
  expect(pods()).toHaveLength(1);
  clock.advance(1_000);
  await eventually(() => expect(pods()).toHaveLength(0));
});

describe('PgAdmin', () => {
  const labels = { app: 'pgadmin' };
  const env = [{ name: 'PGADMIN_DEFAULT_EMAIL', value: 'admin@pgadmin.local' }, { name: 'PGADMIN_DEFAULT_PASSWORD', value: 'x' }];
  const deployment: Deployment = {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pgadmin', namespace: ns },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'dpage/pgadmin4:9.8', env, readinessProbe: { httpGet: { path: '/misc/ping', port: 80 } } }] } } },
  };

  it('crashes on its e-mail address, and a JSON patch of it brings a pod that gets ready and never restarts', async () => {
    await api.create(kinds.deployments, deployment, ns);
    await eventually(() => expect(status()?.state).toHaveProperty('running'));
    clock.advance(1000);
    await eventually(() => expect(status()?.restartCount).toBe(1));
    expect(lines(true)?.join()).toContain("'admin@pgadmin.local' does not appear to be a valid email address");
    const path = '/spec/template/spec/containers/0/env/0/value';
    await api.patch(kinds.deployments, deployment, [{ op: 'test', path, value: 'admin@pgadmin.local' }, { op: 'replace', path, value: 'admin@example.com' }], 'json');
    const fixed = () => pods().find((pod) => JSON.stringify(pod.spec).includes('admin@example.com'))?.status?.containerStatuses?.[0];
    await eventually(() => expect(fixed()?.state).toHaveProperty('running'));
    clock.advance(11_000);
    await eventually(() => expect(fixed()?.ready).toBe(true));
    clock.advance(600_000);
    await eventually(() => expect(pods()).toHaveLength(1));
    expect(fixed()).toMatchObject({ ready: true, restartCount: 0 });
  });
});
