import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Plan } from '@larry/contracts';
import { openOutcome, reserveOutcome, settleOutcome } from './outcomes';
import { flattenTree, planBudget, type BudgetNode } from './tree';

const tree = (more: Partial<BudgetNode> = {}, child: Partial<BudgetNode> = {}): BudgetNode => ({
  id: 'run',
  limit: 150,
  children: [{ id: 'a', limit: 100, reserve: 20, lastResort: true, children: [{ id: 'a/x', limit: 100, ...child }] }],
  ...more,
});

describe('flattenTree', () => {
  it('gives every node its way up, and a reserve a node of its own', () => {
    expect(flattenTree(tree())).toEqual([
      { id: 'run', limit: 150, own: 150, chain: ['run'], larry: undefined, pool: undefined, lastResort: undefined },
      { id: 'a', limit: 120, own: 100, chain: ['a', 'run'], larry: 'a', pool: 'a/reserve', lastResort: true },
      { id: 'a/x', limit: 100, own: 100, chain: ['a/x', 'a', 'run'], larry: 'a', pool: undefined, lastResort: undefined },
      { id: 'a/reserve', limit: 20, own: 20, chain: ['a/reserve', 'a', 'run'], larry: 'a' },
    ]);
  });

  it.each<[string, BudgetNode, string]>([
    ['children that want more than there is', tree({}, { limit: 101 }), '"a": its children may use 101 tokens in all, and it has 100'],
    ['reserves that want more than there is', tree({ limit: 119 }), '"run": its children may use 120 tokens in all, and it has 119'],
    ['an id that stands twice', tree({}, { id: 'run' }), '"run" stands twice'],
    ['an id that is taken by a reserve', tree({}, { id: 'a/reserve' }), '"a/reserve" stands twice'],
    ['an id with a space', tree({}, { id: 'a b' }), 'letters, digits'],
    ['a broken figure', tree({}, { limit: 1.5 }), '"a/x": limit must be a whole number'],
    ['a negative figure', tree({}, { limit: -1 }), '"a/x": limit must be a whole number'],
    ['a reserve below a Larry', tree({}, { limit: 10, reserve: 5 }), 'only a child of the root has a reserve'],
    ['a reserve of the root', tree({ reserve: 5 }), 'the root has no reserve'],
    ['a last resort without a reserve', tree({}, { lastResort: true }), 'the last resort needs a reserve'],
  ])('refuses %s', (_what, node, message) => {
    expect(() => flattenTree(node)).toThrow(message);
  });
});

describe('planBudget', () => {
  it('makes the tree of a plan, agents, tasks and reserves included', () => {
    const plan = {
      totalTokens: 478,
      larrys: [{ id: 'larry-01', budget: { personal: 50, agents: { cicd: 30, monitoring: 20 }, workers: 353, reserve: 25 }, tasks: [{ id: 't1', tokens: 353 }] }],
      metaCoordinator: { budget: { personal: 25, reserve: 25 } },
    } as unknown as Plan;
    expect(flattenTree(planBudget(plan)).map(({ id, limit }) => [id, limit])).toEqual([
      ['run', 478],
      ['larry-01', 428],
      ['larry-01/agent:cicd', 30],
      ['larry-01/agent:monitoring', 20],
      ['larry-01/t1', 353],
      ['larry-01/reserve', 25],
      ['meta-coordinator', 50],
      ['meta-coordinator/reserve', 25],
    ]);
  });
});

describe('outcomes', () => {
  it('names every code', () => {
    expect([reserveOutcome([1, 'n'], 'n'), ...[-1, -3, -4, -5].map((code) => reserveOutcome([code], 'n').outcome)]).toEqual([
      { outcome: 'granted', source: 'n' }, 'wrong-run', 'busy', 'exhausted', 'expired',
    ]); // prettier-ignore
    expect([1, 2, 0, -1].map(settleOutcome)).toEqual(['settled', 'late', 'nothing', 'wrong-run']);
    expect([1, 0, -1].map((code) => openOutcome(code, 'r'))).toEqual(['opened', 'stands', 'wrong-run']);
  });
  it('says which node is missing, and knows a code that it does not know', () => {
    expect(() => reserveOutcome([-2], 'larry-09')).toThrow('no node "larry-09"');
    expect(() => reserveOutcome([-9], 'n')).toThrow('reserve answered [-9]');
    expect(() => settleOutcome(null)).toThrow('settle answered');
  });
});

describe('the scripts', () => {
  const folder = path.join(__dirname, 'lua');
  it.each(readdirSync(folder).filter((f) => f.endsWith('.lua')))('%s does what its header says', (file) => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const header = text.split('\n').filter((l) => l.startsWith('--')).join('\n');
    const body = text.split('\n').filter((l) => !l.startsWith('--')).join('\n');
    const used = (source: string, what: string) => [...new Set([...source.matchAll(new RegExp(`${what}\\[(\\d+)`, 'g'))].map((m) => Number(m[1])))].sort();
    const [, name, keys] = /^(.+)-(\d+)\.lua$/.exec(file) ?? [];
    expect(text).toMatch(/^#!lua/);
    expect(header).toMatch(new RegExp(`^-- ${name}: `, 'm'));
    expect(header).toMatch(/^-- Returns /m);
    expect(header).toMatch(/^-- Events: /m);
    expect(used(header, 'KEYS')).toEqual(Array.from({ length: Number(keys) }, (_, i) => i + 1));
    expect(used(body, 'KEYS')).toEqual(used(header, 'KEYS'));
    expect(used(body, 'ARGV')).toEqual(used(header, 'ARGV'));
    for (const [, code] of body.matchAll(/return \{? ?(-?\d+)(?![\d#])/g)) expect(header).toContain(String(code));
  });
});
