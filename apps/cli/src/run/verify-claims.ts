import { makesClaims, planTasks, type Criterion, type Plan, type RunSummary, type Validation } from '@larry/contracts';
import type { ValidationRequest } from '@larry/coordinator';

/** What is to be looked at anew, for one Larry. */
export interface LarryClaims {
  larry: string;
  request: ValidationRequest;
}

/** Every claim of a summary, whatever became of the task, with the options that the plan gives it. */
export function claimsOf(summary: RunSummary, plan: Plan): LarryClaims[] {
  const options = new Map(planTasks(plan).map((t) => [t.id, t.with]));
  return summary.larrys.flatMap(({ larry, tasks }) => {
    const claims = tasks.flatMap((t) => (t.result && makesClaims(t) ? [{ task: t.task, options: options.get(t.task) ?? {}, result: t.result }] : []));
    return claims.length > 0 ? [{ larry, request: { run: summary.run, tasks: claims } }] : [];
  });
}

/** What became of one criterion since the report. */
export interface VerifiedCriterion {
  task: string;
  before: Criterion;
  now?: Criterion;
  /** `closed`: it was provisional or unknown, and is met now. */
  outcome: 'holds' | 'turned' | 'closed' | 'open';
}

/** Compares claims with what was seen now, criterion by criterion. What was not met and is not spoken of any more, as a change that was taken back, claims nothing. Pure. */
export function verifiedCriteria(summary: RunSummary, validations: readonly Validation[]): VerifiedCriterion[] {
  const results = summary.larrys.flatMap((l) => l.tasks);
  return validations
    .filter((v) => v.problem === undefined)
    .flatMap((validation) =>
      (results.find((t) => t.task === validation.task)?.result?.criteria ?? []).flatMap((before) => {
        const now = validation.criteria.find((c) => c.id === before.id);
        if (!now && before.verdict === 'not-met') return [];
        const outcome = validation.turned.includes(before.id) ? 'turned' : outcomeOf(before, now);
        return [{ task: validation.task, before, ...(now ? { now } : {}), outcome }];
      }),
    );
}

function outcomeOf(before: Criterion, now: Criterion | undefined): VerifiedCriterion['outcome'] {
  if (now?.verdict === 'met') return before.verdict === 'met' ? 'holds' : 'closed';
  return now?.verdict === 'not-met' ? 'holds' : 'open';
}
