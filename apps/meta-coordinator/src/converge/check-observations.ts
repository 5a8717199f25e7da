import { changeAnnotation, listOf, printable, valueIn, type KubeObject, type TaskResult } from '@larry/contracts';
import { markFor, readRelease } from '@larry/helm';
import type { ClusterReader } from '@larry/kube';
import { inventoryClaim, isCounted, keyOf, kindName, standingChanges, type LiveFacts, type Seen, type StandingChange } from '@larry/reports';

/** Looks anew at what the checks compare. Reads the cluster, decides nothing; what cannot be read says why. */
export async function observeForChecks(cluster: ClusterReader, results: ReadonlyMap<string, TaskResult>, signal: AbortSignal): Promise<LiveFacts> {
  const counts = new Map<string, Seen<number>>();
  for (const kind of (inventoryClaim(results)?.counts ?? []).filter(isCounted)) {
    counts.set(kindName(kind), await seen(signal, () => countObjects(cluster, kind, signal)));
  }
  const marks = new Map<string, Seen<{ exists: boolean; change?: string }>>();
  const standing = standingChanges(results);
  for (const made of standing) {
    const { target } = made;
    marks.set(keyOf(target), await seen(signal, async () => {
      const object = await cluster.get(target, signal);
      const change = (await releaseMark(cluster, made, standing, signal)) ?? object?.metadata.annotations?.[changeAnnotation];
      return { exists: object !== undefined, ...(change === undefined ? {} : { change: printable(change) }) };
    }));
  }
  return { counts, marks };
}

/** The change's id where the release that was upgraded for it carries its mark, or that of another change of the same release, as the last one's stands. Throws where its records cannot be read. */
async function releaseMark(cluster: ClusterReader, { id, helm }: StandingChange, standing: readonly StandingChange[], signal: AbortSignal): Promise<string | undefined> {
  if (!helm) return undefined;
  const reading = await readRelease(cluster, helm.namespace, helm.release, signal);
  if ('unreadable' in reading) throw new Error(reading.unreadable);
  const ofRelease = standing.filter((c) => c.helm?.release === helm.release && c.helm.namespace === helm.namespace);
  return ofRelease.some((c) => reading.release.mark === markFor(c.id)) ? id : undefined;
}

/** What controllers make anew whenever they like: no assets, as the inventory counts them. */
const replaceable = ['Pod', 'ReplicaSet', 'Job'];

async function countObjects(cluster: ClusterReader, kind: { apiVersion: string; kind: string }, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const object of cluster.list(kind, { signal })) if (!isDerived(object)) count++;
  return count;
}

function isDerived({ kind, metadata }: KubeObject): boolean {
  return replaceable.includes(kind) && listOf(metadata.ownerReferences).some((owner) => valueIn(owner, 'controller') === true);
}

async function seen<T>(signal: AbortSignal, look: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: printable(error instanceof Error ? error.message : String(error), 500) };
  }
}
