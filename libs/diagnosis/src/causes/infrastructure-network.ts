import { printable, refOf, valueIn, type ObjectRef } from '@larry/contracts';
import { keyOf } from '../facts/object-index';
import { conditionsOf } from '../facts/pod-facts';
import { minuteMs } from '../facts/times';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { casesOf } from './cause';
import { seen, seenEvent } from './evidence';

/** What containerd says when the network plugin gives a pod no network (containerd, `internal/cri/server/sandbox_run.go`; the plugins' own words after it). */
const noNetwork = /failed to setup network for sandbox|failed to set ?up (?:pod )?network|plugin type="[^"]*" failed|cni plugin not initialized|networkPlugin cni failed|no IP addresses available|loadFlannelSubnetEnv failed|failed to allocate for range/i;
/** What the kubelet says of a node without a network plugin (kubernetes, `pkg/kubelet/runtime.go`). */
const noPlugin = /NetworkPluginNotReady|cni plugin not initialized|network plugin is not ready/i;
const staleMs = 15 * minuteMs;

/** Nodes on which pods get no network. */
export function podNetworkCauses(scene: Scene): Candidate[] {
  const byNode = new Map<string, { keys: string[]; evidence: Candidate['evidence']; text: string }>();
  for (const { workload, pod } of casesOf(scene, 'waiting')) {
    const event = scene.facts.events.of(pod.key, pod.uid).find((e) => e.reason === 'FailedCreatePodSandBox' && noNetwork.test(e.message) && (e.lastMs ?? 0) > scene.facts.atMs - staleMs);
    if (!event || pod.node === undefined) continue;
    const known = byNode.get(pod.node) ?? { keys: [], evidence: [], text: event.message };
    known.keys.push(...workload.unwell.filter((u) => u.pod.node === pod.node).map((u) => u.pod.key));
    known.evidence.push(seenEvent(event));
    byNode.set(pod.node, known);
  }
  for (const node of scene.facts.objects.list('Node')) {
    const ready = conditionsOf(valueIn(node, 'status', 'conditions')).get('Ready');
    if (ready?.status !== 'False' || !noPlugin.test(ready.message ?? '') || byNode.has(node.metadata.name)) continue;
    const keys = scene.facts.workloads.flatMap((w) => w.unwell.filter(({ pod }) => pod.node === node.metadata.name).map(({ pod }) => pod.key));
    byNode.set(node.metadata.name, { keys, evidence: [], text: ready.message ?? '' });
  }
  return [...byNode].map(([name, { keys, evidence, text }]): Candidate => {
    const node = scene.facts.objects.get('Node', undefined, name);
    const ref: ObjectRef = node ? refOf(node) : { apiVersion: 'v1', kind: 'Node', name };
    const ready = conditionsOf(valueIn(node, 'status', 'conditions')).get('Ready');
    return {
      cause: 'node_pod_network_unavailable',
      object: ref,
      confidence: 0.93,
      title: `pods on node ${name} get no network: ${printable(text.replace(/^.*?(?=plugin type=|no IP addresses|failed to (?:setup|set up))/s, ''), 240)}`,
      evidence: [...evidence.slice(0, 3), ...(ready ? [seen(ref, '.status.conditions[Ready]', `${ready.status}: ${ready.message ?? ''}`)] : [])],
      explains: [keyOf(ref), ...keys],
      remedy: { none: "see the network plugin on that node (its DaemonSet's pod there and its log; k3s: the agent's own journal); a range without addresses wants old ones freed or a larger one" },
    };
  });
}
