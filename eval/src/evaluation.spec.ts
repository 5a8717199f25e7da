import { causeClasses } from '@larry/diagnosis';
import { caseClasses, type Expected } from './case';
import { cases } from './cases';
import type { World } from './cluster/cluster';
import { compare, evaluate, type Outcome } from './evaluate';
import { floors } from './floors';
import { givens, readerOf } from './given';
import { figuresOf, renderFigures, renderMiss } from './table';

/** A webhook's configuration names a Service that was removed: what is missing is at fault. */
const namedThoughGone = ['admission_webhook_unavailable/service-kyverno-kyverno-svc', 'two-faults/admission_webhook_unavailable+mount_type_mismatch@dev'];
const single = cases.filter(({ expected }) => expected.length === 1);

describe('the cases', () => {
  it('have names of their own', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
  });

  it('hold every cause of the closed list at least five times, in both halves, with a source', () => {
    for (const name of caseClasses) {
      for (const cause of causeClasses[name]) {
        const mine = single.filter(({ expected }) => expected[0]?.cause === cause);
        expect({ cause, enough: mine.length >= 5, halves: new Set(mine.map(({ half }) => half)).size, sources: mine.every(({ sources }) => sources.length > 0) }).toEqual({ cause, enough: true, halves: 2, sources: true });
      }
    }
  });

  it('hold at least twenty healthy clusters and two faults at once in both halves', () => {
    expect(cases.filter((one) => one.class === 'healthy').length).toBeGreaterThanOrEqual(20);
    expect(new Set(cases.filter((one) => one.class === 'two faults').map(({ half }) => half)).size).toBe(2);
  });

  it('are the same whenever they are built', () => {
    for (const one of cases.filter((_, index) => index % 60 === 0)) expect(one.build()).toEqual(one.build());
  });
});

function holds({ objects }: World, { kind, namespace, name }: Expected): boolean {
  return objects.some(({ kind: other, metadata }) => other === kind && metadata.namespace === namespace && metadata.name === name);
}

describe('the comparison', () => {
  const want = { cause: 'oom_killed', kind: 'Deployment', namespace: 'shop', name: 'cart' };
  const got = { cause: 'oom_killed' as const, kind: 'Deployment', namespace: 'shop', name: 'cart' };
  const other = { ...got, name: 'search' };

  it('wants cause and object at the first place', () => {
    expect(compare([want], [got])).toEqual({ right: true, causeRight: true, objectRight: true, extra: 0 });
    expect(compare([want], [other, got])).toMatchObject({ right: false, causeRight: true, objectRight: false, extra: 1 });
    expect(compare([want], [])).toMatchObject({ right: false });
  });

  it('wants two faults at the first two places, in any order', () => {
    const second = { ...want, name: 'search' };
    expect(compare([want, second], [other, got])).toMatchObject({ right: true, extra: 0 });
    expect(compare([want, second], [got])).toMatchObject({ right: false });
  });

  it('wants nothing from a healthy cluster', () => {
    expect(compare([], [])).toMatchObject({ right: true });
    expect(compare([], [got])).toMatchObject({ right: false, extra: 1 });
  });
});

describe('the figures', () => {
  const outcomes: Outcome[] = [];
  const absent: string[] = [];
  beforeAll(async () => {
    for (const one of cases) outcomes.push(await evaluate(one, (name, world) => {
      if (!one.expected.every((want) => holds(world, want))) absent.push(name);
      return readerOf(name, world);
    }));
  }, 120_000);

  it('are of cases whose objects at fault are in their clusters', () => {
    expect(absent).toEqual(namedThoughGone);
  });

  it.each(['dev', 'held-out'] as const)('of the %s half are not below the floors', (half) => {
    const { rows } = figuresOf(outcomes.filter((one) => one.half === half));
    const below = Object.entries(floors.right[half]).filter(([name, floor]) => {
      const row = rows.find((one) => one.class === name);
      return !row || row.right / row.cases < floor - 1e-9;
    });
    expect(below.map(([name, floor]) => ({ name, floor, row: rows.find((one) => one.class === name) }))).toEqual([]);
  });

  it.each(givens)('raise no false alarm on healthy clusters beyond the known ones when given %s', async (given) => {
    const found: Outcome[] = [];
    for (const one of cases.filter((each) => each.class === 'healthy')) found.push(await evaluate(one, (name, world) => readerOf(name, world, given)));
    expect(figuresOf(found).falseAlarms.filter((id) => !floors.falseAlarms[given].includes(id))).toEqual([]);
  });

  it('are the same for one namespace: what the whole cluster is told about it, wherever the cause lies', async () => {
    for (const [index, one] of cases.entries()) {
      const whole = outcomes[index]?.found ?? [];
      // A part of them: every one would take as long as all the rest.
      if (index % 8 !== 0 || whole.length === 0) continue;
      const namespaces = whole.flatMap(({ namespace, symptoms }) => [namespace, ...symptoms.flatMap((key) => / (.*)\//.exec(key)?.[1] ?? [])]).filter((namespace) => namespace !== '');
      for (const namespace of new Set(namespaces)) {
        const { found } = await evaluate(one, (name, world) => readerOf(name, world), namespace);
        expect(found).toEqual(whole.filter((finding) => finding.namespace === '' || finding.namespace === namespace || finding.symptoms.some((key) => key.includes(` ${namespace}/`))));
      }
    }
  });

  it('name every miss, and show what was found only when asked', () => {
    const figures = figuresOf(outcomes);
    expect(renderFigures('all', figures)).toContain('all, one fault');
    const miss = { ...(outcomes[0] as Outcome), right: false };
    expect(renderMiss(miss, false)).toBe(`  ${miss.id}`);
    expect(renderMiss(miss, true)).toContain(`wanted ${miss.expected[0]?.cause}`);
  });
});
