import { printable, type Criterion } from '@larry/contracts';
import { nothingRead, type Diagnosis } from '@larry/playbook';
import { classifyAll, type Classified } from './classify';
import { drawMermaid } from './draw-mermaid';
import { drawSvg } from './draw-svg';
import { healthScores } from './health';
import { lineageOf, type Lineage } from './lineage';
import type { CatalogsFacts } from './observe';
import { orphansOf } from './orphans';
import { tags } from './rules';

export const taskId = 'classify-assets';

/** From the catalogs to tags, scores, orphans and the lineage. Pure. */
export function diagnose(facts: CatalogsFacts): Diagnosis {
  const { inventory } = facts;
  const classified = classifyAll(inventory);
  const unclassified = classified.filter((c) => c.tags.length === 0).map((c) => c.id);
  const health = healthScores(inventory);
  const orphans = orphansOf(inventory);
  const lineage = lineageOf(inventory, facts.releases);
  const byTag = tags.map((tag) => [tag, classified.filter((c) => c.tags[0]?.tag === tag).length] as const).filter(([, n]) => n > 0);
  const worst = [...byTag].sort((a, b) => b[1] - a[1]).slice(0, 4);
  return {
    summary: printable(
      `${classified.length} assets${worst.length > 0 ? ': ' : ''}${worst.map(([tag, n]) => `${n} ${tag}`).join(', ')}${unclassified.length > 0 ? `; ${unclassified.length} unclassified` : ''}. Lineage: ${lineage.nodes.length} nodes, ${lineage.edges.length} edges.`,
      2000,
    ),
    findings: [],
    figures: {
      assets: classified.length,
      classified: classified.length - unclassified.length,
      unclassified: unclassified.length,
      ...Object.fromEntries(byTag.map(([tag, n]) => [`tag_${tag}`, n])),
      health_average: health.length === 0 ? 'unknown' : Math.round(health.reduce((sum, h) => sum + h.score, 0) / health.length),
      orphans: orphans.known ? orphans.ids.length : 'unknown',
      lineage_nodes: lineage.nodes.length,
      lineage_edges: lineage.edges.length,
    },
    criteria: [classifiedCriterion(facts, classified, unclassified), lineageCriterion(lineage, facts.at)],
    unknowns: unknownsOf(facts, orphans),
    artifacts: {
      classification: { assets: classified.filter((c) => c.tags.length > 0), unclassified },
      health: health.sort((a, b) => a.score - b.score),
      orphans,
      lineage,
      lineageMermaid: drawMermaid(lineage),
      lineageSvg: drawSvg(lineage),
    },
    ...nothingRead(facts.source, inventory.counts.length, inventory.unlisted),
  };
}

function unknownsOf({ inventory, own }: CatalogsFacts, orphans: ReturnType<typeof orphansOf>): Diagnosis['unknowns'] {
  const unlisted = own ? inventory.unlisted.map((u) => ({ subject: `${u.kind} objects`, reason: printable(u.reason, 1000) })) : [];
  return [...unlisted, ...(orphans.known ? [] : [{ subject: 'orphans', reason: printable(orphans.reason, 1000) }])];
}

function classifiedCriterion({ inventory, at }: CatalogsFacts, classified: Classified[], unclassified: string[]): Criterion {
  const names = unclassified.length === 0 ? '' : `: ${unclassified.slice(0, 10).join(', ')}${unclassified.length > 10 ? ` and ${unclassified.length - 10} more` : ''}`;
  const left = inventory.omitted > 0 ? `; ${inventory.omitted} assets are not in the inventory and so are neither` : '';
  const base = { id: 'all-classified', text: 'Every asset is classified or named as unclassified' };
  if (inventory.counts.length === 0) return { ...base, verdict: 'unknown', reason: 'no kind could be listed, so there is no asset to classify' };
  return {
    ...base,
    verdict: inventory.omitted > 0 ? 'not-met' : 'met',
    observation: {
      subject: `the inventory of ${classified.length} assets`,
      value: printable(`${classified.length - unclassified.length} classified, ${unclassified.length} unclassified${names}${left}`, 2000),
      at,
    },
  };
}

function lineageCriterion(lineage: Lineage, at: string): Criterion {
  const base = { id: 'lineage-drawn', text: 'The lineage is drawn' };
  const apps = lineage.nodes.filter((n) => n.kind === 'app').length;
  if (apps === 0) return { ...base, verdict: 'unknown', reason: 'there is no workload whose lineage could be drawn' };
  const value = `${lineage.nodes.length} nodes, ${lineage.edges.length} edges, from ${apps} apps; as JSON, Mermaid and SVG`;
  return { ...base, verdict: 'met', observation: { subject: 'the lineage of every workload in the inventory', value, at } };
}
