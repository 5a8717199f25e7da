import type { ServerResponse } from 'node:http';
import { aPod } from '../builders';
import { removeFolders } from '../testing-folder';
import { openLive, type LiveCluster } from './live';
import { aStatus, reply, scriptedApi, type Script, type ScriptedApi } from './testing-api';
import type { ObjectChange } from './watch';

const pods = { apiVersion: 'v1', kind: 'Pod' };
const open: { api?: ScriptedApi; live?: LiveCluster }[] = [];
afterEach(async () => {
  for (const { api, live } of open.splice(0)) {
    await live?.close();
    await api?.close();
  }
});
afterAll(removeFolders);

async function cluster(script: Script): Promise<{ api: ScriptedApi; live: LiveCluster }> {
  const api = await scriptedApi(script);
  open.push({ api });
  const live = await openLive({ kubeconfig: api.kubeconfig, retryMs: 1 });
  open.push({ live });
  return { api, live };
}

const at = (name: string, resourceVersion: string) => aPod({ name, metadata: { resourceVersion } });
const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const listed = (response: ServerResponse, resourceVersion: string, ...items: unknown[]) => reply(response, 200, { kind: 'PodList', metadata: { resourceVersion }, items });

async function take(changes: AsyncIterable<ObjectChange>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type, object } of changes) {
    seen.push(`${type} ${object.metadata.name}`);
    if (seen.length === count) break;
  }
  return seen;
}

describe('a watch', () => {
  it('gives what is there, then what changes, over events that arrive in pieces', async () => {
    const { api, live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/namespaces/db/pods') return undefined;
      if (!query.has('watch')) return listed(response, '5', aPod({ name: 'a', namespace: 'db' }));
      const text = event('MODIFIED', aPod({ name: 'a', namespace: 'db' })) + event('DELETED', aPod({ name: 'a', namespace: 'db' }));
      response.write(text.slice(0, 30), () => setImmediate(() => response.write(text.slice(30))));
      return true;
    });
    expect(await take(live.watch(pods, { namespace: 'db', labelSelector: 'a=b' }), 3)).toEqual(['present a', 'modified a', 'deleted a']);
    const sent = api.requests.at(-1)?.query;
    expect([sent?.get('resourceVersion'), sent?.get('allowWatchBookmarks'), sent?.get('labelSelector')]).toEqual(['5', 'true', 'a=b']);
  });

  it('takes up a cut connection where it was, bookmarks included', async () => {
    const places: (string | null)[] = [];
    const { live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      if (!query.has('watch')) return listed(response, '5');
      places.push(query.get('resourceVersion'));
      if (places.length === 1) response.end(event('ADDED', at('a', '6')) + event('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '9' } }));
      else if (places.length === 2) response.write(event('ADDED', at('b', '10')), () => response.destroy());
      else response.write(event('ADDED', at('c', '11')));
      return true;
    });
    expect(await take(live.watch(pods), 3)).toEqual(['added a', 'added b', 'added c']);
    expect(places).toEqual(['5', '9', '10']);
  });

  it('begins again when the server has forgotten the place', async () => {
    let lists = 0;
    const { live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      if (!query.has('watch')) return listed(response, String((lists += 1)), at(`p${lists}`, '1'));
      if (lists === 1) response.end(event('ERROR', aStatus(410, 'Expired', 'too old resource version')));
      else response.write(event('ADDED', at('new', '9')));
      return true;
    });
    expect(await take(live.watch(pods), 3)).toEqual(['present p1', 'present p2', 'added new']);
  });

  it('ends when its signal is aborted', async () => {
    const { live } = await cluster(({ path, query }, response) => {
      if (path !== '/api/v1/pods') return undefined;
      if (!query.has('watch')) return listed(response, '5', at('a', '1'));
      response.flushHeaders();
      return true;
    });
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { object } of live.watch(pods, { signal: stop.signal })) {
      seen.push(object.metadata.name);
      setImmediate(() => stop.abort());
    }
    expect(seen).toEqual(['a']);
  });

  it('says that it is not permitted, and gives up on a server that always cuts it', async () => {
    const { live } = await cluster(({ path, query }, response) => {
      if (path === '/api/v1/services') return query.has('watch') ? reply(response, 403, aStatus(403, 'Forbidden', 'no')) : listed(response, '1');
      if (path !== '/api/v1/pods') return undefined;
      return query.has('watch') ? response.destroy() : listed(response, '1');
    });
    await expect(take(live.watch({ apiVersion: 'v1', kind: 'Service' }), 1)).rejects.toThrow('Service: unknown (forbidden: watching is not permitted)');
    await expect(take(live.watch(pods), 1)).rejects.toThrow('cut the watch of pods 5 times in a row');
  });
});
