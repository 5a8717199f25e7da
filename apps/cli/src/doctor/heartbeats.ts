import { printable, valueIn, type KubeObject } from '@larry/contracts';
import type { ClusterReader } from '@larry/kube';
import type { DoctorLine } from './doctor-line';

/** A kubelet renews its Lease every 10 s; after 40 s the control plane gives its node up (`--node-monitor-grace-period`). */
const everyMs = 10_000;
const givenUpMs = 40_000;

/** Whether the nodes' kubelets are heard, and whether the cluster's clock is that of this machine. */
export async function heartbeatLines(cluster: Pick<ClusterReader, 'list'>, now: () => number = Date.now): Promise<DoctorLine[]> {
  const leases: KubeObject[] = [];
  try {
    for await (const lease of cluster.list({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }, { namespace: 'kube-node-lease' })) leases.push(lease);
  } catch (error) {
    return [{ subject: 'heartbeats', level: 'unknown', seen: `the Leases in kube-node-lease cannot be read: ${error instanceof Error ? error.message : String(error)}`, todo: 'with the right to list them silent nodes and a wrong clock would be seen here' }];
  }
  return heartbeatVerdict(leases.map((lease) => ({ node: lease.metadata.name, renewedMs: Date.parse(String(valueIn(lease['spec'], 'renewTime') ?? '')) })), now());
}

/** Pure. `renewedMs` is NaN where a Lease says none. */
export function heartbeatVerdict(beats: readonly { node: string; renewedMs: number }[], nowMs: number): DoctorLine[] {
  const told = beats.filter(({ renewedMs }) => !Number.isNaN(renewedMs));
  if (told.length === 0) return [{ subject: 'heartbeats', level: 'unknown', seen: 'no node renews a Lease in kube-node-lease' }];
  const newestMs = Math.max(...told.map(({ renewedMs }) => renewedMs));
  // By the cluster's own clock: the newest heartbeat is at most one interval old there, unless all nodes are silent.
  const silent = told.filter(({ renewedMs }) => newestMs - renewedMs > givenUpMs).map(({ node }) => printable(node, 100));
  const seen = `${told.length} nodes, ${silent.length === 0 ? 'all heard within 40 s of each other' : `${silent.slice(0, 8).join(', ')}${silent.length > 8 ? ' …' : ''} silent for more than 40 s`}`;
  const heard: DoctorLine = silent.length === 0 ? { subject: 'heartbeats', level: 'ok', seen } : { subject: 'heartbeats', level: 'warn', seen, todo: 'look at these nodes: kubectl describe node NAME; workers planned for them run elsewhere or wait' };
  return [heard, clusterClock(newestMs - nowMs)];
}

/** `aheadMs`: how far the newest heartbeat is in this machine's future. */
function clusterClock(aheadMs: number): DoctorLine {
  const subject = 'cluster clock';
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(0);
  if (aheadMs > 2000) return { subject, level: 'warn', seen: `a node's heartbeat is ${seconds} s in this machine's future`, todo: 'set the clocks (NTP): ages and deadlines are off by that much' };
  if (-aheadMs > givenUpMs) return { subject, level: 'warn', seen: `the newest heartbeat of any node is ${seconds} s old by this machine's clock`, todo: 'either the clocks differ (set them, NTP), or no kubelet is heard (kubectl get nodes)' };
  return { subject, level: 'ok', seen: `the newest heartbeat is ${seconds} s old: the clocks agree within some ${(everyMs + 2000) / 1000} s` };
}
