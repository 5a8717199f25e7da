import { RedisError, type RedisClient } from '@larry/redis';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { TokenLedger } from './ledger';
import { aBudgetTree } from './testing';

describe('the ledger in a failover', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis('sentinel');
  }, 30_000);
  afterAll(() => redis.stop());

  /** Repeats with the same id until Redis answers, as the ledger's callers do. */
  async function insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof RedisError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  it('goes on with the same limits on the promoted replica, and what was acknowledged is counted once', async () => {
    const client: RedisClient = await redis.client({ commandTimeoutMs: 1000 });
    const ledger = new TokenLedger(client, { run: 'r1' });
    await ledger.open(aBudgetTree({ leaf: 2000 }));
    for (let i = 0; i < 10; i++) {
      await ledger.reserve({ node: 'l1/a', id: `before${i}`, tokens: 100, ttlMs: 60_000 });
      await ledger.settle({ id: `before${i}`, used: 100 });
    }
    await eventually(async () => expect(await client.commands.wait(1, 100)).toBeGreaterThanOrEqual(1));

    let settled = 0;
    let granted = 0;
    const call = async (i: number) => {
      const id = `during${i}`;
      const { outcome } = await insist(() => ledger.reserve({ node: 'l1/a', id, tokens: 10, ttlMs: 60_000 }));
      expect(['granted', 'busy', 'exhausted']).toContain(outcome);
      if (outcome !== 'granted') return;
      granted++;
      await insist(() => ledger.settle({ id, used: 10 }));
      settled += 10;
    };
    const before = Promise.all(Array.from({ length: 20 }, (_, i) => call(i)));
    process.kill(redis.servers[0]?.pid ?? Number.NaN, 'SIGKILL');
    await before;
    for (let i = 20; i < 60; i++) await call(i);

    const usage = (await insist(() => ledger.usage())).find((u) => u.node === 'l1/a');
    expect(granted).toBeGreaterThan(40);
    // What was settled in the lost seconds may be missing; nothing may be there twice, and nothing may stay held but what was lost.
    expect(usage?.used).toBeGreaterThanOrEqual(1000 + 400);
    expect(usage?.used).toBeLessThanOrEqual(1000 + settled);
    expect(usage?.held).toBeGreaterThanOrEqual(0);
    expect((usage?.used ?? 0) + (usage?.held ?? 0)).toBeLessThanOrEqual(2000);
  }, 60_000);
});
