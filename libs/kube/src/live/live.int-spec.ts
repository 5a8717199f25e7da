import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aPod } from '../builders';
import { aFolder, listAll, removeFolders } from '../testing-folder';
import { UnknownKindError } from '../errors';
import { ApiClient } from './api-request';
import { Credentials } from './credentials';
import { loadTarget } from './kubeconfig';
import { listPages } from './list-pages';
import { openLive, type LiveCluster, type LiveOptions } from './live';
import { aStatus, discoveryOf, reply, scriptedApi, type Script, type ScriptedApi } from './testing-api';

const pods = { apiVersion: 'v1', kind: 'Pod' };
const open: { api?: ScriptedApi; live?: LiveCluster }[] = [];

afterEach(async () => {
  for (const { api, live } of open.splice(0)) {
    await live?.close();
    await api?.close();
  }
});
afterAll(removeFolders);

async function cluster(script: Script, options: Partial<LiveOptions> = {}): Promise<{ api: ScriptedApi; live: LiveCluster }> {
  const api = await scriptedApi(script);
  open.push({ api });
  const live = await openLive({ kubeconfig: api.kubeconfig, timeoutMs: 2_000, retryMs: 1, ...options });
  open.push({ live });
  return { api, live };
}

const list = (items: unknown[], metadata: Record<string, unknown> = {}) => ({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1', ...metadata }, items });
const bare = (name: string) => {
  const { kind: _, apiVersion: __, ...rest } = aPod({ name });
  return rest;
};
const names = async (live: LiveCluster, options = {}) => (await listAll(live, pods, options)).map((pod) => pod.metadata.name);

describe('listing from a live cluster', () => {
  it('pages with limit and continue and gives elements their kind', async () => {
    const { api, live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      return query.get('continue') === 'c1' ? reply(response, 200, list([bare('b')])) : reply(response, 200, list([bare('a')], { continue: 'c1' }));
    });
    const found = await listAll(live, pods);
    expect(found.map((pod) => [pod.apiVersion, pod.kind, pod.metadata.name])).toEqual([['v1', 'Pod', 'a'], ['v1', 'Pod', 'b']]); // prettier-ignore
    const pages = api.requests.filter(({ path }) => path === '/api/v1/pods');
    expect(pages.map(({ query }) => query.get('limit'))).toEqual(['500', '500']);
    expect(pages[0]?.headers.authorization).toBe('Bearer the-token');
  });

  it('starts again once when the list expires in the middle, without giving an object twice', async () => {
    let lists = 0;
    const { live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      if (query.get('continue') === 'old') return reply(response, 410, aStatus(410, 'Expired', 'too old'));
      if (query.get('continue') === 'new') return reply(response, 200, list([bare('b'), bare('c')]));
      lists += 1;
      return reply(response, 200, list([bare('a')], { continue: lists === 1 ? 'old' : 'new' }));
    });
    expect(await names(live)).toEqual(['a', 'b', 'c']);
  });

  it('gives up, unknown, when the list expires again', async () => {
    const { live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      return query.has('continue') ? reply(response, 410, aStatus(410, 'Expired', 'too old')) : reply(response, 200, list([bare('a')], { continue: 'x' }));
    });
    await expect(names(live)).rejects.toThrow('Pod: unknown (the API server says 410: too old)');
  });

  it('gives up, unknown, on a server that names the same page again and again', async () => {
    const { api, live } = await cluster(({ path }, response) => (path === '/api/v1/pods' ? reply(response, 200, list([bare('a')], { continue: 'x' })) : undefined));
    await expect(names(live)).rejects.toThrow(/^Pod: unknown \(.* names the page it just gave as the next one, so that the list would never end\)$/);
    expect(api.requests.filter(({ path }) => path === '/api/v1/pods')).toHaveLength(2);
  });

  it.each([
    ['objects', [bare('a'), bare('b')], 5, 3],
    ['empty pages', [], 1200, 3],
  ])('gives up, unknown, on a list of too many %s', async (_, items, most, requests) => {
    let pages = 0;
    const script: Script = ({ path }, response) => (path === '/api/v1/pods' ? reply(response, 200, list(items, { continue: `c${(pages += 1)}` })) : undefined);
    const { api } = await cluster(script);
    const client = new ApiClient(api.url, new Credentials(await loadTarget({ kubeconfig: api.kubeconfig })));
    const reading = (async () => {
      for await (const _pod of listPages(client, { ...pods, resource: 'pods', namespaced: true }, {}, most));
    })();
    await expect(reading).rejects.toThrow(`lists more than ${most} objects, more than Larry reads`);
    await expect(reading).rejects.toBeInstanceOf(UnknownKindError);
    expect(pages).toBe(requests);
    client.close();
  });

  it.each([
    [429, { 'Retry-After': '0' }],
    [500, {}],
    [503, {}],
  ])('tries again after a %i', async (status, headers) => {
    let asked = 0;
    const { live } = await cluster(({ path }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      asked += 1;
      return asked < 3 ? reply(response, status, aStatus(status, 'Busy', 'later'), headers as Record<string, string>) : reply(response, 200, list([bare('a')]));
    });
    expect(await names(live)).toEqual(['a']);
    expect(asked).toBe(3);
  });

  it('waits as long as a 429 says', async () => {
    const times: number[] = [];
    const { live } = await cluster(({ path }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      times.push(Date.now());
      return times.length === 1 ? reply(response, 429, aStatus(429, 'TooManyRequests', 'later'), { 'Retry-After': '1' }) : reply(response, 200, list([]));
    });
    expect(await names(live)).toEqual([]);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('stops trying after four times', async () => {
    const { api, live } = await cluster(({ path }, response) => (path === '/api/v1/pods' ? reply(response, 500, aStatus(500, 'InternalError', 'etcd is down')) : undefined));
    await expect(names(live)).rejects.toThrow('Pod: unknown (the API server says 500: etcd is down)');
    expect(api.requests.filter(({ path }) => path === '/api/v1/pods')).toHaveLength(4);
  });

  it('says forbidden, not none, of a kind that the account may not list', async () => {
    const message = 'secrets is forbidden: User "x" cannot list resource "secrets" in API group "" at the cluster scope';
    const { live } = await cluster(({ path }, response) => (path === '/api/v1/secrets' ? reply(response, 403, aStatus(403, 'Forbidden', message)) : undefined));
    await expect(listAll(live, { apiVersion: 'v1', kind: 'Secret' })).rejects.toThrow(`Secret: unknown (forbidden: ${message})`);
    await expect(live.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'x', name: 'gone' })).resolves.toBeUndefined();
  });

  it('reads on when a connection is cut, and says so when it always is', async () => {
    let asked = 0;
    const script: Script = ({ path }, response) => {
      if (path !== '/api/v1/pods' && path !== '/api/v1/services') return undefined;
      asked += 1;
      const body = JSON.stringify(list([bare('a')]));
      if (path === '/api/v1/pods' && asked > 1) return reply(response, 200, body);
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': String(body.length) });
      response.write(body.slice(0, 20), () => response.destroy());
      return true;
    };
    const { live } = await cluster(script);
    expect(await names(live)).toEqual(['a']);
    await expect(listAll(live, { apiVersion: 'v1', kind: 'Service' })).rejects.toThrow('cut the connection before its answer was complete');
  });

  it('says that a server hangs', async () => {
    const { live } = await cluster(({ path }) => (path === '/api/v1/pods' ? true : undefined), { timeoutMs: 200 });
    await expect(names(live)).rejects.toThrow(/^http:\/\/127.0.0.1:\d+ did not answer within 0.2 s$/);
  });

  it('says that an answer is not a list of objects', async () => {
    const { live } = await cluster(({ path }, response) => (path === '/api/v1/pods' ? reply(response, 200, '{"kind":"PodList","items":[{]') : undefined));
    await expect(names(live)).rejects.toThrow('answered with something that is not a list of objects');
  });

  it('sends selectors that the server serves and applies the others itself', async () => {
    const { api, live } = await cluster(({ path }, response) => (path === '/api/v1/namespaces/db/pods' ? reply(response, 200, list([aPod({ name: 'a', namespace: 'db' }), aPod({ name: 'b', namespace: 'db' })])) : undefined));
    expect(await names(live, { namespace: 'db', labelSelector: '!x', fieldSelector: 'status.phase=Running,involvedObject.name!=z,metadata.name=b' })).toEqual(['b']);
    const sent = api.requests.at(-1)?.query;
    expect([sent?.get('labelSelector'), sent?.get('fieldSelector')]).toEqual(['!x', 'status.phase=Running,metadata.name=b']);
  });

  it('never asks for a path that a name made up', async () => {
    const { api, live } = await cluster(() => undefined);
    await live.kinds();
    const before = api.requests.length;
    expect(await live.get({ ...pods, namespace: '..', name: '../secrets' })).toBeUndefined();
    expect(await names(live, { namespace: '../x' })).toEqual([]);
    await expect(live.logs({ namespace: 'a', name: '..' }, 'c')).rejects.toThrow('no pod can have the name');
    expect(api.requests.length).toBe(before);
  });

  it('stops at once when its signal is aborted', async () => {
    const { live } = await cluster(({ path }) => (path === '/api/v1/pods' ? true : undefined));
    const stop = new AbortController();
    const listing = names(live, { signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(listing).rejects.toThrow(/abort/i);
  });
});

describe('opening a live cluster', () => {
  it('names context, server and version', async () => {
    const { api, live } = await cluster(() => undefined);
    expect(live.source).toEqual({ type: 'live', name: `test (${api.url})`, simulated: false, serverVersion: 'v1.35.2' });
  });

  it.each<[string, Script]>([
    ['its version', ({ path }, response) => (path === '/version' ? reply(response, 200, { gitVersion: 'v1.36.2+larry-SIMULATED' }) : undefined)],
    ['its ConfigMap', ({ path }, response) => (path.endsWith('/configmaps/larry-simulation') ? reply(response, 200, {}) : undefined)],
    ['its nodes', ({ path }, response) => (path === '/api/v1/nodes' ? reply(response, 200, list([{ metadata: { name: 'n', labels: { 'larry.dev/simulated': 'true' } } }])) : undefined)],
  ])('knows a simulated cluster by %s', async (_, script) => {
    expect((await cluster(script)).live.source.simulated).toBe(true);
  });

  it('says what to do when credentials are refused', async () => {
    await expect(cluster((_, response) => reply(response, 401, aStatus(401, 'Unauthorized', 'Unauthorized')))).rejects.toThrow(/refuses the credentials of this context \(401\): log in again/);
  });

  it('says what to do when nothing listens, or something that is not Kubernetes', async () => {
    const { api } = await cluster(() => undefined);
    await api.close();
    await expect(openLive({ kubeconfig: api.kubeconfig, retryMs: 1 })).rejects.toThrow('refuses the connection: is the API server running there?');
    await expect(cluster((_, response) => reply(response, 200, '<html>'))).rejects.toThrow('answers /version with something that is not JSON: is it a Kubernetes API server?');
  });

  it('runs a credential plugin and tells it the protocol', async () => {
    const plugin = join(await aFolder(), 'plugin.js');
    await writeFile(plugin, `const info=JSON.parse(process.env.KUBERNETES_EXEC_INFO);console.log(JSON.stringify({kind:'ExecCredential',apiVersion:info.apiVersion,status:{token:'from-'+info.kind}}))`);
    const api = await scriptedApi(() => undefined, { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [plugin] } });
    open.push({ api });
    const live = await openLive({ kubeconfig: api.kubeconfig });
    open.push({ live });
    expect(api.requests.map(({ headers }) => headers.authorization)).toContain('Bearer from-ExecCredential');
    const broken = await scriptedApi(() => undefined, { exec: { command: process.execPath, args: ['-e', 'console.error("not logged in");process.exit(1)'] } });
    open.push({ api: broken });
    await expect(openLive({ kubeconfig: broken.kubeconfig })).rejects.toThrow(/the credential plugin .* failed: not logged in; log in again/);
  });

  it('renews credentials once after a 401', async () => {
    const file = join(await aFolder({ token: 'old\n' }), 'token');
    const api = await scriptedApi(
      ({ headers }, response) => {
        if (headers.authorization === 'Bearer new') return undefined;
        writeFileSync(file, 'new\n');
        return reply(response, 401, {});
      },
      { 'token-file': file },
    );
    open.push({ api });
    open.push({ live: await openLive({ kubeconfig: api.kubeconfig }) });
    expect(api.requests.map(({ headers }) => headers.authorization).slice(0, 3)).toEqual(['Bearer old', 'Bearer new', 'Bearer new']);
  });
});

