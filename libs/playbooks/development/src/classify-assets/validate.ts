import { listOf, printable, textOf, valueIn, type Criterion, type TaskResult } from '@larry/contracts';
import type { PlaybookContext } from '@larry/playbook';
import { classifyAll } from './classify';
import { diagnose } from './diagnose';
import { lineageOf } from './lineage';
import { observeAnew } from './observe';

/** Takes the catalogs anew and compares: every asset there now was tagged as now, every line of the lineage still holds. */
export async function validate(context: PlaybookContext, result: TaskResult): Promise<Criterion[]> {
  const facts = await observeAnew(context);
  const now = diagnose(facts).criteria;
  const claimed = claimedTags(result);
  if (claimed.size === 0) return now;
  const tagged = new Map(classifyAll(facts.inventory).map((c) => [c.id, c.tags.map((t) => t.tag).join(' ')]));
  const lines = new Set(lineageOf(facts.inventory, facts.releases).edges.map(lineOf).filter(isLasting));
  const drawn = new Set(listOf(valueIn(result.artifacts, 'lineage', 'edges')).map(lineOf).filter(isLasting));
  const differing: Record<string, string[]> = { 'all-classified': tagDifferences(claimed, tagged), 'lineage-drawn': lineDifferences(drawn, lines) };
  return now.map((criterion) => {
    const differences = differing[criterion.id] ?? [];
    if (differences.length === 0) return criterion;
    const value = printable(`${differences.length} differences: ${differences.slice(0, 8).join('; ')}`, 2000);
    return { id: criterion.id, text: criterion.text, verdict: 'not-met', observation: { subject: 'the cluster, cataloged anew', value, at: facts.at } };
  });
}

function claimedTags(result: TaskResult): Map<string, string> {
  const tagged = listOf(valueIn(result.artifacts, 'classification', 'assets')).map((c): [string, string] => [
    textOf(valueIn(c, 'id')) ?? '',
    listOf(valueIn(c, 'tags')).map((t) => textOf(valueIn(t, 'tag')) ?? '').join(' '),
  ]);
  const untagged = listOf(valueIn(result.artifacts, 'classification', 'unclassified')).map((id): [string, string] => [String(id), '']);
  return new Map([...tagged, ...untagged]);
}

function tagDifferences(then: Map<string, string>, now: Map<string, string>): string[] {
  const came = [...now.keys()].filter((id) => !then.has(id)).map((id) => `${id} is new`);
  const went = [...then.keys()].filter((id) => !now.has(id)).map((id) => `${id} is gone`);
  const changed = [...now].filter(([id, tags]) => then.has(id) && then.get(id) !== tags).map(([id, tags]) => `${id} is now ${tags || 'unclassified'}`);
  return [...came, ...went, ...changed];
}

const lineOf = (edge: unknown): string => `${textOf(valueIn(edge, 'from')) ?? ''} → ${textOf(valueIn(edge, 'to')) ?? ''}`;

/** Which digest runs shows only once a pod has pulled: a digest more is no contradiction. */
const isLasting = (line: string): boolean => !line.includes('→ digest:');

function lineDifferences(then: Set<string>, now: Set<string>): string[] {
  return [...[...now].filter((line) => !then.has(line)).map((line) => `${line} is new`), ...[...then].filter((line) => !now.has(line)).map((line) => `${line} no longer holds`)];
}
