import { timestamp } from '../clock';
import type { ClientContext } from '../controller';
import { ApiError } from '../api-client';
import type { Informer } from '../informer';
import { keyOf, kinds } from '../kinds';
import { isDown } from '../controllers/node-lifecycle';
import type { PodNetwork } from '../pod-network';
import { withCondition } from '../pod-state';
import { writeStatus } from '../status-patch';
import type { Condition, Node, Pod } from '../types';
import type { LogSink } from './log-sink';
import { PodWorker } from './pod-worker';
import { hasPrograms } from './programs/catalog';
import type { ProgramHost } from './programs/program-host';
import { ServiceDial } from './service-dial';
import type { VolumeStore } from './volume-store';

const leaseNamespace = 'kube-node-lease';
const leaseMs = 10_000;
const statusMs = 300_000;

/** What lets a node run our own programs. */
export interface ProgramsOfNode {
  host: ProgramHost;
  /** Where programs in pods find the API server, by TLS. */
  apiServer: { host: string; port: string };
}

/** The simulated kubelet of one node: runs the pods that are bound to it, and keeps saying that it lives. */
export class Kubelet {
  private readonly workers = new Map<string, PodWorker>();
  private readonly pods: Informer<Pod>;
  private readonly nodes: Informer<Node>;
  private stopped = false;
  private down: ReturnType<typeof isDown>;
  private cancels: (() => void)[] = [];

  constructor(
    private readonly context: ClientContext,
    private readonly name: string,
    private readonly logs: LogSink,
    private readonly volumes: VolumeStore,
    private readonly network: PodNetwork,
    private readonly programs: ProgramsOfNode | undefined,
  ) {
    this.pods = context.informers.of(kinds.pods);
    this.nodes = context.informers.of(kinds.nodes);
  }

  start(): void {
    const end = this.context.activity.begin();
    void Promise.all([this.heartbeat(), this.renewLease()]).finally(end);
  }

  /** Its node changed: it may have to be silent, or may speak again. */
  look(): void {
    const down = isDown(this.nodes.get(this.name));
    if (down === this.down || this.stopped) return;
    this.down = down;
    if (down === 'dead') {
      for (const worker of this.workers.values()) worker.dispose(false);
      this.workers.clear();
    }
    if (down) return;
    this.cancel();
    this.start();
    for (const uid of [...this.workers.keys()]) if (!this.pods.all().some((pod) => pod.metadata.uid === uid)) this.drop(uid);
    for (const pod of this.pods.all()) if (pod.spec.nodeName === this.name) this.see(pod, false);
  }

  /** A pod that is, or was, bound to this node changed. */
  see(pod: Pod, deleted: boolean): void {
    if (this.stopped || this.down) return;
    const uid = pod.metadata.uid ?? '';
    const worker = this.workers.get(uid);
    if (deleted) {
      this.drop(uid);
    } else if (worker) {
      worker.update(pod);
    } else {
      const made = new PodWorker(this.workerHost(), pod);
      this.workers.set(uid, made);
      made.step();
    }
  }

  /** Something that pods may be waiting for changed. */
  poke(): void {
    if (!this.down) for (const worker of this.workers.values()) worker.poke();
  }

  private drop(uid: string): void {
    this.workers.get(uid)?.dispose(true);
    this.workers.delete(uid);
  }

  private cancel(): void {
    for (const cancel of this.cancels) cancel();
    this.cancels = [];
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
    for (const worker of this.workers.values()) worker.dispose(false);
    this.workers.clear();
  }

  private node(): Node {
    return this.nodes.get(this.name) ?? { apiVersion: 'v1', kind: 'Node', metadata: { name: this.name } };
  }

  private workerHost() {
    const of = this.context.informers;
    return {
      context: this.context,
      logs: this.logs,
      volumes: this.volumes,
      network: this.network,
      services: new ServiceDial(of, this.network),
      sources: { configMaps: of.of(kinds.configMaps), secrets: of.of(kinds.secrets), claims: of.of(kinds.claims), volumes: of.of(kinds.volumes) },
      node: () => this.node(),
      isHeard: () => !this.down,
      allocateIp: (pod: Pod) => this.allocateIp(pod),
      programs: this.programs?.host,
      apiServer: this.programs?.apiServer ?? { host: '', port: '' },
    };
  }

