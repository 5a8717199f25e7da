import { cuttingProxy, eventually, named, testRedis, testTopologies, type TestRedis } from '@larry/redis/testing';
import type { RedisClient } from '@larry/redis';
import { budgetKeys } from './keys';
import { TokenLedger } from './ledger';
import { aBudgetTree as aTree } from './testing';

testTopologies('the token ledger', (redis) => {
  let client: RedisClient;
  let ledger: TokenLedger;
  let next = 0;
  beforeEach(async () => {
    client = await redis().client();
    ledger = new TokenLedger(client, { run: 'r1' });
    await ledger.open(aTree());
  });

  const ask = async (node: string, tokens: number, ttlMs = 60_000) => {
    const id = `i${next++}`;
    return { id, ...(await ledger.reserve({ node, id, tokens, ttlMs })) };
  };
  const use = async (node: string, tokens: number) => {
    const granted = await ask(node, tokens);
    expect(granted.outcome).toBe('granted');
    await ledger.settle({ id: granted.id, used: tokens });
    return granted;
  };
  const of = async (node: string) => (await ledger.usage()).find((u) => u.node === node);
  const alerts = async () => {
    const entries = await client.commands.xrange(budgetKeys(client).events, '-', '+');
    return entries.map(([, fields]) => JSON.parse(fields[fields.indexOf('json') + 1] ?? '') as { event: string; from: string; data: unknown });
  };

  it('counts what is held and used at every level', async () => {
    const granted = await ask('l1/a', 60);
    expect(await of('run')).toMatchObject({ held: 60, used: 0 });
    await ledger.settle({ id: granted.id, used: 40 });
    for (const node of ['l1/a', 'l1', 'run']) expect(await of(node)).toMatchObject({ held: 0, used: 40 });
    expect(await of('l2')).toMatchObject({ held: 0, used: 0 });
  });

  it('tells busy from exhausted', async () => {
    const held = await ask('l1/a', 80);
    expect(await ask('l1/a', 30)).toMatchObject({ outcome: 'busy' });
    await ledger.settle({ id: held.id, used: 80 });
    expect(await ask('l1/a', 30)).toMatchObject({ outcome: 'exhausted' });
    expect(await ask('l1/a', 20)).toMatchObject({ outcome: 'granted', source: 'l1/a' });
  });

  it('does the same once however often it is told', async () => {
    const request = { node: 'l1/a', id: 'same', tokens: 60, ttlMs: 60_000 };
    for (let i = 0; i < 3; i++) expect(await ledger.reserve(request)).toEqual({ outcome: 'granted', source: 'l1/a' });
    expect(await of('l1/a')).toMatchObject({ held: 60 });
    expect([await ledger.settle({ id: 'same', used: 50 }), await ledger.settle({ id: 'same', used: 50 })]).toEqual(['settled', 'nothing']);
    expect(await of('l1')).toMatchObject({ held: 0, used: 50 });
    expect(await ledger.settle({ id: 'never', used: 50 })).toBe('nothing');
  });

  it('frees what expired, counts what is settled late, and takes no expired id again', async () => {
    const request = { node: 'l1/a', id: 'late', tokens: 60, ttlMs: 1 };
    await ledger.reserve(request);
    await eventually(async () => {
      await ledger.expire();
      expect(await of('run')).toMatchObject({ held: 0 });
    });
    expect(await ledger.reserve(request)).toEqual({ outcome: 'expired' });
    expect([await ledger.settle({ id: 'late', used: 70 }), await ledger.settle({ id: 'late', used: 70 })]).toEqual(['late', 'nothing']);
    for (const node of ['l1/a', 'l1', 'run']) expect(await of(node)).toMatchObject({ held: 0, used: 70 });
  });

  it('shows the overshoot of a request that used more than it held, and grants nothing more', async () => {
    const { id } = await ask('l2/a', 90);
    await ledger.settle({ id, used: 130 });
    expect(await of('l2/a')).toMatchObject({ used: 130, limit: 100 });
    expect(await ask('l2/a', 1)).toMatchObject({ outcome: 'granted', source: 'meta/reserve' });
  });

  it('opens the reserve once, at 90 % used, and says so; a full leaf draws from it, then from the last resort', async () => {
    await use('l1/a', 100);
    expect(await ask('l1/a', 10)).toMatchObject({ outcome: 'exhausted' });
    await use('l1/b', 79);
    expect(await of('l1')).toMatchObject({ limit: 200 });
    await use('l1/b', 1);
    expect(await of('l1')).toMatchObject({ limit: 250, deployedAt: expect.any(Number) });
    expect(await use('l1/a', 40)).toMatchObject({ source: 'l1/reserve' });
    expect(await ask('l1/b', 20)).toMatchObject({ source: 'l1/b' });
    expect(await of('l1/a')).toMatchObject({ used: 100, drawn: 40 });
    expect(await use('l1/a', 25)).toMatchObject({ source: 'meta/reserve' });
    expect(await ask('l1/a', 11)).toMatchObject({ outcome: 'exhausted' });
    const said = await alerts();
    expect(said.filter((e) => e.event === 'budget_reserve_deployed').map((e) => e.from)).toEqual(['l1', 'meta']);
    expect(said.filter((e) => e.event === 'budget_exhausted').map((e) => e.from)).toEqual(['l1/a']);
    expect(said[1]).toMatchObject({ id: 'budget/l1/budget_reserve_deployed', run: 'r1', severity: 'warning', data: { node: 'l1', used: 180, limit: 200, reserve: 50 } });
  });

  it('answers busy while what others hold may still open the reserve', async () => {
    await use('l1/a', 100);
    const held = await ask('l1/b', 85);
    expect(await ask('l1/a', 10)).toMatchObject({ outcome: 'busy' });
    await ledger.settle({ id: held.id, used: 85 });
    expect(await ask('l1/a', 10)).toMatchObject({ outcome: 'granted', source: 'l1/reserve' });
  });

  it('publishes its alerts under the prefix', async () => {
    const subscriber = client.subscriber();
    const messages: string[] = [];
    await subscriber.subscribe(['larry:alerts'], (_channel, text) => messages.push(text));
    await use('l1/a', 100);
    await use('l1/b', 100);
    await eventually(() => expect(messages.map((m) => (JSON.parse(m) as { event: string }).event)).toContain('budget_reserve_deployed'));
  });

  it('frees within the longest life promised what a clock that was set back would hold for an hour', async () => {
    await ask('l1/a', 60, 50);
    const { open, ledger: hash } = budgetKeys(client);
    const hour = 3_600_000;
    for (const [id, due] of await scores(client)) await client.commands.zadd(open, due + hour, id);
    await eventually(async () => {
      await ledger.expire();
      expect(await of('run')).toMatchObject({ held: 0 });
    });
    expect(await client.commands.hlen(hash)).toBeGreaterThan(0);
  });

  it('expires at most ten due reservations a call', async () => {
    for (let i = 0; i < 25; i++) await ask('l1/a', 1, 60_000);
    const { open } = budgetKeys(client);
    for (const [id] of await scores(client)) await client.commands.zadd(open, 1, id);
    const { id } = await ask('l2/a', 1);
    expect(await of('l1/a')).toMatchObject({ held: 15 });
    await ledger.settle({ id, used: 1 });
    expect(await of('l1/a')).toMatchObject({ held: 5 });
    expect(await ledger.expire()).toBe(5);
  });

  it('keeps the tree of a run, refuses another for it, and replaces that of an earlier run', async () => {
    await use('l1/a', 10);
    expect(await ledger.open(aTree())).toBe('stands');
    expect(await of('l1/a')).toMatchObject({ used: 10 });
    await expect(ledger.open(aTree({ leaf: 99 }))).rejects.toThrow('has another token budget already');
    const second = new TokenLedger(client, { run: 'r2' });
    expect(await second.open(aTree({ leaf: 99 }))).toBe('opened');
    expect(await ask('l1/a', 10)).toMatchObject({ outcome: 'wrong-run' });
    expect(await ledger.settle({ id: 'x', used: 1 })).toBe('wrong-run');
    expect(await ledger.usage()).toEqual([]);
    expect((await second.usage())[0]).toMatchObject({ node: 'run', used: 0 });
  });

  it('does not let the past come back: a run that is not the current one opens nothing', async () => {
    await client.commands.hset(budgetKeys(client).run, 'id', 'r1');
    expect(await new TokenLedger(client, { run: 'r0' }).open(aTree())).toBe('wrong-run');
    expect(await ledger.usage()).not.toEqual([]);
  });

  it('writes the views of the quick start', async () => {
    await use('l1/a', 100);
    await use('l1/b', 85);
    await ledger.writeViews();
    const views = await Promise.all(['tokens:l1:used', 'tokens:l1:limit', 'tokens:l2:used', 'tokens:meta:limit', 'tokens:run:used'].map((k) => client.commands.get(client.key(k))));
    expect(views).toEqual(['185', '250', '0', '10', null]);
  });

  it('records every key that it writes, for the reset of its run', async () => {
    await use('l1/a', 10);
    await ledger.writeViews();
    const recorded = await client.commands.smembers(client.key('{larry}:keys'));
    const views = ['l1', 'l2', 'meta'].flatMap((larry) => [`tokens:${larry}:used`, `tokens:${larry}:limit`]);
    expect(recorded.sort()).toEqual(['{larry}:budget', '{larry}:budget:open', ...views].map((name) => client.key(name)).sort());
  });

  it('names a node that is not there, and a figure that is none', async () => {
    await expect(ask('l9', 1)).rejects.toThrow('no node "l9"');
    await expect(ask('l1', 0)).rejects.toThrow('tokens must be a whole number from 1');
    await expect(ask('l1', 1, 0)).rejects.toThrow('ttlMs must be');
    await expect(ledger.settle({ id: 'a', used: -1 })).rejects.toThrow('used must be');
    await expect(ledger.settle({ id: 'a b', used: 1 })).rejects.toThrow('without spaces');
  });
});

