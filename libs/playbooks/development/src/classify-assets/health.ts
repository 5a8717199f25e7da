import type { Asset, Inventory } from '../inventory';

/** One part of a score. */
export interface HealthPart {
  name: 'ready' | 'restarts' | 'pinned' | 'references' | 'owner';
  points: number;
  of: number;
  why: string;
}

/** The health of a workload, 0–100, with its parts. A part that cannot be known is left out of both sums. */
export interface Health {
  id: string;
  score: number;
  parts: HealthPart[];
}

/** Scores every workload. Pure. */
export function healthScores(inventory: Inventory): Health[] {
  const dangling = new Map<string, number>();
  for (const { from } of inventory.dangling) dangling.set(from, (dangling.get(from) ?? 0) + 1);
  return inventory.assets.filter((a) => a.images).map((asset) => score(asset, dangling.get(asset.id) ?? 0));
}

function score(asset: Asset, dangling: number): Health {
  const parts: HealthPart[] = [...runtimeParts(asset), pinnedPart(asset), referencesPart(dangling), ownerPart(asset)];
  const of = parts.reduce((sum, part) => sum + part.of, 0);
  const points = parts.reduce((sum, part) => sum + part.points, 0);
  return { id: asset.id, score: Math.round((100 * points) / of), parts };
}

function runtimeParts({ replicas, pods }: Asset): HealthPart[] {
  const parts: HealthPart[] = [];
  if (replicas && replicas.desired > 0) {
    const share = Math.min(1, replicas.ready / replicas.desired);
    parts.push({ name: 'ready', points: Math.round(40 * share), of: 40, why: `${replicas.ready} of ${replicas.desired} replicas ready` });
  }
  if (pods && pods.count > 0) {
    const each = pods.restarts / pods.count;
    parts.push({ name: 'restarts', points: each === 0 ? 20 : each <= 2 ? 12 : each <= 10 ? 5 : 0, of: 20, why: `${pods.restarts} restarts of ${pods.count} pods` });
  }
  return parts;
}

/** Full for digests, half for a version, none for `latest` or no tag: that is another image tomorrow. */
function pinnedPart({ images = [] }: Asset): HealthPart {
  const worth = images.map((image) => (image.includes('@sha256:') ? 1 : /:[^/:]+$/.test(image) && !image.endsWith(':latest') ? 0.5 : 0));
  const points = Math.round((15 * worth.reduce((sum: number, w) => sum + w, 0)) / Math.max(1, worth.length));
  const floating = worth.filter((w) => w === 0).length;
  return { name: 'pinned', points, of: 15, why: floating > 0 ? `${floating} of ${images.length} images without a version` : `${worth.filter((w) => w === 1).length} of ${images.length} images by digest` };
}

function referencesPart(dangling: number): HealthPart {
  return { name: 'references', points: dangling === 0 ? 15 : 0, of: 15, why: dangling === 0 ? 'nothing that it needs is known to be missing' : `${dangling} references lead to nothing` };
}

function ownerPart({ owner }: Asset): HealthPart {
  if (owner.kind === 'unknown') return { name: 'owner', points: 0, of: 0, why: `owner unknown (${owner.reason})` };
  const owned = owner.kind !== 'none';
  return { name: 'owner', points: owned ? 10 : 0, of: 10, why: owned ? `owned (${owner.kind})` : 'nothing owns it: it cannot be made again from a source' };
}
