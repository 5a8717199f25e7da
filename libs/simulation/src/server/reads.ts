import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, badRequest, failure, notFound } from './api-error';
import { listKindOf } from './custom-resources';
import type { Kind } from './kinds';
import { apiVersionOf } from './kinds';
import type { KubeObject } from './kube-object';
import { sendJson } from './request';
import type { ResourceRequest } from './request';
import { fieldSelector, labelSelector } from './selectors';
import type { Matcher } from './selectors';
import type { ServerState } from './state';
import { lowerBound } from './store';
import type { Snapshot } from './store';
import { acceptOf, columnDefinitions, partial, tableRow } from './table';
import { viewOf } from './views';

/** What a list or watch is about. */
export interface Selection {
  kind: Kind;
  namespace: string | undefined;
  matches: Matcher;
}

export function selectionOf(request: ResourceRequest, kind: Kind, query: URLSearchParams): Selection {
  const labels = labelSelector(query.get('labelSelector'));
  const fields = fieldSelector(kind, query.get('fieldSelector'));
  const named = request.name;
  return { kind, namespace: kind.namespaced ? request.namespace : undefined, matches: (o) => (named === undefined || o.metadata.name === named) && labels(o) && fields(o) };
}

/** Parses a resourceVersion parameter. Throws a 400 in the words of the real server. */
export function versionOf(value: string | null): number | undefined {
  if (value === null || value === '') return undefined;
  if (!/^\d+$/.test(value)) throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(value)}: strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}

export function tooLarge(asked: number, current: number): ApiError {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1,
  });
}

interface Token {
  version: number;
  start: string;
}

const encodeToken = (token: Token) => Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.version, start: token.start })).toString('base64url');

function decodeToken(token: string): Token {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { rv?: unknown; start?: unknown };
    if (typeof rv === 'number' && typeof start === 'string') return { version: rv, start };
  } catch {
    // falls through to the one refusal below
  }
  throw badRequest(`invalid continue token: continue key is not valid: invalid character ${goChar(Buffer.from(token, 'base64url')[0] ?? 0)} looking for beginning of value`);
}

/** A byte as Go's JSON decoder quotes it. */
const goChar = (byte: number) => (byte === 39 ? "'\\''" : byte >= 32 && byte < 127 ? `'${String.fromCharCode(byte)}'` : `'\\u00${byte.toString(16).padStart(2, '0')}'`);

/** A page of a list: what matches, and how to go on. */
interface Page {
  objects: KubeObject[];
  version: number;
  continue?: string;
  remaining?: number;
}

