import { describeRef, type CrossCheck, type TaskResult } from '@larry/contracts';
import { branchChanges, inventoryClaim, keyOf, releaseClaims, scannedNamespaces, standingChanges, type InventoryClaim, type StandingChange } from './claims';
import { isCounted, kindName, type LiveFacts } from './live-facts';

/** The checks of a run, and what does not apply to it, each with why: a line for the lessons. */
export interface CrossCheckReport {
  checks: CrossCheck[];
  leftOut: string[];
}

/** Compares what the Larrys said with each other and with what stands there now. Pure. */
export function crossChecks(results: ReadonlyMap<string, TaskResult>, live: LiveFacts): CrossCheckReport {
  const changes = standingChanges(results);
  const inventory = inventoryClaim(results);
  const checks = [checkNamespaces(results, inventory), checkAssetCount(inventory, live), checkReleases(results, inventory)];
  const others = [...inBranches(results), noPullRequests];
  if (changes.length === 0) {
    return { checks, leftOut: ['No object was changed in this run: there is no change to check against inventory, scan and cluster', ...others] };
  }
  const ofChanges = [checkChangesInInventory(changes, inventory), checkChangesOnObjects(changes, live), checkChangesScanned(changes, scannedNamespaces(results))];
  return { checks: [...checks, ...ofChanges], leftOut: others };
}

/** A commit puts no mark on an object of the cluster, neither before it is merged nor after. */
function inBranches(results: ReadonlyMap<string, TaskResult>): string[] {
  const changes = branchChanges(results);
  return changes.length === 0 ? [] : [`Changes on branches in Git change no object by themselves, and none carries their mark: larry verify --git looks for ${named(changes.map((c) => c.id))}`];
}

/** No playbook of this version opens any, so there is nothing that could agree or differ. */
const noPullRequests = 'No pull requests in this run: no task of this version opens any, and none was checked against a forge';

function checkNamespaces(results: ReadonlyMap<string, TaskResult>, inventory: InventoryClaim | undefined): CrossCheck {
  const head = { id: 'scanned-namespaces', title: 'Namespaces scanned by Larry-02 and inventoried by Larry-03' };
  const scans = scannedNamespaces(results);
  if (scans.size === 0) return unknown(head, 'no security scan has a result');
  if (!inventory) return unknown(head, 'there is no inventory to compare with');
  const scanned = new Set([...scans.values()].flat());
  const known = new Set(inventory.namespaces);
  const unscanned = [...known].filter((n) => !scanned.has(n)).sort();
  const uncatalogued = [...scanned].filter((n) => !known.has(n)).sort();
  const said = `${scanned.size} scanned by ${[...scans.keys()].join(', ')}; ${known.size} in the inventory`;
  return verdict(head, said, [
    ...(unscanned.length > 0 ? [`not scanned: ${named(unscanned)}`] : []),
    ...(uncatalogued.length > 0 ? [`not in the inventory: ${named(uncatalogued)}`] : []),
  ]);
}

function checkAssetCount(inventory: InventoryClaim | undefined, live: LiveFacts): CrossCheck {
  const head = { id: 'asset-count', title: 'Assets counted by Larry-03 and counted again now' };
  if (!inventory) return unknown(head, 'there is no inventory to count again');
  const kinds = inventory.counts.filter(isCounted);
  const unread = kinds.flatMap((kind) => {
    const now = live.counts.get(kindName(kind));
    return now === undefined || 'problem' in now ? [`${kindName(kind)}: ${now?.problem ?? 'not counted again'}`] : [];
  });
  const differing = kinds.flatMap((kind) => {
    const now = live.counts.get(kindName(kind));
    return now && 'value' in now && now.value !== kind.objects ? [`${kindName(kind)}: ${kind.objects} then, ${now.value} now`] : [];
  });
  const discovered = inventory.assetsDiscovered;
  // The figure counts every object, events and replicas included; the list leaves those out.
  const counted = inventory.counts.reduce((sum, kind) => sum + kind.objects, 0);
  if (discovered !== undefined && discovered !== counted) differing.unshift(`assets_discovered says ${discovered}, the inventory counts ${counted}`);
  const total = kinds.reduce((sum, kind) => sum + kind.objects, 0);
  const left = inventory.counts.length - kinds.length;
  const others = left > 0 ? `; ${left} kinds without objects, or with some that controllers make, are left to Larry-03's own validation` : '';
  const said = `${total} objects of ${kinds.length} kinds counted again${others}`;
  if (differing.length === 0 && (unread.length > 0 || kinds.length === 0)) return unknown(head, `${said}; not readable now: ${named(unread) || 'any kind'}`);
  return verdict(head, said, differing);
}

