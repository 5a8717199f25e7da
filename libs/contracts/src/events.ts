import { z } from 'zod';

/** The two channels of the quick start. */
export const channels = ['larry:coordination', 'larry:alerts'] as const;
export type Channel = (typeof channels)[number];

/** The largest event accepted from anybody, in bytes of JSON. */
export const maxEventBytes = 64 * 1024;

/**
 * The stream `{larry}:events` as every script writes it:
 * `XADD <stream> MAXLEN <maxStreamEntries> * channel <larry:…, without prefix> json <the JSON as published>`.
 * The hard cap counts entries.
 */
export const maxStreamEntries = 100_000;
export const streamFields = { channel: 'channel', json: 'json' } as const;

const alertSeverity = z.enum(['info', 'warning', 'critical']);
const text = z.string().max(2000);
const moment = z.string().max(40).optional();
/** ISO 8601, of a task: its first claim, and of the present attempt its claim and its worker's start. */
const taskTimes = { began_at: moment, claimed_at: moment, started_at: moment };
const taskFields = { task_id: z.string(), attempt: z.number().int().optional(), reason: text.optional(), ...taskTimes };
const approvalFields = { task_id: z.string(), digest: z.string(), who: z.string().optional(), ...taskTimes, requested_at: moment };

/** A step of an attempt, in milliseconds before the event that tells of it: so that one clock, Redis', gives all times. */
const step = z.looseObject({
  step: z.enum(['observe', 'diagnose', 'plan', 'apply', 'roll-back', 'verify']),
  began_ms_ago: z.number().min(0),
  took_ms: z.number().min(0),
  /** Of a change: its object. */
  target: text.optional(),
  /** Of a change: what it came to. */
  outcome: z.string().max(40).optional(),
  /** It ended with this error. */
  problem: text.optional(),
});
/** See {@link eventTable}, `task_steps`. */
export type TaskStep = z.infer<typeof step>;
/** The most steps of one event. */
export const maxTaskSteps = 100;
const data = z.record(z.string(), z.unknown());

const coordination = <S extends z.ZodRawShape>(shape: S) => ({ channel: 'larry:coordination' as const, fields: z.looseObject(shape) });
const alert = <S extends z.ZodRawShape>(shape: S) => ({
  channel: 'larry:alerts' as const,
  fields: z.looseObject({ severity: alertSeverity, ...shape }),
});

/**
 * Every event, its channel and its own fields (`docs/protocol.md`, *Channels*). Publishers and subscribers are both
 * checked against this one table.
 */
export const eventTable = {
  phase_started: coordination({}),
  phase_complete: coordination({ summary: z.unknown().optional(), started_at: moment }),
  phase_failed: coordination({ summary: z.unknown().optional(), started_at: moment }),
  progress_update: coordination({ progress: z.number().int().min(0).max(100), message: text }),
  task_claimed: coordination(taskFields),
  task_complete: coordination(taskFields),
  task_failed: coordination(taskFields),
  task_skipped: coordination(taskFields),
  task_steps: coordination({ task_id: z.string(), attempt: z.number().int(), steps: z.array(step).max(maxTaskSteps) }),
  task_conflict: coordination({ task_id: z.string(), owner: z.string() }),
  convergence_started: coordination({}),
  validation_result: coordination({ data: data.optional() }),
  run_complete: coordination({ state: z.unknown(), started_at: moment }),
  approval_requested: coordination(approvalFields),
  approval_granted: coordination(approvalFields),
  approval_denied: coordination(approvalFields),
  critical_cve: alert({
    data: z.looseObject({
      cve_id: z.string(),
      cvss: z.number(),
      affected_service: z.string(),
      namespace: z.string(),
      recommendation: text,
    }),
  }),
  worker_failure: alert({
    attempt: z.number().int().optional(),
    ...taskTimes,
    data: z.looseObject({ worker_id: z.string(), task_id: z.string(), error: text, retry_count: z.number().int() }),
  }),
  rollback_initiated: alert({ reason: text, data: data.optional() }),
  budget_reserve_deployed: alert({ data: data.optional() }),
  budget_exhausted: alert({ data: data.optional() }),
  events_lost: alert({ data: data.optional() }),
} as const;

export type EventName = keyof typeof eventTable;
export const eventNames = Object.keys(eventTable) as EventName[];

/** What every event carries. `timestamp` is ISO 8601, UTC; `id` is `<task>/<attempt>/<event>` or another id that repeats with the event. */
export const eventHeaderSchema = z.object({
  id: z.string().min(1).max(300),
  from: z.string().min(1).max(100),
  event: z.enum(eventNames as [EventName, ...EventName[]]),
  timestamp: z.string().max(40),
  run: z.string().max(100),
});
export type EventHeader = z.infer<typeof eventHeaderSchema>;

/** One event as it stands in the channel: header and own fields in one flat JSON object. */
export type LarryEvent<N extends EventName = EventName> = EventHeader & { event: N } & z.infer<(typeof eventTable)[N]['fields']>;

/** The channel an event belongs to. */
export function channelOf(event: EventName): Channel {
  return eventTable[event].channel;
}

/** A parsed event, or the sentence that says why it is none. Never throws. */
export function parseEvent(value: unknown): { event: LarryEvent } | { problem: string } {
  const header = eventHeaderSchema.safeParse(value);
  if (!header.success) return { problem: firstIssue(header.error) };
  const own = eventTable[header.data.event].fields.safeParse(value);
  if (!own.success) return { problem: `${header.data.event}: ${firstIssue(own.error)}` };
  return { event: { ...own.data, ...header.data } as unknown as LarryEvent };
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `field "${issue.path.join('.')}": ${issue.message}` : 'not an event';
}
