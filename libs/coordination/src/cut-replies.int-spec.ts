import { RedisUnavailableError } from '@larry/redis';
import { cuttingProxy, named, testRedis, type CuttingProxy, type TestRedis } from '@larry/redis/testing';
import { Coordination } from './coordination';
import type { TaskLease } from './lease';
import type { Settlement } from './settlement';
import { aRunSpec, aRunTask } from './testing';

/** Whatever changes something: scripts, the lock's SET, the list of keys. Not the reads, not the handshake. */
const writes = named('EVAL', 'EVALSHA', 'SET', 'SADD', 'HSET', 'UNLINK');

/** A caller does what the protocol says: a failure without an answer is unknown, so it repeats with the same ids. */
async function persist<T>(step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof RedisUnavailableError) || attempt === 10) throw error;
    }
  }
}

/** One run that uses every script, always with the same ids. */
async function scenario(coordination: Coordination): Promise<void> {
  const run = 'run-1';
  const task = (id: string, more = {}) => aRunTask({ id, attempts: 2, ...more });
  const tasks = ['done', 'large', 'retried', 'returned', 'granted', 'denied', 'failing', 'vetoed'].map((id) => task(id));
  const spec = aRunSpec([...tasks, task('dependent', { needs: ['failing'] }), task('last', { larry: 'larry-02', after: ['done'] })], { run });
  expect(await persist(() => coordination.createRun(spec))).toEqual({ outcome: expect.stringMatching(/created|exists/) as string });

  const lease = async (id: string, claim = `${id}-1`, larry = 'larry-01'): Promise<TaskLease> => {
    const claimed = await persist(() => coordination.claim({ run, task: id, larry, claim }));
    const renewed = await persist(() => coordination.renewClaim({ run, task: id, larry, claim }));
    expect([id, claimed.outcome, renewed.outcome]).toEqual([id, 'claimed', 'renewed']);
    const started = await persist(() => coordination.start({ run, task: id, claim, holder: `${claim}-h` }));
    if (started.outcome !== 'started') throw new Error(`${id}: ${JSON.stringify(started)}`);
    return started.lease;
  };
  const settle = async (held: TaskLease, settlement: Settlement): Promise<void> => {
    const settled = await persist(() => coordination.settle(held, settlement));
    if (settled.outcome !== 'settled') throw new Error(`${held.task}: ${JSON.stringify(settled)}`);
  };
  const decide = (id: string, decision: 'granted' | 'denied') =>
    persist(() => coordination.decide({ run, task: id, digest: `${id}-d`, decision, who: 'ann', proof: 'p' }));

  const done = await lease('done');
  expect(await persist(() => coordination.renew(done))).toMatchObject({ outcome: 'renewed' });
  await persist(() => coordination.journal.intend(done, `${run}/done/1`, { pre: 1 }));
  await persist(() => coordination.journal.conclude(done, `${run}/done/1`, { applied: true }));
  await settle(done, { outcome: 'completed', result: { figures: { n: 1 } } });
  await settle(await lease('large'), { outcome: 'completed', result: 'x'.repeat(20_000) });
  await settle(await lease('retried'), { outcome: 'error', reason: 'once' });
  await settle(await lease('retried', 'retried-2'), { outcome: 'completed' });
  await settle(await lease('returned'), { outcome: 'returned', reason: 'stop' });
  await persist(() => coordination.claim({ run, task: 'returned', larry: 'larry-01', claim: 'returned-2' }));
  await persist(() => coordination.settleClaim({ run, task: 'returned', larry: 'larry-01', claim: 'returned-2' }, { outcome: 'skipped', reason: 'not-built' }));
  for (const id of ['granted', 'denied']) await settle(await lease(id), { outcome: 'parked', digest: `${id}-d`, request: {} });
  await decide('granted', 'granted');
  await decide('denied', 'denied');
  await settle(await lease('granted', 'granted-2'), { outcome: 'completed' });
  await settle(await lease('failing'), { outcome: 'failed', reason: 'for good' });
  await persist(() => coordination.redis.named(coordination.redis.commands.set(coordination.keys.view.lock('vetoed'), 'larry-03')));
  await persist(() => coordination.claim({ run, task: 'vetoed', larry: 'larry-01', claim: 'vetoed-1' }));
  await persist(() => coordination.redis.named(coordination.redis.commands.zadd(coordination.keys.deadlines, 1, 'vetoed')));
  await persist(() => coordination.expire(run));
  await persist(() => coordination.views.refresh({ extra: { 'phase:larry-02:findings': { critical: '1' } } }));
  await settle(await lease('last', 'last-1', 'larry-02'), { outcome: 'completed' });
  await persist(() => coordination.abort(run, 'ann'));
  await persist(() => coordination.views.refresh());
}

/** Every key under the prefix with its value; moments, durations and fences, which differ, are masked. */
async function endState({ redis }: Coordination): Promise<string> {
  const { commands, prefix } = redis;
  const mask = (value: unknown): string =>
    JSON.stringify(value).replaceAll(prefix, '').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T').replace(/\d{12,}/g, 'T').replace(/("duration_seconds",)"\d+"/g, '$1"D"');
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => commands.get(key),
    hash: async (key) => Object.entries(await commands.hgetall(key)).sort(),
    set: async (key) => (await commands.smembers(key)).sort(),
    zset: async (key) => (await commands.zrange(key, 0, -1)).sort(),
    stream: async (key) => (await commands.xrange(key, '-', '+')).map(([, fields]) => fields[3]),
  };
  const keys = (await commands.keys(`${prefix}*`)).sort();
  const lines = await Promise.all(keys.map(async (key) => `${key.slice(prefix.length)} ${mask(await read[await commands.type(key)]?.(key))}`));
  return lines.join('\n');
}

/** How many cuts are tried at the same time: each waits mostly for its reconnection. */
const LANES = 8;

describe('a reply that is lost on its way', () => {
  let redis: TestRedis;
  let proxies: CuttingProxy[];
  beforeAll(async () => {
    redis = await testRedis();
    proxies = await Promise.all(Array.from({ length: LANES }, () => cuttingProxy(redis.url)));
  });
  afterAll(async () => {
    await redis.stop();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });

  const play = async (proxy: CuttingProxy, cutAt?: number): Promise<string> => {
    const client = await redis.client({ url: proxy.url });
    const cut = cutAt === undefined ? undefined : proxy.cut({ matches: writes, nth: cutAt });
    await scenario(new Coordination(client));
    await cut; // never resolves when nothing was cut
    await client.close();
    return endState(new Coordination(await redis.client({ prefix: client.prefix })));
  };

  it('changes nothing, whichever of the writes it belongs to: the end state is that of the uncut run', async () => {
    const first = proxies[0] as CuttingProxy;
    const uncut = await play(first);
    const total = first.count(writes);
    expect(total).toBeGreaterThan(80);
    const lane = async (proxy: CuttingProxy, begin: number): Promise<void> => {
      for (let n = begin; n <= total; n += LANES) {
        const cut = await play(proxy, n);
        if (cut !== uncut) throw new Error(`write ${n} of ${total}: ${firstDifference(uncut, cut)}`);
      }
    };
    await Promise.all(proxies.map((proxy, i) => lane(proxy, i + 1)));
  }, 120_000);
});

function firstDifference(expected: string, received: string): string {
  const [a, b] = [expected.split('\n'), received.split('\n')];
  const at = a.findIndex((line, i) => line !== b[i]);
  return `expected\n${a[at] ?? '(nothing)'}\nreceived\n${b[at] ?? '(nothing)'}`;
}
