import type { Deployment, ReplicaSet } from '../types';
import { bounds, proportions, rollingPlan } from './deployment-plan';

const aDeployment = (replicas: number, rollingUpdate?: object): Deployment => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas, selector: {}, template: { spec: { containers: [] } }, strategy: { rollingUpdate } } });
const aSet = (name: string, replicas: number, available = replicas): ReplicaSet => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name }, spec: { replicas, selector: {}, template: { spec: { containers: [] } } }, status: { replicas, availableReplicas: available } });
const sizes = (steps: { set: ReplicaSet; replicas: number }[]) => Object.fromEntries(steps.map(({ set, replicas }) => [set.metadata.name, replicas]));

it.each([
  [4, undefined, { surge: 1, unavailable: 1 }],
  [3, undefined, { surge: 1, unavailable: 0 }],
  [10, { maxSurge: '30%', maxUnavailable: 2 }, { surge: 3, unavailable: 2 }],
  [1, { maxSurge: 0, maxUnavailable: 0 }, { surge: 0, unavailable: 1 }],
])('%i replicas with %j may be off by %j', (replicas, rolling, expected) => expect(bounds(aDeployment(replicas, rolling))).toEqual(expected));

describe('a rolling update', () => {
  it('grows the new set by the surge first', () => expect(sizes(rollingPlan(aDeployment(4), aSet('new', 0), [aSet('old', 4)]))).toEqual({ new: 1 }));
  it('shrinks the old one when the new pods are available', () => expect(sizes(rollingPlan(aDeployment(3), aSet('new', 1), [aSet('old', 3)]))).toEqual({ old: 2 }));
  it('waits while it may miss no pod', () => expect(sizes(rollingPlan(aDeployment(3), aSet('new', 1, 0), [aSet('old', 3)]))).toEqual({ new: 1 }));
  it('gives up broken old pods without waiting for the new ones', () => expect(sizes(rollingPlan(aDeployment(4), aSet('new', 1, 1), [aSet('old', 4, 1)]))).toEqual({ old: 2 }));

  it('always ends with all pods new, never below the minimum', () => {
    for (const [replicas, surge, unavailable] of [[1, 1, 0], [4, 1, 1], [7, 2, 0], [5, 0, 2], [10, 10, 10]] as const) {
      const deployment = aDeployment(replicas, { maxSurge: surge, maxUnavailable: unavailable });
      const now = aSet('new', 0);
      const old = aSet('old', replicas);
      for (let i = 0; i < 100 && (old.spec.replicas || now.spec.replicas !== replicas); i += 1) {
        for (const { set, replicas: to } of rollingPlan(deployment, now, [old])) Object.assign(set, { spec: { ...set.spec, replicas: to }, status: { replicas: to, availableReplicas: to } });
        const total = (now.spec.replicas ?? 0) + (old.spec.replicas ?? 0);
        expect(total).toBeGreaterThanOrEqual(replicas - unavailable);
        expect(total).toBeLessThanOrEqual(replicas + surge);
      }
      expect([now.spec.replicas, old.spec.replicas]).toEqual([replicas, 0]);
    }
  });
});

it('gives a changed size to the one populated set, or spreads it in proportion', () => {
  expect(sizes(proportions(aDeployment(5), [aSet('new', 3), aSet('old', 0)], undefined))).toEqual({ new: 5 });
  const spread = sizes(proportions(aDeployment(8, { maxSurge: 0, maxUnavailable: 1 }), [aSet('new', 1), aSet('old', 3)], undefined));
  expect((spread.new ?? 0) + (spread.old ?? 0)).toBe(8);
  expect(spread.old).toBeGreaterThan(spread.new ?? 0);
});
