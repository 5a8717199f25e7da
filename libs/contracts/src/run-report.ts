import { z } from 'zod';
import { isInEffect } from './change';
import { criterionSchema, skipReasonSchema, taskResultSchema, taskStatuses } from './task';

/** What a report says about its own truth: nothing of a simulated cluster is real. */
export const runSourceSchema = z.object({
  type: z.enum(['live', 'snapshot', 'dump', 'manifests']),
  name: z.string(),
  simulated: z.boolean(),
  takenAt: z.string().optional(),
  serverVersion: z.string().optional(),
});

/** One task of a run with what became of it. */
export const taskReportSchema = z.object({
  task: z.string(),
  title: z.string(),
  worker: z.string(),
  /** Where it really ran: `local (planned k3s-worker01)` on one machine, the node's name for a Job. */
  node: z.string(),
  status: z.enum(taskStatuses),
  skipReason: skipReasonSchema.optional(),
  reason: z.string().optional(),
  attempts: z.number().int().nonnegative(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  /** Planned length, minutes. */
  plannedMinutes: z.number(),
  result: taskResultSchema.optional(),
});
export type TaskReport = z.infer<typeof taskReportSchema>;

/**
 * Whether a task claimed something that can be looked at again: it completed, it changed something that stands, or it failed and says
 * what it saw. One change that was taken back makes a task fail, and the others of it stand.
 */
export function makesClaims({ status, result }: Pick<TaskReport, 'status' | 'result'>): boolean {
  if (!result) return false;
  return status === 'completed' || result.changes.some(isInEffect) || (status === 'failed' && result.criteria.length > 0);
}

/** The result of one Larry: `reports/larry-01-final.json`. */
export const larryReportSchema = z.object({
  kind: z.literal('LarryReport'),
  version: z.literal(1),
  larry: z.string(),
  title: z.string(),
  run: z.string(),
  source: runSourceSchema,
  /** The phase's status, computed from its tasks. */
  status: z.enum(['pending', 'in_progress', 'completed', 'failed']),
  startedAt: z.string().optional(),
  completedAt: z.string().optional(),
  /** "n of m tasks did work": those that completed, of all; skipped work is none. */
  didWork: z.number().int(),
  tasks: z.array(taskReportSchema),
  tokens: z.object({ used: z.number(), limit: z.number() }),
});
export type LarryReport = z.infer<typeof larryReportSchema>;

/** What a validation by new observation said about one task's claim. */
export const validationSchema = z.object({
  task: z.string(),
  larry: z.string(),
  at: z.string(),
  /** The criteria as they are now. */
  criteria: z.array(criterionSchema),
  /** Criteria whose verdict is worse than the task claimed: the claim does not hold any more. */
  turned: z.array(z.string()),
  /** Why nothing could be observed anew, when it could not. */
  problem: z.string().optional(),
});
export type Validation = z.infer<typeof validationSchema>;

/** A check of one Larry's results against another's. `unknown` when one side has no result. */
export const crossCheckSchema = z.object({
  id: z.string(),
  title: z.string(),
  verdict: z.enum(['agrees', 'differs', 'unknown']),
  /** What each side said, and how they differ. */
  observation: z.string(),
});
export type CrossCheck = z.infer<typeof crossCheckSchema>;

/** The summary of a run: `reports/3-LARRY-EXECUTION-SUMMARY.json`; Markdown and HTML are drawn from it. */
export const runSummarySchema = z.object({
  kind: z.literal('LarryRunSummary'),
  version: z.literal(1),
  run: z.string(),
  plan: z.object({ id: z.string(), title: z.string(), hash: z.string() }),
  /** `unknown` in a summary that was made again from the Larrys' reports, which do not say it. */
  mode: z.enum(['observe', 'ask', 'auto', 'unknown']),
  source: runSourceSchema,
  status: z.enum(['completed', 'failed', 'aborted']),
  startedAt: z.string(),
  endedAt: z.string(),
  /** Tasks that completed, of all. */
  didWork: z.object({ done: z.number().int(), of: z.number().int() }),
  larrys: z.array(larryReportSchema),
  validations: z.array(validationSchema),
  crossChecks: z.array(crossCheckSchema),
  tokens: z.array(z.object({ node: z.string(), used: z.number(), limit: z.number(), overshoot: z.number().default(0) })),
  /** Compared with the last run over the same source: findings that are new or gone, by title. */
  sinceLast: z.object({ previousRun: z.string(), new: z.array(z.string()), gone: z.array(z.string()) }).optional(),
  lessons: z.array(z.string()),
  nextSteps: z.array(z.string()),
});
export type RunSummary = z.infer<typeof runSummarySchema>;
