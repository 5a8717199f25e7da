import { printable } from '@larry/contracts';
import { ownerIn, UnknownKindError, type KindInfo } from '@larry/kube';
import type { PlaybookContext } from '@larry/playbook';
import type { Asset, Inventory, KindCount } from '../inventory';
import { Collector, type CollectedAsset } from './collector';
import { countKind, isPassing, KindCounter, kindsToList } from './count';

/** What `catalog-deployments` saw. */
export interface CatalogFacts {
  at: string;
  /** Only a live cluster can be counted again and mean something. */
  live: boolean;
  /** A tree of manifests need not hold what its objects refer to. */
  closed: boolean;
  assets: CollectedAsset[];
  /** What pods need that an operator's own kind controls. */
  operated: Asset[];
  counts: KindCount[];
  /** The second count, taken when the first was complete. */
  recounts: KindCount[];
  unlisted: Inventory['unlisted'];
  namespaces: string[];
}

/** The catalog is taken anew when objects came or went while it was taken. */
const rounds = 3;

/** Lists every object of every kind once, keeps a compact asset of each, and counts a live cluster a second time. */
export async function observe(context: PlaybookContext): Promise<CatalogFacts> {
  let facts = await catalog(context);
  for (let round = 2; facts.live && round <= rounds && differences(facts.counts, facts.recounts).length > 0; round++) {
    context.log.info({ round }, 'objects changed while the catalog was taken, taking it again');
    facts = await catalog(context);
  }
  return facts;
}

async function catalog(context: PlaybookContext): Promise<CatalogFacts> {
  const { cluster, signal } = context;
  const at = cluster.source.takenAt ?? context.now().toISOString();
  const live = cluster.source.type === 'live';
  const kinds = kindsToList(await cluster.kinds());
  const collector = new Collector((object) => ownerIn(cluster, object));
  const counts: KindCount[] = [];
  const unlisted: Inventory['unlisted'] = [];
  for (const [index, kind] of kinds.entries()) {
    signal.throwIfAborted();
    context.progress((index / kinds.length) * (live ? 60 : 95), `listing ${printable(kind.resource, 60)}`);
    const counted = await listKind(context, kind, collector);
    if (typeof counted === 'string') unlisted.push({ kind: printable(kind.kind, 100), reason: counted });
    else counts.push(counted);
  }
  const recounts = live ? await recount(context, counts) : [];
  return { at, live, closed: cluster.source.type !== 'manifests', assets: collector.finish(), operated: [...collector.operated.values()], counts, recounts, unlisted, namespaces: [...collector.namespaces].sort() };
}

async function listKind(context: PlaybookContext, kind: KindInfo, collector: Collector): Promise<KindCount | string> {
  const { cluster, signal } = context;
  if (kind.availability.state === 'unknown') return kind.availability.reason;
  const counter = new KindCounter(kind);
  try {
    for await (const object of cluster.list(kind, { signal })) {
      counter.add(object);
      if (!isPassing(kind)) collector.take(object);
    }
    return counter.result();
  } catch (error) {
    if (error instanceof UnknownKindError) return error.reason;
    throw error;
  }
}

async function recount(context: PlaybookContext, counts: KindCount[]): Promise<KindCount[]> {
  const again: KindCount[] = [];
  for (const [index, kind] of counts.entries()) {
    context.signal.throwIfAborted();
    context.progress(60 + (index / counts.length) * 35, 'counting a second time');
    const counted = await countKind(context.cluster, kind, context.signal);
    if (counted) again.push(counted);
  }
  return again;
}

/** Where two counts disagree, in words. What controllers make in passing (pods, events) does not count. */
export function differences(then: KindCount[], now: KindCount[]): string[] {
  const again = new Map(now.map((count) => [`${count.apiVersion}/${count.kind}`, count]));
  return then.flatMap((first) => {
    const second = again.get(`${first.apiVersion}/${first.kind}`);
    if (!second || second.names === first.names) return [];
    const [a, b] = [first.objects - first.derived, second.objects - second.derived];
    return [a === b ? `${first.kind}: ${b} as before, but others` : `${first.kind}: ${b} now, ${a} in the catalog`];
  });
}
