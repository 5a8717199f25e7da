import type { Cluster, Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';

/** What the scripts do, once each, on a key that nobody else has. Types of values differ, hence the deletions in between. */
const probe = `
redis.call('TIME')
redis.call('SET', KEYS[1], '1', 'NX', 'PX', 1000) redis.call('PTTL', KEYS[1]) redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'a', '1') redis.call('HGETALL', KEYS[1]) redis.call('PEXPIRE', KEYS[1], 1000) redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], 1, 'a') redis.call('ZRANGEBYSCORE', KEYS[1], 0, 1) redis.call('DEL', KEYS[1])
redis.call('SADD', KEYS[1], 'a') redis.call('SMEMBERS', KEYS[1]) redis.call('DEL', KEYS[1])
redis.call('XADD', KEYS[1], '*', 'a', '1') redis.call('XRANGE', KEYS[1], '-', '+') redis.call('UNLINK', KEYS[1])
return 1`;

/** One key of each family: ours, and the quick start's views. */
const families = ['{larry}:', 'phase:', 'task:', 'worker:', 'metrics:', 'tokens:'];
const channels = ['larry:coordination', 'larry:alerts'];

/**
 * Does what a run will do, on keys of its own that are gone afterwards: a user without the right to it, or a server that
 * is full, is found before anything has begun. Throws what the server says.
 */
export async function checkRights(connection: Redis | Cluster, prefix: string, subscribe: () => Redis): Promise<void> {
  const id = randomUUID();
  await Promise.all(families.map((family) => connection.eval(probe, 1, `${prefix}${family}larry-rights-${id}`)));
  const listening = subscribe();
  // What fails is thrown by the calls below.
  listening.on('error', () => undefined);
  try {
    await listening.connect();
    await listening.subscribe(...channels.map((name) => prefix + name));
  } finally {
    listening.disconnect();
  }
}
