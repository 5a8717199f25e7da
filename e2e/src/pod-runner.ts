import type { KubeObject } from '@larry/contracts';
import { ApiClient, type SimulatedCluster } from '@larry/simulation';
import { spawn, type ChildProcess } from 'node:child_process';

/** What a pod's image does on the node: runs this program, or cannot be had, or its pod cannot be set up, as an event tells. */
export type ImageOutcome = { program: string; afterMs?: number } | { waiting: { reason: string; message?: string }; warning?: { reason: string; message: string } };

/** Decides by the pod; called again each time that `retry` is. */
export type ImageOf = (pod: RunnerPod) => ImageOutcome;

interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
}

/** A pod, as far as this runner reads it. */
export interface RunnerPod extends KubeObject {
  spec: { nodeName?: string; schedulerName?: string; terminationGracePeriodSeconds?: number; containers: Container[] };
  status?: { phase?: string; conditions?: Record<string, unknown>[] };
}

interface Running {
  pod: RunnerPod;
  child?: ChildProcess;
  timer?: NodeJS.Timeout;
  ended?: boolean;
  killing?: boolean;
}

/** Objects for a simulated cluster whose own kubelets run none of the test's pods: the nodes of those are the runner's. */
export const runnerObjects = (namespace: string): KubeObject[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'simulated' }, status: { capacity: { cpu: '4', memory: '8Gi', pods: '110' }, allocatable: { cpu: '4', memory: '8Gi', pods: '110' } } },
];

const kind = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

/**
 * Kubelets of nodes that the simulation has no Node object for: binds pods of its scheduler (`schedulerName: pod-runner`)
 * to the node that their worker is planned for, and runs them as processes with the pod's environment.
 */
export class PodRunner {
  private readonly api: ApiClient;
  private readonly ending = new AbortController();
  private readonly pods = new Map<string, Running>();
  /** Nodes that have died or are cut off: nothing is heard of them any more. */
  private readonly dead = new Set<string>();
  private readonly cordoned = new Set<string>();
  /** Processes started so far, by pod. */
  readonly started: { pod: string; task: string; node: string; pid: number }[] = [];
  readonly output: string[] = [];
  private watching: Promise<void> = Promise.resolve();
  /** Where set, pods are bound to no node, with this reason. */
  unschedulable: string | undefined;

  constructor(
    cluster: Pick<SimulatedCluster, 'url' | 'adminToken'>,
    private readonly imageOf: ImageOf,
  ) {
    this.api = new ApiClient({ url: cluster.url, token: cluster.adminToken, userAgent: 'pod-runner' });
  }

  async start(): Promise<void> {
    const { items, resourceVersion } = await this.api.list<RunnerPod>(kind);
    for (const pod of items) this.see(pod);
    this.watching = this.api
      .watch<RunnerPod>(kind, resourceVersion, ({ type, object }) => (type === 'DELETED' ? this.forget(object) : this.see(object)), this.ending.signal)
      .catch(() => undefined);
  }

  /** Looks again at every pod that waits: the image can be had now, there is room again. */
  retry(): void {
    for (const { pod, child, ended } of this.pods.values()) if (!child && !ended) this.step(pod);
  }

  /** The node's power is cut: its processes die, and it says nothing more. */
  nodeDies(node: string): void {
    this.dead.add(node);
    for (const { pod, child } of this.pods.values()) if (pod.spec.nodeName === node) child?.kill('SIGKILL');
  }

  /** The node is cut off from the API server: its processes live on, and neither hears of the other any more. */
  cutOff(node: string): void {
    this.dead.add(node);
  }

