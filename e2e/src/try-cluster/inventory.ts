import type { OwnerReference } from '@larry/contracts';
import { UnknownKindError, type ClusterReader } from '@larry/kube';

/** An object of a cluster, as far as it is compared. */
export interface Thing {
  /** `Deployment database/pgadmin`. */
  name: string;
  uid: string;
  owners: readonly Pick<OwnerReference, 'uid'>[];
  /** Counts changes of its spec. */
  generation?: number;
}

/** What a cluster holds, by uid, and the kinds that could not be listed. */
export interface Inventory {
  things: ReadonlyMap<string, Thing>;
  unknown: string[];
}

/** The cluster forgets them by itself, within the hour. */
const passing = new Set(['Event']);

/** Every object of every listable kind. What has no uid (metrics, reviews) is nothing that could stay. */
export async function inventoryOf(cluster: ClusterReader): Promise<Inventory> {
  const things = new Map<string, Thing>();
  const unknown: string[] = [];
  for (const { apiVersion, kind, availability } of await cluster.kinds()) {
    if (passing.has(kind)) continue;
    if (availability.state === 'unknown') {
      unknown.push(`${kind}: ${availability.reason}`);
      continue;
    }
    try {
      for await (const { metadata } of cluster.list({ apiVersion, kind })) {
        const { uid, name, namespace, generation, ownerReferences = [] } = metadata;
        if (uid) things.set(uid, { uid, name: `${kind} ${namespace ? `${namespace}/` : ''}${name}`, owners: ownerReferences, ...(generation === undefined ? {} : { generation }) });
      }
    } catch (error) {
      if (!(error instanceof UnknownKindError)) throw error;
      unknown.push(`${kind}: ${error.reason}`);
    }
  }
  return { things, unknown };
}

/** How two inventories differ; names, sorted. */
export interface Differences {
  /** There now and not before, and belonging to nothing that was there before. */
  left: string[];
  /** There now and not before, of an owner that was there before: its controller's doing. */
  ofOthers: string[];
  /** There before and not now; not what an owner that is still there replaces. */
  gone: string[];
  /** There before and now, with another spec. */
  changed: string[];
}

/** Compares by uid, so that what was deleted and made again under its name counts as both. Pure. */
export function differences(before: Inventory, after: Inventory): Differences {
  const found: Differences = { left: [], ofOthers: [], gone: [], changed: [] };
  for (const thing of after.things.values()) {
    const earlier = before.things.get(thing.uid);
    if (earlier && earlier.generation !== thing.generation) found.changed.push(thing.name);
    if (!earlier) found[isOwnedIn(thing, after.things, before.things) ? 'ofOthers' : 'left'].push(thing.name);
  }
  for (const thing of before.things.values()) {
    if (!after.things.has(thing.uid) && !isOwnedIn(thing, before.things, after.things)) found.gone.push(thing.name);
  }
  for (const names of Object.values(found) as string[][]) names.sort();
  return found;
}

/** Whether an owner of it, at any remove, is among these. */
function isOwnedIn(thing: Thing, around: ReadonlyMap<string, Thing>, these: ReadonlyMap<string, Thing>): boolean {
  const seen = new Set<string>();
  const owners = [...thing.owners];
  for (let owner = owners.pop(); owner; owner = owners.pop()) {
    if (these.has(owner.uid)) return true;
    if (seen.has(owner.uid)) continue;
    seen.add(owner.uid);
    owners.push(...(around.get(owner.uid)?.owners ?? []));
  }
  return false;
}
