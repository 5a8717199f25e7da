import type { KubeObject } from '@larry/contracts';
import { ApiClient } from './cluster';
import { kinds } from './cluster/kinds';
import type { Deployment, Job, Pod, PodSpec } from './cluster/types';
import { startSimulatedCluster, type SimulatedCluster } from './simulated-cluster';
import { eventually } from './testing';

let cluster: SimulatedCluster;
let api: ApiClient;
let counter = 0;

beforeAll(async () => {
  cluster = await startSimulatedCluster({ objects: [], speed: 10 });
  api = new ApiClient({ url: cluster.url, token: cluster.adminToken, userAgent: 'spec' });
});
afterAll(async () => {
  api.close();
  await cluster.close();
});

async function aNamespace(): Promise<string> {
  const name = `test-${(counter += 1)}`;
  await api.create(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

function aDeployment(namespace: string, replicas: number, spec: Partial<PodSpec> = {}, image = 'nginx:1.28'): Deployment {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image, ports: [{ containerPort: 80 }] }], ...spec } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace }, spec: { replicas, selector: { matchLabels: labels }, template } };
}

const pods = (namespace: string) => cluster.server.objects('pods', namespace) as unknown as Pod[];
/** How many different pods there have ever been; a binding is a creation under the pod's own name. */
const podsCreated = (namespace: string) => new Set(cluster.server.journal().filter((entry) => entry.verb === 'create' && entry.resource === 'pods' && entry.namespace === namespace).map((entry) => entry.name)).size;
const ready = (pod: Pod) => pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
const deploy = (namespace: string) => api.get(kinds.deployments, namespace, 'web');
const eventsOf = (namespace: string, reason: string) => cluster.server.objects('events', namespace).filter((event) => event.reason === reason).map((event) => String(event.message));

async function deployed(replicas: number, spec: Partial<PodSpec> = {}, image?: string): Promise<string> {
  const ns = await aNamespace();
  await api.create(kinds.deployments, aDeployment(ns, replicas, spec, image), ns);
  await cluster.settled();
  return ns;
}

