import { printable, refOf, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import { keyOf } from '../facts/object-index';
import { conditionsOf } from '../facts/pod-facts';
import { minuteMs, timeOf } from '../facts/times';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { seen, seenEvent } from './evidence';

/** What the kubelet says of its runtime (kubernetes, `pkg/kubelet/runtime.go`; containerd's socket). */
const runtimeDown = /container runtime is down|container runtime status check may not have completed|PLEG is not healthy|containerd\.sock|failed to get container status|runtime service failed|Container runtime not ready/i;
/** A lease is renewed every 10 s; the node controller waits 40 s (kubernetes, `node-monitor-grace-period`). */
const leaseStaleMs = 90_000;

/** Nodes whose kubelet, container runtime or kube-proxy does not work, or that are out of something. */
export function nodeHealthCauses(scene: Scene): Candidate[] {
  const nodes = scene.facts.objects.list('Node');
  const newest = newestLease(scene);
  return [...nodes.flatMap((node) => [serviceCause(scene, node, newest), pressureCause(scene, node)].flatMap((c) => c ?? [])), ...unlistedNodes(scene, nodes), ...proxyCauses(scene, nodes)];
}

interface ServiceState {
  service: string;
  down: boolean;
  text: string;
}

/** What was found by looking at the units of a node. */
function servicesOn(scene: Scene, node: string): ServiceState[] {
  return (scene.facts.probes?.nodeServices ?? [])
    .filter((s) => s.node === node)
    .map((s) => {
      const active = typeof s.active === 'boolean' ? (s.active ? 'active' : 'inactive') : (s.active ?? '');
      const down = (active !== '' && !/^(?:active|running|true|activating)$/i.test(active)) || /^(?:dead|failed|exited|auto-restart)$/i.test(s.sub ?? '') || (active === '' && s.error != null && s.error !== '');
      return { service: s.service.replace(/\.service$/, ''), down, text: printable(`${s.service}: ${active} ${s.sub ?? ''} ${s.error ?? ''} ${(s.log ?? []).slice(-2).join(' ⏎ ')}`, 600) };
    });
}

/** Pods of a node that are unwell, and their workloads' keys come with the graph. */
function unwellOn(scene: Scene, node: string): string[] {
  return scene.facts.workloads.flatMap((w) => w.unwell.filter(({ pod }) => pod.node === node).map(({ pod }) => pod.key));
}

function newestLease(scene: Scene): number {
  return Math.max(0, ...scene.facts.objects.list('Lease', 'kube-node-lease').map((l) => timeOf(valueIn(l, 'spec', 'renewTime')) ?? 0));
}

function serviceCause(scene: Scene, node: KubeObject, newest: number): Candidate | undefined {
  const name = node.metadata.name;
  const ready = conditionsOf(valueIn(node, 'status', 'conditions')).get('Ready');
  const units = servicesOn(scene, name);
  const containerd = units.find((u) => /containerd|cri-o|crio|docker/.test(u.service) && u.down);
  const kubelet = units.find((u) => /^(?:kubelet|k3s|k3s-agent|rke2-agent|rke2-server)$/.test(u.service) && u.down);
  const lease = timeOf(valueIn(scene.facts.objects.get('Lease', 'kube-node-lease', name), 'spec', 'renewTime'));
  // Compared with the other nodes' leases, so that clocks need not agree.
  const stale = lease !== undefined && newest - lease > leaseStaleMs;
  const sandbox = sandboxEvents(scene, name);
  const isDown = ready?.status === 'Unknown' || (ready?.status === 'False' && !/NetworkPluginNotReady|cni/i.test(ready.message ?? ''));
  const saysRuntime = runtimeDown.test(`${ready?.message ?? ''}`);
  const evidence = [
    ...(ready ? [seen(refOf(node), '.status.conditions[Ready]', `${ready.status}, ${ready.reason ?? ''}: ${ready.message ?? ''}`)] : []),
    ...[containerd, kubelet].flatMap((u) => (u ? [seen(refOf(node), `probes:nodeServices[${u.service}]`, u.text)] : [])),
    ...(stale ? [seen({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-node-lease', name }, '.spec.renewTime', new Date(lease).toISOString())] : []),
    ...sandbox.slice(0, 1).map(seenEvent),
    ...scene.facts.events.of(keyOf({ kind: 'Node', name })).filter((e) => e.reason === 'NodeNotReady' || runtimeDown.test(e.message)).slice(0, 1).map(seenEvent),
  ];
  if (containerd || (isDown && saysRuntime) || sandbox.length > 0 || (saysRuntime && !kubelet)) return made(scene, node, 'containerd_unavailable', containerd ? 0.97 : isDown ? 0.94 : 0.88, `the container runtime of node ${name} does not answer`, evidence);
  if (kubelet) return made(scene, node, 'kubelet_unavailable', 0.97, `the kubelet of node ${name} does not run`, evidence);
  if (isDown) return made(scene, node, 'kubelet_unavailable', ready?.status === 'Unknown' ? 0.95 : 0.8, `the kubelet of node ${name} ${ready?.status === 'Unknown' ? 'says nothing any more' : 'says that the node is not ready'}`, evidence);
  return stale && ready?.status === 'True' ? made(scene, node, 'kubelet_unavailable', 0.75, `the kubelet of node ${name} renews its lease no more`, evidence) : undefined;
}

function sandboxEvents(scene: Scene, node: string) {
  return ['FailedCreatePodSandBox', 'FailedKillPod', 'Failed', 'ContainerGCFailed', 'ImageGCFailed']
    .flatMap((reason) => scene.facts.events.withReason(reason))
    .filter((e) => /containerd\.sock|crio\.sock/.test(e.message) && /connect|Unavailable|no such file/.test(e.message) && (e.node ?? nodeOf(scene, e.about)) === node && (e.lastMs ?? 0) > scene.facts.atMs - 15 * minuteMs);
}

function nodeOf(scene: Scene, about: string): string | undefined {
  return textOf(valueIn(scene.facts.objects.at(about), 'spec', 'nodeName')) ?? (about.startsWith('Node ') ? about.slice('Node '.length) : undefined);
}

const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

function pressureCause(scene: Scene, node: KubeObject): Candidate | undefined {
  const conditions = conditionsOf(valueIn(node, 'status', 'conditions'));
  const found = pressures.find((type) => conditions.get(type)?.status === 'True');
  if (!found) return undefined;
  const condition = conditions.get(found);
  const evictions = scene.facts.events.withReason('Evicted').filter((e) => e.node === node.metadata.name || nodeOf(scene, e.about) === node.metadata.name);
  return made(scene, node, 'node_pressure', 0.95, `node ${node.metadata.name} is under ${found.replace('Pressure', ' pressure').toLowerCase()}`, [
    seen(refOf(node), `.status.conditions[${found}]`, `${condition?.status ?? ''}, ${condition?.reason ?? ''}: ${condition?.message ?? ''}`),
    ...evictions.slice(0, 2).map(seenEvent),
  ]);
}

function made(scene: Scene, node: KubeObject, cause: CauseCode, confidence: number, title: string, evidence: Candidate['evidence']): Candidate {
  const ref: ObjectRef = refOf(node);
  const waits = cause === 'node_pressure' ? unscheduledFor(scene, node) : [];
  const remedies: Partial<Record<CauseCode, string>> = {
    kubelet_unavailable: 'a node is not changed from here: on it, systemctl status kubelet (k3s: k3s-agent) and its journal say why it does not run',
    containerd_unavailable: 'a node is not changed from here: on it, systemctl status containerd and its journal say why it does not run',
    node_pressure: 'free what the node lacks: images and logs for the disk, pods without limits for memory',
  };
  return { cause, object: ref, confidence, title, evidence, explains: [keyOf(ref), ...unwellOn(scene, node.metadata.name), ...waits], remedy: { none: remedies[cause] ?? 'a node is not changed from here' } };
}

/** Evicted pods leave the node; what takes their place waits because of its taint. */
function unscheduledFor(scene: Scene, node: KubeObject): string[] {
  return scene.facts.workloads.flatMap((w) => w.unwell.filter(({ pod, ailment }) => pod.node === node.metadata.name || (ailment.kind === 'unscheduled' && /-pressure/.test(pod.conditions.get('PodScheduled')?.message ?? ''))).map(({ pod }) => pod.key));
}

/** Nodes that only the probes name. */
function unlistedNodes(scene: Scene, nodes: KubeObject[]): Candidate[] {
  const known = new Set(nodes.map((n) => n.metadata.name));
  const names = new Set((scene.facts.probes?.nodeServices ?? []).map((s) => s.node).filter((n) => !known.has(n)));
  return [...names].flatMap((name) => serviceCause(scene, { apiVersion: 'v1', kind: 'Node', metadata: { name } }, 0) ?? []);
}

/** kube-proxy: by its unit, by its pod, or by Services that only one node does not reach. k3s and eBPF networks have none. */
function proxyCauses(scene: Scene, nodes: KubeObject[]): Candidate[] {
  const proxies = scene.facts.pods.filter((p) => p.namespace === 'kube-system' && /^kube-proxy-/.test(p.name) && p.node !== undefined);
  const names = new Set([...nodes.map((n) => n.metadata.name), ...(scene.facts.probes?.nodeServices ?? []).map((s) => s.node)]);
  const set = scene.facts.workloadAt.get('DaemonSet kube-system/kube-proxy');
  return [...names].flatMap((name) => {
    const unit = servicesOn(scene, name).find((u) => /kube-?proxy/.test(u.service) && u.down);
    const pod = proxies.find((p) => p.node === name);
    const unwell = set?.unwell.find((u) => u.pod.node === name);
    const gone = set !== undefined && proxies.length > 0 && pod === undefined && isScheduled(scene, name);
    const deaf = unreached(scene, name);
    // On a node that is silent nothing is ready, kube-proxy among it.
    const silent = conditionsOf(valueIn(scene.facts.objects.get('Node', undefined, name), 'status', 'conditions')).get('Ready')?.status === 'Unknown';
    if (!unit && ((!unwell && !gone) || silent) && deaf.length === 0) return [];
    const ref: ObjectRef = scene.facts.objects.get('Node', undefined, name) ? refOf(scene.facts.objects.get('Node', undefined, name) as KubeObject) : { apiVersion: 'v1', kind: 'Node', name };
    return [
      {
        cause: 'kube_proxy_unavailable' as const,
        object: ref,
        confidence: unit ? 0.97 : unwell ? 0.94 : gone ? 0.88 : 0.8,
        title: `kube-proxy does not work on node ${name}: Services are not reached from there`,
        evidence: [
          ...(unit ? [seen(ref, `probes:nodeServices[${unit.service}]`, unit.text)] : []),
          ...(unwell ? [seen(unwell.pod.ref, '.status', `${unwell.ailment.kind}${unwell.ailment.container?.state.reason ? `, ${unwell.ailment.container.state.reason}` : ''}`)] : []),
          ...(gone ? [seen(ref, 'pods', 'there is no pod of DaemonSet kube-system/kube-proxy')] : []),
          ...deaf.slice(0, 3).map((c) => seen({ apiVersion: 'v1', kind: 'Service', namespace: c.namespace, name: c.service }, 'probes:connectivity', JSON.stringify(c))),
        ],
        explains: [`kube-proxy on ${name}`, ...(unwell ? [unwell.pod.key] : []), ...(gone ? [set.key] : [])],
        remedy: { none: 'restart kube-proxy on that node (kubectl delete pod of its DaemonSet); its log says why it does not run' },
      },
    ];
  });
}

const isScheduled = (scene: Scene, node: string): boolean => valueIn(scene.facts.objects.get('Node', undefined, node), 'spec', 'unschedulable') !== true;

/** Services that this node does not reach and another does. */
function unreached(scene: Scene, node: string) {
  const all = scene.facts.probes?.connectivity ?? [];
  return all.filter((c) => c.fromNode === node && !c.connected && all.some((o) => o.namespace === c.namespace && o.service === c.service && o.connected && o.fromNode !== node));
}
