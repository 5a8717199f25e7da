import { makesClaims, type BudgetUsage, type CrossCheck, type LarryReport, type RunSummary, type Validation } from '@larry/contracts';
import { lessons, nextSteps } from '@larry/reports';
import type { RunFacts, RunSource } from './gather';
import { larryReport } from './larry-report';
import { sinceLast, type LastRun } from './last-run';

/** What a summary is made of: the run as it stands, and what the convergence saw itself. */
export interface SummaryParts {
  facts: RunFacts;
  source: RunSource;
  validations: readonly Validation[];
  crossChecks: readonly CrossCheck[];
  leftOut: readonly string[];
  previous?: LastRun;
  /** ISO 8601, UTC. */
  endedAt: string;
}

/** The summary of a run. The same parts give the same summary. Pure. */
export function runSummary(parts: SummaryParts): RunSummary {
  const { facts, source, endedAt, previous } = parts;
  const { run } = facts.snapshot;
  const larrys = facts.plan.larrys.flatMap((l) => larryReport(l.id, { ...facts, source }) ?? []);
  const validations = [...parts.validations];
  const since = sinceLast(previous, larrys, run.run);
  return {
    kind: 'LarryRunSummary',
    version: 1,
    run: run.run,
    plan: { id: facts.plan.id, title: facts.plan.title, hash: run.planHash },
    mode: facts.mode,
    source,
    status: larrys.some((l) => l.status === 'failed') ? 'failed' : 'completed',
    startedAt: new Date(run.createdAt).toISOString(),
    endedAt,
    didWork: { done: sum(larrys.map((l) => l.didWork)), of: sum(larrys.map((l) => l.tasks.length)) },
    larrys,
    validations,
    crossChecks: [...parts.crossChecks],
    tokens: tokenUse(facts.budget),
    ...(since ? { sinceLast: since } : {}),
    lessons: lessons({ larrys, validations, crossChecks: parts.crossChecks, budget: facts.budget, leftOut: parts.leftOut }),
    nextSteps: nextSteps({ larrys, validations }),
  };
}

/** The run, its Larrys and the meta-coordinator; a node's overshoot is what it used beyond its limit. */
function tokenUse(budget: readonly BudgetUsage[]): RunSummary['tokens'] {
  const root = budget.find((b) => b.parent === undefined)?.node;
  return budget
    .filter((b) => b.parent === undefined || b.parent === root)
    .map(({ node, used, limit }) => ({ node, used, limit, overshoot: Math.max(0, used - limit) }));
}

/** Every task of a Larry that has to be looked at anew, whatever became of it: a playbook made its claims. */
export function claimsOf(larry: LarryReport, facts: RunFacts): { task: string; options: Record<string, unknown>; result: NonNullable<LarryReport['tasks'][number]['result']> }[] {
  const options = new Map(facts.plan.larrys.flatMap((l) => l.tasks).map((t) => [t.id, t.with]));
  return larry.tasks.flatMap((t) => (t.result && makesClaims(t) ? [{ task: t.task, options: options.get(t.task) ?? {}, result: t.result }] : []));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
