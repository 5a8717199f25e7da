import type { KubeObject } from '@larry/contracts';
import { UnknownKindError } from '../errors';
import type { KindRef, ListOptions } from '../reader';
import { selects } from '../selector';
import { asKubeObject, isRecord } from '../untrusted-object';
import { statusMessage, type ApiAnswer, type ApiClient } from './api-request';
import type { ServedKind } from './discovery';
import { apiPath, isPathSegment, query } from './paths';

const pageObjects = 500;
const leastPageObjects = 20;
/** Kubernetes supports 150,000 pods; a server that lists on and on ends here. */
const mostObjects = 1_000_000;
/** A page beyond this is followed by smaller ones: objects of some kinds are a thousand times as large as others. */
const largePageBytes = 16 * 1024 * 1024;
/** Objects of these may be 1 MiB each (Helm's releases). */
const largeKinds = new Set(['Secret', 'ConfigMap', 'CustomResourceDefinition']);

/** Field selectors that the API server takes; all others are applied here. */
const servedFields: Record<string, RegExp> = {
  Pod: /^(metadata\.name|metadata\.namespace|spec\.nodeName|status\.phase)\s*(!=|=)/,
  Event: /^(metadata\.name|metadata\.namespace|involvedObject\.(kind|namespace|name|uid)|reason|type)\s*(!=|=)/,
};
const anyKindFields = /^metadata\.(name|namespace)\s*(!=|=)/;

/**
 * The objects of a kind, 500 a request. When the server's list expires in the middle (410), the list starts again once, and
 * objects seen before are left out, by uid.
 * @throws UnknownKindError when the account may not list it or it is not served, when the server's list does not advance
 * or holds more than `most` objects.
 */
export async function* listPages(api: ApiClient, kind: ServedKind, options: ListOptions, most = mostObjects): AsyncIterable<KubeObject> {
  const wanted = selects(options);
  const fieldSelector = splitFields(kind, options.fieldSelector).served;
  if (options.namespace !== undefined && !isPathSegment(options.namespace)) return;
  const seen = new Set<string>();
  let limit = largeKinds.has(kind.kind) ? pageObjects / 5 : pageObjects;
  let restarted = false;
  let next: string | undefined;
  let listed = 0;
  for (;;) {
    const path = apiPath(kind, options) + query({ limit, continue: next, labelSelector: options.labelSelector, fieldSelector });
    const answer = await api.read({ path, signal: options.signal });
    if (answer.status === 410 && next !== undefined && !restarted) {
      restarted = true;
      next = undefined;
      continue;
    }
    const page = pageOf(api, kind, answer);
    // An empty page counts as a full one, or pages of nothing would follow each other without end.
    listed += page.objects.length || limit;
    if (listed > most) throw new UnknownKindError(kind.kind, `${api.server} lists more than ${most} objects, more than Larry reads`);
    if (page.next !== undefined && page.next === next) throw new UnknownKindError(kind.kind, `${api.server} names the page it just gave as the next one, so that the list would never end`);
    for (const object of page.objects) {
      const id = object.metadata.uid ?? `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
      if (restarted && seen.has(id)) continue;
      seen.add(id);
      if (wanted(object)) yield object;
    }
    if (page.next === undefined) return;
    if (answer.bytes > largePageBytes) limit = Math.max(leastPageObjects, Math.floor(limit / 4));
    next = page.next;
  }
}

/** What an answer to a list means. @throws UnknownKindError */
export function pageOf(api: ApiClient, kind: ServedKind, answer: ApiAnswer): { objects: KubeObject[]; next: string | undefined } {
  if (answer.status === 403) throw new UnknownKindError(kind.kind, `forbidden: ${statusMessage(answer)}`);
  if (answer.status === 404 || answer.status === 405) throw new UnknownKindError(kind.kind, 'not served');
  if (answer.status !== 200) throw new UnknownKindError(kind.kind, `the API server says ${answer.status}: ${statusMessage(answer)}`);
  const items = isRecord(answer.json) && 'items' in answer.json ? (answer.json['items'] ?? []) : undefined;
  if (!isRecord(answer.json) || !Array.isArray(items)) {
    throw new UnknownKindError(kind.kind, `${api.server} answered with something that is not a list of objects`);
  }
  const objects: KubeObject[] = [];
  for (const item of items as unknown[]) {
    const result = asKubeObject(item, kind);
    if ('reason' in result) throw new UnknownKindError(kind.kind, `${api.server} listed what is no object: ${result.reason}`);
    objects.push(result.object);
  }
  const metadata = isRecord(answer.json['metadata']) ? answer.json['metadata'] : {};
  const next = metadata['continue'];
  return { objects, next: typeof next === 'string' && next !== '' ? next : undefined };
}

/** The parts of a field selector that the API server takes for this kind, and those that it would refuse. */
export function splitFields(kind: KindRef, fieldSelector = ''): { served: string | undefined; rest: string | undefined } {
  const fields = servedFields[kind.kind] ?? anyKindFields;
  const parts = fieldSelector.split(',').map((part) => part.trim()).filter((part) => part !== '');
  const joined = (some: string[]) => (some.length === 0 ? undefined : some.join(','));
  return { served: joined(parts.filter((part) => fields.test(part))), rest: joined(parts.filter((part) => !fields.test(part))) };
}