describe('a Deployment', () => {
  it('gets its pods running, ready and counted', async () => {
    const ns = await deployed(3);
    expect(pods(ns).map(ready)).toEqual([true, true, true]);
    expect(await deploy(ns)).toMatchObject({
      metadata: { annotations: { 'deployment.kubernetes.io/revision': '1' } },
      status: { observedGeneration: 1, replicas: 3, readyReplicas: 3, availableReplicas: 3, updatedReplicas: 3, conditions: [{ type: 'Available', status: 'True' }, { type: 'Progressing', reason: 'NewReplicaSetAvailable' }] },
    });
  });

  it('has come to rest also when its pod never becomes ready', async () => {
    const ns = await deployed(1, { containers: [{ name: 'web', image: 'nginx:1.27', readinessProbe: { tcpSocket: { port: 9999 }, initialDelaySeconds: 1, periodSeconds: 3600, failureThreshold: 1 } }] });
    expect(pods(ns).map(ready)).toEqual([false]);
  });

  it('scales up and down, creating and deleting no pod too many', async () => {
    const ns = await deployed(2);
    await api.patch(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { spec: { replicas: 5 } });
    await cluster.settled();
    await api.patch(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { spec: { replicas: 1 } });
    await cluster.settled();
    expect(pods(ns)).toHaveLength(1);
    expect(podsCreated(ns)).toBe(5);
  });

  it('rolls to a new image without falling below its minimum, and back by the old template under a new revision', async () => {
    const ns = await deployed(4);
    const first = pods(ns)[0]?.metadata.labels?.['pod-template-hash'];
    await api.patch(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { spec: { template: { spec: { containers: [{ name: 'web', image: 'nginx:1.29' }] } } } }, 'strategic');
    await cluster.settled();
    expect(pods(ns).map((pod) => pod.spec.containers[0]?.image)).toEqual(Array(4).fill('nginx:1.29'));
    await api.patch(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { spec: { template: { spec: { containers: [{ name: 'web', image: 'nginx:1.28' }] } } } }, 'strategic');
    await cluster.settled();
    expect(new Set(pods(ns).map((pod) => pod.metadata.labels?.['pod-template-hash']))).toEqual(new Set([first]));
    expect((await deploy(ns)).metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
    expect(cluster.server.objects('replicasets.apps', ns)).toHaveLength(2);
  });

  it('does not roll while paused', async () => {
    const ns = await deployed(1);
    await api.patch(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { spec: { paused: true } });
    await api.patch(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { spec: { template: { spec: { containers: [{ name: 'web', image: 'nginx:1.29' }] } } } }, 'strategic');
    await cluster.settled();
    expect(cluster.server.objects('replicasets.apps', ns)).toHaveLength(1);
    expect((await deploy(ns)).status?.conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Progressing', reason: 'DeploymentPaused' })]));
  });

  it('never runs an image that the simulation does not know, and says so', async () => {
    const ns = await deployed(1, {}, 'acme/unknown:1');
    expect(pods(ns)[0]?.status).toMatchObject({ phase: 'Pending', containerStatuses: [{ ready: false, restartCount: 0, state: { waiting: { reason: 'ImageBehaviorUnknown', message: expect.stringContaining('does not pretend to run it') } } }] });
    expect(eventsOf(ns, 'ImageBehaviorUnknown')).toHaveLength(1);
    expect((await deploy(ns)).status?.availableReplicas).toBeUndefined();
  });

  it('makes exactly the wanted pods although clients restart, answers get lost and names conflict', async () => {
    const ns = await aNamespace();
    cluster.server.faults.add({ method: 'POST', path: new RegExp(`/namespaces/${ns}/pods$`), fault: { kind: 'cut-after' }, times: 3 });
    cluster.server.faults.add({ method: 'POST', path: new RegExp(`/namespaces/${ns}/pods$`), fault: { kind: 'answer', code: 409 }, times: 2 });
    await api.create(kinds.deployments, aDeployment(ns, 12), ns);
    for (let i = 0; i < 3; i += 1) await cluster.restartClients();
    await cluster.settled();
    expect(pods(ns).filter(ready)).toHaveLength(12);
    expect(podsCreated(ns)).toBe(12);
  });
});

describe('the scheduler', () => {
  it('honours node selectors and affinity', async () => {
    const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['k3s-worker02', 'k3s-worker03'] }] }];
    const ns = await deployed(4, { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } } });
    expect(new Set(pods(ns).map((pod) => pod.spec.nodeName))).toEqual(new Set(['k3s-worker02', 'k3s-worker03']));
  });

  it('says in the words of the real one why nothing fits, and schedules when something does', async () => {
    const ns = await deployed(1, { nodeSelector: { disk: 'ssd' } });
    const message = "0/7 nodes are available: 7 node(s) didn't match Pod's node affinity/selector. preemption: 0/7 nodes are available: 7 Preemption is not helpful for scheduling.";
    expect(pods(ns)[0]?.status?.conditions).toEqual([expect.objectContaining({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message })]);
    expect(eventsOf(ns, 'FailedScheduling')).toEqual([message]);
    await api.patch(kinds.nodes, { metadata: { name: 'k3s-worker01' } }, { metadata: { labels: { disk: 'ssd' } } });
    await cluster.settled();
    expect(pods(ns)[0]?.spec.nodeName).toBe('k3s-worker01');
  });

  it('keeps pods off tainted and cordoned nodes', async () => {
    const others = ['k3s-worker02', 'k3s-worker03', 'k3s-worker04', 'k3s-master01', 'k3s-master02', 'k3s-master03'];
    for (const name of others.slice(0, 3)) await api.patch(kinds.nodes, { metadata: { name } }, { spec: { unschedulable: true } });
    for (const name of others.slice(3)) await api.patch(kinds.nodes, { metadata: { name } }, { spec: { taints: [{ key: 'for', value: 'masters', effect: 'NoSchedule' }] } });
    const ns = await deployed(3);
    const tolerant = await deployed(1, { nodeSelector: { 'kubernetes.io/hostname': 'k3s-master01' }, tolerations: [{ key: 'for', operator: 'Exists' }] });
    for (const name of others) await api.patch(kinds.nodes, { metadata: { name } }, { spec: { unschedulable: null, taints: null } });
    expect(pods(ns).map((pod) => pod.spec.nodeName)).toEqual(Array(3).fill('k3s-worker01'));
    expect(pods(tolerant).map((pod) => pod.spec.nodeName)).toEqual(['k3s-master01']);
  });
});

describe('garbage collection and namespaces', () => {
  it.each(['Background', 'Foreground'])('a %s deletion takes sets and pods along', async (propagationPolicy) => {
    const ns = await deployed(2);
    await api.delete(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { propagationPolicy });
    await cluster.settled();
    expect([cluster.server.objects('deployments.apps', ns), cluster.server.objects('replicasets.apps', ns), pods(ns)]).toEqual([[], [], []]);
  });

  it('an orphaning deletion leaves the set, which a new Deployment adopts without a new pod', async () => {
    const ns = await deployed(2);
    await api.delete(kinds.deployments, { metadata: { name: 'web', namespace: ns } }, { propagationPolicy: 'Orphan' });
    await cluster.settled();
    expect(pods(ns)).toHaveLength(2);
    await api.create(kinds.deployments, aDeployment(ns, 2), ns);
    await cluster.settled();
    expect(pods(ns)).toHaveLength(2);
    expect(podsCreated(ns)).toBe(2);
  });

  it('a deleted namespace is emptied and goes, and waits for what others hold', async () => {
    const ns = await deployed(2);
    const held: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: ns, finalizers: ['example.com/hold'] } };
    await api.create(kinds.configMaps, held, ns);
    await api.delete(kinds.namespaces, { metadata: { name: ns } });
    await cluster.settled();
    expect((await api.get(kinds.namespaces, undefined, ns)).status?.conditions).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'NamespaceFinalizersRemaining', status: 'True', message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances' })]),
    );
    await api.patch(kinds.configMaps, held, { metadata: { finalizers: null } });
    await eventually(() => expect(cluster.server.objects('namespaces').map((each) => each.metadata.name)).not.toContain(ns));
    expect(pods(ns)).toEqual([]);
  });

  it('every namespace has its default account and root certificate map', async () => {
    const ns = await aNamespace();
    await cluster.settled();
    expect(cluster.server.objects('serviceaccounts', ns).map((each) => each.metadata.name)).toEqual(['default']);
    expect(cluster.server.objects('configmaps', ns).map((each) => each.metadata.name)).toEqual(['kube-root-ca.crt']);
  });
});