function snapshotFor(state: ServerState, selection: Selection, query: URLSearchParams): { snapshot: Snapshot; from: number; inconsistent?: boolean } {
  const token = query.get('continue');
  const { kind, namespace } = selection;
  if (!token) {
    const asked = versionOf(query.get('resourceVersion'));
    const current = state.store.resourceVersion;
    if (asked !== undefined && asked > current) throw tooLarge(asked, current);
    if (query.get('resourceVersionMatch') === 'Exact' && asked !== undefined && asked !== current) {
      const kept = state.store.page(kind, namespace, asked);
      if (!kept) throw failure(410, 'Expired', 'The resourceVersion for the provided list is too old.');
      return { snapshot: kept, from: 0 };
    }
    return { snapshot: state.store.page(kind, namespace) as Snapshot, from: 0 };
  }
  const { version, start } = decodeToken(token);
  const kept = version === -1 ? state.store.page(kind, namespace) : state.store.page(kind, namespace, version);
  if (!kept) {
    const error = failure(410, 'Expired', 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.');
    error.status.metadata.continue = encodeToken({ version: -1, start });
    throw error;
  }
  return { snapshot: kept, from: lowerBound(kept.keys, start), ...(version === -1 ? { inconsistent: true } : {}) };
}

function page(state: ServerState, selection: Selection, query: URLSearchParams): Page {
  const limit = Number(query.get('limit') ?? 0) || 0;
  const { snapshot, from } = snapshotFor(state, selection, query);
  const objects: KubeObject[] = [];
  let i = from;
  for (; i < snapshot.objects.length && !(limit > 0 && objects.length === limit); i++) {
    const object = snapshot.objects[i] as KubeObject;
    if (selection.matches(object)) objects.push(object);
  }
  if (limit <= 0 || i >= snapshot.objects.length) return { objects, version: snapshot.version };
  if (!snapshot.objects.slice(i).some(selection.matches)) return { objects, version: snapshot.version };
  state.store.keepPage(selection.kind, selection.namespace, snapshot);
  const selective = Boolean(query.get('labelSelector') || query.get('fieldSelector'));
  return {
    objects, version: snapshot.version, continue: encodeToken({ version: snapshot.version, start: snapshot.keys[i] as string }),
    ...(selective ? {} : { remaining: snapshot.objects.length - i }),
  };
}

/** Items of built-in lists carry no kind and apiVersion of their own; custom resources do. */
function item(kind: Kind, object: KubeObject): unknown {
  const seen = viewOf(kind, object);
  if (!kind.type) return seen;
  const { kind: _k, apiVersion: _a, ...rest } = seen;
  return rest;
}

/** Strings sent at a time, so that a large list never stands whole in memory as text. */
const CHUNK = 200;

/** Answers a list: as objects, as a Table, or as metadata only. */
export async function sendList(state: ServerState, req: IncomingMessage, res: ServerResponse, selection: Selection, query: URLSearchParams): Promise<void> {
  const { kind } = selection;
  const found = page(state, selection, query);
  const metadata = {
    resourceVersion: String(found.version),
    ...(found.continue ? { continue: found.continue } : {}),
    ...(found.remaining !== undefined ? { remainingItemCount: found.remaining } : {}),
  };
  const accept = acceptOf(req);
  const now = state.now();
  const include = query.get('includeObject');
  const [head, items]: [Record<string, unknown>, (object: KubeObject) => unknown] =
    accept === 'table'
      ? [{ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columnDefinitions(kind) }, (o) => tableRow(kind, viewOf(kind, o), include, now)]
      : accept === 'partial'
        ? [{ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }, partial]
        : [{ kind: listKindOf(kind), apiVersion: apiVersionOf(kind), metadata }, (o) => item(kind, o)];
  await stream(res, head, accept === 'table' ? 'rows' : 'items', found.objects, items);
}

/** Until the client has taken what was sent, or has gone. */
function writable(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

async function stream(res: ServerResponse, head: Record<string, unknown>, field: string, objects: KubeObject[], items: (object: KubeObject) => unknown): Promise<void> {
  res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  res.write(`${JSON.stringify(head).slice(0, -1)},"${field}":[`);
  for (let i = 0; i < objects.length; i += CHUNK) {
    const part = objects.slice(i, i + CHUNK).map((o) => JSON.stringify(items(o))).join(',');
    if (!res.write(i > 0 ? `,${part}` : part) && !res.destroyed) await writable(res);
    if (res.destroyed) return;
  }
  res.end(']}\n');
}

/** Answers one object in the form that was asked for. */
export function sendObject(state: ServerState, req: IncomingMessage, res: ServerResponse, kind: Kind, object: unknown, code = 200, headers: Record<string, string[]> = {}): void {
  const accept = acceptOf(req);
  const isKind = (object as KubeObject).kind === kind.kind;
  if (!isKind || accept === 'object') return sendJson(res, code, isKind ? viewOf(kind, object as KubeObject) : object, headers);
  const seen = viewOf(kind, object as KubeObject);
  if (accept === 'partial') return sendJson(res, code, partial(seen), headers);
  const query = new URL(req.url ?? '/', 'http://local').searchParams;
  const metadata = { resourceVersion: seen.metadata.resourceVersion };
  sendJson(res, code, { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columnDefinitions(kind), rows: [tableRow(kind, seen, query.get('includeObject'), state.now())] }, headers);
}

export function getObject(state: ServerState, kind: Kind, namespace: string | undefined, name: string): KubeObject {
  const found = state.store.get(kind, kind.namespaced ? namespace : undefined, name);
  if (!found) throw notFound(kind, name);
  return found;
}