  /** The first address of the node's range that no other pod here has. */
  private allocateIp(pod: Pod): string {
    const node = this.node();
    if (this.programs && hasPrograms(pod)) return this.programs.host.network.ofPod(pod.metadata.uid ?? '');
    if (pod.spec.hostNetwork) return node.status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '';
    const prefix = (node.spec?.podCIDR ?? '10.42.0.0/24').split('.').slice(0, 3).join('.');
    const taken = new Set(this.pods.all().map((each) => each.status?.podIP));
    for (let last = this.nextIp; ; last = last >= 254 ? 2 : last + 1) {
      this.nextIp = last >= 254 ? 2 : last + 1;
      if (!taken.has(`${prefix}.${last}`)) return `${prefix}.${last}`;
    }
  }
  private nextIp = 2;

  private async heartbeat(): Promise<void> {
    const { clock } = this.context;
    try {
      const node = this.nodes.get(this.name);
      if (node && !this.down) await writeStatus(this.context, kinds.nodes, node, { ...node.status, conditions: conditionsOf(node, this.context) });
    } catch (error) {
      this.context.log({ node: this.name, error: String(error) }, 'node status not written');
    }
    if (!this.stopped) this.cancels.push(clock.setTimer(statusMs, () => void this.heartbeat()));
  }

  private async renewLease(): Promise<void> {
    if (this.down) return;
    const { clock, api } = this.context;
    const renewTime = `${clock.now().toISOString().slice(0, 23)}000Z`;
    const lease = { metadata: { name: this.name, namespace: leaseNamespace } };
    try {
      await api.patch(kinds.leases, lease, { spec: { renewTime } });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) await this.createLease(renewTime).catch(() => undefined);
    }
    if (!this.stopped) {
      this.cancels = this.cancels.slice(-8);
      this.cancels.push(clock.setTimer(leaseMs, () => void this.renewLease()));
    }
  }

  private async createLease(renewTime: string): Promise<void> {
    const owner = { apiVersion: 'v1', kind: 'Node', name: this.name, uid: this.node().metadata.uid ?? '' };
    const spec = { holderIdentity: this.name, leaseDurationSeconds: 40, renewTime };
    const metadata = { name: this.name, namespace: leaseNamespace, ownerReferences: [owner] };
    await this.context.api.create(kinds.leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, leaseNamespace);
  }
}

function conditionsOf(node: Node, { clock }: ClientContext): Condition[] {
  const healthy: Condition[] = [
    { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  ];
  const lastHeartbeatTime = timestamp(clock.now());
  return healthy
    .reduce((conditions, next) => withCondition(conditions, next, clock), node.status?.conditions ?? [])
    .map((condition) => (healthy.some((each) => each.type === condition.type) ? { ...condition, lastHeartbeatTime } : condition));
}

/** The kubelets of all nodes of a cluster, made and ended as Node objects come and go. */
export class Kubelets {
  private readonly byNode = new Map<string, Kubelet>();

  constructor(context: ClientContext, logs: LogSink, volumes: VolumeStore, network: PodNetwork, programs?: ProgramsOfNode) {
    const { informers } = context;
    const pods = informers.of(kinds.pods);
    const nodes = informers.of(kinds.nodes);
    const mirrored = ([kinds.claims, kinds.volumes, kinds.secrets, kinds.configMaps] as const).map((kind) => informers.of<never>(kind as never));
    informers.whenSynced(() => {
      nodes.onChange(({ type, object }) => {
        const name = keyOf(object);
        if (type === 'deleted') {
          this.byNode.get(name)?.stop();
          this.byNode.delete(name);
        } else if (!this.byNode.has(name)) {
          const kubelet = new Kubelet(context, name, logs, volumes, network, programs);
          this.byNode.set(name, kubelet);
          kubelet.start();
          for (const pod of pods.all()) if (pod.spec.nodeName === name) kubelet.see(pod, false);
        }
        this.byNode.get(name)?.look();
      });
      pods.onChange(({ type, object }) => {
        if (object.spec.nodeName) this.byNode.get(object.spec.nodeName)?.see(object, type === 'deleted');
      });
      for (const informer of mirrored) informer.onChange(() => this.byNode.forEach((kubelet) => kubelet.poke()));
    });
  }

  stop(): void {
    for (const kubelet of this.byNode.values()) kubelet.stop();
  }
}
