import type { KubeObject } from '@larry/contracts';
import { memoryCluster } from '@larry/kube/testing';
import { namespace, scan } from '../../__fixtures__/scan';
import { ingress, service } from './__fixtures__/objects';

async function said(object: KubeObject) {
  const { findings } = await scan(memoryCluster([namespace('database'), object]));
  return findings.filter((f) => f.rule.startsWith('exposure/'));
}
const web = [{ port: 80 }];

describe('exposure', () => {
  it.each([
    ['a service inside', service({ ports: web }), []],
    ['a load balancer', service({ type: 'LoadBalancer', ports: web }), ['exposure/load-balancer']],
    [
      'a load balancer for some addresses',
      service({ type: 'LoadBalancer', ports: web, loadBalancerSourceRanges: ['10.0.0.0/8'] }),
      [],
    ],
    [
      'a load balancer for all addresses, said',
      service({ type: 'LoadBalancer', ports: web, loadBalancerSourceRanges: ['0.0.0.0/0'] }),
      ['exposure/load-balancer'],
    ],
    [
      'an internal load balancer',
      service({ type: 'LoadBalancer', ports: web }, { 'networking.gke.io/load-balancer-type': 'Internal' }),
      [],
    ],
    ['a node port', service({ type: 'NodePort', ports: web }), ['exposure/node-port']],
    ['a database on a node port', service({ type: 'NodePort', ports: [{ port: 5432 }] }), ['exposure/data-port']],
    [
      'a database behind another port',
      service({ type: 'LoadBalancer', ports: [{ port: 80, targetPort: 6379 }] }),
      ['exposure/data-port'],
    ],
    ['external addresses', service({ externalIPs: ['203.0.113.1'], ports: web }), ['exposure/external-ip']],
    ['an ingress without TLS', ingress({ rules: [{ host: 'a.example.com' }] }), ['exposure/ingress-without-tls']],
    [
      'an ingress with TLS',
      ingress({ rules: [{ host: 'a.example.com' }], tls: [{ hosts: ['a.example.com'], secretName: 's' }] }),
      [],
    ],
    [
      'an ingress with TLS for every host',
      ingress({ rules: [{ host: 'a.example.com' }], tls: [{ secretName: 's' }] }),
      [],
    ],
    [
      'an ingress with a wildcard',
      ingress({ rules: [{ host: 'a.example.com' }], tls: [{ hosts: ['*.example.com'] }] }),
      [],
    ],
    [
      'a wildcard one label too short',
      ingress({ rules: [{ host: 'a.b.example.com' }], tls: [{ hosts: ['*.example.com'] }] }),
      ['exposure/ingress-without-tls'],
    ],
    ['an ingress with a default backend alone', ingress({ defaultBackend: {} }), ['exposure/ingress-without-tls']],
  ])('of %s', async (_, object, expected) => {
    expect((await said(object)).map((f) => f.rule)).toEqual(expected);
  });

  it('names the host that is served without TLS', async () => {
    const [finding] = await said(
      ingress({ rules: [{ host: 'a.example.com' }, { host: 'b.example.com' }], tls: [{ hosts: ['a.example.com'] }] }),
    );
    expect(finding?.evidence.map((e) => [e.at, e.value])).toEqual([['.spec.rules[1].host', 'b.example.com']]);
  });
});
