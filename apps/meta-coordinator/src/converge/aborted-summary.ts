import type { RunSummary } from '@larry/contracts';
import type { Coordination, JournalEntry, TaskRecord } from '@larry/coordination';
import type { ClusterReader } from '@larry/kube';
import { seenChange } from '@larry/playbook';
import { z } from 'zod';
import type { RunFacts, RunSource } from './gather';
import { runSummary } from './run-summary';

/** A change in the journal; without an outcome also what its object says of it. */
export type BegunEntry = JournalEntry & { seen?: string };

/** The changes that the journal names, by task; of tasks that were stopped. */
export type Begun = ReadonlyMap<string, readonly BegunEntry[]>;

const wasStopped = ({ status, skipReason, startedAt }: TaskRecord): boolean => status === 'skipped' && skipReason === 'aborted' && startedAt !== undefined;

/** Reads what stopped tasks had begun, and looks at the objects of what has no outcome. */
export async function begunChanges({ journal }: Coordination, { records, snapshot }: RunFacts, cluster: Pick<ClusterReader, 'get'>): Promise<Begun> {
  const stopped = [...records.values()].filter(wasStopped);
  const read = await Promise.all(
    stopped.map(async ({ task }) => {
      const entries = await journal.entries(snapshot.run.run, task);
      return [task, await Promise.all(entries.map((entry) => lookedAt(entry, cluster)))] as const;
    }),
  );
  return new Map(read);
}

async function lookedAt(entry: JournalEntry, cluster: Pick<ClusterReader, 'get'>): Promise<BegunEntry> {
  const intent = intentSchema.safeParse(entry.intent);
  if (entry.outcome !== undefined || !intent.success) return entry;
  const { change, ...value } = intent.data.value;
  const branch = change?.git?.branch;
  return { ...entry, seen: await seenChange(cluster, { id: entry.change, ...value, ...(branch === undefined ? {} : { branch }) }) };
}

/** What of an intent is needed to look at its object. It comes from Redis: what it names is read, and nothing else. */
const intentSchema = z.object({
  value: z.object({
    verb: z.string(),
    target: z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string().optional(), name: z.string() }),
    change: z.object({ git: z.object({ branch: z.string() }).optional() }).optional(),
  }),
});

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
function changeText({ change, outcome, seen }: BegunEntry): string {
  const became = (outcome as { value?: unknown } | undefined)?.value;
  return `${change} (${typeof became === 'string' ? became : `begun; ${seen ?? 'whether it was made is not known'}`})`;
}
