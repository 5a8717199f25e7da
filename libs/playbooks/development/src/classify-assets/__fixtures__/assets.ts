import type { Asset, Inventory } from '../../inventory';

/** A Deployment with one image. */
export function anAsset(parts: Partial<Asset> = {}): Asset {
  const { kind = 'Deployment', namespace = 'apps', name = 'thing' } = parts;
  return { id: `${kind} ${namespace}/${name}`, apiVersion: 'apps/v1', kind, namespace, name, owner: { kind: 'none' }, ...parts };
}

/** An inventory of these assets, complete. */
export function anInventory(assets: Asset[], parts: Partial<Inventory> = {}): Inventory {
  return { takenAt: '2026-06-01T12:00:00Z', counts: [], assets, omitted: 0, dependencies: [], dangling: [], unlisted: [], namespaces: [], ...parts };
}
