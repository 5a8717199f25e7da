import { describeRef, isInEffect, listOf, numberOf, textOf, valueIn, type AppliedChange, type ObjectRef, type TaskResult } from '@larry/contracts';

/** A change that stands on its object. */
export interface StandingChange {
  task: string;
  id: string;
  target: ObjectRef;
  /** The release that was upgraded for it; its record carries the mark. */
  helm?: AppliedChange['helm'];
}

/** One object of the inventory, as far as the checks need it. */
export interface InventoryAsset {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  /** Helm release that owns it, `namespace/name`. */
  release?: string;
  /** HelmChart of k3s that installs it, `namespace/name`. */
  helmChart?: string;
}

/** How many objects of a kind the inventory counted. */
export interface InventoryCount {
  kind: string;
  apiVersion: string;
  objects: number;
  derived: number;
}

/** Larry-03's inventory, as its artifact says. */
export interface InventoryClaim {
  namespaces: string[];
  assets: InventoryAsset[];
  counts: InventoryCount[];
  /** Assets that were counted and not listed. */
  omitted: number;
  assetsDiscovered?: number;
}

/** A release of `catalog-helm-releases`. */
export interface ReleaseClaim {
  id: string;
  status: string;
  manifestObjects?: number;
}

/** The changes that were made in the cluster and not taken back. Those on a branch in Git are none: they touch no object until somebody merges them. */
export function standingChanges(results: ReadonlyMap<string, TaskResult>): StandingChange[] {
  return [...results].flatMap(([task, { changes }]) =>
    changes.filter((c) => isInEffect(c) && !c.git).map(({ id, target, helm }) => ({ task, id, target, ...(helm ? { helm } : {}) })),
  );
}

/** The changes that were made on a branch in Git and not taken back. */
export function branchChanges(results: ReadonlyMap<string, TaskResult>): AppliedChange[] {
  return [...results.values()].flatMap(({ changes }) => changes.filter((c) => isInEffect(c) && c.git));
}

/** The namespaces that each security scan looked at, by task; empty where no scan has a result. */
export function scannedNamespaces(results: ReadonlyMap<string, TaskResult>): Map<string, string[]> {
  const scans = [...results].filter(([, { artifacts }]) => Array.isArray(valueIn(artifacts, 'scope', 'namespaces')));
  return new Map(scans.map(([task, { artifacts }]) => [task, texts(valueIn(artifacts, 'scope', 'namespaces'))]));
}

/** The inventory, or undefined where no task has one. */
export function inventoryClaim(results: ReadonlyMap<string, TaskResult>): InventoryClaim | undefined {
  const result = [...results.values()].find(({ artifacts }) => Array.isArray(valueIn(artifacts, 'inventory', 'assets')));
  const inventory = result?.artifacts['inventory'];
  if (!result || inventory === undefined) return undefined;
  return {
    namespaces: texts(valueIn(inventory, 'namespaces')),
    assets: listOf(valueIn(inventory, 'assets')).flatMap(assetOf),
    counts: listOf(valueIn(inventory, 'counts')).flatMap(countOf),
    omitted: numberOf(valueIn(inventory, 'omitted')) ?? 0,
    assetsDiscovered: numberOf(result.figures['assets_discovered']),
  };
}

/** The releases of a run. */
export interface ReleaseCatalogClaim {
  releases: ReleaseClaim[];
  /** Known by marks on objects alone. */
  fromMarks: boolean;
  /** Why the task itself could not tell whether these are all. */
  doubt?: string;
}

/** The releases, or undefined where no task has them. */
export function releaseClaims(results: ReadonlyMap<string, TaskResult>): ReleaseCatalogClaim | undefined {
  const result = [...results.values()].find(({ artifacts }) => Array.isArray(valueIn(artifacts, 'releases', 'releases')));
  if (!result) return undefined;
  const catalog = result.artifacts['releases'];
  const doubt = result.criteria.find((c) => c.verdict === 'unknown')?.reason;
  const releases = listOf(valueIn(catalog, 'releases')).flatMap((release): ReleaseClaim[] => {
    const [id, status] = [textOf(valueIn(release, 'id')), textOf(valueIn(release, 'status'))];
    return id ? [{ id, status: status ?? 'unknown', manifestObjects: numberOf(valueIn(release, 'manifestObjects')) }] : [];
  });
  return { releases, fromMarks: valueIn(catalog, 'fromMarks') === true, ...(doubt ? { doubt } : {}) };
}

/** How an object is found again: kind, namespace, name. */
export const keyOf = (object: { apiVersion: string; kind: string; namespace?: string; name: string }): string =>
  `${object.apiVersion.split('/').slice(0, -1).join('/')} ${describeRef(object)}`;

function assetOf(value: unknown): InventoryAsset[] {
  const [apiVersion, kind, name] = [textOf(valueIn(value, 'apiVersion')), textOf(valueIn(value, 'kind')), textOf(valueIn(value, 'name'))];
  if (!apiVersion || !kind || !name) return [];
  const owner = valueIn(value, 'owner');
  const at = (field: string): string => `${textOf(valueIn(owner, 'namespace')) ?? ''}/${textOf(valueIn(owner, field)) ?? ''}`;
  const ownerKind = textOf(valueIn(owner, 'kind'));
  return [
    {
      apiVersion,
      kind,
      name,
      namespace: textOf(valueIn(value, 'namespace')),
      ...(ownerKind === 'helm' ? { release: at('release') } : {}),
      ...(ownerKind === 'k3s-helmchart' ? { helmChart: at('chart') } : {}),
    },
  ];
}

function countOf(value: unknown): InventoryCount[] {
  const [kind, apiVersion] = [textOf(valueIn(value, 'kind')), textOf(valueIn(value, 'apiVersion'))];
  const [objects, derived] = [numberOf(valueIn(value, 'objects')), numberOf(valueIn(value, 'derived'))];
  return kind && apiVersion && objects !== undefined && derived !== undefined ? [{ kind, apiVersion, objects, derived }] : [];
}

function texts(value: unknown): string[] {
  return listOf(value).filter((entry): entry is string => typeof entry === 'string');
}
