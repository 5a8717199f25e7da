import type { RedisClient } from '@larry/redis';
import { testRedis, type TestRedis } from '@larry/redis/testing';
import fc from 'fast-check';
import { budgetKeys } from './keys';
import { TokenLedger } from './ledger';
import { aBudgetTree } from './testing';

type Step =
  | { kind: 'reserve'; id: number; node: string; tokens: number }
  | { kind: 'settle'; id: number; used: number }
  | { kind: 'lapse'; id: number }
  | { kind: 'clock'; byMs: number }
  | { kind: 'expire' };

const hour = 3_600_000;
const ids = fc.integer({ min: 0, max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('reserve' as const), id: ids, node: fc.constantFrom('l1/a', 'l1/b', 'l2/a', 'l1', 'meta'), tokens: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const), id: ids, used: fc.integer({ min: 0, max: 80 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lapse' as const), id: ids }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clock' as const), byMs: fc.constantFrom(-hour, hour) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
);

/** What the hash says, read without any of the ledger's own code. */
async function read(client: RedisClient) {
  const hash = await client.commands.hgetall(budgetKeys(client).ledger);
  const figure = (field: string, node: string) => Number(hash[`${field}:${node}`] ?? 0);
  const nodes = (hash['nodes'] ?? '').split(' ');
  const under = (node: string, source: string) => (hash[`chain:${source}`] ?? '').split(' ').includes(node);
  const open = Object.entries(hash).filter(([field]) => field.startsWith('r:')).map(([field, value]) => {
    const [tokens, source = ''] = value.split(' ');
    return { id: field.slice(2), tokens: Number(tokens), source };
  });
  return { hash, nodes, figure, under, open };
}

describe('the ledger under random interleavings', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('never grants beyond a limit, holds exactly what is open, uses exactly what was settled', async () => {
    const seen = { granted: 0, busy: 0, exhausted: 0, expired: 0, late: 0, settled: 0, nothing: 0, opened: 0, drawn: 0 };
    const shared = await redis.client();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), async (steps) => {
        await shared.commands.unlink(budgetKeys(shared).ledger, budgetKeys(shared).open, budgetKeys(shared).events);
        const ledger = new TokenLedger(shared, { run: 'r1' });
        await ledger.open(aBudgetTree({ leaf: 60, reserve: 40, last: 30 }));
        const sources = new Map<string, string>();
        const used = new Map<string, number>();
        for (const s of steps) await take(s, { ledger, client: shared, sources, used, seen });
        await checkSums(shared, used);
        await checkReserves(shared, seen);
      }),
      { numRuns: 150 },
    );
    // A test of states that were never reached proves nothing.
    for (const [what, times] of Object.entries(seen)) expect([what, times > 0]).toEqual([what, true]);
  }, 60_000);
});

interface World {
  ledger: TokenLedger;
  client: RedisClient;
  sources: Map<string, string>;
  /** Used, by the node that paid. */
  used: Map<string, number>;
  seen: Record<string, number>;
}

async function take(s: Step, world: World): Promise<void> {
  const { ledger, client } = world;
  const { open } = budgetKeys(client);
  if (s.kind === 'reserve') return reserve(s, world);
  if (s.kind === 'settle') return settle(s, world);
  if (s.kind === 'expire') return void (await ledger.expire());
  // The tests cannot turn Redis' clock: a reservation that is due sooner or later by so much is the same to the scripts.
  if (s.kind === 'lapse') return void (await client.commands.zadd(open, 'XX', 1, `i${s.id}`));
  const all = await client.commands.zrange(open, 0, -1);
  for (const id of all) await client.commands.zincrby(open, -s.byMs, id);
}

async function reserve(s: Extract<Step, { kind: 'reserve' }>, { ledger, client, sources, seen }: World): Promise<void> {
  const id = `i${s.id}`;
  const before = await read(client);
  const again = before.open.find((r) => r.id === id);
  const answer = await ledger.reserve({ node: s.node, id, tokens: s.tokens, ttlMs: 60_000 });
  const after = await read(client);
  seen[answer.outcome] = (seen[answer.outcome] ?? 0) + 1;
  const chain = (node: string) => (after.hash[`chain:${node}`] ?? '').split(' ');
  if (answer.outcome === 'granted') {
    if (again && after.open.some((r) => r.id === id)) return expect(answer.source).toBe(again.source);
    sources.set(id, answer.source);
    for (const node of chain(answer.source)) expect(after.figure('used', node) + after.figure('held', node)).toBeLessThanOrEqual(after.figure('limit', node));
    if (answer.source !== s.node) {
      seen['drawn'] = (seen['drawn'] ?? 0) + 1;
      expect(after.hash[`opened:${answer.source.replace('/reserve', '')}`]).toBeDefined();
    }
  }
  if (answer.outcome === 'exhausted') expect(chain(s.node).some((node) => after.figure('used', node) + s.tokens > after.figure('limit', node))).toBe(true);
  if (answer.outcome === 'busy') expect(chain(s.node).concat('meta/reserve').some((node) => after.figure('held', node) > 0)).toBe(true);
}

async function settle(s: Extract<Step, { kind: 'settle' }>, { ledger, client, used, seen }: World): Promise<void> {
  const { hash } = await read(client);
  const [, source] = (hash[`r:i${s.id}`] ?? hash[`x:i${s.id}`] ?? '').split(' ');
  const answer = await ledger.settle({ id: `i${s.id}`, used: s.used });
  seen[answer] = (seen[answer] ?? 0) + 1;
  expect(answer === 'nothing').toBe(source === undefined);
  if (source !== undefined) used.set(source, (used.get(source) ?? 0) + s.used);
}

async function checkSums(client: RedisClient, used: Map<string, number>): Promise<void> {
  const { nodes, figure, under, open } = await read(client);
  for (const node of nodes) {
    const held = open.filter((r) => under(node, r.source)).reduce((sum, r) => sum + r.tokens, 0);
    const settled = [...used].filter(([source]) => under(node, source)).reduce((sum, [, tokens]) => sum + tokens, 0);
    expect([node, figure('held', node), figure('used', node)]).toEqual([node, held, settled]);
  }
  expect(await client.commands.zcard(budgetKeys(client).open)).toBe(open.length);
}

async function checkReserves(client: RedisClient, seen: Record<string, number>): Promise<void> {
  const { hash, figure } = await read(client);
  const entries = await client.commands.xrange(budgetKeys(client).events, '-', '+');
  const names = entries.map(([, fields]) => JSON.parse(fields[3] ?? '') as { event: string; from: string }).map((e) => `${e.event} ${e.from}`);
  expect(new Set(names).size).toBe(names.length);
  const opened = figure('used', 'l1') * 10 >= figure('own', 'l1') * 9;
  expect([hash['opened:l1'] !== undefined, names.includes('budget_reserve_deployed l1')]).toEqual([opened, opened]);
  if (opened) seen['opened'] = (seen['opened'] ?? 0) + 1;
}
