import { aFinding } from '../builders';
import { alsoIn, countBySeverity, groupFindings, isOutage, namesOf, worstFirst } from './finding-groups';

const object = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'web', name });
const accepted = { owner: 'me', reason: 'known', expires: '2027-01-01' };

describe('groupFindings', () => {
  it('makes one group of one rule, worst first, and leaves out what an exception accepts', () => {
    const groups = groupFindings([
      aFinding({ rule: 'a/low', severity: 'low' }),
      aFinding({ object: object('b') }),
      aFinding({ object: object('a') }),
      aFinding({ rule: 'x', severity: 'critical', accepted }),
    ]);
    expect(groups.map((g) => [g.rule, g.first.object.name, g.others.length])).toEqual([
      ['pss-baseline/privileged', 'a', 1],
      ['a/low', 'shop', 0],
    ]);
  });

  it('makes one group of one rule in all its severities, led by the worst, and sorted by it', () => {
    const groups = groupFindings([
      aFinding({ rule: 'b', severity: 'high' }),
      aFinding({ rule: 'a', severity: 'low', object: object('a') }),
      aFinding({ rule: 'a', severity: 'critical', object: object('z') }),
      aFinding({ rule: 'a', severity: 'high', object: object('m') }),
    ]);
    expect(groups.map((g) => [g.rule, g.severity, [g.first, ...g.others].map((f) => f.object.name)])).toEqual([
      ['a', 'critical', ['z', 'm', 'a']],
      ['b', 'high', ['shop']],
    ]);
  });

  it('is led by the object on which more stands, of two that are as bad', () => {
    const groups = groupFindings([
      aFinding({ severity: 'critical', object: object('a-lesser') }),
      aFinding({ severity: 'critical', object: object('worse') }),
      aFinding({ rule: 'other', severity: 'critical', object: object('worse') }),
    ]);
    expect(groups.find((g) => g.others.length > 0)?.first.object.name).toBe('worse');
  });

  it('names what is critical in a group however many there are, and says of the others how bad they are', () => {
    const critical = Array.from({ length: 9 }, (_, i) => aFinding({ severity: 'critical', object: { ...object(`c${i}`), kind: 'DaemonSet' } }));
    const [group] = groupFindings([...critical, aFinding({ severity: 'high' })]);
    const { roots } = alsoIn(group!);
    const text = namesOf(group!, roots, 3);
    expect(critical.slice(1).filter((f) => !text.includes(f.object.name))).toEqual([]);
    expect(text).toMatch(/, and 1 more$/);
    expect(namesOf(group!, roots, 9)).toContain('Deployment web/shop (high)');
  });

  it('names a pod that has a finding of its own, and counts those that follow from a workload', () => {
    const [group] = groupFindings([aFinding({ severity: 'critical', also: ['Pod web/shop-1', 'and 4 more pods'] }), aFinding({ severity: 'critical', object: object('alone') })]);
    const { roots, podCount } = alsoIn(group!);
    expect([namesOf(group!, roots, 0), podCount]).toEqual(['Pod web/alone', 5]);
  });

  it('tells two findings of one rule on one object apart by what was seen', () => {
    const seen = (value: string) => [{ object: object('b'), at: '.subjects[0]', value }];
    const [group] = groupFindings([aFinding({ evidence: seen('one'), severity: 'critical' }), aFinding({ id: 'x', evidence: seen('ServiceAccount ai/runner') })]);
    expect(namesOf(group!, alsoIn(group!).roots, 3)).toBe('Deployment web/shop (ServiceAccount ai/runner) (high)');
  });

  it('calls an outage what was seen not to work, whatever task saw it', () => {
    expect(isOutage(aFinding({ broken: true, task: 'anything' }))).toBe(true);
    expect(isOutage(aFinding({ broken: true, severity: 'medium' }))).toBe(false);
    expect(isOutage(aFinding({ task: 'fix-pgadmin-crashloop' }))).toBe(false);
  });

  it('puts what does not run now before what is merely risky, each by itself', () => {
    const broken = (name: string) => aFinding({ broken: true, rule: 'pgadmin/email', object: object(name), id: name });
    const groups = groupFindings([aFinding({ severity: 'critical' }), broken('one'), broken('two')]);
    expect(groups.map((g) => g.first.object.name)).toEqual(['one', 'two', 'shop']);
  });

  it('makes one group of an outage that is said of many, so that what is critical is seen beside it', () => {
    const down = Array.from({ length: 4 }, (_, i) => aFinding({ broken: true, rule: 'workload-not-running/NoPods', object: object(`d${i}`), id: `d${i}` }));
    expect(groupFindings([...down, aFinding({ severity: 'critical' })]).map((g) => [g.rule, g.others.length])).toEqual([['workload-not-running/NoPods', 3], ['pss-baseline/privileged', 0]]); // prettier-ignore
  });

  it('gives the same order whatever the order of what it is given', () => {
    const findings = ['c', 'a', 'b'].flatMap((n) => [aFinding({ object: object(n) }), aFinding({ object: object(n), rule: 'z', severity: 'medium', confidence: n === 'b' ? 1 : 0.5 })]);
    const once = [...findings].sort(worstFirst).map((f) => f.id);
    expect([...findings].reverse().sort(worstFirst).map((f) => f.id)).toEqual(once);
  });
});

it('counts what is open, by severity', () => {
  expect(countBySeverity([aFinding(), aFinding({ severity: 'low' }), aFinding({ accepted })])).toEqual({ critical: 0, high: 1, medium: 0, low: 1, info: 0 });
});
