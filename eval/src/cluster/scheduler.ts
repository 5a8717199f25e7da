import type { Cluster } from './cluster';

/** Why nodes were not taken, each with how many; masters with a taint are added by themselves. */
export interface Refusals {
  [reason: string]: number;
}

const resolvable = /^(Insufficient|node\(s\) didn't (match pod anti-affinity|satisfy existing pods anti-affinity|have free ports|match pod topology spread constraints$)|Too many pods)/;

/**
 * The scheduler's message as it words it: reasons sorted as texts, then what preemption found (`FitError.Error`).
 * `rest` is the reason of every node not counted elsewhere; `never` says that no node could ever hold the request, so that
 * preemption is of no use either (Kubernetes 1.32 and newer); `toMasters` that the pod tolerates the masters' taint.
 */
export function schedulingMessage(c: Cluster, rest: string, other: Refusals = {}, { never = false, toMasters = false } = {}): string {
  const total = c.nodes.length;
  const refusals: Refusals = { ...other };
  const masters = taintReason(c, 'node-role.kubernetes.io/control-plane', c.flavour.kubeadm ? '' : 'true');
  if (c.mastersTainted && !toMasters) refusals[masters] = (refusals[masters] ?? 0) + 3;
  const counted = Object.values(refusals).reduce((sum, n) => sum + n, 0);
  if (total > counted) refusals[rest] = (refusals[rest] ?? 0) + total - counted;
  const reasons = Object.entries(refusals).map(([reason, n]) => `${n} ${reason}`);
  const helpless = Object.entries(refusals).reduce((sum, [reason, n]) => sum + (resolvable.test(reason) && !never ? 0 : n), 0);
  const preemption = [
    ...(helpless < total ? [`${total - helpless} No preemption victims found for incoming pod`] : []),
    ...(helpless > 0 ? [`${helpless} Preemption is not helpful for scheduling`] : []),
  ];
  const claims = c.recent ? ' no new claims to deallocate,' : '';
  return `0/${total} nodes are available: ${reasons.sort().join(', ')}.${claims} preemption: 0/${total} nodes are available: ${preemption.sort().join(', ')}.`;
}

/** Kubernetes 1.34 no longer names the taint. */
export function taintReason(c: Cluster, key: string, value = ''): string {
  return c.recent ? 'node(s) had untolerated taint(s)' : `node(s) had untolerated taint {${key}: ${value}}`;
}

export const affinityReason = "node(s) didn't match Pod's node affinity/selector";
export const unschedulableReason = 'node(s) were unschedulable';
export const antiAffinityReason = "node(s) didn't match pod anti-affinity rules";
export const podAffinityReason = "node(s) didn't match pod affinity rules";
export const spreadReason = "node(s) didn't match pod topology spread constraints";
export const hostPortReason = "node(s) didn't have free ports for the requested pod ports";

/** A bound volume that lies elsewhere; Kubernetes 1.34 words it anew. */
export function volumeElsewhereReason(c: Cluster): string {
  return c.recent ? "node(s) didn't match PersistentVolume's node affinity" : 'node(s) had volume node affinity conflict';
}

export const unboundReason = 'pod has unbound immediate PersistentVolumeClaims';

/** Without a bound claim no node is looked at: one message for all (`volumebinding` PreFilter). */
export function unboundMessage(c: Cluster, reason = unboundReason): string {
  const total = c.nodes.length;
  const claims = c.recent ? ' no new claims to deallocate,' : '';
  return `0/${total} nodes are available: ${reason}.${claims} preemption: 0/${total} nodes are available: ${total} Preemption is not helpful for scheduling.`;
}
