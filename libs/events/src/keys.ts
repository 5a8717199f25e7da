import type { RedisClient } from '@larry/redis';

/** Full name (prefix included) of the stream of all events: our own key, beside the two channels. */
export function eventStreamKey(redis: RedisClient): string {
  return redis.key('{larry}:events');
}
