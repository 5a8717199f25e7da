import type { KubeObject } from '@larry/contracts';
import type { Fault, Recipe } from '../case';
import { complaints, feltBy } from '../cluster/callers';
import type { Cluster } from '../cluster/cluster';
import type { Pod } from '../cluster/objects';
import { dropPods, setCondition, waiting } from '../cluster/trouble';
import type { Workload, WorkloadSpec } from '../cluster/workload';
import { sources } from '../sources';

/** Jobs that took too long, objects that cannot go, nodes that give no addresses. */
const days = { ageS: 30 * 86_400, podAgeS: 6 * 86_400 };

/** A Job's status after its deadline, and its events. */
export function overdue(c: Cluster, job: KubeObject, deadlineS: number, startedS: number): void {
  const at = c.ago(startedS - deadlineS);
  const said = { status: 'True', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline', lastProbeTime: at, lastTransitionTime: at };
  Object.assign(job['spec'] as object, { activeDeadlineSeconds: deadlineS });
  job['status'] = { startTime: c.ago(startedS), failed: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {}, conditions: [{ type: 'FailureTarget', ...said }, { type: 'Failed', ...said }] };
  c.event(job, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${job.metadata.name}-${c.chance.name(5)}`, from: 'job-controller', lastS: startedS });
  c.event(job, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${job.metadata.name}-${c.chance.name(5)}`, from: 'job-controller', lastS: startedS - deadlineS });
  c.event(job, { reason: 'DeadlineExceeded', message: said.message, from: 'job-controller', lastS: startedS - deadlineS });
}

