import type { KubeObject } from '@larry/contracts';
import type { ProxyAnswer, ProxyTarget } from '@larry/kube';
import { UnknownKindError } from '@larry/kube';
import { probeCluster, type ProbedCluster } from './probe-cluster';

const service = (name: string, spec: Record<string, unknown> = {}): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec } });
const slice = (name: string, ready = true): KubeObject => ({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: `${name}-x`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } }, endpoints: [{ conditions: { ready } }] });
const node = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });

function aCluster(objects: KubeObject[], answer: (target: ProxyTarget) => ProxyAnswer): { cluster: ProbedCluster; asked: ProxyTarget[]; most: () => number } {
  const asked: ProxyTarget[] = [];
  let under = 0;
  let most = 0;
  const cluster: ProbedCluster = {
    async *list(kind) {
      if (kind.kind === 'Node' && objects.every((o) => o.kind !== 'Node')) throw new UnknownKindError('Node', 'forbidden');
      yield* objects.filter((o) => o.kind === kind.kind);
    },
    async reach(target) {
      asked.push(target);
      most = Math.max(most, (under += 1));
      await new Promise((resolve) => setImmediate(resolve));
      under -= 1;
      return answer(target);
    },
  };
  return { cluster, asked, most: () => most };
}

describe('probes of a cluster', () => {
  it('say which ports of Services answer, are refused or time out, and which kubelets', async () => {
    const outcomes: Record<string, ProxyAnswer> = { cart: { outcome: 'answered', status: 404 }, pay: { outcome: 'refused', address: '10.42.1.5:8080', reason: 'connection refused' }, mail: { outcome: 'timed-out' }, 'node-1': { outcome: 'answered', status: 200 }, 'node-2': { outcome: 'refused', reason: 'dial tcp 10.0.0.2:10250: connect: connection refused' } };
    const { cluster } = aCluster([...['cart', 'pay', 'mail'].flatMap((name) => [service(name), slice(name)]), node('node-1'), node('node-2')], (target) => outcomes['node' in target ? target.node : target.service] as ProxyAnswer);
    expect(await probeCluster(cluster)).toMatchObject({
      kind: 'ProbeResults', version: 1, metricAnomalies: [],
      connectivity: [{ namespace: 'shop', service: 'cart', port: 80, connected: true, targetPort: 8080 }, { service: 'mail', connected: false, timedOut: true }, { service: 'pay', connected: false, address: '10.42.1.5:8080' }],
      nodeServices: [{ node: 'node-1', service: 'kubelet', active: true }, { node: 'node-2', active: false, error: expect.stringContaining('connection refused') }],
    });
  });

  it('ask nothing of what has no endpoints, leads outside or is no TCP, and say what was left out', async () => {
    const { cluster, asked } = aCluster([service('empty'), slice('empty', false), service('outside', { type: 'ExternalName' }), service('dns', { ports: [{ port: 53, protocol: 'UDP' }] }), slice('dns'), node('n')], () => ({ outcome: 'unknown', reason: 'nodes "n" is forbidden' }));
    const { connectivity, nodeServices, notProbed } = await probeCluster(cluster);
    expect(asked).toEqual([{ node: 'n' }]);
    expect([connectivity, nodeServices]).toEqual([[], []]);
    expect(notProbed).toEqual(expect.arrayContaining([{ subject: 'Service shop/empty', reason: 'it has no ready endpoint' }, { subject: 'kubelet of n', reason: 'nodes "n" is forbidden' }]));
  });

  it('accuse no Service when the API server reaches no pod at all', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const { cluster } = aCluster(names.flatMap((name) => [service(name), slice(name)]), () => ({ outcome: 'timed-out', reason: 'dial tcp: i/o timeout' }));
    const { connectivity, notProbed } = await probeCluster(cluster);
    expect(connectivity).toEqual([]);
    expect(notProbed.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['the API server reaches no pod at all (dial tcp: i/o timeout)', 'forbidden']));
  });

  it('keep no more requests under way than allowed, and tell how far they are', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `s${i}`);
    const { cluster, most } = aCluster(names.flatMap((name) => [service(name), slice(name)]), () => ({ outcome: 'answered' }));
    const steps: number[] = [];
    await probeCluster(cluster, { atOnce: 3, onProgress: (done) => steps.push(done) });
    expect(most()).toBe(3);
    expect(steps.at(-1)).toBe(30);
  });
});
