import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Fields, KubeObject } from './kube-object';
import { isObject, record, text } from './kube-object';

/** One request to the real API server, and its answer, as recorded. */
export interface Exchange {
  step: string;
  method: string;
  path: string;
  user_agent?: string;
  user?: string;
  req_content_type?: string;
  accept?: string;
  req_headers?: Record<string, string>;
  request_body?: unknown;
  at_ms: number;
  status: number;
  content_type?: string;
  response_headers?: Record<string, string>;
  response_body?: unknown;
  events?: { at_ms: number; event: { type: string; object: KubeObject } }[];
}

/** The folder of recordings beside the repository, where it is present. */
export function recordingsFolder(): string | undefined {
  const folder = path.join(__dirname, '../../../../../shared/recordings');
  return existsSync(path.join(folder, 'steps')) ? folder : undefined;
}

export function exchangesOf(folder: string): Exchange[] {
  return readdirSync(path.join(folder, 'steps')).sort().flatMap((step) => {
    const file = path.join(folder, 'steps', step, 'http.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').trim().split('\n').map((line) => ({ ...(JSON.parse(line) as Exchange), step })).sort((a, b) => a.at_ms - b.at_ms);
  });
}

/** The JSON of a body that may have been protobuf. */
export const bodyOf = (body: unknown): unknown => (isObject(body) && body['_protobuf'] ? body['decoded'] : body);

export const isFullObject = (value: unknown): value is KubeObject =>
  isObject(value) && isObject(value['metadata']) && typeof value['metadata']['uid'] === 'string' && typeof value['kind'] === 'string'
  && !['PartialObjectMetadata', 'Table', 'Scale'].includes(value['kind']);

/** Every whole object in an answer: itself, or the items of a list with the kind that they lack. */
export function objectsIn(body: unknown): KubeObject[] {
  const value = bodyOf(body);
  if (isFullObject(value)) return [value];
  if (!isObject(value) || !Array.isArray(value['items']) || !text(value['kind']).endsWith('List')) return [];
  const kind = text(value['kind']).slice(0, -4);
  if (kind === 'PartialObjectMetadata') return [];
  return (value['items'] as Fields[]).map((item) => ({ kind, apiVersion: value['apiVersion'], ...item }) as unknown as KubeObject).filter(isFullObject);
}

export const keyOf = (object: KubeObject): string => `${object.apiVersion}/${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;

/** The cluster as far as the answers up to here show it. */
export class World {
  private readonly objects = new Map<string, KubeObject>();

  see(object: KubeObject): void {
    const known = this.objects.get(keyOf(object));
    if (known && Number(known.metadata.resourceVersion) > Number(object.metadata.resourceVersion)) return;
    this.objects.set(keyOf(object), object);
  }

  forget(object: KubeObject): void {
    this.objects.delete(keyOf(object));
  }

  forgetPath(urlPath: string): void {
    const parts = urlPath.split('?')[0]?.split('/').filter(Boolean) ?? [];
    const name = parts.at(-1);
    const namespace = parts[parts.indexOf('namespaces') + 1];
    for (const [key, object] of this.objects) {
      const plural = `${text(object.kind).toLowerCase()}s`;
      const kindFits = parts.includes(plural) || parts.includes(`${plural.slice(0, -1)}es`) || parts.includes(`${text(object.kind).toLowerCase().slice(0, -1)}ies`);
      if (object.metadata.name === name && kindFits && (object.metadata.namespace === undefined || object.metadata.namespace === namespace)) this.objects.delete(key);
    }
  }

  all(): KubeObject[] {
    return [...this.objects.values()];
  }
}

const VOLATILE = new Set(['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'time', 'lastTransitionTime', 'lastUpdateTime', 'clusterIP', 'clusterIPs', 'nodePort', 'remainingItemCount', 'continue']);

/** Without what README.md says to normalise, without empty values, keys sorted. */
export function normalised(value: unknown, key = ''): unknown {
  if (VOLATILE.has(key)) return value === undefined ? undefined : `<${key}>`;
  if (typeof value === 'string') {
    return value.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>').replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-<x>').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>');
  }
  if (Array.isArray(value)) return value.map((v) => normalised(v));
  if (!isObject(value)) return value;
  const out: Fields = {};
  for (const name of Object.keys(value).sort()) {
    const inner = normalised(value[name], name);
    if (inner === null || inner === undefined || (isObject(inner) && Object.keys(inner).length === 0) || (Array.isArray(inner) && inner.length === 0)) continue;
    out[String(normalised(name))] = inner;
  }
  return out;
}

export const headerOf = (e: Exchange): Record<string, string> => ({
  ...(e.user_agent ? { 'user-agent': e.user_agent } : {}), ...(e.accept ? { accept: e.accept } : {}), ...(e.req_content_type ? { 'content-type': e.req_content_type } : {}),
  ...Object.fromEntries(Object.entries(e.req_headers ?? {}).filter(([k]) => k.startsWith('impersonate'))),
});

export function requestBytes(e: Exchange): Buffer | undefined {
  if (e.request_body === undefined || e.request_body === null) return undefined;
  const encoded = record(e.request_body)['base64'];
  if (typeof encoded === 'string') return Buffer.from(encoded, 'base64');
  return Buffer.from(typeof e.request_body === 'string' ? e.request_body : JSON.stringify(e.request_body));
}

/** Where two values differ, as paths, for the reader of a failed comparison. */
export function differences(a: unknown, b: unknown, at = ''): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  if (isObject(a) && isObject(b)) return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((k) => differences(a[k], b[k], `${at}.${k}`));
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) return a.flatMap((v, i) => differences(v, b[i], `${at}[${i}]`));
  return [`${at}: real ${JSON.stringify(a)?.slice(0, 200)} simulated ${JSON.stringify(b)?.slice(0, 200)}`];
}
