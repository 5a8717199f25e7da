import { printable, refOf, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import { keyOf } from '../facts/object-index';
import { timeOf } from '../facts/times';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { seen, seenContainer } from './evidence';
import { saidOf } from './scheduling-nodes';

/** The scheduler renews its lease every 2 s and loses it after 15 s (kubernetes, `leader-elect-renew-deadline`). */
const leaseStaleMs = 60_000;

/** Pods that nobody has looked at: no condition, no event. Their silence is the sign. */
export function schedulerCauses(scene: Scene): Candidate[] {
  const { facts } = scene;
  const silent = facts.workloads.flatMap((w) => w.unwell.filter(({ pod, ailment }) => ailment.kind === 'unscheduled' && pod.phase === 'Pending' && isOurs(pod.spec['schedulerName']) && saidOf(scene, pod) === undefined && !pod.conditions.has('PodScheduled')).map(({ pod }) => pod));
  const unit = facts.probes?.nodeServices.find((s) => /kube-scheduler/.test(s.service) && (s.active === false || /inactive|failed|dead/i.test(`${String(s.active ?? '')} ${s.sub ?? ''}`) || (s.error ?? '') !== ''));
  const lease = facts.objects.get('Lease', 'kube-system', 'kube-scheduler');
  const renewed = timeOf(valueIn(lease, 'spec', 'renewTime'));
  const others = Math.max(0, ...facts.objects.list('Lease', 'kube-node-lease').map((l) => timeOf(valueIn(l, 'spec', 'renewTime')) ?? 0));
  const stale = renewed !== undefined && (others || facts.atMs) - renewed > leaseStaleMs;
  const pods = facts.pods.filter((p) => p.namespace === 'kube-system' && (p.labels['component'] === 'kube-scheduler' || /^kube-scheduler-/.test(p.name)));
  const ill = facts.workloads.flatMap((w) => w.unwell).find(({ pod }) => pods.includes(pod));
  const isDown = unit !== undefined || stale || (ill !== undefined && pods.every((p) => !p.ready));
  if (silent.length === 0 && !isDown) return [];
  const node = schedulerNode(scene, unit?.node, lease, pods[0]?.node);
  const scheduler: ObjectRef = node ?? pods[0]?.ref ?? { apiVersion: 'v1', kind: 'Pod', namespace: 'kube-system', name: 'kube-scheduler' };
  return [
    {
      cause: 'kube_scheduler_unavailable',
      object: scheduler,
      confidence: silent.length > 0 && isDown ? 0.98 : isDown ? 0.92 : 0.85,
      title: silent.length > 0 ? `no scheduler looks at pods: ${silent.length} wait without a condition or an event` : 'the scheduler does not run',
      evidence: [
        ...(unit ? [seen(scheduler, 'probes:nodeServices[kube-scheduler]', JSON.stringify(unit))] : []),
        ...(ill?.ailment.container ? [seenContainer(ill.pod, ill.ailment.container)] : []),
        ...(stale && lease ? [seen(refOf(lease), '.spec.renewTime', textOf(valueIn(lease, 'spec', 'renewTime')) ?? '')] : []),
        ...silent.slice(0, 3).map((pod) => seen(pod.ref, '.status.conditions', 'no PodScheduled condition, no event of the scheduler')),
      ],
      explains: ['kube-scheduler', ...silent.map((p) => p.key), ...(ill ? [ill.pod.key] : [])],
      remedy: { none: 'bring the scheduler up: its static pod or its unit on the control plane, and its log, say why it does not run' },
    },
  ];
}

const isOurs = (name: unknown): boolean => name === undefined || name === 'default-scheduler';

/** The node of the scheduler: by the probe, by who held the lease, by its pod, or the only control plane there is. */
function schedulerNode(scene: Scene, probed: string | undefined, lease: KubeObject | undefined, ofPod: string | undefined): ObjectRef | undefined {
  const holder = textOf(valueIn(lease, 'spec', 'holderIdentity'))?.replace(/_[0-9a-f-]+$/, '');
  const nodes = scene.facts.objects.list('Node');
  const masters = nodes.filter((n) => Object.keys(n.metadata.labels ?? {}).some((l) => /^node-role\.kubernetes\.io\/(?:control-plane|master)$/.test(l)));
  const name = probed ?? (nodes.some((n) => n.metadata.name === holder) ? holder : undefined) ?? ofPod ?? masters[0]?.metadata.name;
  if (name === undefined) return undefined;
  const node = nodes.find((n) => n.metadata.name === name);
  return node ? refOf(node) : { apiVersion: 'v1', kind: 'Node', name };
}

const lossWords = /loss|lost|drop|retrans|discard/i;
const delayWords = /latency|delay|rtt|duration|response[ _-]?time|p9\d|slow|jitter|round[ _-]?trip/i;
/** What is told to say that it is not the reason. */
const asEver = /unchanged|no change|normal|stable|steady|as usual|within (?:the )?(?:limit|baseline|range)|not (?:elevated|throttled)|flat\b/i;
const cpuWords = /cpu|throttl/i;
const pressureWords = /memory|disk|pid|inode|filesystem/i;

/** What metrics say that nothing else does: a network that delays or loses, a pod that has no CPU left. */
export function metricCauses(scene: Scene): Candidate[] {
  const anomalies = scene.facts.probes?.metricAnomalies ?? [];
  return anomalies.flatMap((anomaly) => {
    const texts = (anomaly.evidence ?? []).map((e) => (typeof e === 'string' ? e : JSON.stringify(e)));
    const telling = texts.filter((t) => !asEver.test(t));
    const text = (telling.length > 0 ? telling : texts).join(' ');
    if (anomaly.kind === 'Node') {
      const cause: CauseCode | undefined = lossWords.test(text) ? 'node_network_packet_loss' : delayWords.test(text) ? 'node_network_delay' : pressureWords.test(text) ? 'node_pressure' : undefined;
      const node = scene.facts.objects.get('Node', undefined, anomaly.name);
      const ref: ObjectRef = node ? refOf(node) : { apiVersion: 'v1', kind: 'Node', name: anomaly.name };
      return cause ? [made(cause, ref, 0.9, `node ${anomaly.name}: ${printable(text, 160)}`, texts, [keyOf(ref), ...podsOn(scene, anomaly.name)], [])] : [];
    }
    const isNetwork = delayWords.test(text) || lossWords.test(text);
    const cause: CauseCode | undefined = cpuWords.test(text) && !(isNetwork && /network|\brtt\b|tcp|packet/i.test(text)) ? 'pod_cpu_overload' : isNetwork ? 'pod_network_delay' : undefined;
    const service = scene.services.find((s) => s.name === anomaly.name && (anomaly.namespace == null || s.namespace === anomaly.namespace));
    const workload = service?.workloads[0] ?? scene.facts.workloads.find((w) => w.name === anomaly.name);
    const ref: ObjectRef = workload?.ref ?? service?.ref ?? { apiVersion: 'v1', kind: 'Service', name: anomaly.name, ...(anomaly.namespace ? { namespace: anomaly.namespace } : {}) };
    if (!cause) return [];
    // A slow caller waits for a slow callee; pods of a slow node are slow with it.
    const callees = workload ? (scene.callsOf.get(workload.key) ?? []).flatMap((c) => (c.service && anomalies.some((a) => a.name === c.service?.name) ? [c.service.key] : [])) : [];
    const nodes = workload ? [...new Set(workload.pods.flatMap((p) => (p.node && anomalies.some((a) => a.kind === 'Node' && a.name === p.node) ? [keyOf({ kind: 'Node', name: p.node })] : [])))] : [];
    return [made(cause, ref, 0.86, `${anomaly.name}: ${printable(text, 160)}`, texts, [...(service ? [service.key] : []), keyOf(ref)], cause === 'pod_cpu_overload' ? nodes : [...callees, ...nodes])];
  });
}

function podsOn(scene: Scene, node: string): string[] {
  return scene.facts.workloads.flatMap((w) => w.unwell.filter(({ pod, ailment }) => pod.node === node && ailment.kind === 'unready').map(({ pod }) => pod.key));
}

function made(cause: CauseCode, object: ObjectRef, confidence: number, title: string, texts: string[], explains: string[], blames: string[]): Candidate {
  return { cause, object, confidence, title, evidence: texts.slice(0, 6).map((t) => seen(object, 'probes:metricAnomalies', t)), explains, ...(blames.length > 0 ? { blames } : {}), remedy: { none: cause === 'pod_cpu_overload' ? 'give it more CPU or more replicas, or find out what it computes' : 'look at the network of that node or pod: interface errors, shaping (tc qdisc), the CNI' } };
}
