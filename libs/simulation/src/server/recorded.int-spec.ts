import { readFileSync } from 'node:fs';
import path from 'node:path';
import { columnsOf } from './columns';
import type { KubeObject } from './kube-object';
import { isObject, record, text } from './kube-object';
import type { Exchange } from './recorded.conformance';
import { World, bodyOf, differences, exchangesOf, headerOf, isFullObject, keyOf, normalised, objectsIn, recordingsFolder, requestBytes } from './recorded.conformance';
import { decodeProtobuf } from './protobuf';
import { KindRegistry } from './registry';
import { SimulatedApiServer } from './server';
import { columnDefinitions } from './table';
import { readTyped } from './typed';

const folder = recordingsFolder();
if (!folder) console.log('recorded.int-spec: skipped, ../shared/recordings is not beside the repository');
const described = folder ? describe : describe.skip;

/** What the simulation does not serve, or what no answer of this server could equal; each with its reason. */
const NOT_COMPARED: [RegExp, string][] = [
  [/flowcontrol|certificates|admissionregistration|apiregistration|resource\.k8s\.io|node\.k8s\.io|metrics/, 'a group that is not served'],
  [/\/(exec|log|portforward|attach)(\?|$)/, 'the recorded nodes serve no logs and no streams'],
  [/watch=true/, 'watches are compared in watch.spec.ts and by kubectl'],
  [/selfsubjectrulesreviews|selfsubjectreviews/, 'the recorded user and its default roles are those of that cluster'],
];

/** Recorded answers that the simulation is known to answer otherwise. A step that comes to be equal fails here, to be removed. */
const KNOWN_DIFFERENT: Record<string, string> = {
  '038 PATCH': 'prints the whole patched object with Go\'s order of fields',
  '079 GET': 'names the resourceVersion of the moment',
  '088 POST': 'the disruption budget\'s status then was not recorded',
  '104 POST': 'CEL rules of custom resources are not evaluated',
  '106 GET': 'its definition was deleted by a request that was not recorded to end',
  '142 GET': 'compares with a compaction; see reads.spec.ts',
  '143 PATCH': 'the YAML parser words a syntax error in its own way',
  '144 POST': 'the recording keeps one of two duplicate fields; see duplicates.spec.ts',
  '145 POST': 'the pod\'s binding before it was not recorded as an object',
};

const dryRun = (e: Exchange) => /dryRun/.test(e.path + JSON.stringify(e.request_body ?? ''));
const isWrite = (e: Exchange) => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(e.method);

function learn(world: World, e: Exchange): void {
  const body = bodyOf(e.response_body);
  if (e.status < 300 && !dryRun(e)) for (const object of objectsIn(e.response_body)) world.see(object);
  for (const { event } of e.events ?? []) {
    if (!isFullObject(event.object)) continue;
    if (event.type === 'DELETED') world.forget(event.object);
    else world.see(event.object);
  }
  if (e.method === 'DELETE' && e.status === 200 && !dryRun(e) && isObject(body)) {
    if (body['kind'] === 'Status') world.forgetPath(e.path);
    else if (isFullObject(body) && !body.metadata.deletionTimestamp) world.forget(body);
  }
}

/** The time at which the recorded server answered, as far as the answer tells. */
function clockOf(body: unknown): Date {
  const meta = record(record(body)['metadata']);
  const times = [...((meta['managedFields'] as { time?: string }[] | undefined) ?? []).map((m) => text(m.time)), text(meta['creationTimestamp'])].filter(Boolean).sort();
  return times.length ? new Date(times.at(-1) as string) : new Date();
}

