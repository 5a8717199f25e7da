import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { gzipSync } from 'node:zlib';
import { SimulatedApiServer } from './server';
import type { ServerOptions } from './server';

type Body = Record<string, never> & { metadata: { name: string; uid: string; resourceVersion: string; generation: number; continue?: string; remainingItemCount?: number; annotations: Record<string, string>; deletionTimestamp?: string; finalizers?: string[] }; items: Body[]; code: number; message: string; reason: string; spec: Record<string, unknown>; status: Record<string, unknown>; kind: string };
interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

const MERGE = 'application/merge-patch+json';

async function send(server: SimulatedApiServer, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(server.url + path, {
    method, headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (text.startsWith('{') ? JSON.parse(text) : text) as Body };
}

const CMS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string> = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const deployment = (name: string) => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'nginx' }] } } },
});

/** Reads a watch line by line. */
class WatchReader {
  private readonly lines: { type: string; object: Body }[] = [];
  private rest = '';
  ended = false;

  private constructor(private readonly res: IncomingMessage) {
    res.setEncoding('utf8');
    res.on('data', (chunk: string) => {
      const parts = (this.rest + chunk).split('\n');
      this.rest = parts.pop() ?? '';
      this.lines.push(...parts.map((line) => JSON.parse(line) as { type: string; object: Body }));
    });
    res.on('close', () => (this.ended = true));
  }

  static async open(server: SimulatedApiServer, path: string): Promise<WatchReader> {
    const req = request(server.url + path, { headers: { authorization: `Bearer ${server.adminToken}` } });
    req.end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    return new WatchReader(res);
  }

  async next(): Promise<{ type: string; object: Body }> {
    while (this.lines.length === 0) {
      if (this.ended) throw new Error('the watch ended');
      await Promise.race([once(this.res, 'data'), once(this.res, 'close')]);
    }
    return this.lines.shift() as { type: string; object: Body };
  }

  close(): void {
    this.res.destroy();
  }
}

