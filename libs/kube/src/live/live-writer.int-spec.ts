import { aConfigMap } from '../builders';
import { removeFolders } from '../testing-folder';
import type { WriteOutcome } from '../writer';
import { openLive, type LiveCluster } from './live';
import { aStatus, reply, scriptedApi, type Script, type ScriptedApi } from './testing-api';

const open: { api?: ScriptedApi; live?: LiveCluster }[] = [];
afterEach(async () => {
  for (const { api, live } of open.splice(0)) {
    await live?.close();
    await api?.close();
  }
});
afterAll(removeFolders);

async function cluster(script: Script): Promise<{ api: ScriptedApi; live: LiveCluster }> {
  const api = await scriptedApi((request, response) => (request.method === 'GET' ? undefined : script(request, response)));
  open.push({ api });
  const live = await openLive({ kubeconfig: api.kubeconfig, timeoutMs: 200, retryMs: 1 });
  open.push({ live });
  return { api, live };
}

const target = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'db', name: 'pgadmin' };
const test = [{ op: 'test', path: '/metadata/uid', value: 'u' }];
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'pgadmin', namespace: 'db' } };
const writes = (api: ScriptedApi) => api.requests.filter(({ method }) => method !== 'GET');

describe('a conditional patch', () => {
  it('is a JSON patch of the field manager larry, or a dry run of it', async () => {
    const { api, live } = await cluster((_, response) => reply(response, 200, deployment));
    expect(await live.writer().patch({ target, patch: test }, { dryRun: true })).toEqual({ outcome: 'done', object: deployment });
    const [sent] = writes(api);
    expect(sent?.method).toBe('PATCH');
    expect(sent?.path).toBe('/apis/apps/v1/namespaces/db/deployments/pgadmin');
    expect(sent?.query.toString()).toBe('fieldManager=larry&dryRun=All');
    expect(sent?.headers['content-type']).toBe('application/json-patch+json');
    expect(JSON.parse(sent?.body ?? '')).toEqual(test);
    await live.writer().patch({ target, patch: test }, { dryRun: false });
    expect(writes(api)[1]?.query.toString()).toBe('fieldManager=larry');
  });

  const invalid = aStatus(422, 'Invalid', 'Deployment "x" is invalid', { causes: [{ field: 'spec' }] });
  it.each<[string, Script, Partial<WriteOutcome>]>([
    ['a newer object is a conflict', (_, r) => reply(r, 409, aStatus(409, 'Conflict', 'the object has been modified')), { outcome: 'conflict', message: 'the object has been modified' }],
    ['a failed test is a conflict', (_, r) => reply(r, 422, aStatus(422, 'Invalid', 'the server rejected our request due to an error in our request')), { outcome: 'conflict' }],
    ['an invalid object is refused', (_, r) => reply(r, 422, invalid), { outcome: 'refused', status: 422, message: 'Deployment "x" is invalid' }],
    ['a missing right is refused', (_, r) => reply(r, 403, aStatus(403, 'Forbidden', 'no')), { outcome: 'refused', status: 403 }],
    ['a missing object is refused', (_, r) => reply(r, 404, aStatus(404, 'NotFound', 'gone')), { outcome: 'refused', status: 404 }],
    ['an error of the server is unknown', (_, r) => reply(r, 500, aStatus(500, 'InternalError', 'etcdserver: request timed out')), { outcome: 'unknown', message: '500: etcdserver: request timed out' }],
    ['a cut connection is unknown', (_, r) => r.destroy(), { outcome: 'unknown' }],
    ['a server that hangs is unknown', () => true, { outcome: 'unknown', message: expect.stringContaining('did not answer within 0.2 s') as string }],
    ['an answer that is not JSON is unknown', (_, r) => reply(r, 200, '<html>'), { outcome: 'unknown' }],
  ])('%s, and it is sent once', async (_, script, outcome) => {
    const { api, live } = await cluster(script);
    expect(await live.writer().patch({ target, patch: test }, { dryRun: false })).toMatchObject(outcome);
    expect(writes(api)).toHaveLength(1);
  });

  it('is sent again after a 429, which says that nothing was done', async () => {
    let sent = 0;
    const { live } = await cluster((_, response) => ((sent += 1) === 1 ? reply(response, 429, {}, { 'Retry-After': '0' }) : reply(response, 200, deployment)));
    expect(await live.writer().patch({ target, patch: test }, { dryRun: false })).toMatchObject({ outcome: 'done' });
    expect(sent).toBe(2);
  });

  it('is not sent when the guard throws, which is asked directly before each request', async () => {
    const { api, live } = await cluster((_, response) => reply(response, 429, {}, { 'Retry-After': '0' }));
    let asked = 0;
    const guard = (): void => {
      asked += 1;
      if (asked === 3) throw new Error('the lease may be over');
    };
    await expect(live.writer().patch({ target, patch: test }, { dryRun: false, guard })).rejects.toThrow('the lease may be over');
    expect(writes(api)).toHaveLength(2);
  });

  it('is refused without a request for kinds not served and names that are none', async () => {
    const { api, live } = await cluster(() => true);
    const writer = live.writer();
    expect(await writer.patch({ target: { ...target, kind: 'Nothing' }, patch: test }, { dryRun: false })).toMatchObject({ outcome: 'refused', status: 404 });
    expect(await writer.patch({ target: { ...target, name: '../x' }, patch: test }, { dryRun: false })).toMatchObject({ outcome: 'refused', status: 400 });
    expect(writes(api)).toEqual([]);
  });
});

describe('creation and deletion', () => {
  it('creates without the marks of an earlier life', async () => {
    const { api, live } = await cluster((_, response) => reply(response, 201, aConfigMap()));
    expect(await live.writer().create(aConfigMap({ data: { a: 'b' } }), { dryRun: false })).toMatchObject({ outcome: 'done' });
    const [sent] = writes(api);
    expect([sent?.method, sent?.path]).toEqual(['POST', '/api/v1/namespaces/default/configmaps']);
    expect(JSON.parse(sent?.body ?? '')).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'thing', namespace: 'default' }, data: { a: 'b' } });
  });

  it('says conflict of what exists already', async () => {
    const { live } = await cluster((_, response) => reply(response, 409, aStatus(409, 'AlreadyExists', 'exists')));
    expect(await live.writer().create(aConfigMap(), { dryRun: false })).toEqual({ outcome: 'conflict', message: 'exists' });
  });

  it('deletes under preconditions', async () => {
    const { api, live } = await cluster((_, response) => reply(response, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }));
    expect(await live.writer().remove(target, { uid: 'u', resourceVersion: '7' }, { dryRun: true })).toEqual({ outcome: 'done', object: deployment });
    expect(writes(api)[0]?.method).toBe('DELETE');
    expect(JSON.parse(writes(api)[0]?.body ?? '')).toMatchObject({ preconditions: { uid: 'u', resourceVersion: '7' }, dryRun: ['All'], propagationPolicy: 'Background' });
  });
});

it.each([true, false])('asks the server whether the account may: %s', async (allowed) => {
  const { api, live } = await cluster((_, response) => reply(response, 201, { status: { allowed } }));
  expect(await live.writer().may('patch', target, 'scale')).toBe(allowed);
  expect(JSON.parse(writes(api)[0]?.body ?? '')).toMatchObject({
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb: 'patch', group: 'apps', version: 'v1', resource: 'deployments', subresource: 'scale', namespace: 'db', name: 'pgadmin' } },
  });
});
