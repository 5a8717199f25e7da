import { connectRedis, type RedisClient } from '@larry/redis';
import { onPath } from '../local/on-path';
import type { DoctorLine } from './doctor-line';

/** Everything about the Redis that a run would use. */
export async function redisLines(url: string | undefined): Promise<DoctorLine[]> {
  if (url === undefined) return [noRedisLine()];
  let redis: RedisClient;
  try {
    redis = await connectRedis({ url, check: false, name: 'larry-doctor', connectTimeoutMs: 3000 });
  } catch (error) {
    return [failedLine('Redis', error)];
  }
  try {
    const info = infoOf(await redis.named(redis.commands.info()));
    const master = info.get('role') !== 'slave';
    return [versionLine(redis.server, info), policyLine(info), memoryLine(info), roleLine(info), persistenceLine(info), await clockLine(redis), ...(master ? [await rightsLine(url)] : [])];
  } catch (error) {
    return [failedLine('Redis', error)];
  } finally {
    await redis.close();
  }
}

/** Whether a run could do what it does there; tried on keys of its own, which are gone afterwards. */
async function rightsLine(url: string): Promise<DoctorLine> {
  const subject = 'Redis rights';
  try {
    await (await connectRedis({ url, prefix: process.env['LARRY_PREFIX'] ?? '', check: false, rights: true, name: 'larry-doctor', connectTimeoutMs: 3000 })).close();
    return { subject, level: 'ok', seen: 'this user may read, write, run scripts and use the channels' };
  } catch (error) {
    return failedLine(subject, error);
  }
}

const advice: Record<string, string> = {
  RedisAccessError: 'put the right user and password into the URL, or give the ACL user: ~* &larry:* +@all -@admin -@dangerous +info +role +wait',
  RedisFullError: 'raise maxmemory (CONFIG SET maxmemory), or remove what is not Larry\'s',
  RedisReadOnlyError: "give the master's address, or redis-sentinel://; a full disk of the server does this too",
  RedisSetupError: 'mend the URL in --redis or REDIS_URL',
};

function failedLine(subject: string, error: unknown): DoctorLine {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { subject, level: 'fail', seen: message, todo: advice[name] ?? 'start it, or name another with --redis or REDIS_URL' };
}

/** A full server takes no new work. */
export function memoryLine(info: ReadonlyMap<string, string>): DoctorLine {
  const subject = 'Redis memory';
  const [used, limit] = [Number(info.get('used_memory') ?? Number.NaN), Number(info.get('maxmemory') ?? Number.NaN)];
  if (Number.isNaN(used)) return { subject, level: 'unknown', seen: 'INFO does not say used_memory' };
  const mb = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  if (!limit) return { subject, level: 'ok', seen: `${mb(used)} used, no maxmemory` };
  const seen = `${mb(used)} of ${mb(limit)} used`;
  const todo = 'raise maxmemory (CONFIG SET maxmemory): a full server takes no new work, a run needs some 20 MB';
  if (used >= limit) return { subject, level: 'fail', seen, todo };
  if (limit - used < 20 * 1024 * 1024) return { subject, level: 'warn', seen, todo };
  return { subject, level: 'ok', seen };
}

function noRedisLine(): DoctorLine {
  const server = onPath('redis-server') ?? onPath('valkey-server');
  if (server) return { subject: 'Redis', level: 'ok', seen: `none is named; larry run starts its own, ${server}` };
  return { subject: 'Redis', level: 'warn', seen: 'none is named, and there is no redis-server or valkey-server on PATH', todo: 'for larry run install one, or set REDIS_URL; larry check needs none' };
}

/** The fields of `INFO`. */
export function infoOf(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(/\r?\n/).flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])));
}

function versionLine(server: string, info: ReadonlyMap<string, string>): DoctorLine {
  const version = info.get('redis_version');
  if (version === undefined) return { subject: 'Redis', level: 'unknown', seen: `${server} does not say its version`, todo: 'let this user run INFO' };
  const [major = 0] = version.split('.').map(Number);
  if (major < 7) return { subject: 'Redis', level: 'fail', seen: `${server}, version ${version}`, todo: 'Larry needs Redis 7.0 or newer, or Valkey' };
  return { subject: 'Redis', level: 'ok', seen: `${server}, version ${version}` };
}

function policyLine(info: ReadonlyMap<string, string>): DoctorLine {
  const policy = info.get('maxmemory_policy');
  if (policy === undefined) return { subject: 'Redis eviction', level: 'unknown', seen: 'INFO does not say maxmemory_policy', todo: 'look with CONFIG GET maxmemory-policy: it must be noeviction' };
  if (policy !== 'noeviction') return { subject: 'Redis eviction', level: 'fail', seen: policy, todo: 'CONFIG SET maxmemory-policy noeviction: a full server would throw away locks and results' };
  return { subject: 'Redis eviction', level: 'ok', seen: policy };
}

function roleLine(info: ReadonlyMap<string, string>): DoctorLine {
  const [role, replicas] = [info.get('role'), info.get('connected_slaves')];
  if (role === 'slave') return { subject: 'Redis role', level: 'fail', seen: 'a replica, which takes no writes', todo: "give the master's address, or redis-sentinel://" };
  if (role === undefined) return { subject: 'Redis role', level: 'unknown', seen: 'INFO does not say its role' };
  const good = Number(info.get('min_slaves_good_slaves') ?? Number.NaN);
  const todo = Number(replicas) > 0 && Number.isNaN(good) ? 'min-replicas-to-write 1 and min-replicas-max-lag 10 are recommended: a failover then loses less' : undefined;
  return { subject: 'Redis role', level: todo ? 'warn' : 'ok', seen: `${role}, ${replicas ?? '?'} replicas`, ...(todo ? { todo } : {}) };
}

function persistenceLine(info: ReadonlyMap<string, string>): DoctorLine {
  const aof = info.get('aof_enabled');
  if (aof === undefined) return { subject: 'Redis on disk', level: 'unknown', seen: 'INFO does not say aof_enabled' };
  if (aof === '1' && info.get('aof_last_write_status') === 'err') return { subject: 'Redis on disk', level: 'fail', seen: 'the append-only file cannot be written', todo: "make room on the Redis server's disk" };
  if (aof === '1') return { subject: 'Redis on disk', level: 'ok', seen: 'append-only file' };
  return { subject: 'Redis on disk', level: 'warn', seen: 'no append-only file', todo: 'appendonly yes: without it a restart of Redis forgets the run' };
}

/** Redis' clock decides over leases; this machine's is compared with it, halfway through the question. */
async function clockLine(redis: RedisClient): Promise<DoctorLine> {
  const asked = Date.now();
  const there = await redis.time();
  const answered = Date.now();
  return clockVerdict(there - (asked + answered) / 2, (answered - asked) / 2);
}

/** `differenceMs` is known to within `uncertainMs`. */
export function clockVerdict(differenceMs: number, uncertainMs: number): DoctorLine {
  const subject = 'clocks';
  const seen = `Redis is ${Math.abs(differenceMs).toFixed(0)} ms ${differenceMs < 0 ? 'behind' : 'ahead'}, give or take ${uncertainMs.toFixed(0)} ms`;
  const certain = Math.abs(differenceMs) - uncertainMs;
  if (certain >= 5000) return { subject, level: 'fail', seen, todo: 'set the clocks (NTP): they must differ by less than a failover takes' };
  if (certain >= 500) return { subject, level: 'warn', seen, todo: 'set the clocks (NTP); times in reports and events are off by that much' };
  return { subject, level: 'ok', seen };
}
