import type { Node, Pod, PodSpec, Taint } from '../types';
import { loadOf, refusals, tolerates } from './node-fit';

const aNode = (name: string, more: { labels?: Record<string, string>; taints?: Taint[]; cordoned?: boolean } = {}): Node => ({
  apiVersion: 'v1', kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
  spec: { taints: more.taints, unschedulable: more.cordoned },
  status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3' } },
});
const aPod = (spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}, requests: Record<string, string> = {}): Pod => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', labels }, spec: { containers: [{ name: 'c', image: 'nginx', resources: { requests } }], ...spec },
});
const why = (pod: Pod, node: Node, here: Pod[] = [], others: { node: Node; pods: Pod[] }[] = []) => {
  const load = loadOf(node, here);
  return refusals(pod, load, [load, ...others.map((each) => loadOf(each.node, each.pods))], () => ({}));
};
const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' }] } };

describe('whether a node takes a pod', () => {
  it('takes a plain pod', () => expect(why(aPod(), aNode('a'))).toEqual([]));

  it.each<[string, Pod, Node, string]>([
    ['a cordon', aPod(), aNode('a', { cordoned: true }), 'node(s) were unschedulable'],
    ['a taint', aPod(), aNode('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }), 'node(s) had untolerated taint {k: v}'],
    ['a selector', aPod({ nodeSelector: { disk: 'ssd' } }), aNode('a'), "node(s) didn't match Pod's node affinity/selector"],
    ['an affinity', aPod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['z1'] }] }] } } } }), aNode('a', { labels: { zone: 'z2' } }), "node(s) didn't match Pod's node affinity/selector"],
    ['too little CPU', aPod({}, {}, { cpu: '2500m' }), aNode('a'), 'Insufficient cpu'],
    ['too little memory', aPod({}, {}, { memory: '5Gi' }), aNode('a'), 'Insufficient memory'],
  ])('refuses for %s in the words of the scheduler', (_, pod, node, message) => expect(why(pod, node)).toEqual([message]));

  it('counts what runs there already, and not what has ended', () => {
    const busy = aPod({}, {}, { cpu: '1500m' });
    const ended = { ...busy, status: { phase: 'Succeeded' } };
    expect(why(aPod({}, {}, { cpu: '1' }), aNode('a'), [busy])).toEqual(['Insufficient cpu']);
    expect(why(aPod({}, {}, { cpu: '1' }), aNode('a'), [ended])).toEqual([]);
    expect(why(aPod(), aNode('a'), [aPod(), aPod(), aPod()])).toEqual(['Too many pods']);
  });

  it('keeps pods apart that want to be, from both sides', () => {
    const app = aPod({}, { app: 'x' });
    expect(why(aPod({ affinity: apart }, { app: 'x' }), aNode('a'), [app])).toEqual(["node(s) didn't match pod anti-affinity rules"]);
    expect(why(app, aNode('a'), [aPod({ affinity: apart })])).toEqual(["node(s) didn't satisfy existing pods anti-affinity rules"]);
    expect(why(app, aNode('a'), [], [{ node: aNode('b'), pods: [aPod({ affinity: apart })] }])).toEqual([]);
  });

  it('lets the first pod of a group that wants to be together go anywhere', () => {
    const together = { podAffinity: apart.podAntiAffinity };
    expect(why(aPod({ affinity: together }, { app: 'x' }), aNode('a'))).toEqual([]);
    expect(why(aPod({ affinity: together }), aNode('a'))).toEqual(["node(s) didn't match pod affinity rules"]);
  });

  it('spreads as it must', () => {
    const spec = { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'x' } } }] };
    const mine = aPod(spec, { app: 'x' });
    expect(why(mine, aNode('a'), [mine], [{ node: aNode('b'), pods: [] }])).toEqual(["node(s) didn't match pod topology spread constraints"]);
    expect(why(mine, aNode('b'), [], [{ node: aNode('a'), pods: [mine] }])).toEqual([]);
  });
});

it.each<[string, Parameters<typeof tolerates>[0], boolean]>([
  ['nothing', [], false],
  ['everything', [{ operator: 'Exists' }], true],
  ['the key', [{ key: 'k', operator: 'Exists' }], true],
  ['the value', [{ key: 'k', value: 'v' }], true],
  ['another value', [{ key: 'k', value: 'w' }], false],
  ['another effect', [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }], false],
])('a toleration of %s is judged rightly', (_, tolerations, expected) => expect(tolerates(tolerations, { key: 'k', value: 'v', effect: 'NoSchedule' })).toBe(expected));
