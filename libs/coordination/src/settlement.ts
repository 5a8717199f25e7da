import type { SkipReason } from '@larry/contracts';

/**
 * How an attempt ends. Results are JSON; `undefined` where there is none.
 * - `completed`, `skipped`: the task has ended.
 * - `failed`: the task has ended; trying again cannot help.
 * - `error`: an error of the task: it uses one attempt, and the next waits `retryAfterMs`. Failed when none is left.
 * - `returned`: given back through no error of the task (a lost lease, a stop): five times in a run that costs no attempt.
 * - `parked`: waits for a person to allow exactly this digest, or each of `changes` by itself. With `begun` something of the
 *   task is in effect, so that it comes back to a worker whatever is decided, also when nobody decides in time.
 */
export type Settlement =
  | { readonly outcome: 'completed'; readonly result?: unknown }
  | { readonly outcome: 'skipped'; readonly reason: SkipReason; readonly result?: unknown }
  | { readonly outcome: 'failed'; readonly reason: string; readonly result?: unknown }
  | { readonly outcome: 'error'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly outcome: 'returned'; readonly reason: string }
  | { readonly outcome: 'parked'; readonly digest: string; readonly request: unknown; readonly changes?: readonly string[]; readonly begun?: boolean };

/** Waits before the second, third, … attempt, milliseconds: grows, so that what needs a moment gets one. */
export function retryWaitMs(attempt: number): number {
  return Math.min(2000 * 2 ** Math.max(0, attempt - 1), 60_000);
}

/** Longer sentences are cut: they go into events and hashes. */
export const maxReasonLength = 1000;

/** Results up to here stay in the task's hash, bytes of JSON; larger ones go to a blob of their own. */
export const maxInlineResultBytes = 16 * 1024;
