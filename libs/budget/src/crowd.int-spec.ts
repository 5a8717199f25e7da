import { RedisFullError, connectRedis, type RedisClient } from '@larry/redis';
import { eventually, testTopologies, type TestRedis } from '@larry/redis/testing';
import { budgetKeys } from './keys';
import { TokenLedger } from './ledger';
import { aBudgetTree } from './testing';

const callers = 1000;
const hour = 3_600_000;
const leaves = ['l1/a', 'l1/b', 'l2/a'];

/** A generator of the same numbers from the same seed (mulberry32): a failure can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Test 10 of docs/protocol.md, *The tests that hold it*. */
testTopologies('1,000 callers of one ledger', (redis) => {
  it('keep every limit at every moment, leave nothing held, open the reserve once', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => redis().client({ prefix: 'crowd:' })));
    const ledgers = clients.map((client) => new TokenLedger(client, { run: 'r1' }));
    const [client, ledger] = [clients[0] as RedisClient, ledgers[0] as TokenLedger];
    await ledger.open(aBudgetTree({ leaf: 40_000, reserve: 20_000, last: 10_000 }));
    const crowd = new Crowd(ledgers);
    const watch = new Watch(client, ledger, crowd);

    const everybody = Promise.all(Array.from({ length: callers }, (_, i) => crowd.call(i)));
    await eventually(() => expect(crowd.counts.granted).toBeGreaterThan(100));
    await shiftClock(client, hour);
    await eventually(() => expect(crowd.counts.granted).toBeGreaterThan(250));
    await shiftClock(client, -hour);
    await eventually(() => expect(crowd.counts.granted).toBeGreaterThan(350));
    await full(redis(), ledger, crowd);
    await everybody;
    await watch.stop();

    expect(watch.samples).toBeGreaterThan(20);
    expect(watch.violations).toEqual([]);
    await eventually(async () => {
      await ledger.expire();
      expect((await ledger.usage()).map((u) => u.held)).toEqual((await ledger.usage()).map(() => 0));
    });
    await checkEnd(client, ledger, crowd);
  }, 60_000);
});

class Crowd {
  readonly counts = { granted: 0, refused: 0, full: 0, killed: 0, late: 0 };
  /** Use that no reservation held: what was used beyond the grant, or settled after it had expired. An upper bound while calls are on their way. */
  unheld = 0;
  used = 0;
  private readonly random = random(20261122);

  constructor(private readonly ledgers: readonly TokenLedger[]) {}

  async call(i: number): Promise<void> {
    const ledger = this.ledgers[i % this.ledgers.length] as TokenLedger;
    const tokens = 50 + Math.floor(this.random() * 400);
    const id = `c${i}`;
    const dice = this.random();
    const late = dice >= 0.3 && dice < 0.4;
    const node = leaves[Math.floor(this.random() * leaves.length)] ?? 'l1/a';
    if (!(await this.reserve(ledger, { node, id, tokens, ttlMs: late ? 1 : 1500 }))) return;
    if (dice < 0.3) return void this.counts.killed++;
    if (late) await eventually(async () => expect(await ledger.reserve({ node, id, tokens, ttlMs: 1 })).toEqual({ outcome: 'expired' })).catch(() => undefined);
    await this.settle(ledger, id, tokens, late ? tokens : Math.floor(tokens * (dice < 0.5 ? 1.3 : 0.7 + dice * 0.3)));
  }

  private async settle(ledger: TokenLedger, id: string, tokens: number, used: number): Promise<void> {
    // Anybody's reservation may have been expired by the shifted clock: all of its use may be unheld.
    this.unheld += used;
    const answers = [await ledger.settle({ id, used }), await ledger.settle({ id, used })];
    expect([['settled', 'nothing'], ['late', 'nothing']]).toContainEqual(answers);
    if (answers[0] === 'settled') this.unheld -= Math.min(used, tokens);
    else this.counts.late++;
    this.used += used;
  }

