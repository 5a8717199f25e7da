import { aFinding } from '../builders';
import { countBySeverity, groupFindings, worstFirst } from './finding-groups';

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

  it('keeps severities of one rule apart, and rules whose names hold spaces', () => {
    expect(groupFindings([aFinding(), aFinding({ severity: 'low', id: 'l' }), aFinding({ rule: 'pss-baseline/privileged high', id: 's' })])).toHaveLength(3);
  });

  it('puts what does not run now before what is merely risky, each by itself', () => {
    const broken = (name: string) => aFinding({ task: 'fix-pgadmin-crashloop', rule: 'pgadmin/email', object: object(name), id: name });
    const groups = groupFindings([aFinding({ severity: 'critical' }), broken('one'), broken('two')]);
    expect(groups.map((g) => g.first.object.name)).toEqual(['one', 'two', 'shop']);
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
