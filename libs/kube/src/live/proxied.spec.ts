import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { NoAnswerError } from './api-request';
import { throughProxy, type ProxyTarget } from './proxied';

const status = (message: string) => JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message });
const unreached = (why: string) => status(`error trying to reach service: ${why}`);

function answering(statusCode: number, body: string) {
  const paths: string[] = [];
  const stream = (request: { path: string }) => {
    paths.push(request.path);
    return Promise.resolve(Object.assign(Readable.from([Buffer.from(body)]), { statusCode }) as unknown as IncomingMessage);
  };
  return { api: { stream }, paths };
}
const web: ProxyTarget = { namespace: 'shop', service: 'web', port: 80 };

describe('what is reached through the API server', () => {
  it.each<[string, number, string, object]>([
    ['a page', 200, '<html>', { outcome: 'answered', status: 200 }],
    ['an error of the application', 503, 'maintenance', { outcome: 'answered', status: 503 }],
    ['a refusal in the words of another API', 403, status('User "system:anonymous" cannot get path "/"'), { outcome: 'answered', status: 403 }],
    ['nobody listening', 503, unreached('dial tcp 10.42.0.5:8080: connect: connection refused'), { outcome: 'refused', address: '10.42.0.5:8080' }],
    ['no endpoint that the API server knows', 503, status('no endpoints available for service "web"'), { outcome: 'unknown' }],
    ['a dialler that gave up', 503, unreached('dial tcp 10.42.0.5:8080: i/o timeout'), { outcome: 'timed-out', address: '10.42.0.5:8080' }],
    ['a database', 503, unreached('EOF'), { outcome: 'answered' }],
    ['Redis', 503, unreached('net/http: HTTP/1.x transport connection broken: malformed HTTP response "-ERR"'), { outcome: 'answered' }],
    ['missing rights', 403, status('services "web:80" is forbidden: User "me" cannot get resource "services/proxy" in API group ""'), { outcome: 'unknown' }],
    ['a Service that is gone', 404, status('services "web" not found'), { outcome: 'unknown' }],
  ])('tells %s', async (_, code, body, expected) => {
    const { api, paths } = answering(code, body);
    expect(await throughProxy(api, web, 1_000)).toMatchObject(expected);
    expect(paths).toEqual(['/api/v1/namespaces/shop/services/web%3A80/proxy/']);
  });

  it('asks by HTTPS and for the health of a kubelet', async () => {
    const { api, paths } = answering(200, 'ok');
    await throughProxy(api, { ...web, port: 443, tls: true } as ProxyTarget, 1_000);
    await throughProxy(api, { node: 'n-1' }, 1_000);
    expect(paths).toEqual(['/api/v1/namespaces/shop/services/https%3Aweb%3A443/proxy/', '/api/v1/nodes/n-1/proxy/healthz']);
  });

  it.each<[string, number, string, object]>([
    ['is unwell', 500, '[-]syncloop failed', { outcome: 'answered', status: 500 }],
    ['has no address that the API server knows', 500, status('no preferred addresses found; known addresses: []'), { outcome: 'unknown' }],
    ['refuses', 503, unreached('dial tcp 10.0.0.2:10250: connect: connection refused'), { outcome: 'refused', address: '10.0.0.2:10250' }],
  ])('tells a kubelet that %s', async (_, code, body, expected) => expect(await throughProxy(answering(code, body).api, { node: 'n-1' }, 1_000)).toMatchObject(expected));

  it('knows nothing of what does not answer, and sends no name that is no name', async () => {
    const silent = { stream: () => Promise.reject(new NoAnswerError('https://x did not answer')) };
    expect(await throughProxy(silent, web, 1_000)).toEqual({ outcome: 'unknown', reason: 'https://x did not answer' });
    const { api, paths } = answering(200, 'ok');
    expect(await throughProxy(api, { node: '../secrets' }, 1_000)).toMatchObject({ outcome: 'unknown' });
    expect(paths).toEqual([]);
  });
});
