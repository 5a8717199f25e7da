import type { KubeObject } from '@larry/contracts';
import { aNode, anObject, aService, aWorkload, crashed, diagnosed, told, waiting, type ContainerParts } from './testing';

const service = (name: string, spec: Record<string, unknown> = {}) => aService({ name, namespace: 'shop', spec });
const cart = (container: ContainerParts = { spec: { ports: [{ containerPort: 8080, name: 'http' }] } }) => aWorkload('cart', { containers: [container] });
const caller = (value: string, container: ContainerParts = crashed(1)) => aWorkload('web', { containers: [{ ...container, spec: { env: [{ name: 'CART_ADDR', value }] } }] });
const says = (line: string | string[]) => ({ logs: { 'shop/web-aaaaa-0/app': line } });

describe('services', () => {
  it('names the Service whose selector no pod has, and its callers as symptoms', async () => {
    const broken = service('cart', { selector: { app: 'carts' }, ports: [{ port: 80, targetPort: 8080 }] });
    const findings = await diagnosed([aNode(), ...cart(), broken, ...caller('cart:80')], says('dial tcp 10.43.0.7:80: connect: connection refused cart:80'));
    expect(told(findings)).toEqual(['service_selector_mismatch Service shop/cart']);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
    expect(findings[0]?.remedy).toMatchObject({ patch: [{ op: 'replace', path: '/spec/selector/app', value: 'cart' }] });
  });

  it.each([
    ['a named port that is not there', { ports: [{ port: 80, targetPort: 'web' }] }, 'service_port_mapping_mismatch'],
    ['a number that nobody declares', { ports: [{ port: 80, targetPort: 9999 }] }, 'service_port_mapping_mismatch'],
    ['UDP for TCP', { ports: [{ port: 80, targetPort: 8080, protocol: 'UDP' }] }, 'service_protocol_mismatch'],
  ])('names the Service for %s', async (_, spec, cause) => {
    expect(told(await diagnosed([aNode(), ...cart(), service('cart', spec)]))).toEqual([`${cause} Service shop/cart`]);
  });

  it('leaves alone what only looks wrong: no selector, no declared ports, ports named by a variable, a probe that connects', async () => {
    const undeclared = aWorkload('cart', { containers: [{}] });
    const byVariable = aWorkload('pay', { containers: [{ spec: { ports: [{ containerPort: 9090 }], env: [{ name: 'PORT', value: '8080' }] } }] });
    const connected = { kind: 'ProbeResults', version: 1, connectivity: [{ namespace: 'shop', service: 'odd', port: 80, connected: true }] };
    const odd = aWorkload('odd', { containers: [{ spec: { ports: [{ containerPort: 9090 }] } }] });
    const services = [service('cart', { ports: [{ port: 80, targetPort: 8080 }] }), service('pay', { ports: [{ port: 80, targetPort: 8080 }] }), service('odd', { ports: [{ port: 80, targetPort: 8080 }] }), service('outside', { selector: undefined }), service('jobs', { selector: { app: 'jobs' } })];
    expect(await diagnosed([aNode(), ...undeclared, ...byVariable, ...odd, ...services], { probes: connected })).toEqual([]);
  });
});

describe('names', () => {
  it('names the caller whose variable names a Service that does not exist', async () => {
    const findings = await diagnosed([aNode(), ...cart(), service('cart', { ports: [{ port: 80, targetPort: 8080 }] }), ...caller('carts:80')], says('dial tcp: lookup carts on 10.43.0.10:53: no such host'));
    expect(told(findings)).toEqual(['service_env_var_address_mismatch Deployment shop/web']);
    expect(findings[0]?.remedy).toMatchObject({ patch: [{ value: 'cart:80' }] });
  });

  it('repeats no value that holds a secret, in no change and no sentence', async () => {
    const web = aWorkload('web', { containers: [{ ...crashed(1), spec: { env: [{ name: 'CART_URL', value: 'http://u:Sup3rS3cretPW@carts:80/db' }] } }] });
    const findings = await diagnosed([aNode(), ...cart(), service('cart', { ports: [{ port: 80, targetPort: 8080 }] }), ...web], says('getaddrinfo ENOTFOUND carts'));
    expect(told(findings)).toEqual(['service_env_var_address_mismatch Deployment shop/web']);
    expect(findings[0]?.remedy).toMatchObject({ layer: 'none', reason: expect.stringContaining('the value holds a secret') as string });
    expect(JSON.stringify(findings)).not.toContain('Sup3rS3cretPW');
  });

  it('names the caller that asks another resolver', async () => {
    const web = aWorkload('web', { containers: [{ ...crashed(1), spec: { env: [{ name: 'CART_ADDR', value: 'cart:80' }] } }], podSpec: { dnsPolicy: 'Default' } });
    expect(told(await diagnosed([aNode(), ...cart(), service('cart', { ports: [{ port: 80, targetPort: 8080 }] }), ...web], says('getaddrinfo ENOTFOUND cart')))).toEqual(['service_dns_resolution_failure Deployment shop/web']);
  });

  it('names the alias whose name leads nowhere', async () => {
    const alias = aService({ name: 'cart', namespace: 'shop', spec: { type: 'ExternalName', externalName: 'cart.gone.example', selector: undefined } });
    expect(told(await diagnosed([aNode(), alias, ...caller('cart:80')], says('getaddrinfo ENOTFOUND cart')))).toEqual(['service_dns_resolution_failure Service shop/cart']);
  });

  it('names the quota when a Service is called that could not be made', async () => {
    const quota = anObject('v1', 'ResourceQuota', { name: 'few', namespace: 'shop', status: { hard: { services: '1' }, used: { services: '1' } } });
    const findings = await diagnosed([aNode(), ...cart(), service('other', { selector: undefined }), quota, ...caller('cart:80')], says('dial tcp: lookup cart on 10.43.0.10:53: no such host'));
    expect(told(findings)[0]).toBe('namespace_service_quota_exceeded ResourceQuota shop/few');
  });
});

