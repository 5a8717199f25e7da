import { listOf, numberOf, textOf, valueIn, type Criterion, type TaskResult } from '@larry/contracts';
import type { PlaybookContext } from '@larry/playbook';
import type { KindCount } from '../inventory';
import { countKind } from './count';
import { countCriterion } from './diagnose';

/** Counts anew and compares with what the result claims. */
export async function validate(context: PlaybookContext, result: TaskResult): Promise<Criterion[]> {
  const { cluster, signal } = context;
  const live = cluster.source.type === 'live';
  const claimed = claimedCounts(result);
  const at = context.now().toISOString();
  if (claimed.length === 0) {
    const text = countCriterion(true, [], [], at).text;
    return [{ id: 'count-matches', text, verdict: 'unknown', reason: 'the result holds no catalog to compare with' }];
  }
  const now: KindCount[] = [];
  for (const kind of live ? claimed : []) {
    const counted = await countKind(cluster, kind, signal);
    if (counted) now.push(counted);
  }
  return [countCriterion(live, claimed, now, at)];
}

function claimedCounts(result: TaskResult): KindCount[] {
  return listOf(valueIn(result.artifacts, 'inventory', 'counts')).flatMap((count) => {
    const [kind, apiVersion, names] = [textOf(valueIn(count, 'kind')), textOf(valueIn(count, 'apiVersion')), textOf(valueIn(count, 'names'))];
    const [objects, derived] = [numberOf(valueIn(count, 'objects')), numberOf(valueIn(count, 'derived'))];
    return kind && apiVersion && names && objects !== undefined && derived !== undefined ? [{ kind, apiVersion, names, objects, derived }] : [];
  });
}