function checkReleases(results: ReadonlyMap<string, TaskResult>, inventory: InventoryClaim | undefined): CrossCheck {
  const head = { id: 'helm-releases', title: 'Helm releases and the releases that own objects of the inventory' };
  const catalog = releaseClaims(results);
  if (!catalog) return unknown(head, 'there is no catalog of Helm releases');
  if (!inventory) return unknown(head, 'there is no inventory to compare with');
  if (catalog.fromMarks) return unknown(head, "Helm's records could not be read: the releases are known by the same marks as the inventory's owners, which proves nothing");
  if (catalog.doubt) return unknown(head, `the catalog of releases may not be whole: ${catalog.doubt}`);
  const owning = new Set(inventory.assets.flatMap((a) => (a.release ? [a.release] : [])));
  const charts = new Set(inventory.assets.flatMap((a) => (a.helmChart ? [a.helmChart] : [])));
  const catalogued = new Set(catalog.releases.map((r) => r.id));
  // Only a deployed release that has objects must own some; those of a HelmChart of k3s are marked with the chart.
  const expected = catalog.releases.filter((r) => r.status === 'deployed' && r.manifestObjects !== 0);
  const ownerless = expected.filter((r) => !owning.has(r.id) && !charts.has(r.id)).map((r) => r.id).sort();
  const unknownOwners = [...owning].filter((id) => !catalogued.has(id)).sort();
  const said = `${catalogued.size} releases in Helm's records; ${owning.size} releases and ${charts.size} HelmCharts of k3s own objects of the inventory`;
  if (ownerless.length > 0 && inventory.omitted > 0) return unknown(head, `${said}; ${inventory.omitted} objects are counted and not listed, so the owner of some is not known: ${named(ownerless)}`);
  return verdict(head, said, [
    ...(ownerless.length > 0 ? [`without an object in the inventory: ${named(ownerless)}`] : []),
    ...(unknownOwners.length > 0 ? [`owners that Helm has no record of: ${named(unknownOwners)}`] : []),
  ]);
}

function checkChangesInInventory(changes: readonly StandingChange[], inventory: InventoryClaim | undefined): CrossCheck {
  const head = { id: 'changes-in-inventory', title: 'Objects that were changed and the inventory' };
  if (!inventory) return unknown(head, 'there is no inventory to compare with');
  const known = new Set(inventory.assets.map(keyOf));
  const missing = [...new Set(changes.filter((c) => !known.has(keyOf(c.target))).map((c) => describeRef(c.target)))];
  const said = `${changes.length} changes on ${new Set(changes.map((c) => keyOf(c.target))).size} objects`;
  if (missing.length > 0 && inventory.omitted > 0) return unknown(head, `${said}; ${inventory.omitted} assets are counted and not listed, maybe these: ${named(missing)}`);
  return verdict(head, said, missing.length > 0 ? [`not in the inventory: ${named(missing)}`] : []);
}

function checkChangesOnObjects(changes: readonly StandingChange[], live: LiveFacts): CrossCheck {
  const head = { id: 'changes-on-objects', title: 'Changes reported and the marks (larry.dev/change) on the objects, or in the records of their Helm releases, now' };
  const byObject = new Map(changes.map((c) => [keyOf(c.target), changes.filter((other) => keyOf(other.target) === keyOf(c.target))]));
  const differing: string[] = [];
  const unread: string[] = [];
  for (const [key, some] of byObject) {
    const mark = live.marks.get(key);
    const name = describeRef((some[0] as StandingChange).target);
    if (!mark || 'problem' in mark) unread.push(`${name}: ${mark?.problem ?? 'not looked at'}`);
    else if (!mark.value.exists) differing.push(`${name} is not there any more`);
    // The last change's mark stands; which of several was last does not matter here.
    else if (!some.some((c) => c.id === mark.value.change)) differing.push(`${name} carries ${mark.value.change ?? 'no mark'}, expected ${some.map((c) => c.id).join(' or ')}`);
  }
  const said = `${byObject.size} objects looked at`;
  if (differing.length === 0 && unread.length > 0) return unknown(head, `${said}; not readable: ${named(unread)}`);
  return verdict(head, said, differing);
}

function checkChangesScanned(changes: readonly StandingChange[], scans: ReadonlyMap<string, string[]>): CrossCheck {
  const head = { id: 'changes-scanned', title: 'Objects that were changed and the scope of the security scans' };
  if (scans.size === 0) return unknown(head, 'no security scan has a result');
  const scanned = new Set([...scans.values()].flat());
  const outside = changes.filter((c) => c.target.namespace !== undefined && !scanned.has(c.target.namespace)).map((c) => describeRef(c.target));
  const said = `${changes.length} changes; ${scanned.size} namespaces scanned`;
  return verdict(head, said, outside.length > 0 ? [`in no scanned namespace: ${named([...new Set(outside)])}`] : []);
}

function unknown(head: Pick<CrossCheck, 'id' | 'title'>, why: string): CrossCheck {
  return { ...head, verdict: 'unknown', observation: why };
}

function verdict(head: Pick<CrossCheck, 'id' | 'title'>, said: string, differences: readonly string[]): CrossCheck {
  return { ...head, verdict: differences.length === 0 ? 'agrees' : 'differs', observation: [said, ...differences].join('; ') };
}

function named(names: readonly string[]): string {
  return names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '');
}