describe('gateways', () => {
  const ingress = (paths: [string, string, number?][]) =>
    anObject('networking.k8s.io/v1', 'Ingress', { name: 'shop', namespace: 'shop', spec: { rules: [{ http: { paths: paths.map(([path, name, number = 80]) => ({ path, backend: { service: { name, port: { number } } } })) } }] } });
  const pay = [...aWorkload('pay', {}), service('pay')];
  const both = [aNode(), ...aWorkload('cart', {}), service('cart'), ...pay];

  it.each([
    ['a Service that does not exist', [['/cart', 'carts'], ['/pay', 'pay']]],
    ['a port that the Service does not have', [['/cart', 'cart', 8080], ['/pay', 'pay']]],
    ['the Service of another path', [['/cart', 'pay'], ['/pay', 'pay']]],
  ] as [string, [string, string, number?][]][])('names the Ingress that leads to %s', async (_, paths) => {
    expect(told(await diagnosed([...both, ingress(paths)]))).toEqual(['gateway_misroute Ingress shop/shop']);
  });

  it('finds nothing in routes that lead where they are named for', async () => {
    expect(await diagnosed([...both, ingress([['/cart', 'cart'], ['/pay', 'pay'], ['/', 'cart']])])).toEqual([]);
  });

  it('reads the route table of a gateway from its ConfigMap', async () => {
    const table = anObject('v1', 'ConfigMap', { name: 'gateway', namespace: 'shop', data: { 'nginx.conf': 'location /pay {\n  proxy_pass http://pay:80;\n}\nlocation /cart {\n  proxy_pass http://cart:8888;\n}' } });
    expect(told(await diagnosed([...both, table]))).toEqual(['gateway_misroute ConfigMap shop/gateway']);
  });
});

describe('network policies', () => {
  const policy = (spec: Record<string, unknown>) => anObject('networking.k8s.io/v1', 'NetworkPolicy', { name: 'guard', namespace: 'shop', spec });
  const callee = [...cart(), service('cart', { ports: [{ port: 80, targetPort: 8080 }] })];
  const unready: ContainerParts = { ready: false };

  it('names the policy that lets nobody in', async () => {
    const findings = await diagnosed([aNode(), ...callee, ...caller('cart:80', crashed(1)), policy({ podSelector: { matchLabels: { app: 'cart' } }, policyTypes: ['Ingress'], ingress: [] })], says('dial tcp 10.43.0.9:80: i/o timeout calling cart:80'));
    expect(told(findings)).toEqual(['network_policy_blocks NetworkPolicy shop/guard']);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });

  it('leaves a policy alone that lets this caller in', async () => {
    const allows = policy({ podSelector: { matchLabels: { app: 'cart' } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 8080 }] }] });
    expect(await diagnosed([aNode(), ...callee, ...caller('cart:80', {}), allows])).toEqual([]);
  });

  it('names the policy that forgot DNS', async () => {
    const egress = policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: {} }] }] });
    expect(told(await diagnosed([aNode(), ...callee, ...caller('cart:80', crashed(1)), egress], says('getaddrinfo EAI_AGAIN cart')))).toEqual(['network_policy_blocks NetworkPolicy shop/guard']);
    expect(unready.ready).toBe(false);
  });
});

