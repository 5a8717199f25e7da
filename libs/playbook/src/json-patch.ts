import { canonicalJson, type KubeObject } from '@larry/contracts';
import { PatchError } from './errors';
import { markWith } from './marks';
import { nearestExisting, pointerParts, toPointer, valueAt } from './json-pointer';

/** An operation of RFC 6902, as far as plans use it. */
export interface PatchOperation {
  op: 'add' | 'replace' | 'remove' | 'test';
  path: string;
  value?: unknown;
  [field: string]: unknown;
}

/** A place that a patch touches, and what stands there after it; no `value` where nothing does. */
export interface TouchedPlace {
  path: string;
  value?: unknown;
}

/**
 * The tests of a conditional patch: the uid and every field the diagnosis read. JSON Patch cannot test for absence, so an
 * absent field is tested by its nearest existing parent's whole value.
 */
export function fieldTests(live: KubeObject, depends: readonly string[]): PatchOperation[] {
  const pointers = [...new Set(depends.map((pointer) => nearestExisting(live, pointer)))].filter((p) => p !== '');
  const tests = pointers.map((path): PatchOperation => ({ op: 'test', path, value: valueAt(live, path) }));
  return [{ op: 'test', path: '/metadata/uid', value: live.metadata.uid }, ...tests];
}

/** The change and its mark, in one request. */
export function markedChange(live: KubeObject, wanted: readonly PatchOperation[], id: string): PatchOperation[] {
  return [...wanted, ...markWith(live, id)];
}

/**
 * The patch that is sent: tests, the change and our mark in one request. With the resourceVersion just read a request that
 * is late (its sender was paused, its connection slow) cannot be applied after another that was.
 */
export function conditionalPatch(live: KubeObject, wanted: readonly PatchOperation[], depends: readonly string[], id: string): PatchOperation[] {
  return [...fieldTests(live, depends), versionTest(live), ...markedChange(live, wanted, id)];
}

/** Fails when the object is not the version that was read. */
export function versionTest(live: KubeObject): PatchOperation {
  return { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion };
}

/** Applies operations to a copy of a document, all or none. @throws PatchError naming the operation that does not fit */
export function applyPatch<T>(document: T, operations: readonly PatchOperation[]): T {
  return operations.reduce<T>((state, operation) => applyOne(state, operation), structuredClone(document));
}

/**
 * The operations that undo `wanted` on `live`, in the order in which they must be applied, and the places that are
 * touched with what will stand there. @throws PatchError where `wanted` does not fit `live`
 */
export function inversePatch(live: KubeObject, wanted: readonly PatchOperation[]): { inverse: PatchOperation[]; touched: TouchedPlace[] } {
  const inverse: PatchOperation[] = [];
  const paths = new Set<string>();
  let state = live;
  for (const operation of wanted) {
    const after = applyPatch(state, [operation]);
    if (operation.op !== 'test') {
      const path = placeOf(state, operation.path);
      inverse.unshift(undoOf(state, operation.op, path));
      paths.add(path);
    }
    state = after;
  }
  const touched = [...paths].map((path): TouchedPlace => {
    const value = valueAt(state, path);
    return value === undefined ? { path } : { path, value };
  });
  return { inverse, touched };
}

/** The `name` of every element of a list above these places: an index alone means another element once a list is reordered. */
export function elementNames(document: unknown, paths: readonly string[]): TouchedPlace[] {
  const above = paths.flatMap((path) => pointerParts(path).map((_, i, parts) => parts.slice(0, i)));
  const inLists = above.filter((parts) => parts.length > 0 && Array.isArray(valueAt(document, toPointer(parts.slice(0, -1)))));
  const names = [...new Set(inLists.map((parts) => toPointer([...parts, 'name'])))];
  return names.flatMap((path): TouchedPlace[] => (typeof valueAt(document, path) === 'string' ? [{ path, value: valueAt(document, path) }] : []));
}

function undoOf(state: unknown, op: PatchOperation['op'], path: string): PatchOperation {
  const before = valueAt(state, path);
  const intoList = Array.isArray(valueAt(state, parentOf(path)));
  if (op === 'add' && (before === undefined || intoList)) return { op: 'remove', path };
  return { op: op === 'remove' ? 'add' : 'replace', path, value: before };
}

/** `-` is the place behind the last element. */
function placeOf(state: unknown, path: string): string {
  if (!path.endsWith('/-')) return path;
  const list = valueAt(state, parentOf(path));
  return Array.isArray(list) ? `${parentOf(path)}/${list.length}` : path;
}

const parentOf = (path: string): string => toPointer(pointerParts(path).slice(0, -1));

function applyOne<T>(document: T, operation: PatchOperation): T {
  const { op, value } = operation;
  const path = placeOf(document, operation.path);
  const parts = pointerParts(path);
  const key = parts.at(-1);
  if (key === undefined || parts.includes('__proto__')) throw new PatchError(operation, 'there is no such place');
  if (op === 'test') {
    if (canonicalJson(valueAt(document, path) ?? null) !== canonicalJson(value ?? null)) throw new PatchError(operation, 'another value stands there');
    return document;
  }
  const parent = valueAt(document, parentOf(path));
  if (typeof parent !== 'object' || parent === null) throw new PatchError(operation, 'there is no such place');
  if (Array.isArray(parent)) changeList(parent, operation, key);
  else changeMember(parent as Record<string, unknown>, operation, key);
  return document;
}

function changeList(list: unknown[], operation: PatchOperation, key: string): void {
  const index = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : -1;
  const last = operation.op === 'add' ? list.length : list.length - 1;
  if (index < 0 || index > last) throw new PatchError(operation, 'there is no such element');
  const { op, value } = operation;
  if (op === 'remove') list.splice(index, 1);
  else list.splice(index, op === 'add' ? 0 : 1, structuredClone(value));
}

function changeMember(record: Record<string, unknown>, operation: PatchOperation, key: string): void {
  if (operation.op !== 'add' && !Object.hasOwn(record, key)) throw new PatchError(operation, 'there is no such field');
  if (operation.op === 'remove') delete record[key];
  else record[key] = structuredClone(operation.value);
}
