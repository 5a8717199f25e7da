import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, failure } from './api-error';
import type { Kind } from './kinds';
import type { Fields } from './kube-object';
import { isObject } from './kube-object';
import { decodeProtobuf } from './protobuf';
import type { KindRegistry } from './registry';

/** A request to a resource, taken apart as Kubernetes' RequestInfo does. */
export interface ResourceRequest {
  group: string;
  version: string;
  plural: string;
  kind: Kind | undefined;
  namespace?: string;
  name?: string;
  subresource?: string;
  /** What follows the subresource in the path (proxy). */
  rest?: string;
  verb: string;
}

const COLLECTION: Record<string, string> = { GET: 'list', HEAD: 'list', POST: 'create', DELETE: 'deletecollection', PUT: 'update', PATCH: 'patch' };
const SINGLE: Record<string, string> = { GET: 'get', HEAD: 'get', POST: 'create', DELETE: 'delete', PUT: 'update', PATCH: 'patch' };

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`the path holds "${part}", which is no percent-encoding`);
  }
}

/** Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; undefined for every other path. */
export function resourceRequest(method: string, url: URL, kinds: KindRegistry): ResourceRequest | undefined {
  const parts = url.pathname.split('/').filter(Boolean).map(decoded);
  let group = '';
  let rest: string[];
  if (parts[0] === 'api' && parts.length >= 3) rest = parts.slice(1);
  else if (parts[0] === 'apis' && parts.length >= 4) [group, rest] = [parts[1] as string, parts.slice(2)];
  else return undefined;
  const version = rest.shift() as string;
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length >= 3 && rest[2] !== 'finalize' && rest[2] !== 'status') [namespace, rest] = [rest[1], rest.slice(2)];
  const [plural = '', name, subresource, ...more] = rest;
  const watching = url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1';
  const base = (name === undefined ? COLLECTION : SINGLE)[method] ?? method.toLowerCase();
  return {
    group, version, plural,
    kind: kinds.find(group, version, plural),
    verb: watching && (base === 'list' || base === 'get') && !subresource ? 'watch' : base,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
    ...(more.length ? { rest: more.join('/') } : {}),
  };
}

/** The largest body taken, as Kubernetes limits it (3 MiB). */
const MAX_BODY = 3 * 1024 * 1024;

export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY}`);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return req.headers['content-encoding'] === 'gzip' ? gunzipSync(body, { maxOutputLength: MAX_BODY }) : body;
}

export const mediaType = (req: IncomingMessage): string => (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** Decodes a body that holds an object: JSON, YAML or Kubernetes protobuf. Throws 400 or 415. */
export function decodeObject(req: IncomingMessage, body: Buffer, kindName: string): Fields {
  const type = mediaType(req);
  if (type === 'application/vnd.kubernetes.protobuf') return decodeProtobuf(body);
  if (type === 'application/yaml') return objectOf(yaml(body), kindName);
  if (type !== 'application/json' && type !== '') {
    throw failure(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf');
  }
  return objectOf(json(body, kindName), kindName);
}

function json(body: Buffer, kindName: string): unknown {
  const written = body.toString('utf8');
  try {
    return JSON.parse(written) as unknown;
  } catch {
    const why = /^[\s\S]*[^}\]\s]\s*$|^\s*[{[]\s*$/.test(written) ? 'unexpected end of JSON input' : 'invalid character';
    throw badRequest(`the object provided is unrecognized (must be of type ${kindName}): couldn't get version/kind; json parse error: ${why} (${written.slice(0, 100)})`);
  }
}

/** YAML is read as JSON data: no custom tags, aliases bounded, dates stay strings. */
export function yaml(body: Buffer): unknown {
  try {
    return parseYaml(body.toString('utf8'), { schema: 'core', maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${(error as Error).message.split('\n')[0]}`);
  }
}

function objectOf(value: unknown, kindName: string): Fields {
  if (isObject(value)) return value;
  throw badRequest(`the object provided is unrecognized (must be of type ${kindName}): send one JSON object`);
}

export function sendJson(res: ServerResponse, code: number, body: unknown, headers: Record<string, string | string[]> = {}): void {
  const payload = `${typeof body === 'string' ? body : JSON.stringify(body)}\n`;
  res.writeHead(code, { 'content-type': 'application/json', 'cache-control': 'no-cache, private', 'content-length': Buffer.byteLength(payload), ...headers });
  res.end(payload);
}

export function sendText(res: ServerResponse, code: number, body: string): void {
  res.writeHead(code, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache, private', 'x-content-type-options': 'nosniff' });
  res.end(body);
}

/** A failure as its Status; what is not an ApiError is a fault of the simulation and says so. */
export function sendError(res: ServerResponse, error: unknown): void {
  const known = error instanceof ApiError ? error : failure(500, 'InternalError', `Internal error of the simulated API server: ${(error as Error).message}`);
  if (res.headersSent) {
    res.destroy();
    return;
  }
  sendJson(res, known.code, known.status, known.headers);
}

/** `Warning: 299 - "…"` headers for a list of sentences. */
export const warningHeaders = (warnings: string[]): Record<string, string[]> =>
  (warnings.length === 0 ? {} : { warning: warnings.map((w) => `299 - "${w.replace(/(["\\])/g, '\\$1')}"`) });