describe('infrastructure', () => {
  const at = (node: string): KubeObject[] => aWorkload('web', { node, containers: [{ ready: false }] });
  const condition = (type: string, status: string, reason: string, message: string) => ({ status: { conditions: [{ type, status, reason, message, lastTransitionTime: '2026-01-01T11:00:00Z' }] } });

  it.each([
    ['kubelet_unavailable', condition('Ready', 'Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.')],
    ['containerd_unavailable', condition('Ready', 'False', 'KubeletNotReady', 'container runtime is down')],
    ['node_pressure', condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')],
  ])('%s, with its pods as symptoms', async (cause, parts) => {
    const findings = await diagnosed([aNode('node-1', parts), aNode('node-2'), ...at('node-1')]);
    expect(told(findings)).toEqual([`${cause} Node node-1`]);
    expect(findings[0]?.symptoms).toContain('Deployment shop/web');
  });

  const probes = (parts: Record<string, unknown>) => ({ probes: { kind: 'ProbeResults', version: 1, ...parts } });

  it.each([
    ['kubelet_unavailable', { node: 'node-1', service: 'kubelet', active: false, sub: 'dead' }],
    ['containerd_unavailable', { node: 'node-1', service: 'containerd.service', active: 'failed' }],
    ['kube_proxy_unavailable', { node: 'node-1', service: 'kube-proxy', active: false }],
    ['kube_scheduler_unavailable', { node: 'node-1', service: 'kube-scheduler', active: false }],
  ])('%s by the unit of the node', async (cause, unit) => {
    expect(told(await diagnosed([aNode()], probes({ nodeServices: [unit, { node: 'node-1', service: 'sshd', active: true }] })))).toEqual([`${cause} Node node-1`]);
  });

  it('names the workload or node that metrics speak of, and the slow callee before its slow callers', async () => {
    const shop = [aNode(), ...aWorkload('cart', {}), service('cart'), ...caller('cart:80', {}), service('web')];
    const slow = (name: string) => ({ kind: 'Service', name, window: '5m', evidence: ['p99 latency 12ms -> 2400ms'] });
    expect(told(await diagnosed(shop, probes({ metricAnomalies: [slow('cart'), slow('web')] })))).toEqual(['pod_network_delay Deployment shop/cart']);
    expect(told(await diagnosed(shop, probes({ metricAnomalies: [{ kind: 'Service', name: 'cart', window: '5m', evidence: ['cpu usage 20% -> 100% of limit'] }] })))).toEqual(['pod_cpu_overload Deployment shop/cart']);
    expect(told(await diagnosed(shop, probes({ metricAnomalies: [{ kind: 'Node', name: 'node-1', window: '5m', evidence: ['packet loss 30%'] }] })))).toEqual(['node_network_packet_loss Node node-1']);
  });

  it('finds two faults as two roots', async () => {
    const broken = aWorkload('pay', { containers: [waiting('CreateContainerConfigError', 'configmap "pay" not found', { spec: { envFrom: [{ configMapRef: { name: 'pay' } }] } })] });
    const killed = aWorkload('cart', { containers: [crashed(137, { reason: 'OOMKilled' })] });
    expect(told(await diagnosed([aNode(), ...broken, ...killed])).sort()).toEqual(['missing_config_map Deployment shop/pay', 'oom_killed Deployment shop/cart']);
  });
});

describe('manifests', () => {
  it('judges what shall be: a selector and a port, and no state that is not there', async () => {
    const [deployment] = cart() as [KubeObject];
    const findings = await diagnosed([deployment, service('cart', { selector: { app: 'carts' } })], { manifests: true });
    expect(told(findings)).toEqual(['service_selector_mismatch Service shop/cart']);
  });
});

describe('what only looks like a fault', () => {
  it('leaves a canary\'s Service alone whose pods are not there yet, and a collector that nobody needs', async () => {
    const web = [...aWorkload('web', { containers: [{ spec: { env: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4317' }] } }] }), service('web')];
    const canary = service('web-canary', { selector: { app: 'web', track: 'canary' } });
    const lines = Array.from({ length: 9 }, () => 'traces export: dial tcp: lookup collector on 10.43.0.10:53: no such host');
    expect(await diagnosed([aNode(), ...web, canary], says(lines))).toEqual([]);
  });

  it('knows the Services of other namespaces also when one namespace is asked about', async () => {
    const web = aWorkload('web', { containers: [{ ...crashed(1), spec: { env: [{ name: 'REDIS_ADDR', value: 'redis.cache.svc:6380' }] } }] });
    const redis = [...aWorkload('redis', { namespace: 'cache' }), aService({ name: 'redis', namespace: 'cache', ports: [{ port: 6379 }] })];
    for (const asked of [{}, { namespace: 'shop' }]) expect(told(await diagnosed([aNode(), ...web, ...redis], { ...says('panic: nil map'), ...asked }))).toEqual(['service_env_var_address_mismatch Deployment shop/web']);
  });
});
