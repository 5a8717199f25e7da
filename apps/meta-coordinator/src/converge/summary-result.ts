import { runSummarySchema, type RunSummary } from '@larry/contracts';

/** The result of `converge`, as it is settled: figures for `task:result:converge`, and the summary. */
export function summaryResult(summary: RunSummary): { figures: Record<string, number>; summary: RunSummary } {
  return {
    figures: {
      tasks_completed: summary.didWork.done,
      tasks_total: summary.didWork.of,
      claims_turned: summary.validations.reduce((n, v) => n + v.turned.length, 0),
      cross_checks_agree: summary.crossChecks.filter((c) => c.verdict === 'agrees').length,
      cross_checks: summary.crossChecks.length,
    },
    summary,
  };
}

/** The summary in a result of `converge`; undefined where it is none. */
export function readSummary(result: unknown): RunSummary | undefined {
  const parsed = runSummarySchema.safeParse((result as { summary?: unknown } | null | undefined)?.summary);
  return parsed.success ? parsed.data : undefined;
}
