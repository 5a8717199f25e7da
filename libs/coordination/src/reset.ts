import type { RedisClient } from '@larry/redis';
import type { CoordinationKeys } from './keys';

/** How to remove a run. */
export interface ResetOptions {
  /** Who asked; shown as the one who aborted. */
  readonly who: string;
  /** Told now and then while leases are waited for, milliseconds left. */
  readonly onWait?: (leftMs: number) => void;
}

/** What was removed. */
export interface ResetReport {
  readonly run?: string;
  readonly keysRemoved: number;
}

/** Views that another replica is just writing land within this time after the run says `resetting`. */
const SETTLE_MS = 1000;

/** @internal */
export async function resetRun(
  redis: RedisClient,
  keys: CoordinationKeys,
  markResetting: (run: string) => Promise<number>,
  { onWait }: ResetOptions,
): Promise<ResetReport> {
  const run = (await redis.named(redis.commands.hget(keys.run, 'id'))) ?? undefined;
  if (run !== undefined) {
    const leasedUntil = await markResetting(run);
    const until = Math.max(leasedUntil + 1, (await redis.time()) + SETTLE_MS);
    for (let left = until - (await redis.time()); left > 0; left = until - (await redis.time())) {
      onWait?.(left);
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 250)));
    }
  }
  return { run, keysRemoved: await unlinkRecorded(redis, keys) };
}

/** One by one: on a Cluster they live in different places. The run itself and the list go last, so that it can be repeated. */
async function unlinkRecorded(redis: RedisClient, keys: CoordinationKeys): Promise<number> {
  const recorded = await redis.named(redis.commands.smembers(keys.recorded));
  const last = [keys.run, keys.recorded];
  let removed = 0;
  for (const key of [...recorded.filter((name) => !last.includes(name)), ...last]) {
    if (await isSomebodyElsesLock(redis, keys, key)) continue;
    removed += await redis.named(redis.commands.unlink(key));
  }
  return removed;
}

/** A lock without `#` was set by a person: it is theirs to delete. */
async function isSomebodyElsesLock(redis: RedisClient, keys: CoordinationKeys, key: string): Promise<boolean> {
  if (!key.startsWith(keys.view.lock(''))) return false;
  const value = await redis.named(redis.commands.get(key)).catch(() => null);
  return value !== null && !value.includes('#');
}
