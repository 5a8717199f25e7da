import { startSimulatedServer, type StartedServer } from '../testing';

const pod = '10.42.1.7';
let started: StartedServer;
const ports: Record<number, { http?: (path: string) => number; says?: string }> = { 8080: { http: (path) => (path === '/' ? 200 : 404) }, 5432: { says: '' } };

beforeAll(async () => {
  const service = (name: string, target: number, ready = true) => [
    { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { ports: [{ name: 'main', port: 80, targetPort: target }] } },
    { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace: 'default' }, subsets: ready ? [{ addresses: [{ ip: pod }], ports: [{ name: 'main', port: target }] }] : [] },
  ];
  const node = (name: string, annotations = {}) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name, annotations }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.9' }] } });
  started = await startSimulatedServer({
    network: { knows: (address) => address === pod, at: (_, port) => ports[port] },
    objects: [...service('web', 8080), ...service('db', 5432), ...service('wrong', 8081), ...service('empty', 80, false), node('up'), node('down', { 'simulation.larry.dev/down': 'dead' })],
  });
});
afterAll(() => started.stop());

async function get(path: string, method = 'GET'): Promise<[number, string]> {
  const answer = await fetch(`${started.url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${started.token}` } });
  const text = await answer.text();
  return [answer.status, text.startsWith('{') ? String((JSON.parse(text) as { message?: string }).message) : text.trim()];
}
const service = (name: string, path = '') => `/namespaces/default/services/${name}/proxy/${path}`;

describe('the proxy of the API server', () => {
  it.each<[string, string, number, string | RegExp]>([
    ['a port that answers', service('web:80'), 200, 'SIMULATED 200'],
    ['a port by name, a path that is not served', service('web:main', 'nope'), 404, 'SIMULATED 404'],
    ['HTTPS where there is none', service('https:web:80'), 503, 'error trying to reach service: http: server gave HTTP response to HTTPS client'],
    ['what speaks no HTTP', service('db:80'), 503, 'error trying to reach service: EOF'],
    ['a port where nobody listens', service('wrong:80'), 503, `error trying to reach service: dial tcp ${pod}:8081: connect: connection refused`],
    ['a Service without endpoints', service('empty:80'), 503, 'no endpoints available for service "empty"'],
    ['a port that the Service does not have', service('web:81'), 503, 'no service port "81" found for service "web"'],
    ['a Service that there is not', service('gone:80'), 404, 'services "gone" not found'],
    ['a kubelet', '/nodes/up/proxy/healthz', 200, 'ok'],
    ['a kubelet that is down', '/nodes/down/proxy/healthz', 503, 'error trying to reach service: dial tcp 10.0.0.9:10250: connect: connection refused'],
    ['pods, which it does not serve', '/namespaces/default/pods/p/proxy/', 501, /proxy/],
  ])('answers for %s', async (_, path, status, message) => {
    const [code, text] = await get(path);
    expect(code).toBe(status);
    expect(text).toMatch(typeof message === 'string' ? new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) : message);
  });

  it('takes no writes', async () => expect((await get(service('web:80'), 'POST'))[0]).toBe(405));
});
