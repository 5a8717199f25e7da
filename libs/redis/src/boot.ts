import { Cluster, type Redis } from 'ioredis';
import { RedisReadOnlyError, RedisSetupError } from './errors';

/** The oldest Redis whose scripts have flags (`#!lua flags=allow-oom`). */
const OLDEST = [7, 0] as const;

/** Refuses servers on which coordination would be wrong: too old, evicting, or not writable. Asks every master. */
export async function checkServers(connection: Redis | Cluster, server: string): Promise<void> {
  const nodes = connection instanceof Cluster ? connection.nodes('master') : [connection];
  for (const node of nodes) {
    const info = parseInfo(await node.info());
    checkVersion(info, server);
    checkEviction(info, server);
    checkWritable(info, server);
  }
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').map((line) => line.split(/:(.*)/s));
  return new Map(lines.flatMap(([field, value]) => (field && value !== undefined ? [[field, value] as const] : [])));
}

function checkVersion(info: ReadonlyMap<string, string>, server: string): void {
  // Valkey answers `redis_version:7.2.4` for compatibility.
  const version = info.get('redis_version') ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new RedisSetupError(`Redis at ${server} is version ${version}: Larry needs ${OLDEST.join('.')} or newer.`);
  }
}

function checkEviction(info: ReadonlyMap<string, string>, server: string): void {
  const policy = info.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new RedisSetupError(
      `Redis at ${server} has maxmemory-policy "${policy}" and could evict locks and task state: set it to noeviction.`,
    );
  }
}

function checkWritable(info: ReadonlyMap<string, string>, server: string): void {
  if (info.get('role') === 'slave') {
    throw new RedisReadOnlyError(`Redis at ${server} is a replica and accepts no writes: give the master's address, or redis-sentinel://.`);
  }
}