describe('kinds of a live cluster', () => {
  it('come from aggregated discovery; what may not be listed or does not answer is unknown', async () => {
    const custom = { metadata: { name: 'zoo.io' }, versions: [{ version: 'v2', freshness: 'Current', resources: [
      { resource: 'geese', responseKind: { kind: 'Goose' }, scope: 'Namespaced', verbs: ['list'] },
      { resource: '../evil', responseKind: { kind: 'Evil' }, scope: 'Cluster', verbs: ['list'] },
      { resource: 'reviews', responseKind: { kind: 'Review' }, scope: 'Cluster', verbs: ['create'] },
    ] }] }; // prettier-ignore
    const stale = { metadata: { name: 'metrics.k8s.io' }, versions: [{ version: 'v1beta1', freshness: 'Stale' }] };
    const { live } = await cluster(({ path }, response) => {
      if (path === '/apis') return reply(response, 200, discoveryOf(path, [custom, stale]));
      if (path === '/api/v1/secrets') return reply(response, 403, aStatus(403, 'Forbidden', 'no'));
      return path.startsWith('/api') && path.split('/').length > 3 ? reply(response, 200, list([])) : undefined;
    });
    const kinds = await live.kinds();
    const of = (kind: string) => kinds.find((info) => info.kind === kind);
    expect(of('Goose')).toEqual({ apiVersion: 'zoo.io/v2', kind: 'Goose', resource: 'geese', namespaced: true, availability: { state: 'listed' } });
    expect(of('Secret')?.availability).toEqual({ state: 'unknown', reason: 'forbidden: no' });
    expect(of('*')).toMatchObject({ apiVersion: 'metrics.k8s.io/v1beta1', availability: { state: 'unknown' } });
    expect([of('Evil'), of('Review')]).toEqual([undefined, undefined]);
    await expect(listAll(live, { apiVersion: 'no.io/v1', kind: 'No' })).rejects.toThrow('No: unknown (not served)');
  });

  it('come from one request a group where discovery is not aggregated', async () => {
    const { live } = await cluster(({ path }, response) => {
      if (path === '/api') return reply(response, 200, { kind: 'APIVersions', versions: ['v1'] });
      if (path === '/api/v1') return reply(response, 200, { resources: [{ name: 'pods', kind: 'Pod', namespaced: true, verbs: ['list'] }, { name: 'pods/log', kind: 'Pod', namespaced: true, verbs: ['get'] }] });
      if (path === '/apis') return reply(response, 200, { kind: 'APIGroupList', groups: [{ name: 'a.io', preferredVersion: { groupVersion: 'a.io/v2' }, versions: [{ groupVersion: 'a.io/v1' }, { groupVersion: 'a.io/v2' }] }, { name: 'b.io', versions: [{ groupVersion: 'b.io/v1' }] }] });
      if (path === '/apis/a.io/v1' || path === '/apis/a.io/v2') return reply(response, 200, { resources: [{ name: 'as', kind: 'A', namespaced: false, verbs: ['list'] }] });
      return /^\/apis?\/.*(pods|as)$/.test(path) ? reply(response, 200, list([])) : undefined;
    });
    expect((await live.kinds()).map((info) => `${info.apiVersion} ${info.kind} ${info.availability.state}`)).toEqual(['v1 Pod listed', 'a.io/v2 A listed', 'b.io/v1 * unknown']);
  });
});

