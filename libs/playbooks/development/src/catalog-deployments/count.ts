import { createHash } from 'node:crypto';
import { groupOf, listOf, valueIn, type KubeObject } from '@larry/contracts';
import { kindKey, UnknownKindError, type ClusterReader, type KindInfo, type KindRef } from '@larry/kube';
import type { KindCount } from '../inventory';

/** Kinds that the cluster itself writes all the time: counted, never assets. */
const passing = ['Event', 'Lease', 'EndpointSlice', 'Endpoints', 'ControllerRevision', 'CSINode', 'CSIStorageCapacity', 'VolumeAttachment', 'ComponentStatus'];

/** What controllers of Kubernetes make anew whenever they like; an operator's Deployment is none of these. */
const replaceable = ['Pod', 'ReplicaSet', 'Job'];

/** Made by a controller or only for a moment: another object stands for it. */
export function isDerived(object: KubeObject): boolean {
  if (passing.includes(object.kind)) return true;
  return replaceable.includes(object.kind) && listOf(object.metadata.ownerReferences).some((r) => valueIn(r, 'controller') === true);
}

/** True for kinds whose objects are all derived: they are counted without being looked at. */
export const isPassing = (kind: KindRef): boolean => passing.includes(kind.kind);

/**
 * Kinds to list, each once: the events of `events.k8s.io` are those of the core group again, and what the metrics API
 * serves are measurements and not objects.
 */
export function kindsToList(kinds: KindInfo[]): KindInfo[] {
  const once = new Map<string, KindInfo>();
  for (const kind of kinds) {
    const group = groupOf(kind.apiVersion);
    if ((group === 'events.k8s.io' && kind.kind === 'Event') || group.endsWith('metrics.k8s.io')) continue;
    if (!once.has(kindKey(kind))) once.set(kindKey(kind), kind);
  }
  return [...once.values()];
}

/** Counts objects of a kind while they pass by. */
export class KindCounter {
  private objects = 0;
  private derived = 0;
  private names = 0n;

  constructor(private readonly kind: KindRef) {}

  add(object: KubeObject): void {
    this.objects++;
    if (isDerived(object)) this.derived++;
    else this.names = (this.names + nameNumber(object)) & 0xffffffffffffffffn;
  }

  result(): KindCount {
    const { kind, apiVersion } = this.kind;
    return { kind, apiVersion, objects: this.objects, derived: this.derived, names: this.names.toString(16) };
  }
}

/** A sum of hashes does not depend on the order in which objects are listed. */
function nameNumber(object: KubeObject): bigint {
  const { namespace = '', name } = object.metadata;
  return createHash('sha256').update(`${namespace}/${name}`).digest().readBigUInt64BE(0);
}

/** Counts a kind by listing it anew; undefined where the source cannot tell. */
export async function countKind(cluster: ClusterReader, kind: KindRef, signal: AbortSignal): Promise<KindCount | undefined> {
  const counter = new KindCounter(kind);
  try {
    for await (const object of cluster.list(kind, { signal })) counter.add(object);
    return counter.result();
  } catch (error) {
    if (error instanceof UnknownKindError) return undefined;
    throw error;
  }
}
