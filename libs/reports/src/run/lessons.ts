import type { AppliedChange, CrossCheck, LarryReport, TaskReport, Validation } from '@larry/contracts';

/** A node of the token ledger, as far as lessons need it. */
export interface LedgerNode {
  readonly node: string;
  /** None for the root. */
  readonly parent?: string;
  readonly used: number;
  readonly limit: number;
  readonly reserve: number;
  /** When its reserve was deployed, milliseconds since 1970. */
  readonly deployedAt?: number;
}

/** What the lessons are drawn from. */
export interface LessonFacts {
  larrys: readonly LarryReport[];
  validations: readonly Validation[];
  crossChecks: readonly CrossCheck[];
  budget: readonly LedgerNode[];
  /** Cross-checks that do not apply to this run, each with why. */
  leftOut: readonly string[];
}

/** What a reader should know of how this run went; each line follows from a fact of it. Pure. */
export function lessons(facts: LessonFacts): string[] {
  const tasks = facts.larrys.flatMap((l) => l.tasks);
  return [
    ...skippedLines(tasks),
    ...failedLines(tasks),
    ...retryLines(tasks),
    ...turnedLines(facts.validations),
    ...differingLines(facts.crossChecks),
    ...changeLines(tasks),
    ...unknownLines(tasks),
    ...lateLines(tasks),
    ...budgetLines(facts.budget),
    ...facts.leftOut,
  ];
}

function skippedLines(tasks: readonly TaskReport[]): string[] {
  const byReason = groupBy(tasks.filter((t) => t.status === 'skipped'), (t) => t.skipReason ?? 'unknown');
  return [...byReason].map(([reason, some]) => `${counted(some.length, 'task')} did no work, ${reason}: ${some.map((t) => t.task).join(', ')}`);
}

function failedLines(tasks: readonly TaskReport[]): string[] {
  return tasks.filter((t) => t.status === 'failed').map((t) => `${t.task} failed after ${counted(t.attempts, 'attempt')}: ${t.reason ?? 'no reason was given'}`);
}

function retryLines(tasks: readonly TaskReport[]): string[] {
  return tasks.filter((t) => t.status === 'completed' && t.attempts > 1).map((t) => `${t.task} needed ${t.attempts} attempts`);
}

function turnedLines(validations: readonly Validation[]): string[] {
  const turned = validations.flatMap((v) => v.turned.map((criterion) => `${v.task}/${criterion}`));
  const unseen = validations.filter((v) => v.problem);
  return [
    ...(turned.length > 0 ? [`${counted(turned.length, 'claim')} did not hold when looked at again: ${turned.join(', ')}`] : []),
    ...unseen.map((v) => `${v.task} could not be looked at again: ${v.problem}`),
  ];
}

function differingLines(checks: readonly CrossCheck[]): string[] {
  return checks.filter((c) => c.verdict !== 'agrees').map((c) => `${c.title}: ${c.verdict === 'differs' ? 'the two sides differ' : 'not known'}; ${c.observation}`);
}

const changeWords: Partial<Record<AppliedChange['outcome'], string>> = {
  refused: 'refused or denied',
  'rolled-back': 'rolled back',
  'outcome-unknown': 'with an unknown outcome',
  superseded: 'superseded by what others changed',
  'unverified-no-patch-right': 'not tried, for lack of the right to patch',
};

function changeLines(tasks: readonly TaskReport[]): string[] {
  const changes = tasks.flatMap((t) => t.result?.changes ?? []);
  const told = [...groupBy(changes, (c) => c.outcome)].flatMap(([outcome, some]) => {
    const words = changeWords[outcome];
    return words ? [`${counted(some.length, 'change')} ${words}: ${some.map((c) => `${c.id}${c.reason ? ` (${c.reason})` : ''}`).join(', ')}`] : [];
  });
  return told;
}

function unknownLines(tasks: readonly TaskReport[]): string[] {
  const unknowns = tasks.flatMap((t) => (t.result?.unknowns ?? []).map((u) => ({ ...u, task: t.task })));
  const subjects = [...groupBy(unknowns, (u) => `${u.subject}: ${u.reason}`)].map(([text, some]) => `${text} (${[...new Set(some.map((u) => u.task))].join(', ')})`);
  if (subjects.length === 0) return [];
  const more = subjects.length > 5 ? `; and ${subjects.length - 5} more` : '';
  return [`${counted(subjects.length, 'thing')} could not be read and ${subjects.length === 1 ? 'counts' : 'count'} as unknown, not as fine: ${subjects.slice(0, 5).join('; ')}${more}`];
}

function lateLines(tasks: readonly TaskReport[]): string[] {
  return tasks.flatMap((t) => {
    if (!t.startedAt || !t.endedAt) return [];
    const minutes = (Date.parse(t.endedAt) - Date.parse(t.startedAt)) / 60_000;
    return minutes > t.plannedMinutes ? [`${t.task} took ${minutes.toFixed(1)} minutes, and ${t.plannedMinutes} were planned`] : [];
  });
}

function budgetLines(budget: readonly LedgerNode[]): string[] {
  if (budget.length === 0) return ['The token ledger of this run is not there: what was used is unknown'];
  const root = budget.find((b) => b.parent === undefined);
  const over = budget.filter((b) => b.used > b.limit).map((b) => `${b.node} used ${b.used} of ${b.limit} tokens: requests in flight overshot`);
  const opened = budget.filter((b) => b.deployedAt !== undefined).map((b) => `The reserve of ${b.node} was opened: ${b.reserve} tokens`);
  return [...(root?.used === 0 ? ['No model was asked: 0 tokens used, every result comes from rules'] : []), ...over, ...opened];
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
