import type { ApprovalRecord } from '@larry/audit';
import type { Coordination, TaskState } from '@larry/coordination';
import type { KeyObject } from 'node:crypto';
import { signedVerdicts } from './verdicts';

/** What a task's hash says beside its state. Moments are ISO 8601, UTC. */
export interface TaskDetails {
  /** A sentence: why it failed, or what its last attempt ended with. */
  reason?: string;
  holder?: string;
  startedAt?: string;
  endedAt?: string;
  /** What it waits for a person with, and the signed verdicts on single changes of it. */
  parked?: { digest: string; request: unknown; verdicts: ApprovalRecord[] };
}

const fields = ['run', 'reason', 'holder', 'startedAt', 'endedAt', 'digest', 'request', 'verdicts'] as const;

/** Details of many tasks in one round trip; results are not read. A hash of another run has none. */
export async function readTaskDetails(coordination: Coordination, run: string, tasks: readonly TaskState[], approvalKey?: KeyObject): Promise<Map<string, TaskDetails>> {
  const { redis, keys } = coordination;
  const pipeline = redis.commands.pipeline();
  for (const { task } of tasks) pipeline.hmget(keys.task(task), ...fields);
  const replies = (await redis.named(pipeline.exec())) ?? [];
  return new Map(tasks.map((task, i) => [task.task, detailsOf(task, run, valuesOf(replies[i]), approvalKey)]));
}

function valuesOf(reply: [Error | null, unknown] | undefined): (string | null)[] {
  if (reply?.[0]) throw reply[0];
  return (reply?.[1] ?? []) as (string | null)[];
}

function detailsOf(task: TaskState, run: string, [of, reason, holder, startedAt, endedAt, digest, request, verdicts]: (string | null)[], approvalKey?: KeyObject): TaskDetails {
  if (of !== run) return {};
  return {
    reason: reason || undefined,
    holder: task.status === 'in_progress' ? (holder ?? undefined) : undefined,
    startedAt: isoOf(startedAt),
    endedAt: isoOf(endedAt),
    parked: task.status === 'awaiting_approval' && digest ? { digest, request: jsonOf(request), verdicts: signedVerdicts(Object.values(jsonOf(verdicts) ?? {}), { run, task: task.task }, approvalKey) } : undefined,
  };
}

function isoOf(ms: string | null | undefined): string | undefined {
  return ms ? new Date(Number(ms)).toISOString() : undefined;
}

function jsonOf(text: string | null | undefined): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