  /** The node is drained: its pods are evicted through the API, as `kubectl drain` does. */
  async drain(node: string): Promise<void> {
    this.cordoned.add(node);
    const pods = [...this.pods.values()].filter(({ pod, ended }) => pod.spec.nodeName === node && !ended);
    await Promise.all(
      pods.map(async ({ pod }) => {
        const conditions = [...(pod.status?.conditions ?? []), { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' }];
        await this.patchStatus(pod, { conditions });
        await this.api.request('POST', `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace } });
      }),
    );
  }

  /** Whether a process of this Job runs. */
  runs(job: string): boolean {
    return [...this.pods.values()].some(({ pod, child, ended }) => pod.metadata.name.startsWith(`${job}-`) && child !== undefined && !ended);
  }

  async stop(): Promise<void> {
    this.ending.abort();
    await this.watching;
    const running = [...this.pods.values()];
    for (const { timer, child } of running) {
      clearTimeout(timer);
      child?.kill('SIGCONT');
      child?.kill('SIGKILL');
    }
    await Promise.all(running.map(({ child }) => (child && child.exitCode === null && child.signalCode === null ? new Promise((resolve) => child.once('exit', resolve)) : undefined)));
    this.api.close();
  }

  private see(pod: RunnerPod): void {
    if (pod.spec.schedulerName !== 'pod-runner') return;
    const uid = pod.metadata.uid ?? '';
    const known = this.pods.get(uid);
    if (known) known.pod = pod;
    else this.pods.set(uid, { pod });
    this.step(pod);
  }

  private forget(pod: RunnerPod): void {
    const known = this.pods.get(pod.metadata.uid ?? '');
    clearTimeout(known?.timer);
    // Forced away while it runs: the node still runs it, as a real one may.
    if (known && (!known.child || known.ended)) this.pods.delete(pod.metadata.uid ?? '');
  }

  private step(pod: RunnerPod): void {
    const running = this.pods.get(pod.metadata.uid ?? '');
    if (!running || this.dead.has(pod.spec.nodeName ?? '')) return;
    if (pod.metadata.deletionTimestamp) return this.kill(running);
    if (running.ended || running.child || running.timer) return;
    if (!pod.spec.nodeName) return void this.bind(pod).catch(() => undefined);
    const image = this.imageOf(pod);
    if ('waiting' in image) {
      if (image.warning) void this.warn(pod, image.warning).catch(() => undefined);
      return void this.say(pod, 'Pending', { waiting: image.waiting });
    }
    running.timer = setTimeout(() => this.run(running, image.program), image.afterMs ?? 0);
    void this.say(pod, 'Pending', { waiting: { reason: 'ContainerCreating' } });
  }

  private async bind(pod: RunnerPod): Promise<void> {
    const { name, namespace = '' } = pod.metadata;
    if (this.unschedulable !== undefined) {
      if (!pod.status?.conditions?.some((c) => c['type'] === 'PodScheduled')) await this.patchStatus(pod, { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: this.unschedulable }] });
      return;
    }
    const planned = environmentOf(pod, '')['LARRY_PLANNED_NODE'] ?? 'k3s-worker01';
    const node = this.dead.has(planned) || this.cordoned.has(planned) ? 'k3s-worker02' : planned;
    await this.api.create(kind, { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target: { apiVersion: 'v1', kind: 'Node', name: node } }, namespace, { name, of: 'binding' });
  }

  private run(running: Running, program: string): void {
    const { pod } = running;
    const env = environmentOf(pod, pod.spec.nodeName ?? '');
    const child = spawn(process.execPath, [program], { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => void this.output.push(data.toString()));
    this.started.push({ pod: pod.metadata.name, task: env['LARRY_TASK'] ?? '', node: pod.spec.nodeName ?? '', pid: child.pid ?? 0 });
    void this.say(pod, 'Running', { running: { startedAt: new Date().toISOString() } });
    child.once('exit', (code, signal) => {
      running.ended = true;
      if (this.ending.signal.aborted || this.dead.has(pod.spec.nodeName ?? '')) return;
      const exitCode = code ?? 128 + (signal === 'SIGKILL' ? 9 : 15);
      void this.say(pod, exitCode === 0 ? 'Succeeded' : 'Failed', { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' } }).then(() => (running.killing ? this.remove(pod) : undefined));
    });
  }

  private kill(running: Running): void {
    if (running.killing) return;
    running.killing = true;
    clearTimeout(running.timer);
    if (!running.child || running.ended) return void this.remove(running.pod);
    running.child.kill('SIGTERM');
    const { deletionGracePeriodSeconds: seconds } = running.pod.metadata as { deletionGracePeriodSeconds?: number };
    setTimeout(() => running.child?.kill('SIGKILL'), 1000 * (seconds ?? running.pod.spec.terminationGracePeriodSeconds ?? 30)).unref();
  }

  private async say(pod: RunnerPod, phase: string, state: Record<string, unknown>): Promise<void> {
    const [container] = pod.spec.containers;
    await this.patchStatus(pod, { phase, containerStatuses: [{ name: container?.name ?? '', image: container?.image ?? '', imageID: '', ready: 'running' in state, restartCount: 0, state }] });
  }

  /** Once for each pod and reason: the name is there the second time. */
  private async warn(pod: RunnerPod, warning: { reason: string; message: string }): Promise<void> {
    const { name, namespace = '', uid } = pod.metadata;
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: `${name}.${warning.reason.toLowerCase()}`, namespace }, involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid }, type: 'Warning', ...warning, lastTimestamp: new Date().toISOString() };
    await this.api.create({ apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true }, event, namespace);
  }

  private async patchStatus(pod: RunnerPod, status: Record<string, unknown>): Promise<void> {
    await this.api.patch(kind, pod, { status }, 'merge', 'status').catch(() => undefined);
  }

  private async remove(pod: RunnerPod): Promise<void> {
    await this.api.delete(kind, pod, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }).catch(() => undefined);
  }
}

function environmentOf(pod: RunnerPod, node: string): Record<string, string> {
  const variables = pod.spec.containers[0]?.env ?? [];
  return Object.fromEntries(variables.map(({ name, value, valueFrom }) => [name, valueFrom?.fieldRef?.fieldPath === 'spec.nodeName' ? node : (value ?? '')]));
}
