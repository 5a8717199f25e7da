import { describeRef, listOf, numberOf, printable, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import { controllerOf } from '@larry/kube';
import type { PlaybookContext } from '@larry/playbook';

/** How a changed object stands. */
export interface Look {
  state: 'ready' | 'waiting' | 'crashed';
  reason: string;
  /** Restarts of the containers of the new revision's pods. */
  restarts: number;
}

type Context = Pick<PlaybookContext, 'cluster' | 'signal'>;

/** Looks at a Deployment, StatefulSet or DaemonSet and the pods of its newest revision. */
export async function lookAtRollout(context: Context, target: ObjectRef): Promise<Look> {
  const object = await context.cluster.get(target, context.signal);
  if (!object) return { state: 'crashed', reason: `${describeRef(target)} is gone`, restarts: 0 };
  const { stuck, restarts } = await newPods(context, object);
  if (stuck) return { state: 'crashed', reason: stuck, restarts };
  return { ...rolledOut(object), restarts };
}

/** As `kubectl rollout status` decides it: the controller has seen the change, and every replica is new and ready. */
function rolledOut(object: KubeObject): Omit<Look, 'restarts'> {
  const status = (field: string) => numberOf(valueIn(object, 'status', field)) ?? 0;
  const daemon = object.kind === 'DaemonSet';
  const desired = daemon ? status('desiredNumberScheduled') : (numberOf(valueIn(object, 'spec', 'replicas')) ?? 1);
  const [ready, updated] = daemon ? [status('numberReady'), status('updatedNumberScheduled')] : [status('readyReplicas'), status('updatedReplicas')];
  const reason = `${ready} of ${desired} ready, ${updated} of the new revision`;
  if (status('observedGeneration') < (object.metadata.generation ?? 0)) return { state: 'waiting', reason: 'its controller has not seen the change yet' };
  const done = updated >= desired && ready >= desired && (object.kind !== 'Deployment' || status('replicas') <= updated);
  return { state: done ? 'ready' : 'waiting', reason };
}

/** Waits that do not end by themselves: a crash after a crash, an image that cannot be had, something named that is not there. */
const hopeless: Readonly<Record<string, string>> = {
  CrashLoopBackOff: 'crashed again',
  ImagePullBackOff: 'cannot pull its image',
  InvalidImageName: 'cannot pull its image',
  CreateContainerConfigError: 'cannot be configured',
  CreateContainerError: 'cannot be started',
  RunContainerError: 'cannot be started',
};

/** The pods of the newest revision: whether one of them is stuck, and how often their containers were restarted. */
async function newPods(context: Context, object: KubeObject): Promise<{ stuck?: string; restarts: number }> {
  const namespace = object.metadata.namespace ?? '';
  const newest = object.kind === 'Deployment' ? await newestReplicaSet(context, object) : object.metadata.uid;
  let stuck: string | undefined;
  let restarts = 0;
  if (newest === undefined) return { restarts };
  for await (const pod of context.cluster.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, signal: context.signal })) {
    if (controllerOf(pod)?.uid !== newest || pod.metadata.deletionTimestamp || isOld(pod, object)) continue;
    const containers = ['initContainerStatuses', 'containerStatuses'].flatMap((field) => listOf(valueIn(pod, 'status', field)));
    restarts += containers.reduce<number>((sum, c) => sum + (numberOf(valueIn(c, 'restartCount')) ?? 0), 0);
    const reason = containers.map((c) => textOf(valueIn(c, 'state', 'waiting', 'reason')) ?? '').find((r) => Object.hasOwn(hopeless, r));
    if (reason !== undefined) stuck ??= printable(`${describeRef({ kind: 'Pod', namespace, name: pod.metadata.name })} ${hopeless[reason] ?? ''} (${reason})`, 400);
  }
  return { ...(stuck === undefined ? {} : { stuck }), restarts };
}

/** StatefulSets and DaemonSets control pods of every revision themselves. */
function isOld(pod: KubeObject, object: KubeObject): boolean {
  if (object.kind === 'Deployment') return false;
  const wanted = textOf(valueIn(object, 'status', 'updateRevision'));
  return wanted !== undefined && textOf(pod.metadata.labels?.['controller-revision-hash']) !== wanted;
}

/** The ReplicaSet of the Deployment's current revision; undefined until the controller has seen the change and made it. */
async function newestReplicaSet(context: Context, deployment: KubeObject): Promise<string | undefined> {
  const seen = numberOf(valueIn(deployment, 'status', 'observedGeneration')) ?? 0;
  if (seen < (deployment.metadata.generation ?? 0)) return undefined;
  const revision = deployment.metadata.annotations?.['deployment.kubernetes.io/revision'];
  const options = { namespace: deployment.metadata.namespace ?? '', signal: context.signal };
  for await (const set of context.cluster.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, options)) {
    const isOurs = controllerOf(set)?.uid === deployment.metadata.uid;
    if (isOurs && set.metadata.annotations?.['deployment.kubernetes.io/revision'] === revision) return set.metadata.uid;
  }
  return undefined;
}
