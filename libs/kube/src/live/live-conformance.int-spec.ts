import type { KubeObject } from '@larry/contracts';
import { builtinKinds, kindKey } from '../builtin-kinds';
import { conformanceLog, conformanceObjects, readerConformance } from '../reader.conformance';
import { listAll, removeFolders } from '../testing-folder';
import { openLive } from './live';
import { aStatus, discoveryOf, reply, scriptedApi, type Script, type ScriptedApi } from './testing-api';

const servers: ScriptedApi[] = [];
afterAll(async () => {
  for (const api of servers) await api.close();
  await removeFolders();
});

const goose = { apiVersion: 'zoo.example/v1', kind: 'Goose', resource: 'geese', namespaced: true };
const discovered = { metadata: { name: 'zoo.example' }, versions: [{ version: 'v1', resources: [{ resource: 'geese', responseKind: { kind: 'Goose' }, scope: 'Namespaced', verbs: ['list'] }] }] };

/** Serves the suite's objects two a page, as the API server does, and leaves label and field selectors to the client. */
const serve: Script = ({ path, query }, response) => {
  if (path === '/apis') return reply(response, 200, discoveryOf(path, [discovered]));
  const [, group, namespace, resource, name, sub] = /^\/(?:api|apis)\/((?:[^/]+\/)?v\d)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(\/log)?$/.exec(path) ?? [];
  const kind = [...builtinKinds, goose].find((candidate) => candidate.apiVersion === group && candidate.resource === resource);
  if (!kind) return undefined;
  const found = conformanceObjects.filter((o) => kindKey(o) === kindKey(kind) && (!namespace || o.metadata.namespace === namespace));
  if (sub) return query.get('container') === 'app' ? response.end(conformanceLog.join('\n')) : reply(response, 400, aStatus(400, 'BadRequest', 'container none is not valid'));
  if (name !== undefined) return replyOne(response, found.find((o) => o.metadata.name === name));
  const from = Number(query.get('continue') ?? 0);
  const next = from + 2 < found.length ? { continue: String(from + 2) } : {};
  return reply(response, 200, { kind: `${kind.kind}List`, apiVersion: group, metadata: next, items: found.slice(from, from + 2).map(withoutKind) });
};

function replyOne(response: Parameters<Script>[1], object: KubeObject | undefined): true {
  return object ? reply(response, 200, object) : reply(response, 404, aStatus(404, 'NotFound', 'not found'));
}

function withoutKind({ kind: _, apiVersion: __, ...rest }: KubeObject): Record<string, unknown> {
  return rest;
}

readerConformance('openLive', async () => {
  const api = await scriptedApi(serve);
  servers.push(api);
  return { reader: await openLive({ kubeconfig: api.kubeconfig, retryMs: 1 }) };
});

const real = process.env['KUBECONFIG'];
(real ? describe : describe.skip)(`the API server that KUBECONFIG names${real ? '' : ' (KUBECONFIG is not set)'}`, () => {
  it('lists what kinds() says can be listed and gets what it lists', async () => {
    const live = await openLive();
    try {
      const kinds = await live.kinds();
      expect(kinds.length).toBeGreaterThan(20);
      for (const info of kinds.filter(({ availability }) => availability.state === 'listed')) {
        const [first] = await listAll(live, info);
        if (first) expect(await live.get({ ...first, ...first.metadata })).toMatchObject({ kind: info.kind, metadata: { name: first.metadata.name } });
      }
    } finally {
      await live.close();
    }
  });
});
