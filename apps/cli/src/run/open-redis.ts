import { connectRedis, type RedisClient } from '@larry/redis';
import { runningStack } from '../local/local-stack';
import { exitCodes, UserError } from '../user-error';

/** The Redis that `REDIS_URL` names, or that of the run under the state folder. Throws one sentence when there is none. */
export async function openRedis(state: string): Promise<RedisClient> {
  const url = process.env['REDIS_URL'] ?? runningStack(state)?.redisUrl;
  if (!url) throw new UserError(`no run is going on under ${state}; name its Redis with REDIS_URL, or its folder with --state`, exitCodes.unreachable);
  return connectRedis({ url, prefix: process.env['LARRY_PREFIX'] ?? '', name: 'larry-cli' });
}