/** The controller has deleted its pods: nothing is left to look into. */
function tooLong(deadlineS: number, endedS: number, spec: WorkloadSpec = {}): Recipe {
  return (c, at) => {
    const startedS = deadlineS + endedS;
    const workload = c.workload(at, { ageS: at.kind === 'CronJob' ? 90 * 86_400 : startedS, podAgeS: startedS, port: 0, ...spec });
    dropPods(c, workload);
    overdue(c, workload.controller, deadlineS, startedS);
    if (at.kind !== 'CronJob') return;
    Object.assign((workload.root['spec'] as { jobTemplate: { spec: object } }).jobTemplate.spec, { activeDeadlineSeconds: deadlineS });
    workload.root['status'] = { lastScheduleTime: c.ago(startedS), lastSuccessfulTime: c.ago(startedS + 84_000) };
    c.event(workload.root, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created job ${workload.controller.metadata.name}`, from: 'cronjob-controller', lastS: startedS });
    c.event(workload.root, { type: 'Normal', reason: 'SawCompletedJob', message: `Saw completed job: ${workload.controller.metadata.name}, condition: Failed`, from: 'cronjob-controller', lastS: endedS });
  };
}

/** Somebody's init container asks whether it is done. */
function awaited(recipe: Recipe, name: string, line: string): Recipe {
  return (c, at) => {
    recipe(c, at);
    const waits = c.workload({ kind: 'Deployment', namespace: at.namespace, name }, { ...days, podAgeS: 2500, pod: { initContainers: [{ name: 'wait-for-job', image: 'docker.io/groundnuty/k8s-wait-for:v2.0', args: ['job', at.name] }] } });
    for (const pod of waiting(c, waits, { reason: 'PodInitializing' })) {
      setCondition(pod, 'Initialized', 'False', { reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [wait-for-job]' });
      for (const status of pod.status.initContainerStatuses ?? []) Object.assign(status, { ready: false, started: true, state: { running: { startedAt: c.ago(2400) } } });
      for (const status of pod.status.containerStatuses ?? []) status.state = { waiting: { reason: 'PodInitializing' } };
      pod.status.podIP = `10.42.4.${c.chance.int(4, 250)}`;
      c.log(pod, 'wait-for-job', [line, line, line]);
    }
  };
}

/** A pod that was told to go and has ended, as the kubelet leaves it. */
export function ended(c: Cluster, pod: Pod, agoS: number, finalizers: string[], exitCode = 0): void {
  pod.metadata.deletionTimestamp = c.ago(agoS);
  pod.metadata['deletionGracePeriodSeconds'] = 30;
  pod.metadata.finalizers = finalizers;
  pod.status.phase = exitCode === 0 ? 'Succeeded' : 'Failed';
  for (const type of ['Ready', 'ContainersReady']) setCondition(pod, type, 'False', { reason: exitCode === 0 ? 'PodCompleted' : 'PodFailed', lastTransitionTime: c.ago(agoS + 25) });
  setCondition(pod, 'PodReadyToStartContainers', 'False', { lastTransitionTime: c.ago(agoS + 24) });
  for (const status of pod.status.containerStatuses ?? []) Object.assign(status, { ready: false, started: false, state: { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: pod.status['startTime'], finishedAt: c.ago(agoS + 26), containerID: status.containerID } } });
  c.event(pod, { type: 'Normal', reason: 'Killing', message: `Stopping container ${pod.spec.containers[0]?.name}`, lastS: Math.min(agoS + 30, 3400) });
}

/** A pod with a finalizer that nobody takes away; its controller waits with the next one. */
function pending(finalizer: string, agoS: number, options: { owner?: 'StatefulSet'; exitCode?: number; spec?: WorkloadSpec } = {}): Recipe {
  return (c, at) => {
    const name = options.owner ? at.name.replace(/-\d+$/, '') : at.name;
    const workload = c.workload({ kind: options.owner ?? 'Pod', namespace: at.namespace, name }, { ...days, ...(options.owner ? {} : { service: false }), ...options.spec });
    for (const pod of workload.pods) if (pod.metadata.name === at.name) ended(c, pod, agoS, [finalizer], options.exitCode);
  };
}

/** What a namespace says while it is being deleted (`namespace/deletion/status_condition_utils.go`). */
export function deleting(c: Cluster, namespace: KubeObject, agoS: number, what: { discovery?: string; content?: string; remaining?: string; finalizers?: string } = {}): void {
  namespace.metadata.deletionTimestamp = c.ago(agoS);
  const condition = (type: string, said: string | undefined, [bad, good]: [string, string], well: string) => ({ type, status: said === undefined ? 'False' : 'True', reason: said === undefined ? good : bad, message: said ?? well, lastTransitionTime: c.ago(agoS - 6) });
  namespace['spec'] = { finalizers: ['kubernetes'] };
  namespace['status'] = {
    phase: 'Terminating',
    conditions: [
      condition('NamespaceDeletionDiscoveryFailure', what.discovery, ['DiscoveryFailed', 'ResourcesDiscovered'], 'All resources successfully discovered'),
      condition('NamespaceDeletionGroupVersionParsingFailure', undefined, ['GroupVersionParsingFailed', 'ParsedGroupVersions'], 'All legacy kube types successfully parsed'),
      condition('NamespaceDeletionContentFailure', what.content, ['ContentDeletionFailed', 'ContentDeleted'], 'All content successfully deleted, may be waiting on finalization'),
      condition('NamespaceContentRemaining', what.remaining, ['SomeResourcesRemain', 'ContentRemoved'], 'All content successfully removed'),
      condition('NamespaceFinalizersRemaining', what.finalizers, ['SomeFinalizersRemain', 'ContentHasNoFinalizers'], 'All content-preserving finalizers finished'),
    ],
  };
}

interface Left {
  apiVersion: string;
  kind: string;
  plural: string;
  name: string;
  finalizer: string;
}

/** A namespace that waits for objects with finalizers of a controller that was removed first. */
function stillThere(agoS: number, ...left: Left[]): Recipe {
  return (c, at) => {
    const namespace = c.namespace(at.name, true);
    for (const { apiVersion, kind, name, finalizer } of left) {
      const object = c.add(apiVersion, kind, { name, namespace: at.name }, { spec: {} });
      Object.assign(object.metadata, { finalizers: [finalizer], deletionTimestamp: c.ago(agoS - 2), deletionGracePeriodSeconds: 0 });
    }
    const count = (key: (one: Left) => string) => [...new Set(left.map(key))].map((value) => [value, left.filter((one) => key(one) === value).length] as const);
    const kinds = count(({ plural, apiVersion }) => `${plural}${apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '.'}`);
    deleting(c, namespace, agoS, {
      remaining: `Some resources are remaining: ${kinds.map(([kind, n]) => `${kind} has ${n} resource instances`).join(', ')}`,
      finalizers: `Some content in the namespace has finalizers remaining: ${count(({ finalizer }) => finalizer).map(([finalizer, n]) => `${finalizer} in ${n} resource instances`).join(', ')}`,
    });
  };
}

/** An aggregated API that does not answer keeps every namespace from going. */
function undiscovered(agoS: number, group: string): Recipe {
  return (c, at) => {
    const [version, ...rest] = group.split('.').reverse();
    const name = [version, ...rest.reverse()].join('.');
    c.add('apiregistration.k8s.io/v1', 'APIService', { name }, { spec: { group: rest.join('.'), version, service: { name: 'adapter', namespace: 'removed', port: 443 } }, status: { conditions: [{ type: 'Available', status: 'False', reason: 'ServiceNotFound', message: 'service/adapter in "removed" is not present' }] } });
    const served = `${rest.join('.')}/${version}`;
    deleting(c, c.namespace(at.name, true), agoS, { discovery: `Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: ${served}: stale GroupVersion discovery: ${served}` });
  };
}

/** New pods of one node get no network; those that are there run on. */
function noNetwork(why: string, app: string, options: { kind?: string; count?: number } = {}): Recipe {
  return (c, at) => {
    const elsewhere = c.nodes.slice(3).map(({ metadata }) => metadata.name).filter((name) => name !== at.name);
    c.workload({ kind: 'DaemonSet', namespace: 'apps', name: `${app}-agent` }, { ...days, service: false });
    const one = c.workload({ kind: options.kind ?? 'Deployment', namespace: 'apps', name: app }, { ...days, podAgeS: 1800, port: options.kind === 'Job' ? 0 : 8080, replicas: 2, nodes: [at.name, ...elsewhere] });
    const two = c.workload({ kind: 'StatefulSet', namespace: 'apps', name: `${app}-store` }, { ...days, podAgeS: 1500, nodes: [at.name] });
    for (const workload of [one, two]) noSandbox(c, workload, why, workload.pods.flatMap(({ spec }, index) => (spec.nodeName === at.name ? [index] : [])));
  };
}

/** `FailedCreatePodSandBox` in containerd's words. */
export function noSandbox(c: Cluster, workload: Workload, why: string, only?: number[]): void {
  for (const pod of waiting(c, workload, { reason: 'ContainerCreating' }, { only })) {
    setCondition(pod, 'PodReadyToStartContainers', 'False');
    c.event(pod, { reason: 'FailedCreatePodSandBox', message: `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "${c.chance.hex(64)}": ${why}`, count: c.chance.int(20, 90), lastS: c.chance.int(5, 30) });
  }
}

const flannelGone = 'plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory';
const calicoGone = 'plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container is running and has mounted /var/lib/calico/';

/** The network's configuration was taken away: the node says itself that it is not ready. */
function notSetUp(app: string): Recipe {
  return (c, at) => {
    const node = c.node(at.name);
    const message = 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';
    for (const condition of node.status.conditions) if (condition.type === 'Ready') Object.assign(condition, { status: 'False', reason: 'KubeletNotReady', message, lastTransitionTime: c.ago(1600) });
    node.spec.taints = [...(node.spec.taints ?? []), { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', timeAdded: c.ago(1600) }, { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: c.ago(1600) }];
    const agents = c.workload({ kind: 'DaemonSet', namespace: 'apps', name: app }, { ...days, port: 0, pod: { tolerations: [{ operator: 'Exists' }] } });
    const only = agents.pods.flatMap(({ spec }, index) => (spec.nodeName === at.name ? [index] : []));
    for (const index of only) Object.assign(agents.pods[index]?.metadata ?? {}, { creationTimestamp: c.ago(1500) });
    for (const pod of waiting(c, agents, { reason: 'ContainerCreating' }, { only })) {
      c.event(pod, { reason: 'NetworkNotReady', message: `network is not ready: ${message}`, count: 70, lastS: 4, firstS: 1490 });
    }
  };
}

const certificate = (name: string): Left => ({ apiVersion: 'acme.cert-manager.io/v1', kind: 'Challenge', plural: 'challenges', name, finalizer: 'acme.cert-manager.io/finalizer' });

export const endings: Fault[] = [
  {
    class: 'running',
    cause: 'job_deadline_exceeded',
    sources: [sources.deadline],
    variants: [
      ['Job batch/reindex', 'one hour was too short', tooLong(3600, 900)],
      ['CronJob ops/offsite-backup', 'the last run of a CronJob', tooLong(600, 700)],
      ['Job shop/migrate', 'a Deployment waits for it', awaited(tooLong(300, 2400), 'catalogue-next', 'Waiting for job migrate...')],
      ['CronJob reports/monthly', 'ten minutes', tooLong(900, 400)],
      ['Job ml/embed-corpus', 'a day', tooLong(86_400, 1200)],
      ['Job media/transcode-films', 'three at a time', tooLong(7200, 1800, { pods: 3, spec: { completions: 12, parallelism: 3 } })],
      ['Job data/compact', 'half an hour', tooLong(1800, 3000)],
      ['CronJob net/speedtest', 'two minutes', tooLong(120, 600)],
    ],
  },
  {
    class: 'running',
    cause: 'finalizer_pending',
    sources: [sources.finalizers],
    variants: [
      ['Pod ml/train-7', 'of a queue that was removed', pending('kueue.x-k8s.io/managed', 5400)],
      ['Pod batch/import-orders-4xk2p', 'its Job is gone, its mark is not', pending('batch.kubernetes.io/job-tracking', 9000, { exitCode: 1 })],
      ['Pod data/kafka-0', 'its StatefulSet cannot make it anew, and callers fail', (c, at) => feltBy(pending('example.com/drain-partitions', 1300, { owner: 'StatefulSet', exitCode: 143, spec: { port: 9092 } }), 'kafka', { name: 'events', log: [complaints.go] })(c, at)],
      ['Pod vpn/gateway-1', 'one of three', pending('wireguard.example.com/peer', 2600, { owner: 'StatefulSet', spec: { replicas: 3 } })],
      ['Pod gpu/render-3', 'its devices are not given back', pending('resource.example.com/gpu-release', 4100, { exitCode: 137 })],
      ['Namespace cattle-old', 'a finalizer of the namespace itself, of a Rancher that is gone', (c, at) => {
        const namespace = c.namespace(at.name, true);
        deleting(c, namespace, 500_000);
        namespace.metadata.finalizers = ['controller.cattle.io/namespace-auth'];
        namespace['spec'] = {};
      }],
      ['Namespace longhorn-old', 'Longhorn was removed before its objects', stillThere(88_000, ...['pvc-1a', 'pvc-2b'].map((name): Left => ({ apiVersion: 'longhorn.io/v1beta2', kind: 'Volume', plural: 'volumes', name, finalizer: 'longhorn.io' })), { apiVersion: 'longhorn.io/v1beta2', kind: 'Node', plural: 'nodes', name: 'k3s-worker01', finalizer: 'longhorn.io' })],
      ['Namespace shop-preview', 'a challenge of cert-manager that cannot clean up', stillThere(7200, certificate('shop-preview-tls-1-2871'))],
      ['Namespace metrics-test', 'an aggregated API without a server behind it', undiscovered(3500, 'custom.metrics.k8s.io.v1beta1')],
      ['Namespace team-blue', 'an application of Argo CD that prunes', stillThere(1500, { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', plural: 'applications', name: 'blue', finalizer: 'resources-finalizer.argocd.argoproj.io' })],
      ['Namespace ci-1482', 'a claim that a volume driver does not let go', stillThere(4000, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', name: 'cache', finalizer: 'snapshot.storage.kubernetes.io/pvc-as-source-protection' })],
    ],
  },
  {
    class: 'infrastructure',
    cause: 'node_pod_network_unavailable',
    sources: [sources.sandbox],
    variants: [
      ['Node k3s-worker01', 'flannel did not write its file', noNetwork(flannelGone, 'orders')],
      ['Node k3s-worker02', 'an older flannel', noNetwork('plugin type="flannel" failed (add): failed to load flannel \'subnet.env\' file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for this node.', 'search', { kind: 'Job' })],
      ['Node k3s-worker03', 'no addresses left', noNetwork('plugin type="host-local" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.42.5.1-10.42.5.254', 'crawler')],
      ['Node node-2', 'calico', noNetwork(calicoGone, 'media')],
      ['Node node-4', 'calico\'s token has run out', noNetwork('plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized', 'crm')],
      ['Node lab-node1', 'cilium\'s agent', noNetwork('plugin type="cilium-cni" name="cilium" failed (add): unable to connect to Cilium agent: failed to create cilium agent client after 30.000000 seconds timeout: Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: no such file or directory\nIs the agent running?', 'lab')],
      ['Node lab-node3', 'the plugin\'s program is missing', noNetwork('failed to find plugin "flannel" in path [/opt/cni/bin]', 'tests')],
      ['Node k3s-master02', 'a master', noNetwork(flannelGone, 'etcd-backup')],
      ['Node lab-node4', 'addresses are used up by pods that are gone', noNetwork('plugin type="host-local" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.42.6.1-10.42.6.254', 'render')],
      ['Node node-1', 'no configuration any more', notSetUp('agents')],
    ],
  },
];
