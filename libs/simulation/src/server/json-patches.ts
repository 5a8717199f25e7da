import { badRequest, failure } from './api-error';
import type { Fields } from './kube-object';
import { isObject, sameJson } from './kube-object';

/** RFC 7386: null removes, objects merge, everything else replaces. Returns a new value; `target` is not changed. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const out: Fields = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue;
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

interface Operation {
  op?: unknown;
  path?: unknown;
  from?: unknown;
  value?: unknown;
}

/** What a failed `test` or a missing path answers with, as recorded: 422 that names nothing. */
const rejected = () => failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
const segments = (path: unknown): string[] => {
  if (typeof path !== 'string' || (path !== '' && !path.startsWith('/'))) throw badRequest('a JSON patch path must be a string that starts with "/"');
  return path.split('/').slice(1).map((s) => s.replace(/~1/g, '/').replace(/~0/g, '~'));
};

/** RFC 6902 over a copy of `target`. Throws a 422 where a test or a path fails, a 400 for what is not a patch. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > 10_000) throw failure(413, 'RequestEntityTooLarge', `The allowed maximum operations in a JSON patch is 10000, got ${patch.length}`);
  const root = { doc: structuredClone(target) };
  for (const operation of patch as Operation[]) apply(root, operation);
  return root.doc;
}

function apply(root: { doc: unknown }, o: Operation): void {
  const path = segments(o.path);
  switch (o.op) {
    case 'add': return put(root, path, structuredClone(o.value), true);
    case 'replace': read(root, path); return put(root, path, structuredClone(o.value), false);
    case 'remove': return remove(root, path);
    case 'test': if (!sameJson(find(root, path), o.value ?? null) && !(o.value === null && find(root, path) === undefined)) throw rejected(); return;
    case 'copy': return put(root, path, structuredClone(read(root, segments(o.from))), true);
    case 'move': { const value = read(root, segments(o.from)); remove(root, segments(o.from)); return put(root, path, value, true); }
    default: throw badRequest(`Unexpected kind: ${String(o.op)}`);
  }
}

function find(root: { doc: unknown }, path: string[]): unknown {
  let here: unknown = root.doc;
  for (const key of path) {
    if (Array.isArray(here)) here = here[Number(key)];
    else if (isObject(here) && Object.hasOwn(here, key)) here = here[key];
    else return undefined;
  }
  return here;
}

function read(root: { doc: unknown }, path: string[]): unknown {
  const value = find(root, path);
  if (value === undefined) throw rejected();
  return value;
}

function put(root: { doc: unknown }, path: string[], value: unknown, insert: boolean): void {
  const key = path.at(-1);
  if (key === undefined) return void (root.doc = value);
  const parent = find(root, path.slice(0, -1));
  if (Array.isArray(parent)) {
    const index = key === '-' ? parent.length : Number(key);
    if (!Number.isInteger(index) || index < 0 || index > parent.length) throw rejected();
    parent.splice(index, insert ? 0 : 1, value);
  } else if (isObject(parent) && key !== '__proto__') parent[key] = value;
  else throw rejected();
}

function remove(root: { doc: unknown }, path: string[]): void {
  read(root, path);
  const key = path.at(-1);
  if (key === undefined) throw rejected();
  const parent = find(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete (parent as Fields)[key];
}
