import { caseClasses, type EvalCase } from './case';
import type { Outcome } from './evaluate';

/** The figures of one class. */
export interface Row {
  class: EvalCase['class'];
  cases: number;
  right: number;
  causeRight: number;
  objectRight: number;
  /** Cases that got more root causes than they hold. */
  withExtra: number;
  /** Cases with a fault in which nothing was found and nothing was named as unknown: taken for healthy. */
  silent: number;
}

export interface Figures {
  rows: Row[];
  /** Over the classes of causes: one fault each. */
  total: Row;
  /** Healthy clusters in which something was found. */
  falseAlarms: string[];
  misses: Outcome[];
  slowestMs: number;
  meanMs: number;
}

const order: EvalCase['class'][] = [...caseClasses, 'two faults', 'healthy'];

/** Adds up outcomes by class. */
export function figuresOf(outcomes: readonly Outcome[]): Figures {
  const rows = order.map((name) => row(name, outcomes.filter((one) => one.class === name))).filter(({ cases }) => cases > 0);
  const single = outcomes.filter((one) => one.class !== 'healthy' && one.class !== 'two faults');
  const times = outcomes.map(({ ms }) => ms);
  return {
    rows,
    total: { ...row('running', single), class: 'running' },
    falseAlarms: outcomes.filter((one) => one.class === 'healthy' && !one.right).map(({ id }) => id),
    misses: outcomes.filter((one) => !one.right),
    slowestMs: Math.max(0, ...times),
    meanMs: times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length),
  };
}

function row(name: Row['class'], outcomes: readonly Outcome[]): Row {
  const count = (is: (one: Outcome) => boolean) => outcomes.filter(is).length;
  return { class: name, cases: outcomes.length, right: count((o) => o.right), causeRight: count((o) => o.causeRight), objectRight: count((o) => o.objectRight), withExtra: count((o) => o.extra > 0), silent: count((o) => o.expected.length > 0 && o.found.length === 0 && o.unknowns.length === 0) };
}

const percent = (part: number, whole: number) => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`);

/** The table for people. */
export function renderFigures(title: string, figures: Figures): string {
  const cell = ({ cases, right, causeRight, objectRight, withExtra, silent }: Row) => [String(cases), String(right), percent(right, cases), percent(causeRight, cases), percent(objectRight, cases), String(withExtra), String(silent)];
  const lines = [
    ['class', 'cases', 'right', 'at first place', 'cause alone', 'object alone', 'with extra causes', 'taken for healthy'],
    ...figures.rows.map((one) => [one.class, ...cell(one)]),
    ['all, one fault', ...cell(figures.total)],
  ];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines.map((line) => line.map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join('  '));
  return [title, ...table, `False alarms on healthy clusters: ${figures.falseAlarms.length}${figures.falseAlarms.length > 0 ? ` (${figures.falseAlarms.join(', ')})` : ''}`, `Time for a case: ${figures.meanMs.toFixed(1)} ms on average, ${figures.slowestMs.toFixed(0)} ms at most`].join('\n');
}

const place = (one: { kind: string; namespace?: string; name: string }) => `${one.kind} ${one.namespace ? `${one.namespace}/` : ''}${one.name}`;

/** A miss by name; with what was found instead when `detail` is set. */
export function renderMiss(miss: Outcome, detail: boolean): string {
  if (!detail) return `  ${miss.id}`;
  const wanted = miss.expected.length === 0 ? 'nothing' : miss.expected.map((one) => `${one.cause} at ${place(one)}`).join(' and ');
  const found = miss.found.slice(0, 4).map((one) => `    found ${one.cause} at ${place(one)} (${one.confidence.toFixed(2)})${evidence(one)}`);
  return [`  ${miss.id}: ${miss.variant}`, `    wanted ${wanted}`, ...(found.length === 0 ? ['    found nothing'] : found)].join('\n');
}

function evidence(finding: Outcome['found'][number]): string {
  return finding.evidence
    .slice(0, 3)
    .map((one) => `\n      ${place(one.object)} ${one.at}: ${JSON.stringify(one.value).slice(0, 200)}`)
    .join('');
}