async function replay(e: Exchange, world: World): Promise<string[]> {
  const want = bodyOf(e.response_body);
  const now = clockOf(want);
  const server = await SimulatedApiServer.start({ adminToken: 'replay', now: () => now });
  try {
    server.load(world.all());
    const token = e.user ? server.addUser(e.user) : 'replay';
    const bytes = e.method === 'GET' ? undefined : requestBytes(e);
    const answer = await fetch(server.url + e.path, { method: e.method, headers: { ...headerOf(e), authorization: `Bearer ${token}` }, ...(bytes ? { body: new Uint8Array(bytes) } : {}) });
    const written = await answer.text();
    const got: unknown = written.startsWith('{') ? JSON.parse(written) : written;
    const generated = isObject(want) && isFullObject(want) && want.metadata.generateName !== undefined && isFullObject(got);
    const wanted = generated ? { ...want, metadata: { ...want.metadata, name: got.metadata.name } } : want;
    const found = differences(normalised(wanted), normalised(got));
    return answer.status === e.status ? found : [`status: real ${e.status} simulated ${answer.status}`, ...found];
  } finally {
    await server.close();
  }
}

/** A write outside of status keeps the status: where it differs from the last seen, controllers wrote in between unseen. */
function liveIsUnknown(e: Exchange, world: World): boolean {
  const want = bodyOf(e.response_body);
  if (e.status >= 300 || e.method === 'POST' || /\/status/.test(e.path) || !isFullObject(want)) return false;
  const known = world.all().find((o) => keyOf(o) === keyOf(want));
  return JSON.stringify(normalised(known?.['status'])) !== JSON.stringify(normalised(want['status']));
}

