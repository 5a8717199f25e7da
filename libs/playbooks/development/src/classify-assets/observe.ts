import { listOf, recordOf, textOf, valueIn, type TaskResult } from '@larry/contracts';
import type { PlaybookContext } from '@larry/playbook';
import { diagnose as diagnoseDeployments } from '../catalog-deployments/diagnose';
import { observe as observeDeployments } from '../catalog-deployments/observe';
import { diagnose as diagnoseReleases } from '../catalog-helm-releases/diagnose';
import { observe as observeReleases } from '../catalog-helm-releases/observe';
import type { Inventory } from '../inventory';
import type { ReleaseCatalog } from '../releases';

/** The two catalogs, and where they come from. */
export interface CatalogsFacts {
  at: string;
  source: PlaybookContext['cluster']['source']['type'];
  inventory: Inventory;
  releases: ReleaseCatalog;
  /** True when this task took the catalogs itself, because no other task of the run had. */
  own: boolean;
}

/** When this task catalogs itself nothing has to travel, so that hardly anything needs to be left out. */
const maxAssets = 20_000;

/** Takes the catalogs of the same run; alone (`larry playbook run`) it takes them itself. */
export async function observe(context: PlaybookContext): Promise<CatalogsFacts> {
  const inventory = inventoryOf(context.results.get('catalog-deployments'));
  const releases = releasesOf(context.results.get('catalog-helm-releases'));
  const source = context.cluster.source.type;
  const at = context.cluster.source.takenAt ?? context.now().toISOString();
  if (inventory && releases) return { at, source, inventory, releases, own: false };
  return observeAnew(context);
}

/** Takes both catalogs now, whatever the run has. */
export async function observeAnew(context: PlaybookContext): Promise<CatalogsFacts> {
  const at = context.cluster.source.takenAt ?? context.now().toISOString();
  const deployments = diagnoseDeployments(await observeDeployments(context), { maxAssets });
  const releases = diagnoseReleases(await observeReleases(context));
  return { at, source: context.cluster.source.type, inventory: deployments.artifacts?.['inventory'] as Inventory, releases: releases.artifacts?.['releases'] as ReleaseCatalog, own: true };
}

/** Another task's artifact, believed only in the shape that this task reads. */
function inventoryOf(result: TaskResult | undefined): Inventory | undefined {
  const found = recordOf(result?.artifacts['inventory']);
  const lists = ['assets', 'counts', 'dependencies', 'dangling', 'unlisted', 'namespaces'].every((key) => Array.isArray(found[key]));
  const named = listOf(found['assets']).every((a) => textOf(valueIn(a, 'id')) && textOf(valueIn(a, 'owner', 'kind')));
  return lists && named ? (found as unknown as Inventory) : undefined;
}

function releasesOf(result: TaskResult | undefined): ReleaseCatalog | undefined {
  const found = recordOf(result?.artifacts['releases']);
  return Array.isArray(found['releases']) ? (found as unknown as ReleaseCatalog) : undefined;
}
