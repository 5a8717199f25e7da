import { Coordination, type RunSnapshot } from '@larry/coordination';
import { readRunDocument } from '@larry/coordinator';
import type { RedisClient } from '@larry/redis';
import { readLocks } from '../commands/locks';
import type { Bundle } from './bundle';

const mostEvents = 500;
const mostKeys = 500;

/** What Redis holds of a run: its state, leases, plan, the end of its events, and what keys there are. */
export async function redisParts(bundle: Bundle, redis: RedisClient, run: string | undefined): Promise<void> {
  const coordination = new Coordination(redis);
  const snapshot = await coordination.snapshot();
  await bundle.part('events', () => events(bundle, redis, coordination, run));
  await bundle.part('keys in Redis', () => keys(bundle, redis, coordination));
  if (!snapshot || (run !== undefined && snapshot.run.run !== run)) {
    const holds = snapshot ? `Redis holds ${snapshot.run.run}` : 'Redis holds no run';
    for (const what of ['status of the run', 'leases', 'plan']) bundle.leaveOut(what, holds);
    return;
  }
  bundle.json('run/state.json', snapshot);
  await bundle.part('leases', () => leases(bundle, redis, coordination, snapshot));
  await bundle.part('plan', async () => {
    const document = await readRunDocument(coordination, snapshot.run.run);
    if (!document) throw new Error('the document of the run is not in Redis');
    bundle.json('run/plan.json', document);
  });
}

/** Who holds what, under which fence, and how old that is. A fence is the time of the claim or start, milliseconds. */
async function leases(bundle: Bundle, redis: RedisClient, coordination: Coordination, { now, tasks }: RunSnapshot): Promise<void> {
  const locks = await readLocks(redis, () => []);
  const fields = ['run', 'claim', 'larry', 'holder', 'fence', 'errors', 'returns', 'reason'] as const;
  const rows = await Promise.all(
    tasks.map(async ({ task, status, attempt, due, deadline }) => {
      const values = await redis.named(redis.commands.hmget(coordination.keys.task(task), ...fields));
      const held = Object.fromEntries(fields.map((field, i) => [field, values[i] ?? undefined]));
      const fence = Number(held['fence'] ?? Number.NaN);
      const ages = { ...(Number.isNaN(fence) ? {} : { fenceAgeMs: now - fence }), ...(due === undefined ? {} : { dueInMs: due - now }), ...(deadline === undefined ? {} : { deadlineInMs: deadline - now }) };
      return { task, status, attempt, ...held, ...ages, lock: locks.find((lock) => lock.task === task) ?? null };
    }),
  );
  bundle.json('run/leases.json', { now: new Date(now).toISOString(), tasks: rows });
}

async function events(bundle: Bundle, redis: RedisClient, coordination: Coordination, run: string | undefined): Promise<void> {
  const items = await redis.named(redis.commands.xrevrange(coordination.keys.events, '+', '-', 'COUNT', mostEvents));
  const parsed = items.reverse().map(([cursor, fields]) => ({ cursor, ...(JSON.parse(fields.find((field) => field.startsWith('{')) ?? '{}') as { run?: string }) }));
  bundle.lines('run/events.ndjson', run === undefined ? parsed : parsed.filter((event) => event.run === run));
  if (items.length === mostEvents) bundle.leaveOut('older events', `the last ${mostEvents} are enough; larry events --json shows all`);
}

/** Names, kinds, ends and ages of Larry's keys; none of their values. */
async function keys(bundle: Bundle, redis: RedisClient, coordination: Coordination): Promise<void> {
  const { commands } = redis;
  const names = (await redis.named(commands.smembers(coordination.keys.recorded))).sort();
  const rows = await Promise.all(
    names.slice(0, mostKeys).map(async (key) => {
      const [type, ttlMs, idle] = await Promise.all([commands.type(key), commands.pttl(key), commands.object('IDLETIME', key).catch(() => null)]);
      return { key, type, ...(ttlMs >= 0 ? { ttlMs } : {}), ...(typeof idle === 'number' ? { idleSeconds: idle } : {}) };
    }),
  );
  bundle.json('redis/keys.json', rows.filter(({ type }) => type !== 'none'));
  if (names.length > mostKeys) bundle.leaveOut('more keys', `${names.length} are recorded; the first ${mostKeys} by name are here`);
  bundle.leaveOut("the keys' values", 'results name objects of the cluster; larry report shows them');
}