described('the recordings of a real API server', () => {
  const exchanges = folder ? exchangesOf(folder) : [];

  it('answers every recorded write and refusal as the real server did', async () => {
    const world = new World();
    const counts = { requests: 0, equal: 0, unserved: 0, unknownLive: 0, knownDifferent: 0 };
    const surprises: string[] = [];
    const differed = new Set<string>();
    for (const e of exchanges) {
      if (isWrite(e) || e.status >= 400) {
        counts.requests++;
        if (e.method === 'GET' && e.status === 404) world.forgetPath(e.path);
        if (NOT_COMPARED.some(([pattern]) => pattern.test(e.path))) counts.unserved++;
        else if (liveIsUnknown(e, world)) counts.unknownLive++;
        else {
          const found = await replay(e, world);
          const id = `${e.step.slice(0, 3)} ${e.method}`;
          if (found.length === 0) counts.equal++;
          else if (KNOWN_DIFFERENT[id]) {
            counts.knownDifferent++;
            differed.add(id);
          } else surprises.push(`${e.step} ${e.method} ${e.path}\n  ${found.slice(0, 5).join('\n  ')}`);
        }
      }
      learn(world, e);
    }
    console.log(`recorded writes and refusals: ${counts.requests}, equal ${counts.equal}, known to differ ${counts.knownDifferent}, not served ${counts.unserved}, state before them not recorded ${counts.unknownLive}`);
    expect(surprises).toEqual([]);
    expect([...differed].sort()).toEqual(Object.keys(KNOWN_DIFFERENT).sort());
    expect(counts.equal).toBeGreaterThan(380);
  }, 120_000);

  const objects = exchanges.flatMap((e) => [...objectsIn(e.response_body), ...(e.events ?? []).map((v) => v.event.object).filter(isFullObject)]);
  const kinds = new KindRegistry();
  for (const object of objects) if (object.kind === 'CustomResourceDefinition') kinds.define(object);

  it('reads every recorded object of a built-in kind without losing, adding or changing a field', () => {
    const changed = objects.flatMap((object) => {
      const kind = kinds.byKind(text(object.apiVersion), text(object.kind));
      if (!kind?.type) return [];
      const { value, unknown } = readTyped(kind.type, object);
      return [...unknown, ...differences(normalised(object), normalised(value)).map((d) => `${keyOf(object)}${d}`)];
    });
    console.log(`recorded objects: ${objects.length}`);
    expect(objects.length).toBeGreaterThan(1_000);
    expect(changed).toEqual([]);
  });

  it('decodes every recorded protobuf request as the real server did', () => {
    const bodies = exchanges.map((e) => e.request_body).filter((b): b is Record<string, unknown> => isObject(b) && typeof b['base64'] === 'string');
    const wrong = bodies.flatMap((b) => differences(normalised(b['decoded']), normalised(decodeProtobuf(Buffer.from(text(b['base64']), 'base64')))));
    console.log(`recorded protobuf requests: ${bodies.length}`);
    expect(bodies.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  it('prints the recorded table rows, ages aside', () => {
    const whole = new Map(objects.map((o) => [`${o.metadata.uid} ${o.metadata.resourceVersion}`, o]));
    const { rows, wrong } = compareRows(exchanges, kinds, whole);
    console.log(`recorded table rows: ${rows} compared`);
    expect(rows).toBeGreaterThan(120);
    expect(wrong).toEqual([]);
  });

  it('discovers the recorded kinds of every served group, with names, verbs and scope', async () => {
    const recorded = JSON.parse(readFileSync(path.join(folder as string, 'discovery/api-v1.json'), 'utf8')) as { resources: Record<string, unknown>[] };
    const server = await SimulatedApiServer.start();
    const answer = (await (await fetch(`${server.url}/api/v1`, { headers: { authorization: `Bearer ${server.adminToken}` } })).json()) as { resources: Record<string, unknown>[] };
    await server.close();
    const mine = new Map(answer.resources.map((r) => [r['name'], r]));
    const wrong = recorded.resources.filter((r) => mine.has(r['name'])).flatMap(({ storageVersionHash: _h, ...r }) => differences(r, mine.get(r['name'])));
    // Of a proxy's verbs only get is served.
    const proxyVerbs = '.verbs: real ["create","delete","get","patch","update"] simulated ["get"]';
    expect(wrong).toEqual([proxyVerbs, proxyVerbs]);
    expect(recorded.resources.filter((r) => !mine.has(r['name'])).map((r) => r['name']).sort()).toEqual([
      'componentstatuses', 'pods/attach', 'pods/ephemeralcontainers', 'pods/exec', 'pods/portforward', 'pods/proxy', 'pods/resize',
    ]);
  });
});

const AGES = /^(Age|Last Seen|First Seen|Duration|Created At)$/;

interface TableBody {
  columnDefinitions?: { name: string; type: string; format: string; priority: number }[];
  rows?: { cells: unknown[]; object?: KubeObject }[];
}

function tablesOf(e: Exchange): TableBody[] {
  const body = bodyOf(e.response_body);
  const tables = isObject(body) && body['kind'] === 'Table' ? [body as TableBody] : [];
  return [...tables, ...(e.events ?? []).map((v) => v.event.object as unknown as TableBody & { kind: string }).filter((t) => t.kind === 'Table')];
}

function compareRows(exchanges: Exchange[], kinds: KindRegistry, whole: Map<string, KubeObject>): { rows: number; wrong: string[] } {
  const wrong: string[] = [];
  let rows = 0;
  for (const e of exchanges) {
    const parts = (e.path.split('?')[0] ?? '').split('/').filter(Boolean);
    const group = parts[0] === 'apis' ? (parts[1] ?? '') : '';
    const rest = parts.slice(parts[0] === 'apis' ? 3 : 2);
    const plural = rest[0] === 'namespaces' && rest.length > 2 ? rest[2] : rest[0];
    const kind = kinds.all().find((k) => k.group === group && k.plural === plural);
    for (const table of tablesOf(e)) {
      if (!kind) continue;
      const columns = columnsOf(kind);
      const shape = (all: { name: string; type: string; format: string; priority: number }[]) => all.map((c) => `${c.name}:${c.type}:${c.format}:${c.priority}`);
      if (table.columnDefinitions) wrong.push(...differences(shape(table.columnDefinitions), shape(columnDefinitions(kind)), kind.plural));
      for (const row of table.rows ?? []) {
        const object = whole.get(`${row.object?.metadata.uid} ${row.object?.metadata.resourceVersion}`);
        if (!object) continue;
        rows++;
        columns.forEach((column, i) => {
          const cell = column.cell(object, new Date()) ?? null;
          if (!AGES.test(column.name) && JSON.stringify(cell) !== JSON.stringify(row.cells[i] ?? null)) wrong.push(`${kind.plural} ${column.name}: real ${JSON.stringify(row.cells[i])} simulated ${JSON.stringify(cell)}`);
        });
      }
    }
  }
  return { rows, wrong };
}
