import { printable, type Criterion, type Finding } from '@larry/contracts';
import { nothingRead, type Diagnosis } from '@larry/playbook';
import type { Asset, Inventory, KindCount } from '../inventory';
import type { CollectedAsset } from './collector';
import { resolveDependencies } from './dependencies';
import { differences, type CatalogFacts } from './observe';

export const taskId = 'catalog-deployments';
const countText = 'The count equals what the API server says now';
const maxFindings = 100;

export interface Options {
  /** How many assets the artifact holds; the rest is counted. */
  maxAssets: number;
}

/** Kinds first of which the artifact keeps all it can. */
const importance = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job', 'Pod', 'Service', 'Ingress', 'PersistentVolumeClaim', 'Secret', 'ConfigMap', 'Namespace', 'Node'];

/** From the collected assets to the inventory, with its dependencies and what leads to nothing. Pure. */
export function diagnose(facts: CatalogFacts, options: Options): Diagnosis {
  const unlistedKinds = new Set(facts.unlisted.map((u) => u.kind));
  const listedKinds = new Set(facts.counts.map((c) => c.kind));
  const complete = (kind: string) => facts.closed && listedKinds.has(kind) && !unlistedKinds.has(kind);
  const links = resolveDependencies(facts.assets, complete, facts.operated);
  const kept = [...facts.assets].sort(byImportance).slice(0, options.maxAssets).map(published);
  const inventory: Inventory = {
    takenAt: facts.at,
    counts: facts.counts,
    assets: kept,
    omitted: facts.assets.length - kept.length,
    ...links,
    unlisted: facts.unlisted,
    namespaces: facts.namespaces,
  };
  const total = sum(facts.counts, (c) => c.objects);
  const nonEmpty = facts.counts.filter((c) => c.objects > 0).length;
  return {
    summary: `${total} objects of ${nonEmpty} kinds in ${facts.namespaces.length} namespaces: ${facts.assets.length} assets${facts.unlisted.length > 0 ? `; ${facts.unlisted.length} kinds could not be listed` : ''}.`,
    findings: danglingFindings(links.dangling, facts.assets),
    figures: {
      assets_discovered: total,
      assets: facts.assets.length,
      kinds: nonEmpty,
      namespaces: facts.namespaces.length,
      dependencies: links.dependencies.length,
      dangling_references: links.dangling.length,
      kinds_unlisted: facts.unlisted.length,
    },
    criteria: [countCriterion(facts.live, facts.counts, facts.recounts, facts.at)],
    unknowns: [
      ...facts.unlisted.map((u) => ({ subject: `${u.kind} objects`, reason: printable(u.reason, 1000) })),
      ...(inventory.omitted > 0 ? [{ subject: `${inventory.omitted} assets`, reason: `the inventory lists at most ${options.maxAssets}; they are counted` }] : []),
    ],
    artifacts: { inventory },
    ...nothingRead(facts.live ? 'live' : 'folder', facts.counts.length, facts.unlisted),
  };
}

/** Compares a count with a later one. `then` is what is claimed. */
export function countCriterion(live: boolean, then: KindCount[], now: KindCount[], at: string): Criterion {
  const base = { id: 'count-matches', text: countText };
  if (!live) return { ...base, verdict: 'unknown', reason: 'a folder does not tell what the API server says now; run it against the cluster' };
  if (then.length === 0) return { ...base, verdict: 'unknown', reason: 'no kind could be listed, so there is nothing to count' };
  const differing = differences(then, now);
  const uncounted = then.length - now.length;
  const passing = sum(now, (c) => c.objects) - sum(then, (c) => c.objects);
  const moved = passing === 0 || differing.length > 0 ? '' : `; ${Math.abs(passing)} ${passing > 0 ? 'more' : 'fewer'} pods, events and the like by now`;
  const value = differing.length > 0 ? differing.slice(0, 20).join('; ') : `${sum(then, (c) => c.objects)} objects of ${then.length} kinds, counted twice${moved}`;
  const observation = { subject: 'every listable kind, listed again', value: printable(value, 2000), at };
  if (differing.length > 0) return { ...base, verdict: 'not-met', observation };
  if (uncounted > 0) return { ...base, verdict: 'unknown', observation, reason: `${uncounted} kinds could not be counted a second time` };
  return { ...base, verdict: 'met', observation };
}

/** A workload that needs what is not there does not start. */
function danglingFindings(dangling: Inventory['dangling'], assets: CollectedAsset[]): Finding[] {
  const byId = new Map(assets.map((a) => [a.id, a]));
  const grave = dangling.filter((d) => /^(?:ConfigMap|Secret|PersistentVolumeClaim|ServiceAccount) /.test(d.to));
  return grave.slice(0, maxFindings).flatMap((d): Finding[] => {
    const from = byId.get(d.from);
    if (!from?.images) return [];
    const object = { apiVersion: from.apiVersion, kind: from.kind, ...(from.namespace ? { namespace: from.namespace } : {}), name: from.name };
    return [
      {
        id: printable(`${taskId}/dangling-reference/${d.from}/${d.to}`, 500),
        rule: 'dangling-reference',
        task: taskId,
        severity: 'medium',
        title: printable(`${d.from} needs ${d.to}, which does not exist`, 500),
        object,
        owner: from.owner,
        evidence: [{ object, at: printable(d.via, 500), value: printable(d.to, 1000) }],
        remedy: { layer: 'none', reason: printable(`create ${d.to}, or remove the reference to it from ${d.from}`, 500) },
        confidence: 1,
        references: [],
        also: [],
      },
    ];
  });
}

function byImportance(a: Asset, b: Asset): number {
  const rank = (asset: Asset) => (importance.indexOf(asset.kind) + importance.length + 1) % (importance.length + 1);
  return rank(a) - rank(b) || (a.id < b.id ? -1 : 1);
}

/** What later tasks need; what only the resolution needed stays behind. */
function published({ uid: _u, podLabels: _p, selector: _s, references = [], ...asset }: CollectedAsset): Asset {
  // A host name is a reference only where a Service of that name exists, and then it is among the dependencies.
  const said = references.filter((r) => !r.via.startsWith('host name'));
  return said.length === 0 ? asset : { ...asset, references: said };
}

function sum(counts: KindCount[], of: (count: KindCount) => number): number {
  return counts.reduce((total, count) => total + of(count), 0);
}