describe('logs of a live cluster', () => {
  it('are cut to the last lines, and say why there are none', async () => {
    const { api, live } = await cluster(({ path, query }, response) => {
      if (!path.endsWith('/log')) return undefined;
      if (query.get('previous') === 'true') return reply(response, 400, aStatus(400, 'BadRequest', 'previous terminated container "c" in pod "p" not found'));
      response.end('one\ntwo\nthree\n');
      return true;
    });
    expect(await live.logs({ namespace: 'db', name: 'p' }, 'c', { limitBytes: 10 })).toEqual(['two', 'three']);
    expect(api.requests.at(-1)?.path).toBe('/api/v1/namespaces/db/pods/p/log');
    await expect(live.logs({ namespace: 'db', name: 'p' }, 'c', { previous: true })).rejects.toThrow('previous terminated container "c" in pod "p" not found');
  });
});

it('reading everything sends nothing but GET', async () => {
  const { api, live } = await cluster(({ path }, response) => (/\/(pods|services)$/.test(path) ? reply(response, 200, list([])) : undefined));
  await live.kinds();
  await names(live);
  await live.get({ ...pods, namespace: 'a', name: 'b' });
  await live.logs({ namespace: 'a', name: 'b' }, 'c').catch(() => undefined);
  expect(api.requests.length).toBeGreaterThan(10);
  expect(new Set(api.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
});
