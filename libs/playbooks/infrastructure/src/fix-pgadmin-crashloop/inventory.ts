import { refOf, type KubeObject, type ObjectRef } from '@larry/contracts';
import { controllerOf, UnknownKindError, type ClusterReader, type KindRef } from '@larry/kube';
import type { PodFacts } from './facts';
import { pgadminIndex } from './pgadmin-template';
import { podFacts, whyNotRunning } from './pod-state';

/** A pod that may matter, with the key of the workload it belongs to. */
export interface KeptPod {
  facts: PodFacts;
  workload: ObjectRef;
  /** The ReplicaSet between a Deployment and its pod. */
  replicaSet?: string;
}

/** How many pods there are, and how many of them are ready. */
export interface PodCount {
  count: number;
  ready: number;
}

/** What the lists say before anything is looked at closely. Healthy pods are only counted. */
export interface Inventory {
  workloads: KubeObject[];
  /** Uids of the ReplicaSets of a Deployment's newest revision, by the Deployment's uid. */
  newestReplicaSets: Map<string, { uid: string; revision: number }>;
  pods: KeptPod[];
  /** All pods, also those that are not kept, by the uid of what controls them directly. */
  controlled: Map<string, PodCount>;
  podCount: number;
  podsKnown: boolean;
  unknowns: { subject: string; reason: string }[];
}

const workloadKinds: KindRef[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'batch/v1', kind: 'Job' },
];

/** Lists workloads and pods once. Kinds that the source cannot tell become unknowns. */
export async function readInventory(cluster: ClusterReader, at: string, signal: AbortSignal): Promise<Inventory> {
  const inventory: Inventory = { workloads: [], newestReplicaSets: new Map(), pods: [], controlled: new Map(), podCount: 0, podsKnown: true, unknowns: [] };
  for (const kind of workloadKinds) {
    await each(cluster, kind, signal, inventory, (object) => inventory.workloads.push(object));
  }
  const deploymentOf = new Map<string, ObjectRef>();
  await each(cluster, { apiVersion: 'apps/v1', kind: 'ReplicaSet' }, signal, inventory, (set) => {
    const owner = controllerOf(set);
    if (!owner) inventory.workloads.push(set);
    else noteReplicaSet(inventory, deploymentOf, set, owner);
  });
  inventory.podsKnown = await each(cluster, { apiVersion: 'v1', kind: 'Pod' }, signal, inventory, (pod) => {
    inventory.podCount++;
    notePod(inventory, deploymentOf, pod, at);
  });
  return inventory;
}

async function each(cluster: ClusterReader, kind: KindRef, signal: AbortSignal, inventory: Inventory, take: (object: KubeObject) => void): Promise<boolean> {
  try {
    for await (const object of cluster.list(kind, { signal })) take(object);
    return true;
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    inventory.unknowns.push({ subject: `${kind.kind} objects`, reason: error.reason });
    return false;
  }
}

function noteReplicaSet(inventory: Inventory, deploymentOf: Map<string, ObjectRef>, set: KubeObject, owner: ObjectRef): void {
  const uid = set.metadata.uid ?? '';
  deploymentOf.set(uid, owner);
  const revision = Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const known = inventory.newestReplicaSets.get(owner.uid ?? '');
  if (!known || revision > known.revision) inventory.newestReplicaSets.set(owner.uid ?? '', { uid, revision });
}

function notePod(inventory: Inventory, deploymentOf: Map<string, ObjectRef>, pod: KubeObject, at: string): void {
  if (pod.metadata.deletionTimestamp) return;
  const facts = podFacts(pod);
  const controller = controllerOf(pod);
  countPod(inventory.controlled, controller?.uid ?? pod.metadata.uid ?? '', facts.ready);
  if (whyNotRunning(facts, at) === undefined && pgadminIndex(pod['spec']) === undefined) return;
  // A controller replaces a pod that failed (evicted, node shut down) and leaves it lying; what a Job makes of it its own status says.
  if (facts.phase === 'Failed' && controller && controller.kind !== 'Node') return;
  const deployment = deploymentOf.get(controller?.uid ?? '');
  // A static pod's mirror names its node as the controller: the pod is then its own workload.
  const workload = deployment ?? (controller && controller.kind !== 'Node' ? controller : refOf(pod));
  inventory.pods.push({ facts, workload, ...(deployment && controller?.uid ? { replicaSet: controller.uid } : {}) });
  if (workload.kind === 'Pod') inventory.workloads.push(pod);
}

function countPod(counts: Map<string, PodCount>, uid: string, ready: boolean): void {
  const count = counts.get(uid) ?? { count: 0, ready: 0 };
  counts.set(uid, count);
  count.count++;
  if (ready) count.ready++;
}
