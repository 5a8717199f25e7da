import type { Asset, Inventory } from '../inventory';
import type { ReleaseCatalog } from '../releases';

/** The columns of the lineage, from left to right. */
export const lineageKinds = ['app', 'release', 'chart', 'image', 'digest'] as const;
export type LineageKind = (typeof lineageKinds)[number];

export interface LineageNode {
  /** Unique: kind and what it is, `image:postgres:17`. */
  id: string;
  kind: LineageKind;
  label: string;
}

export interface LineageEdge {
  from: string;
  to: string;
}

/** Where what runs comes from: app → release → chart → image → digest. Columns that an app does not have are skipped. */
export interface Lineage {
  nodes: LineageNode[];
  edges: LineageEdge[];
}

/** Draws the lineage of every workload. A digest is known where pods run, or where the image names it. Pure. */
export function lineageOf(inventory: Inventory, catalog: ReleaseCatalog): Lineage {
  const releases = new Map(catalog.releases.map((r) => [r.id, r]));
  const nodes = new Map<string, LineageNode>();
  const edges = new Map<string, LineageEdge>();
  const node = (kind: LineageKind, label: string): string => {
    const id = `${kind}:${label}`;
    if (!nodes.has(id)) nodes.set(id, { id, kind, label });
    return id;
  };
  const edge = (from: string, to: string) => edges.set(`${from}\n${to}`, { from, to });

  for (const asset of inventory.assets) {
    if (!asset.images) continue;
    const app = node('app', asset.id);
    let last = app;
    if (asset.release !== undefined) {
      const release = releases.get(asset.release);
      last = node('release', asset.release);
      edge(app, last);
      const chart = release && release.chart !== 'unknown' ? `${release.chart} ${release.chartVersion}` : asset.labels?.['helm.sh/chart'];
      if (chart !== undefined) {
        edge(last, node('chart', chart));
        last = node('chart', chart);
      }
    }
    for (const image of asset.images) {
      edge(last, node('image', image));
      for (const digest of digestsOf(asset, image)) edge(node('image', image), node('digest', digest));
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

function digestsOf(asset: Asset, image: string): string[] {
  const named = /sha256:[0-9a-f]{64}/.exec(image)?.[0];
  return named ? [named] : (asset.digests?.[image] ?? []);
}

/** At most so many nodes of each column, in their order, and how many were left out; edges between those that stay. */
export function capped(lineage: Lineage, perColumn: number): { shown: Lineage; more: Record<LineageKind, number> } {
  const more = { app: 0, release: 0, chart: 0, image: 0, digest: 0 };
  const count = { ...more };
  const nodes = lineage.nodes.filter(({ kind }) => {
    if (count[kind]++ < perColumn) return true;
    more[kind]++;
    return false;
  });
  const kept = new Set(nodes.map((n) => n.id));
  return { shown: { nodes, edges: lineage.edges.filter((e) => kept.has(e.from) && kept.has(e.to)) }, more };
}
