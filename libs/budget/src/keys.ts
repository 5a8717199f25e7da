import type { RedisClient } from '@larry/redis';

/** Full names of the ledger's keys (prefix included). */
export interface BudgetKeys {
  readonly ledger: string;
  readonly open: string;
  readonly events: string;
  /** The run, written by libs/coordination; the ledger reads its `id` before it opens another run's tree. */
  readonly run: string;
  /** The names of all keys of a run, kept by libs/coordination: the ledger adds its own and its views. */
  readonly recorded: string;
}

/** The keys of the ledger under a client's prefix; `ledger` and `open` are its own. */
export function budgetKeys(redis: RedisClient): BudgetKeys {
  return {
    ledger: redis.key('{larry}:budget'),
    open: redis.key('{larry}:budget:open'),
    events: redis.key('{larry}:events'),
    run: redis.key('{larry}:run'),
    recorded: redis.key('{larry}:keys'),
  };
}

/** The quick start's views of one Larry's tokens: `tokens:<larry>:used`, `tokens:<larry>:limit`. */
export function tokenViewKeys(redis: RedisClient, larry: string): { readonly used: string; readonly limit: string } {
  return { used: redis.key(`tokens:${larry}:used`), limit: redis.key(`tokens:${larry}:limit`) };
}
