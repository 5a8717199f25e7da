import { TokenLedger, type BudgetUsage } from '@larry/budget';
import { planTasks, taskResultSchema, type Plan, type RunSummary, type TaskResult } from '@larry/contracts';
import { readRunDocument } from '@larry/coordinator';
import type { Coordination, RunSnapshot, TaskRecord } from '@larry/coordination';
import type { RedisClient } from '@larry/redis';

/** A run as it stands in Redis: what every report is made of. */
export interface RunFacts {
  snapshot: RunSnapshot;
  plan: Plan;
  /** By task id; every task of the plan. */
  records: ReadonlyMap<string, TaskRecord>;
  /** By task id; results that are well-formed. */
  results: ReadonlyMap<string, TaskResult>;
  budget: readonly BudgetUsage[];
}

/** The source of a run's facts, as reports name it. */
export type RunSource = RunSummary['source'];

const atOnce = 8;

/** Reads the current run; undefined where there is none. @throws Error where its plan is gone */
export async function gatherRun({ coordination, redis }: { coordination: Coordination; redis: RedisClient }): Promise<RunFacts | undefined> {
  const snapshot = await coordination.snapshot();
  if (!snapshot) return undefined;
  const { run } = snapshot.run;
  const document = await readRunDocument(coordination, run);
  if (!document) throw new Error(`the plan of run ${run} is not in Redis any more`);
  const records = new Map<string, TaskRecord>();
  const tasks = planTasks(document.plan).map((t) => t.id);
  for (let at = 0; at < tasks.length; at += atOnce) {
    const some = await Promise.all(tasks.slice(at, at + atOnce).map((task) => coordination.task(task)));
    for (const record of some) if (record) records.set(record.task, record);
  }
  const budget = await new TokenLedger(redis, { run }).usage();
  return { snapshot, plan: document.plan, records, results: resultsOf(records), budget };
}

function resultsOf(records: ReadonlyMap<string, TaskRecord>): Map<string, TaskResult> {
  const results = new Map<string, TaskResult>();
  for (const [task, { result }] of records) {
    const parsed = taskResultSchema.safeParse(result);
    if (parsed.success) results.set(task, parsed.data);
  }
  return results;
}
