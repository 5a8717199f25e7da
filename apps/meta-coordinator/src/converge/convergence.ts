import type { RunSummary, Validation } from '@larry/contracts';
import type { EventPublisher } from '@larry/events';
import type { ClusterReader } from '@larry/kube';
import { crossChecks } from '@larry/reports';
import type { Logger } from '@larry/service';
import { observeForChecks } from './check-observations';
import type { RunFacts, RunSource } from './gather';
import { larryReport } from './larry-report';
import type { LastRunFile } from './last-run';
import { claimsOf, runSummary } from './run-summary';
import type { Validator } from './validator';

/** What a convergence works with. */
export interface ConvergenceParts {
  readonly validator: Validator;
  readonly lastRun: LastRunFile;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly log: Logger;
  openCluster(): Promise<ClusterReader>;
}

/** Looks anew at everything that was claimed, compares the Larrys with each other, and draws the summary. Changes nothing. */
export async function converge(parts: ConvergenceParts, facts: RunFacts, attempt: number, signal: AbortSignal): Promise<RunSummary> {
  const cluster = await parts.openCluster();
  try {
    const { source } = cluster;
    const [validations, live] = await Promise.all([validateAll(parts, facts, source, signal), observeForChecks(cluster, facts.results, signal)]);
    signal.throwIfAborted();
    await announce(parts, facts, validations, attempt);
    const { checks, leftOut } = crossChecks(facts.results, live);
    const previous = await parts.lastRun.read(source);
    return runSummary({ facts, source, validations, crossChecks: checks, leftOut, previous, endedAt: new Date().toISOString() });
  } finally {
    await cluster.close();
  }
}

async function validateAll({ validator }: ConvergenceParts, facts: RunFacts, source: RunSource, signal: AbortSignal): Promise<Validation[]> {
  const { run } = facts.snapshot.run;
  const reports = facts.plan.larrys.flatMap((l) => larryReport(l.id, { ...facts, source }) ?? []);
  const all = await Promise.all(reports.map((report) => validator.validate(report.larry, run, claimsOf(report, facts), signal)));
  return all.flat();
}

/** An event that cannot be published harms no result: the summary says the same. */
async function announce({ events, log }: ConvergenceParts, facts: RunFacts, validations: readonly Validation[], attempt: number): Promise<void> {
  for (const { task, larry, criteria, turned, problem } of validations) {
    const data = { task_id: task, larry, turned, verdicts: countOf(criteria.map((c) => c.verdict)), ...(problem ? { problem } : {}) };
    try {
      await events.publish({ id: `${task}/${attempt}/validation_result`, from: 'meta-coordinator', run: facts.snapshot.run.run, event: 'validation_result', data });
    } catch (error) {
      log.warn({ task, error: error instanceof Error ? error.message : String(error) }, 'a validation result could not be published');
    }
  }
}

/** `{ met: 2, unknown: 1 }`. */
function countOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