describe('the simulated API server', () => {
  let server: SimulatedApiServer;
  const fresh = async (options: ServerOptions = {}) => (server = await SimulatedApiServer.start(options));
  afterEach(() => server.close());

  it('says in its version, its headers and its served list that it is simulated', async () => {
    await fresh();
    const version = await send(server, 'GET', '/version');
    expect((version.body as unknown as { gitVersion: string }).gitVersion).toMatch(/^v1\.36.*SIMULATED$/);
    expect(version.headers.get('x-larry-simulated')).toBe('true');
    expect(await send(server, 'GET', '/simulation/served')).toMatchObject({ status: 200, body: { simulated: true } });
  });

  it('answers plain HTTP and TLS on one port, and its kubeconfig trusts the certificate', async () => {
    await fresh();
    const req = secureRequest(server.url.replace('http:', 'https:') + '/readyz', { ca: server.ca, headers: { authorization: `Bearer ${server.adminToken}` } });
    req.end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.resume();
    expect(res.statusCode).toBe(200);
    expect(server.kubeconfig()).toContain(Buffer.from(server.ca).toString('base64'));
  });

  it('counts a generation for a new spec alone and stores nothing for a write that changes nothing', async () => {
    await fresh();
    const created = await send(server, 'POST', DEPLOYMENTS, deployment('web'));
    expect(created).toMatchObject({ status: 201, body: { metadata: { generation: 1 }, spec: { replicas: 1 } } });
    const same = await send(server, 'PATCH', `${DEPLOYMENTS}/web`, { spec: { replicas: 1 } }, { 'content-type': MERGE });
    expect(same.body.metadata.resourceVersion).toBe(created.body.metadata.resourceVersion);
    const labelled = await send(server, 'PATCH', `${DEPLOYMENTS}/web`, { metadata: { labels: { a: 'b' } } }, { 'content-type': MERGE });
    expect(labelled.body.metadata.generation).toBe(1);
    const scaled = await send(server, 'PATCH', `${DEPLOYMENTS}/web`, { spec: { replicas: 2 }, status: { replicas: 9 } }, { 'content-type': MERGE });
    expect(scaled.body).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 2 } });
    expect(scaled.body.status).not.toHaveProperty('replicas');
    const status = await send(server, 'PATCH', `${DEPLOYMENTS}/web/status`, { spec: { replicas: 7 }, status: { replicas: 2 } }, { 'content-type': MERGE });
    expect(status.body).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 2 }, status: { replicas: 2 } });
  });

  it('refuses a stale resourceVersion with 409 and applies a dry run to nothing', async () => {
    await fresh();
    const { body } = await send(server, 'POST', CMS, configMap('a', { k: '1' }));
    expect(await send(server, 'PUT', `${CMS}/a?dryRun=All`, configMap('a', { k: '2' }))).toMatchObject({ status: 200, body: { data: { k: '2' } } });
    expect((await send(server, 'GET', `${CMS}/a`)).body).toMatchObject({ data: { k: '1' } });
    await send(server, 'PUT', `${CMS}/a`, configMap('a', { k: '3' }));
    const stale = { ...configMap('a'), metadata: { name: 'a', resourceVersion: body.metadata.resourceVersion } };
    expect(await send(server, 'PUT', `${CMS}/a`, stale)).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
    expect(await send(server, 'POST', `${CMS}?dryRun=All`, configMap('b'))).toMatchObject({ status: 201 });
    expect((await send(server, 'GET', `${CMS}/b`)).status).toBe(404);
    expect(await send(server, 'POST', `${CMS}?dryRun=Some`, configMap('b'))).toMatchObject({ status: 400 });
  });

  it('continues a list as it was when it began, and answers 410 with a new token when it is too old', async () => {
    await fresh();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await send(server, 'POST', CMS, configMap(name));
    const first = await send(server, 'GET', `${CMS}?limit=2`);
    expect(first.body.metadata.remainingItemCount).toBe(3);
    await send(server, 'DELETE', `${CMS}/d`);
    const token = encodeURIComponent(first.body.metadata.continue ?? '');
    const second = await send(server, 'GET', `${CMS}?limit=9&continue=${token}`);
    expect(second.body.items.map((i) => i.metadata.name)).toEqual(['c', 'd', 'e']);
    expect(second.body.metadata).toEqual({ resourceVersion: first.body.metadata.resourceVersion });
    server.compact();
    const expired = await send(server, 'GET', `${CMS}?limit=9&continue=${token}`);
    expect(expired).toMatchObject({ status: 410, body: { reason: 'Expired' } });
    const goesOn = await send(server, 'GET', `${CMS}?limit=9&continue=${encodeURIComponent(expired.body.metadata.continue ?? '')}`);
    expect(goesOn.body.items.map((i) => i.metadata.name)).toEqual(['c', 'e']);
  });

  it('sends a WatchList: objects, the marked bookmark, then changes as they match', async () => {
    await fresh();
    await send(server, 'POST', CMS, { ...configMap('a'), metadata: { name: 'a', labels: { on: 'yes' } } });
    const watch = await WatchReader.open(server, `${CMS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=on%3Dyes`);
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
    const mark = await watch.next();
    expect(mark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } });
    await send(server, 'POST', CMS, configMap('b'));
    await send(server, 'PATCH', `${CMS}/b`, { metadata: { labels: { on: 'yes' } } }, { 'content-type': MERGE });
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b' } } });
    await send(server, 'PATCH', `${CMS}/b`, { data: { x: 'y' } }, { 'content-type': MERGE });
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { data: { x: 'y' } } });
    await send(server, 'PATCH', `${CMS}/b`, { metadata: { labels: { on: 'no' } } }, { 'content-type': MERGE });
    expect(await watch.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'b', labels: { on: 'yes' } } } });
    watch.close();
  });

  it('flushes the headers of a watch on which nothing happens, and ends it after timeoutSeconds', async () => {
    await fresh();
    // Opening waits for the headers alone: without the flush it would wait for the first event, which comes after it.
    const quiet = await WatchReader.open(server, `${CMS}?watch=true&resourceVersion=0&timeoutSeconds=300`);
    await send(server, 'POST', CMS, configMap('a'));
    expect(await quiet.next()).toMatchObject({ type: 'ADDED' });
    quiet.close();
    const short = await WatchReader.open(server, `${CMS}?watch=true&resourceVersion=${server.objects('configmaps')[0]?.metadata.resourceVersion}&timeoutSeconds=1`);
    await expect(short.next()).rejects.toThrow('the watch ended');
  });

  it('resumes a watch after a resourceVersion, and answers 410 in the stream when that is forgotten', async () => {
    await fresh();
    const { body } = await send(server, 'POST', CMS, configMap('a'));
    await send(server, 'DELETE', `${CMS}/a`);
    const path = `${CMS}?watch=true&resourceVersion=${body.metadata.resourceVersion}`;
    const resumed = await WatchReader.open(server, path);
    expect(await resumed.next()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } });
    resumed.close();
    server.compact();
    const late = await WatchReader.open(server, path);
    expect(await late.next()).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
  });

  it('keeps an object until its last finalizer is gone, and a pod on a node until its grace period is set to 0', async () => {
    await fresh();
    await send(server, 'POST', CMS, { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    expect((await send(server, 'DELETE', `${CMS}/held`)).body.metadata.deletionTimestamp).toBeDefined();
    expect(await send(server, 'POST', CMS, configMap('held'))).toMatchObject({ status: 409, body: { message: expect.stringContaining('object is being deleted') as string } });
    await send(server, 'PATCH', `${CMS}/held`, { metadata: { finalizers: null } }, { 'content-type': MERGE });
    expect((await send(server, 'GET', `${CMS}/held`)).status).toBe(404);
    const PODS = '/api/v1/namespaces/default/pods';
    await send(server, 'POST', PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x' }] } });
    expect((await send(server, 'DELETE', `${PODS}/p`)).body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect((await send(server, 'GET', `${PODS}/p`)).status).toBe(200);
    await send(server, 'DELETE', `${PODS}/p`, { gracePeriodSeconds: 0 });
    expect((await send(server, 'GET', `${PODS}/p`)).status).toBe(404);
  });

  it('refuses new content in a namespace that is being deleted, and removes it when it is finalized', async () => {
    await fresh();
    await send(server, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } });
    expect((await send(server, 'DELETE', '/api/v1/namespaces/gone')).body.status).toEqual({ phase: 'Terminating' });
    const refused = await send(server, 'POST', '/api/v1/namespaces/gone/configmaps', configMap('x'));
    expect(refused).toMatchObject({ status: 403, body: { details: { causes: [{ reason: 'NamespaceTerminating' }] } } });
    const { body } = await send(server, 'GET', '/api/v1/namespaces/gone');
    await send(server, 'PUT', '/api/v1/namespaces/gone/finalize', { ...body, spec: { finalizers: [] } });
    expect((await send(server, 'GET', '/api/v1/namespaces/gone')).status).toBe(404);
    expect(await send(server, 'POST', '/api/v1/namespaces/never/configmaps', configMap('x'))).toMatchObject({ status: 404 });
  });

  it('takes JSON, YAML and gzip, and refuses other media types, methods and streams with one sentence', async () => {
    await fresh();
    expect(await send(server, 'POST', CMS, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\ndata: {when: "2020-01-01"}\n', { 'content-type': 'application/yaml' })).toMatchObject({ status: 201 });
    const zipped = await fetch(server.url + CMS, { method: 'POST', body: new Uint8Array(gzipSync(JSON.stringify(configMap('z')))), headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/json', 'content-encoding': 'gzip' } });
    expect(zipped.status).toBe(201);
    expect(await send(server, 'POST', CMS, 'x', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(await send(server, 'PUT', CMS, configMap('a'))).toMatchObject({ status: 405 });
    expect(await send(server, 'GET', '/api/v1/namespaces/default/pods/p/exec')).toMatchObject({ status: 501, body: { message: expect.stringContaining('does not serve pods/exec') as string } });
    expect(await send(server, 'POST', CMS, `{"a":"${'x'.repeat(3_200_000)}"}`)).toMatchObject({ status: 413 });
    expect(await send(server, 'GET', CMS, undefined, { accept: 'text/html' })).toMatchObject({ status: 406 });
  });

  it('lets nobody in with a wrong token and lets roles decide for users', async () => {
    await fresh();
    expect(await send(server, 'GET', CMS, undefined, { authorization: 'Bearer wrong' })).toMatchObject({ status: 401, body: { reason: 'Unauthorized' } });
    const ann = server.addUser('ann');
    const as = { authorization: `Bearer ${ann}` };
    expect((await send(server, 'GET', CMS, undefined, as)).body.message).toBe('configmaps is forbidden: User "ann" cannot list resource "configmaps" in API group "" in the namespace "default"');
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
    const base = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await send(server, 'POST', `${base}/roles`, { ...rbac, kind: 'Role', metadata: { name: 'r' }, rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] }] });
    await send(server, 'POST', `${base}/rolebindings`, { ...rbac, kind: 'RoleBinding', metadata: { name: 'b' }, roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'ann' }] });
    expect((await send(server, 'GET', CMS, undefined, as)).status).toBe(200);
    expect((await send(server, 'DELETE', `${CMS}/x`, undefined, as)).status).toBe(403);
    expect((await send(server, 'GET', '/api/v1/namespaces/kube-system/configmaps', undefined, as)).status).toBe(403);
    expect((await send(server, 'GET', CMS, undefined, { ...as, 'impersonate-user': 'system:admin' })).status).toBe(403);
  });

  it('writes every accepted write into its journal, with the change that it belongs to', async () => {
    await fresh();
    await send(server, 'POST', CMS, { ...configMap('j'), metadata: { name: 'j', annotations: { 'larry.dev/change': 'run/task/1' } } }, { 'user-agent': 'larry/1' });
    await send(server, 'POST', CMS, configMap('j'));
    await send(server, 'PATCH', `${CMS}/j`, { data: { a: 'b' } }, { 'content-type': MERGE });
    await send(server, 'PATCH', `${CMS}/j`, { data: { a: 'b' } }, { 'content-type': MERGE });
    await send(server, 'PATCH', `${CMS}/j?dryRun=All`, { data: { a: 'c' } }, { 'content-type': MERGE });
    await send(server, 'DELETE', `${CMS}/j`);
    expect(server.journal().map(({ verb, changed, change, manager }) => [verb, changed, change, manager])).toEqual([
      ['create', true, 'run/task/1', 'larry'], ['patch', true, 'run/task/1', 'node'], ['patch', false, 'run/task/1', 'node'], ['delete', true, 'run/task/1', 'node'],
    ]);
    expect(server.journal().map((e) => e.seq)).toEqual([1, 2, 3, 4]);
  });

  it('fails as it is told to: by answer, by cutting the reply of a write that was done, n times', async () => {
    await fresh();
    server.faults.add({ method: 'GET', path: '/configmaps', times: 2, fault: { kind: 'answer', code: 429, retryAfterSeconds: 3 } });
    const busy = await send(server, 'GET', CMS);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '3']);
    expect([(await send(server, 'GET', CMS)).status, (await send(server, 'GET', CMS)).status]).toEqual([429, 200]);
    server.faults.add({ method: 'POST', fault: { kind: 'cut-after' } });
    await expect(send(server, 'POST', CMS, configMap('done'))).rejects.toThrow();
    expect((await send(server, 'GET', `${CMS}/done`)).status).toBe(200);
    expect(server.faults.pending()).toBe(0);
    server.faults.add({ path: /configmaps\/done/, fault: { kind: 'hang' } });
    const controller = new AbortController();
    const hanging = fetch(`${server.url}${CMS}/done`, { signal: controller.signal, headers: { authorization: `Bearer ${server.adminToken}` } });
    await send(server, 'GET', CMS);
    controller.abort();
    await expect(hanging).rejects.toThrow();
  });

  it('serves a frozen snapshot as it was, kinds without a definition included, and changes nothing', async () => {
    const objects = [
      { apiVersion: 'v1', kind: 'ConfigMapList', items: [{ metadata: { name: 'c', namespace: 'n', uid: 'u-1', resourceVersion: '41' }, data: { a: 'b' } }] },
      { apiVersion: 'helm.cattle.io/v1', kind: 'HelmChart', metadata: { name: 'traefik', namespace: 'kube-system' }, spec: { chart: 't' } },
      { nonsense: true },
    ];
    await fresh({ frozen: true });
    await server.close();
    const started = await SimulatedApiServer.start({ frozen: true, objects });
    server = started;
    expect((await send(server, 'GET', '/api/v1/namespaces/n/configmaps/c')).body.metadata).toMatchObject({ uid: 'u-1', resourceVersion: '41' });
    expect((await send(server, 'GET', '/apis/helm.cattle.io/v1/helmcharts')).body.items).toHaveLength(1);
    expect((await send(server, 'GET', '/api/v1/namespaces')).body.items).toEqual([]);
    for (const [method, path] of [['POST', CMS], ['PATCH', '/api/v1/namespaces/n/configmaps/c'], ['DELETE', '/api/v1/namespaces/n/configmaps/c']] as const) {
      expect(await send(server, method, path, configMap('c'), { 'content-type': MERGE })).toMatchObject({ status: 405, body: { message: expect.stringContaining('frozen snapshot') as string } });
    }
    expect(server.journal()).toEqual([]);
    expect(server.load([{ nonsense: true }])).toEqual({ loaded: 0, skipped: [{ what: '  ', reason: 'it lacks apiVersion, kind or metadata.name' }] });
  });

  it('follows a log that the kubelet fills over HTTP, and keeps the previous life', async () => {
    await fresh();
    const status = { phase: 'Running', containerStatuses: [{ name: 'c', state: { running: {} } }] };
    server.load([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x' }] }, status }]);
    const put = (restart: number, line: string) => send(server, 'POST', '/simulation/logs/default/p/c', { restart, lines: [{ time: '2026-01-01T00:00:00Z', line }] });
    await put(0, 'first life');
    await put(1, 'second life');
    const LOG = '/api/v1/namespaces/default/pods/p/log';
    expect((await send(server, 'GET', `${LOG}?previous=true`)).body).toBe('first life\n');
    const req = request(`${server.url}${LOG}?follow=true&timestamps=true`, { headers: { authorization: `Bearer ${server.adminToken}` } });
    req.end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    const [present] = (await once(res, 'data')) as [Buffer];
    expect(present.toString()).toBe('2026-01-01T00:00:00Z second life\n');
    await put(1, 'and on');
    const [more] = (await once(res, 'data')) as [Buffer];
    expect(more.toString()).toContain('and on');
    res.destroy();
    expect(await send(server, 'GET', `${LOG}?container=z`)).toMatchObject({ status: 400, body: { message: 'container z is not valid for pod p' } });
  });

  it('evicts a pod unless a disruption budget forbids it', async () => {
    await fresh();
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
    server.load([pod, { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b' }, spec: { selector: { matchLabels: { app: 'a' } } }, status: { disruptionsAllowed: 0 } }]);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } };
    const path = '/api/v1/namespaces/default/pods/p/eviction';
    expect(await send(server, 'POST', path, eviction)).toMatchObject({ status: 429, body: { message: "Cannot evict pod as it would violate the pod's disruption budget." } });
    await send(server, 'PATCH', '/apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status', { status: { disruptionsAllowed: 1 } }, { 'content-type': MERGE });
    expect((await send(server, 'POST', path, eviction)).status).toBe(201);
    expect((await send(server, 'GET', '/api/v1/namespaces/default/pods/p')).status).toBe(404);
  });

  it('counts requests by verb', async () => {
    await fresh();
    await send(server, 'GET', CMS);
    await send(server, 'POST', CMS, configMap('m'));
    expect(server.requests()).toEqual({ list: 1, create: 1 });
  });

  it('serves objects of a definition, pruned, defaulted and validated by its schema, until it goes', async () => {
    await fresh();
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', required: ['size'], properties: { size: { type: 'integer', maximum: 5 }, color: { type: 'string', default: 'red' } } } } } };
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'toys.x.io' }, spec: { group: 'x.io', scope: 'Namespaced', names: { plural: 'toys', kind: 'Toy' }, versions: [{ name: 'v1', served: true, storage: true, schema }] } };
    const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    expect((await send(server, 'POST', CRDS, crd)).status).toBe(201);
    const TOYS = '/apis/x.io/v1/namespaces/default/toys';
    const toy = (spec: unknown) => ({ apiVersion: 'x.io/v1', kind: 'Toy', metadata: { name: 't' }, spec });
    expect(await send(server, 'POST', TOYS, toy({ size: 9 }))).toMatchObject({ status: 422 });
    expect((await send(server, 'POST', TOYS, toy({}))).body.message).toContain('spec.size: Required value');
    expect(await send(server, 'POST', `${TOYS}?fieldValidation=Strict`, toy({ size: 1, nope: 1 }))).toMatchObject({ status: 400 });
    const created = await send(server, 'POST', TOYS, toy({ size: 1, nope: 1 }));
    expect([created.status, created.body.spec, created.headers.get('warning')]).toEqual([201, { size: 1, color: 'red' }, '299 - "unknown field \\"spec.nope\\""']);
    await send(server, 'DELETE', `${CRDS}/toys.x.io`);
    expect((await send(server, 'GET', TOYS)).status).toBe(404);
  });

  it('shows core events as events.k8s.io events and the other way round', async () => {
    await fresh();
    const regarding = { kind: 'Pod', name: 'p', namespace: 'default' };
    await send(server, 'POST', '/apis/events.k8s.io/v1/namespaces/default/events', { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'e' }, regarding, note: 'said', reason: 'R', type: 'Normal', eventTime: '2026-01-01T00:00:00.000000Z' });
    expect((await send(server, 'GET', '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp')).body.items).toMatchObject([{ message: 'said', involvedObject: regarding }]);
    expect((await send(server, 'GET', '/apis/events.k8s.io/v1/namespaces/default/events/e')).body).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'said', regarding });
  });
});