describe('other workloads', () => {
  it('a StatefulSet makes its pods in order, each with a claim that it finds again', async () => {
    const ns = await aNamespace();
    const labels = { app: 'db' };
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local-path', resources: { requests: { storage: '1Gi' } } } };
    const container = { name: 'db', image: 'postgres:17', env: [{ name: 'POSTGRES_PASSWORD', value: 'x' }], volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql/data' }] };
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: ns }, spec: { replicas: 2, serviceName: 'db', selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } }, volumeClaimTemplates: [claim] } };
    await api.create(kinds.statefulSets, set, ns);
    await cluster.settled();
    expect(pods(ns).map((pod) => [pod.metadata.name, ready(pod)])).toEqual([['db-0', true], ['db-1', true]]);
    await api.delete(kinds.pods, { metadata: { name: 'db-0', namespace: ns } });
    await cluster.settled();
    const claims = cluster.server.objects('persistentvolumeclaims', ns) as unknown as { status: { phase: string } }[];
    expect(claims.map((each) => each.status.phase)).toEqual(['Bound', 'Bound']);
    // The new pod finds the data of the old one, so PostgreSQL does not initialise again.
    const lines = cluster.server.logs.read(ns, 'db-0', 'db', false)?.map((each) => each.line) ?? [];
    expect(lines[0]).toContain('appears to contain a database');
  });

  it('a Job retries what fails up to its limit and completes what succeeds', async () => {
    const ns = await aNamespace();
    const aJob = (name: string, script: string, backoffLimit: number): Job => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: ns }, spec: { backoffLimit, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', script] }] } } } });
    await api.create(kinds.jobs, aJob('good', 'echo done', 0), ns);
    await api.create(kinds.jobs, aJob('bad', 'exit 3', 1), ns);
    const job = async (name: string) => (await api.get(kinds.jobs, ns, name)).status;
    await eventually(async () => expect((await job('bad'))?.conditions).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'Failed', reason: 'BackoffLimitExceeded' })])));
    expect(await job('bad')).toMatchObject({ failed: 2 });
    expect(await job('good')).toMatchObject({ succeeded: 1, conditions: expect.arrayContaining([expect.objectContaining({ type: 'Complete', status: 'True' })]) });
  });

  it('a DaemonSet has one pod on every node, and a Service names the ready ones', async () => {
    const ns = await aNamespace();
    const labels = { app: 'agent' };
    const set = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent', namespace: ns }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'nginx' }] } } } };
    await api.create(kinds.daemonSets, set, ns);
    await api.create(kinds.services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'agent', namespace: ns }, spec: { selector: labels, ports: [{ port: 80 }] } }, ns);
    await cluster.settled();
    expect(new Set(pods(ns).map((pod) => pod.spec.nodeName)).size).toBe(7);
    const slice = cluster.server.objects('endpointslices.discovery.k8s.io', ns)[0] as unknown as { endpoints: { conditions: { ready: boolean } }[] };
    expect(slice.endpoints.map((endpoint) => endpoint.conditions.ready)).toEqual(Array(7).fill(true));
  });
});

it('goes on with everything else when it meets objects of a shape that nobody expected', async () => {
  const ns = await aNamespace();
  const odd = ['Pod', 'Service', 'PersistentVolumeClaim'].map((kind) => ({ apiVersion: 'v1', kind, metadata: { name: 'odd', namespace: ns, uid: `odd-${kind}`, resourceVersion: '1' } }));
  cluster.server.load([...odd, { ...odd[0], metadata: { name: 'odder', namespace: ns, uid: 'odder' }, spec: { nodeName: 'k3s-worker01' } }, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'odd', namespace: ns, uid: 'odd-d' } }]);
  await api.create(kinds.deployments, aDeployment(ns, 2), ns);
  await eventually(() => expect(pods(ns).filter(ready)).toHaveLength(2));
});
