import { TokenLedger } from '@larry/budget';
import { planTasks, taskResultSchema, type BudgetUsage, type Plan, type RunSummary, type TaskResult } from '@larry/contracts';
import { isSealedResult } from '@larry/coordinator';
import type { Coordination, RunSnapshot, TaskRecord } from '@larry/coordination';
import type { RedisClient } from '@larry/redis';
import type { KeyObject } from 'node:crypto';
import { deniedBy } from './denied';
import { readKnownRun } from '../runs/trusted-run';

/** A run as it stands in Redis: what every report is made of. */
export interface RunFacts {
  snapshot: RunSnapshot;
  plan: Plan;
  /** `unknown` where it is not signed by us. */
  mode: RunSummary['mode'];
  /** By task id; every task of the plan. */
  records: ReadonlyMap<string, TaskRecord>;
  /** By task id; results that are well-formed. One without its worker's seal says so, and nothing of it is met. */
  results: ReadonlyMap<string, TaskResult>;
  budget: readonly BudgetUsage[];
}

/** The source of a run's facts, as reports name it. */
export type RunSource = RunSummary['source'];

const atOnce = 8;

/** What the facts are read with, and verified by where there are keys. */
interface Gathering {
  coordination: Coordination;
  redis: RedisClient;
  journalKey?: Buffer;
  approvalKey?: KeyObject;
}

/** Reads the current run; undefined where there is none. @throws Error where its plan is gone */
export async function gatherRun({ coordination, redis, journalKey, approvalKey }: Gathering): Promise<RunFacts | undefined> {
  const snapshot = await coordination.snapshot();
  if (!snapshot) return undefined;
  const { run } = snapshot.run;
  const { plan, mode } = await readKnownRun(coordination, run, snapshot.run.mode, approvalKey);
  if (!plan) throw new Error(`the plan of run ${run} is not in Redis any more`);
  const records = new Map<string, TaskRecord>();
  const tasks = planTasks(plan).map((t) => t.id);
  for (let at = 0; at < tasks.length; at += atOnce) {
    const some = await Promise.all(tasks.slice(at, at + atOnce).map((task) => coordination.task(task)));
    for (const record of some) {
      const reason = record && (deniedBy(record, run, approvalKey) ?? record.reason);
      if (record) records.set(record.task, { ...record, ...(reason === undefined ? {} : { reason }) });
    }
  }
  const budget = await new TokenLedger(redis, { run }).usage();
  return { snapshot, plan, mode, records, results: resultsOf(run, records, journalKey), budget };
}

function resultsOf(run: string, records: ReadonlyMap<string, TaskRecord>, key: Buffer | undefined): Map<string, TaskResult> {
  const results = new Map<string, TaskResult>();
  for (const [task, { result }] of records) {
    const known = believed(result, { run, task }, key);
    if (known) results.set(task, known);
  }
  return results;
}

/** A stored result; unverified where it has no seal of its worker. Undefined where it is none. Without a key all are believed. */
export function believed(result: unknown, of: { run: string; task: string }, key: Buffer | undefined): TaskResult | undefined {
  const parsed = taskResultSchema.safeParse(result);
  if (!parsed.success) return undefined;
  return key === undefined || isSealedResult(result, of, key) ? parsed.data : unverified(parsed.data);
}

const why = 'unverified: its seal is missing or does not fit, so that somebody may have written it into Redis who is no worker';

/** What it claims is shown, and none of it as seen. Pure. */
export function unverified(result: TaskResult): TaskResult {
  return {
    ...result,
    unverified: true,
    summary: `unverified: ${result.summary}`.slice(0, 2000),
    figures: {},
    criteria: result.criteria.map(({ id, text }) => ({ id, text, verdict: 'unknown', reason: why })),
    unknowns: [{ subject: `the result of ${result.task}`, reason: why }, ...result.unknowns],
  };
}
