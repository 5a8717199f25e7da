import { z } from 'zod';
import { findingSchema } from './finding';
import { appliedChangeSchema } from './change';

/** The states of a task, in the order of its life (`docs/protocol.md`, *A task's life*). */
export const taskStatuses = [
  'pending',
  'ready',
  'claimed',
  'in_progress',
  'awaiting_approval',
  'completed',
  'failed',
  'skipped',
] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** The states in which a task has ended for good within its run. */
export const endedStatuses = ['completed', 'failed', 'skipped'] as const satisfies readonly TaskStatus[];

/** True when the task will not change any more within its run. */
export function hasEnded(status: TaskStatus): boolean {
  return (endedStatuses as readonly TaskStatus[]).includes(status);
}

/** Why nothing was done: the closed list of the protocol. */
export const skipReasons = [
  'not-built',
  'nothing-to-do',
  'not-permitted',
  'no-target',
  'dependency',
  'denied',
  'timed-out',
  'foreign-lock',
  'budget-exhausted',
  'no-model',
  'aborted',
] as const;
export const skipReasonSchema = z.enum(skipReasons);
export type SkipReason = z.infer<typeof skipReasonSchema>;

/** How sure a success criterion is. Only `met` may be drawn as ✅, and only with its observation. */
export const verdictSchema = z.enum(['met', 'not-met', 'provisional', 'unknown']);
export type Verdict = z.infer<typeof verdictSchema>;

/** What was seen, where and when; the evidence behind every verdict. */
export const observationSchema = z.object({
  /** What was looked at: an object, a query, a file; `Deployment database/pgadmin .status.readyReplicas`. */
  subject: z.string().max(500),
  /** What was seen, redacted and printable; `1`. */
  value: z.string().max(2000),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** How often and over how long it was looked at, when it was more than once; `12 looks over 600 s`. */
  basis: z.string().max(200).optional(),
});
export type Observation = z.infer<typeof observationSchema>;

/** One success criterion with what was observed for it. */
export const criterionSchema = z
  .object({
    id: z.string().max(100),
    text: z.string().max(500),
    verdict: verdictSchema,
    /** Required for `met` and `not-met`: no verdict without an observation. */
    observation: observationSchema.optional(),
    /** Why it is `unknown` or `provisional`, and what closes it. */
    reason: z.string().max(500).optional(),
  })
  .refine((c) => c.observation !== undefined || c.verdict === 'unknown' || c.verdict === 'provisional', {
    message: 'a criterion that is met or not met needs the observation that says so',
  })
  .refine((c) => c.reason !== undefined || c.verdict === 'met' || c.verdict === 'not-met', {
    message: 'a criterion that is unknown or provisional needs a reason',
  });
export type Criterion = z.infer<typeof criterionSchema>;

/** What one attempt at a task came to. The engine writes it under the task's fence. */
export const taskResultSchema = z.object({
  task: z.string(),
  outcome: z.enum(['completed', 'failed', 'skipped', 'awaiting_approval']),
  /** Present iff `outcome` is `skipped`. */
  skipReason: skipReasonSchema.optional(),
  /** One sentence for people: what was done, or why not. */
  summary: z.string().max(2000),
  startedAt: z.string(),
  endedAt: z.string(),
  /** The task's own figures, shown in `task:result:<task>` and the report: `assets_discovered`, `critical`, … */
  figures: z.record(z.string(), z.union([z.number(), z.string()])),
  criteria: z.array(criterionSchema),
  findings: z.array(findingSchema),
  changes: z.array(appliedChangeSchema),
  /** What could not be read, and why: never counted as fine. */
  unknowns: z.array(z.object({ subject: z.string().max(500), reason: z.string().max(1000) })),
  /** Results for later tasks and for the report (an inventory, a lineage graph); JSON. */
  artifacts: z.record(z.string(), z.unknown()),
  /** True where a reader found no seal of its worker on it: nothing of it is seen as done or met. Never set by a worker. */
  unverified: z.literal(true).optional(),
});
export type TaskResult = z.infer<typeof taskResultSchema>;