describe('the ledger behind a line that is cut', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('ends up as if no reply had been lost', async () => {
    const proxy = await cuttingProxy(redis.url);
    try {
      const ledger = new TokenLedger(await redis.client({ url: proxy.url }), { run: 'r1' });
      const scripts = named('EVAL', 'EVALSHA');
      await ledger.open(aTree());
      await ledger.reserve({ node: 'l2/a', id: 'warm', tokens: 1, ttlMs: 60_000 });
      await ledger.settle({ id: 'warm', used: 1 });
      const reserved = proxy.cut({ matches: scripts });
      expect(await ledger.reserve({ node: 'l1/a', id: 'x', tokens: 60, ttlMs: 60_000 })).toMatchObject({ outcome: 'granted' });
      await reserved;
      const settled = proxy.cut({ matches: scripts });
      expect(['settled', 'nothing']).toContain(await ledger.settle({ id: 'x', used: 50 }));
      await settled;
      expect(await ledger.usage()).toEqual(expect.arrayContaining([expect.objectContaining({ node: 'run', used: 51, held: 0 })]));
    } finally {
      await proxy.close();
    }
  });
});

async function scores(client: RedisClient): Promise<[string, number][]> {
  const flat = await client.commands.zrange(budgetKeys(client).open, 0, -1, 'WITHSCORES');
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', Number(flat[2 * i + 1])]);
}
