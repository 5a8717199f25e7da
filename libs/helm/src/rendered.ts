import { canonicalJson, recordOf, textOf, valueIn, type JsonRecord, type RenderedChange } from '@larry/contracts';
import { parseAllDocuments } from 'yaml';

/** The objects of a manifest by `apiGroup Kind namespace/name`. */
export type Rendered = ReadonlyMap<string, JsonRecord>;

/** Where a value stands in a document. */
export type Place = readonly (string | number)[];

/** The key of an object among rendered ones. A namespace that is not written is the release's. */
export function renderedKey(object: { apiVersion: string; kind: string; namespace?: string | undefined; name: string }, releaseNamespace: string): string {
  const slash = object.apiVersion.indexOf('/');
  return `${slash < 0 ? '' : object.apiVersion.slice(0, slash)} ${object.kind} ${object.namespace ?? releaseNamespace}/${object.name}`;
}

/** Parses a manifest. Undefined where it is not YAML, or names an object twice. */
export function parseManifest(text: string, releaseNamespace: string): Rendered | undefined {
  const objects = new Map<string, JsonRecord>();
  for (const document of parseAllDocuments(text, { merge: true, logLevel: 'error' })) {
    if (!('errors' in document) || document.errors.length > 0) return undefined;
    const object = document.toJS() as unknown;
    if (object === null || object === undefined) continue;
    const { apiVersion, kind, metadata } = recordOf(object);
    const name = textOf(valueIn(metadata, 'name'));
    if (typeof apiVersion !== 'string' || typeof kind !== 'string' || name === undefined) return undefined;
    const key = renderedKey({ apiVersion, kind, name, namespace: textOf(valueIn(metadata, 'namespace')) }, releaseNamespace);
    if (objects.has(key)) return undefined;
    objects.set(key, recordOf(object));
  }
  return objects;
}

/** A difference of two renderings: where, and what stands there in each. */
interface Difference {
  key: string;
  path: Place;
  before: unknown;
  after: unknown;
}

/** The smallest places at which two renderings differ, by `key path`. Pure. */
export function differences(before: Rendered, after: Rendered): Map<string, Difference> {
  const found = new Map<string, Difference>();
  for (const key of new Set([...before.keys(), ...after.keys()])) compare(key, [], before.get(key), after.get(key), found);
  return found;
}

function compare(key: string, path: Place, before: unknown, after: unknown, found: Map<string, Difference>): void {
  if (same(before, after)) return;
  const lists = Array.isArray(before) && Array.isArray(after) && before.length === after.length;
  const maps = isMap(before) && isMap(after);
  if (lists) before.forEach((element, i) => compare(key, [...path, i], element, after[i], found));
  else if (maps) for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) compare(key, [...path, name], before[name], after[name], found);
  else found.set(`${key} ${pointerOf(path)}`, { key, path, before, after });
}

/** What people are shown, and an approval is bound to. */
export function renderedChanges(found: ReadonlyMap<string, Difference>): RenderedChange[] {
  const inOrder = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, difference]) => difference);
  return inOrder.map(({ key, path, before, after }) => ({
    object: key.replace(/^\S* /, ''),
    path: pointerOf(path),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  }));
}

/** A JSON pointer (RFC 6901). */
export function pointerOf(path: Place): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** A copy of a document in which a place holds another value, or with `undefined` none; maps on the way are made. */
export function withValueAt(document: unknown, path: Place, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (typeof part === 'number') {
    const list = Array.isArray(document) ? [...(document as unknown[])] : [];
    if (value === undefined && rest.length === 0) list.splice(part, 1);
    else list[part] = withValueAt(list[part], rest, value);
    return list;
  }
  const { [part]: inner, ...others } = isMap(document) ? document : {};
  const made = withValueAt(inner, rest, value);
  return made === undefined ? others : { ...others, [part]: made };
}

/** True for two values of the same JSON. */
export function same(a: unknown, b: unknown): boolean {
  return a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b);
}

/** True for a map of a document. */
export function isMap(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
