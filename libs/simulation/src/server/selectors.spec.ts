import type { Kind } from './kinds';
import { BUILT_IN_KINDS } from './kinds';
import type { KubeObject } from './kube-object';
import { fieldSelector, labelSelector } from './selectors';

const labelled = (labels: Record<string, string>): KubeObject => ({ metadata: { name: 'x', labels } });
const kind = (plural: string) => BUILT_IN_KINDS.find((k) => k.plural === plural) as Kind;

describe('label selectors', () => {
  it.each([
    ['app=web', true], ['app==web', true], ['app!=web', false], ['other!=web', true], ['app in (api,web)', true], ['app in (api)', false], ['app notin (api)', true],
    ['other notin (api)', true], ['app', true], ['!app', false], ['!other', true], ['n>4', true], ['n<4', false], ['app=web,tier=front', true], ['app in (api, web), app!=web', false],
    ['', true], ['example.com/key=v.1_2', true], ['empty=', true],
  ])('"%s" selects: %s', (selector, expected) => {
    expect(labelSelector(selector)(labelled({ app: 'web', tier: 'front', n: '5', 'example.com/key': 'v.1_2', empty: '' }))).toBe(expected);
  });

  it.each(['app in web', '=web', 'app in (a', 'a b', 'a,', '-x=1'])('refuses "%s"', (selector) => {
    expect(() => labelSelector(selector)).toThrow(/unable to parse requirement/);
  });
});

describe('field selectors', () => {
  const pod: KubeObject = { metadata: { name: 'p', namespace: 'n' }, spec: { nodeName: 'n1' }, status: { phase: 'Running' } };

  it.each([['metadata.name=p', true], ['spec.nodeName=n1,status.phase!=Failed', true], ['status.phase==Pending', false], ['status.podIP=', true]])('"%s" selects a pod: %s', (selector, expected) => {
    expect(fieldSelector(kind('pods'), selector)(pod)).toBe(expected);
  });

  it('refuses fields that Kubernetes does not select by, in its words', () => {
    expect(() => fieldSelector(kind('pods'), 'spec.foo=bar')).toThrow('field label not supported: spec.foo');
    expect(() => fieldSelector(kind('deployments'), 'spec.replicas=1')).toThrow('"spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"');
  });
});
