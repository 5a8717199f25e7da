import { listOf, numberOf, printable, textOf, valueIn, type Criterion, type TaskResult } from '@larry/contracts';
import type { PlaybookContext } from '@larry/playbook';
import { coverageCriterion, imageCriterion } from './coverage';
import { diagnoseScan } from './diagnose';
import type { ScanFacts } from './facts';
import { observeScan } from './observe';
import type { ScanOptions } from './options';

const maxNamed = 5;

/**
 * Scans again and compares with what the task claimed: namespaces, objects by kind, findings. Any difference turns the
 * verdict, with what differs as its observation. Objects that controllers make are not compared: a new ReplicaSet is no
 * gap in the coverage; what it runs is compared by its findings.
 */
export async function validateScan(context: PlaybookContext<ScanOptions>, result: TaskResult): Promise<Criterion[]> {
  const facts = await observeScan(context);
  const now = coverageCriterion(facts);
  const images = imageCriterion(facts);
  if (now.verdict !== 'met') return [now, images];
  const differences = differencesOf(result, facts, context.options);
  if (differences.length === 0) return [now, images];
  const value = printable(`the scan no longer says what is there: ${differences.join('; ')}`, 2000);
  return [
    { ...now, verdict: 'not-met', observation: { subject: 'the group, scanned again', value, at: facts.at } },
    images,
  ];
}

function differencesOf(result: TaskResult, facts: ScanFacts, options: ScanOptions): string[] {
  const claimed = listOf(valueIn(result.artifacts, 'scope', 'namespaces')).map(String);
  const fresh = diagnoseScan(facts, options);
  return [
    ...setDifference('namespace', claimed, facts.scope.namespaces),
    ...countDifferences(valueIn(result.artifacts, 'scope', 'lasting'), facts.lasting),
    ...setDifference(
      'finding',
      result.findings.map((f) => f.id),
      fresh.findings.map((f) => f.id),
    ),
    ...changedFindings(result, fresh.findings),
  ];
}

function setDifference(what: string, before: string[], after: string[]): string[] {
  const [was, is] = [new Set(before), new Set(after)];
  const said = (names: string[], how: string) =>
    names.length === 0
      ? []
      : [
          `${names.length} ${what}${names.length === 1 ? '' : 's'} ${how} (${names.slice(0, maxNamed).join(', ')}${names.length > maxNamed ? ', …' : ''})`,
        ];
  return [
    ...said(
      after.filter((n) => !was.has(n)),
      'not in the result',
    ),
    ...said(
      before.filter((n) => !is.has(n)),
      'gone',
    ),
  ];
}

function countDifferences(claimed: unknown, counts: Record<string, number>): string[] {
  const before = (kind: string) => numberOf(valueIn(claimed, kind)) ?? 0;
  const kinds = [...new Set([...Object.keys((claimed ?? {}) as object), ...Object.keys(counts)])].sort();
  return kinds
    .filter((kind) => before(kind) !== (counts[kind] ?? 0))
    .map((kind) => `${kind}: ${before(kind)} then, ${counts[kind] ?? 0} now`);
}

/** The same finding with other evidence: what it pointed at has changed. */
function changedFindings(result: TaskResult, fresh: TaskResult['findings']): string[] {
  const before = new Map(
    result.findings.map((f) => [f.id, JSON.stringify(f.evidence.map(({ at, value }) => [at, value]))]),
  );
  const changed = fresh.filter((f) => {
    const was = textOf(before.get(f.id));
    return was !== undefined && was !== JSON.stringify(f.evidence.map(({ at, value }) => [at, value]));
  });
  return changed.length === 0
    ? []
    : [
        `${changed.length} findings with other evidence (${changed
          .slice(0, maxNamed)
          .map((f) => f.id)
          .join(', ')})`,
      ];
}
