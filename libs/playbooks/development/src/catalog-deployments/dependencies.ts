import type { Asset, AssetReference, Inventory } from '../inventory';
import type { CollectedAsset } from './collector';

type Links = Pick<Inventory, 'dependencies' | 'dangling'>;

/**
 * From what assets say to what they mean: references that lead to an asset, those that lead to nothing, and each
 * Service's workloads by its selector. `complete` says whether all objects of a kind are known; only then "nothing" is said. Pure.
 */
export function resolveDependencies(assets: CollectedAsset[], complete: (kind: string) => boolean, operated: Asset[] = []): Links {
  const byKey = new Map<string, Asset>();
  // References speak of Kubernetes' own kinds: a custom kind that is also called Service is none of them.
  for (const asset of assets) if (asset.id.startsWith(`${asset.kind} `)) byKey.set(keyOf(asset), asset);
  const links: Links = { dependencies: [], dangling: [] };
  for (const asset of [...assets, ...operated]) {
    for (const reference of asset.references ?? []) link(links, asset, reference, byKey.get(keyOf(reference)), complete);
  }
  links.dependencies.push(...selected(assets));
  return links;
}

function link(links: Links, from: Asset, reference: AssetReference, target: Asset | undefined, complete: (kind: string) => boolean): void {
  if (target && target !== from) links.dependencies.push({ from: from.id, to: target.id, via: reference.via });
  else if (!target && !reference.optional && complete(reference.kind)) {
    const to = `${reference.kind} ${reference.namespace ? `${reference.namespace}/` : ''}${reference.name}`;
    links.dangling.push({ from: from.id, to, via: reference.via });
  }
}

const keyOf = (ref: { kind: string; namespace?: string; name: string }): string => `${ref.kind} ${ref.namespace ?? ''}/${ref.name}`;

/** Service → workload: every label of the selector is on the pods. Grouped by namespace and first label, so that it stays linear. */
function selected(assets: CollectedAsset[]): Links['dependencies'] {
  const byLabel = new Map<string, CollectedAsset[]>();
  for (const asset of assets) {
    for (const [key, value] of Object.entries(asset.podLabels ?? {})) {
      const place = `${asset.namespace ?? ''} ${key}=${value}`;
      const there = byLabel.get(place);
      if (there) there.push(asset);
      else byLabel.set(place, [asset]);
    }
  }
  return assets.flatMap((service) => {
    const [first, ...others] = Object.entries(service.selector ?? {});
    if (!first) return [];
    const candidates = byLabel.get(`${service.namespace ?? ''} ${first[0]}=${first[1]}`) ?? [];
    const matching = candidates.filter((c) => others.every(([key, value]) => c.podLabels?.[key] === value));
    return matching.map((workload) => ({ from: service.id, to: workload.id, via: 'selector' }));
  });
}