  /** Waits while others hold the tokens or Redis is full. */
  private async reserve(ledger: TokenLedger, request: Parameters<TokenLedger['reserve']>[0]): Promise<boolean> {
    for (;;) {
      try {
        const { outcome } = await ledger.reserve(request);
        if (outcome === 'granted') this.counts.granted++;
        if (outcome === 'granted') return true;
        this.counts.refused++;
        if (outcome !== 'busy') return false;
      } catch (error) {
        if (!(error instanceof RedisFullError)) throw error;
        this.counts.full++;
      }
      await new Promise((resolve) => setTimeout(resolve, 5 + this.random() * 20));
    }
  }
}

/** Looks at the ledger all the time, as of one moment each, and notes every node that is over. */
class Watch {
  samples = 0;
  readonly violations: string[] = [];
  private done = false;
  private readonly running: Promise<void>;

  constructor(client: RedisClient, ledger: TokenLedger, crowd: Crowd) {
    this.running = (async () => {
      while (!this.done) {
        const usage = await ledger.usage();
        this.samples++;
        for (const { node, used, held, limit, reserve, deployedAt } of usage) {
          const most = limit + (deployedAt === undefined ? reserve : 0) + crowd.unheld;
          if (held < 0 || used + held > most) this.violations.push(`${node}: used ${used} + held ${held} > ${most}`);
        }
      }
    })();
  }

  async stop(): Promise<void> {
    this.done = true;
    await this.running;
  }
}

/** The tests cannot turn Redis' clock: reservations that are due by so much sooner or later are the same to the scripts. */
async function shiftClock(client: RedisClient, byMs: number): Promise<void> {
  const { open } = budgetKeys(client);
  const ids = await client.commands.zrange(open, 0, -1);
  await Promise.all(ids.map((id) => client.commands.zadd(open, 'XX', 'INCR', -byMs, id)));
}

/** Fills every server: new work is refused, and running work settles all the same. */
async function full(redis: TestRedis, ledger: TokenLedger, crowd: Crowd): Promise<void> {
  const servers = redis.servers.length > 0 ? redis.servers.map(({ port }) => `redis://127.0.0.1:${port}`) : [redis.url];
  const set = async (bytes: string) => {
    for (const url of servers) {
      const one = await connectRedis({ url, check: false });
      await one.commands.config('SET', 'maxmemory', bytes).catch(() => undefined); // a sentinel has none
      await one.close();
    }
  };
  await ledger.reserve({ node: 'meta', id: 'running', tokens: 5, ttlMs: 60_000 });
  await set('1');
  try {
    await eventually(() => expect(crowd.counts.full).toBeGreaterThan(20));
    await expect(ledger.reserve({ node: 'meta', id: 'new', tokens: 5, ttlMs: 60_000 })).rejects.toBeInstanceOf(RedisFullError);
    expect(await ledger.settle({ id: 'running', used: 5 })).toBe('settled');
    crowd.used += 5;
  } finally {
    await set('0');
  }
}

async function checkEnd(client: RedisClient, ledger: TokenLedger, crowd: Crowd): Promise<void> {
  const usage = await ledger.usage();
  expect(usage[0]).toMatchObject({ node: 'run', used: crowd.used });
  expect(crowd.counts.killed).toBeGreaterThan(100);
  expect(crowd.counts.late).toBeGreaterThan(10);
  const entries = await client.commands.xrange(budgetKeys(client).events, '-', '+');
  const alerts = entries.map(([, fields]) => JSON.parse(fields[3] ?? '') as { event: string; from: string });
  const opened = usage.filter((u) => u.deployedAt !== undefined).map((u) => u.node);
  expect(opened).toContain('l1');
  expect(alerts.filter((e) => e.event === 'budget_reserve_deployed').map((e) => e.from).sort()).toEqual([...opened].sort());
}
