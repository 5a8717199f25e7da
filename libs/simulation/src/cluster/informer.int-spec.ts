import { SimulatedApiServer } from '../server';
import { Activity } from './activity';
import { ApiClient } from './api-client';
import { Informer, type Change } from './informer';
import { kinds } from './kinds';
import type { ConfigMap } from './types';
import { eventually } from '../testing';

const ns = 'default';
let server: SimulatedApiServer;
let api: ApiClient;
let informer: Informer<ConfigMap>;
let changes: string[];

beforeEach(async () => {
  server = await SimulatedApiServer.start();
  api = new ApiClient({ url: server.url, token: server.adminToken, userAgent: 'spec' });
  informer = new Informer(api, kinds.configMaps, new Activity());
  changes = [];
  informer.onChange((change: Change<ConfigMap>) => changes.push(`${change.type} ${change.object.metadata.name}`));
});
afterEach(async () => {
  await informer.stop();
  api.close();
  await server.close();
});

const put = (name: string) => api.create(kinds.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { n: '0' } }, ns);
const touch = (name: string, n: string) => api.patch(kinds.configMaps, { metadata: { name, namespace: ns } }, { data: { n } });
const lists = () => server.requests().list ?? 0;

describe('an informer', () => {
  it('lists once, then hears of every change', async () => {
    await put('a');
    await informer.start();
    await put('b');
    await touch('a', '1');
    await api.delete(kinds.configMaps, { metadata: { name: 'b', namespace: ns } });
    await eventually(() => expect(changes).toEqual(['added a', 'added b', 'updated a', 'deleted b']));
    expect(lists()).toBe(1);
  });

  it('resumes a broken watch where it broke, without a new list', async () => {
    server.faults.add({ path: 'watch=true', times: 2, fault: { kind: 'cut-after' } });
    await informer.start();
    await put('a');
    await eventually(() => expect(changes).toEqual(['added a']));
    expect(server.faults.pending()).toBe(0);
    expect(lists()).toBe(1);
  });

  it('lists anew when the server has forgotten, and tells what changed meanwhile', async () => {
    await put('gone');
    await put('kept');
    server.faults.add({ path: 'watch=true', fault: { kind: 'answer', code: 410 } });
    server.faults.add({ path: 'watch=true', times: 1, fault: { kind: 'delay', ms: 50 } });
    await informer.start();
    await api.delete(kinds.configMaps, { metadata: { name: 'gone', namespace: ns } });
    await eventually(() => expect(informer.all().map((each) => each.metadata.name)).toEqual(['kept']));
    expect(changes).toEqual(['added gone', 'added kept', 'deleted gone']);
    expect(lists()).toBe(2);
  });

  it('never goes back behind a write that it was shown', async () => {
    const first = await put('a');
    await informer.start();
    const second = informer.observe(await touch('a', '2'));
    informer.observe(first);
    expect(informer.get(`${ns}/a`)).toEqual(second);
  });

  it('does not bring back what is gone, however late an answer comes', async () => {
    await informer.start();
    const made = await put('a');
    await api.delete(kinds.configMaps, made);
    await eventually(() => expect(changes).toEqual(['added a', 'deleted a']));
    informer.observe(made);
    expect(informer.all()).toEqual([]);
  });
});
