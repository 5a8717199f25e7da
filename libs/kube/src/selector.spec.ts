import { aPod } from './builders';
import { parseFieldSelector, parseLabelSelector, selects } from './selector';

describe('label selectors', () => {
  const cases: [selector: string, labels: Record<string, string>, selected: boolean][] = [
    ['', {}, true],
    ['app=web', { app: 'web' }, true],
    ['app==web', { app: 'db' }, false],
    ['app!=web', {}, true],
    ['app!=web', { app: 'web' }, false],
    ['app in (web, db),tier', { app: 'db', tier: '' }, true],
    ['app in (web,db)', {}, false],
    ['app notin (web,db)', {}, true],
    ['app notin (web,db)', { app: 'db' }, false],
    ['!app', {}, true],
    ['!app', { app: '' }, false],
    ['app=', { app: '' }, true],
    ['app.kubernetes.io/name=web,!x', { 'app.kubernetes.io/name': 'web' }, true],
    ['toString', {}, false],
  ];
  it.each(cases)('%s of %j is %s', (selector, labels, selected) => {
    expect(parseLabelSelector(selector)(labels)).toBe(selected);
  });

  it.each(['app in web', 'app=(x)', '=x', 'a b', 'app in (a'])('refuses %s', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(/^label selector ".*": cannot read "/);
  });
});

describe('field selectors', () => {
  const pod = aPod({ name: 'a', namespace: 'db', spec: { nodeName: 'n1' } });
  it.each([
    ['metadata.name=a,spec.nodeName==n1', true],
    ['status.phase!=Running', false],
    ['status.phase=Running', true],
    ['spec.nodeName=', false],
  ])('%s is %s', (selector, selected) => {
    expect(parseFieldSelector(selector)(pod)).toBe(selected);
  });

  it('refuses fields that no source serves', () => {
    expect(() => parseFieldSelector('spec.containers=x')).toThrow('cannot read "spec.containers=x"');
  });
});

it('joins namespace, labels and fields', () => {
  const pod = aPod({ name: 'a', namespace: 'db', labels: { app: 'x' } });
  expect(selects({ namespace: 'db', labelSelector: 'app=x', fieldSelector: 'metadata.name=a' })(pod)).toBe(true);
  expect(selects({ namespace: 'other', labelSelector: 'app=x' })(pod)).toBe(false);
});
