import type { LarryReport, RunSummary, TaskResult } from '@larry/contracts';
import { crossChecks } from './cross-checks/cross-checks';
import { lessons } from './lessons';
import { nextSteps } from './next-steps';

/**
 * The summary of a run, made again from the final reports of its Larrys alone (the quick start's *Manual Report
 * Aggregation*). Nothing is looked at anew: there are no validations, the cross-checks that need the cluster are
 * `unknown`, and what no report says (plan, mode) is `unknown`; the lessons say so. Pure.
 * @throws Error when no report says when it began or ended, or when there is none
 */
export function aggregateReports(reports: readonly LarryReport[]): RunSummary {
  const larrys = [...reports].sort((a, b) => a.larry.localeCompare(b.larry));
  const [first] = larrys;
  if (!first) throw new Error('there is no report to aggregate');
  const tasks = larrys.flatMap((l) => l.tasks);
  const results = new Map(tasks.flatMap(({ task, result }): [string, TaskResult][] => (result ? [[task, result]] : [])));
  const { checks, leftOut } = crossChecks(results, { counts: new Map(), marks: new Map() });
  const tokens = larrys.map(({ larry, tokens: { used, limit } }) => ({ node: larry, used, limit, overshoot: Math.max(0, used - limit) }));
  const budget = tokens.map(({ node, used, limit }) => ({ node, parent: 'run', used, limit, reserve: 0 }));
  return {
    kind: 'LarryRunSummary',
    version: 1,
    run: first.run,
    plan: { id: 'unknown', title: 'unknown', hash: 'unknown' },
    mode: 'unknown',
    source: first.source,
    status: larrys.some((l) => l.status === 'failed') ? 'failed' : 'completed',
    ...times(larrys),
    didWork: { done: sum(larrys.map((l) => l.didWork)), of: tasks.length },
    larrys,
    validations: [],
    crossChecks: checks,
    tokens,
    lessons: [howItWasMade(larrys), ...lessons({ larrys, validations: [], crossChecks: checks, budget, leftOut })],
    nextSteps: nextSteps({ larrys, validations: [] }),
  };
}

function howItWasMade(larrys: readonly LarryReport[]): string {
  return `Made from the reports of ${larrys.map((l) => l.larry).join(', ')} alone: no claim was looked at anew (larry verify does), and what needs the cluster, the plan or the meta-coordinator is unknown`;
}

function times(larrys: readonly LarryReport[]): { startedAt: string; endedAt: string } {
  const tasks = larrys.flatMap((l) => l.tasks);
  const starts = [...larrys, ...tasks].flatMap((x) => x.startedAt ?? []).sort();
  const ends = [...larrys.flatMap((l) => l.completedAt ?? []), ...tasks.flatMap((t) => t.endedAt ?? [])].sort();
  const [startedAt, endedAt] = [starts[0], ends.at(-1)];
  if (startedAt === undefined || endedAt === undefined) throw new Error(`no report says when it ${startedAt === undefined ? 'began: field startedAt' : 'ended: field completedAt'}`);
  return { startedAt, endedAt };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
