import type { RunSummary } from '@larry/contracts';
import type { Coordination, JournalEntry, TaskRecord } from '@larry/coordination';
import type { RunFacts, RunSource } from './gather';
import { runSummary } from './run-summary';

/** The changes that the journal names, by task; of tasks that were stopped. */
export type Begun = ReadonlyMap<string, readonly JournalEntry[]>;

const wasStopped = ({ status, skipReason, startedAt }: TaskRecord): boolean => status === 'skipped' && skipReason === 'aborted' && startedAt !== undefined;

/** Reads what stopped tasks had begun. */
export async function begunChanges({ journal }: Coordination, { records, snapshot }: RunFacts): Promise<Begun> {
  const stopped = [...records.values()].filter(wasStopped);
  const read = await Promise.all(stopped.map(async ({ task }) => [task, await journal.entries(snapshot.run.run, task)] as const));
  return new Map(read);
}

/**
 * What an aborted run did until then: results of the tasks that ended stand as they are, what was stopped says so, and
 * nothing was looked at anew. Pure.
 */
export function abortedSummary(facts: RunFacts, source: RunSource, begun: Begun): RunSummary {
  const { run, tasks } = facts.snapshot;
  const endedAt = new Date(run.endedAt ?? facts.snapshot.now).toISOString();
  const records = new Map([...facts.records].map(([task, record]) => [task, wasStopped(record) ? { ...record, reason: stoppedText(begun.get(task) ?? []) } : record]));
  const summary = runSummary({ facts: { ...facts, records }, source, validations: [], crossChecks: [], leftOut: [], endedAt });
  const own = tasks.filter((t) => !t.converge);
  const left = own.filter((t) => t.skipReason === 'aborted').length;
  const by = run.abortedBy ? ` by ${run.abortedBy}` : '';
  const steps = [...begun].flatMap(([task, entries]) => entries.map((entry) => `Look at what ${task} was changing: ${changeText(entry)}; the audit log has it as well`));
  return {
    ...summary,
    status: 'aborted',
    lessons: [`The run was aborted${by} at ${endedAt}: ${own.length - left} of ${own.length} tasks had ended, ${left} were stopped or not begun. No claim was looked at anew, and nothing was cross-checked.`, ...summary.lessons],
    nextSteps: [...steps, ...summary.nextSteps],
  };
}

function stoppedText(entries: readonly JournalEntry[]): string {
  if (entries.length === 0) return 'it was stopped in the middle; it had begun no change';
  return `it was stopped in the middle; its journal of changes: ${entries.map(changeText).join(', ')}`;
}

/** Outcomes are kept with a seal around them. */
function changeText({ change, outcome }: JournalEntry): string {
  const became = (outcome as { value?: unknown } | undefined)?.value;
  return `${change} (${typeof became === 'string' ? became : 'begun; whether it was made is not known'})`;
}
