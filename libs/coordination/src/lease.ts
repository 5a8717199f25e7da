import type { TaskStatus } from '@larry/contracts';
import type { Refused } from './outcomes';
import type { TaskState } from './snapshot';

/** What a coordinator shows: the claim that it made. `claim` is a random id of its own, used once. */
export interface TaskClaim {
  readonly run: string;
  readonly task: string;
  readonly larry: string;
  readonly claim: string;
}

/** What a worker shows with every guarded write. */
export interface TaskLease {
  readonly run: string;
  readonly task: string;
  readonly larry: string;
  readonly claim: string;
  readonly holder: string;
  /** A whole number of 13 digits or more, as text; grows with every claim and start. */
  readonly fence: string;
}

/** What a person allowed, and the proof that Redis cannot make. */
export interface Approval {
  readonly digest: string;
  readonly who: string;
  readonly proof: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A verdict on one change of those that may be decided one by one, by its digest. */
export interface ChangeVerdict extends Approval {
  /** As Redis has it: the proof says. */
  readonly decision: 'granted' | 'denied';
}

/** What a worker is told of decisions when it starts. */
export interface Decisions {
  /** What was decided as a whole. */
  readonly approval?: Approval;
  readonly verdicts: readonly ChangeVerdict[];
  /** Nobody decided in time on what the task was parked for. */
  readonly unanswered: boolean;
}

export type CreateOutcome = { readonly outcome: 'created' | 'exists' } | Refused;
export type ClaimOutcome =
  | { readonly outcome: 'claimed'; readonly fence: string; readonly until: number; readonly attempt: number }
  | { readonly outcome: 'conflict'; readonly owner: string }
  | Refused;
export type StartOutcome =
  | ({ readonly outcome: 'started'; readonly lease: TaskLease; readonly until: number; readonly attempt: number } & Decisions)
  | Refused;
/** `lost`: the lock is gone or foreign; the caller stops and gives the task back. */
export type RenewOutcome = { readonly outcome: 'renewed'; readonly until: number } | { readonly outcome: 'lost'; readonly why: string } | Refused;
export type SettleOutcome = { readonly outcome: 'settled'; readonly status: TaskStatus } | Refused;
export type DecideOutcome = { readonly outcome: 'decided' } | Refused;

/** One task with what its hash holds. */
export interface TaskRecord extends TaskState {
  readonly reason?: string;
  readonly result?: unknown;
  /** What it waits for a person with, or was denied. */
  readonly parked?: { readonly digest: string; readonly request: unknown };
  /** The last verdict on it, granted or denied: the proof says which. */
  readonly approval?: Approval;
  /** The verdicts on single changes. */
  readonly verdicts?: readonly ChangeVerdict[];
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** The default length of a lease, milliseconds; renewed at a third of it. */
export const defaultTtlMs = 30_000;
