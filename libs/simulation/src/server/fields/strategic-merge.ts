import { isObject, jsonEqual, own, setOwn, type JsonObject } from './json-values';
import { childType, isBuiltInGroup, typeOfKind, type Field, type FieldType, type MapType } from './field-types';
import { indexOf, inOrder } from './strategic-order';
import {
  badFormat,
  DELETE_FROM_PRIMITIVES,
  DIRECTIVE,
  ELEMENT_ORDER,
  RETAIN_KEYS,
  withoutDirectives,
} from './strategic-directives';
import { PatchError, type KindKey, type KubeObject } from './types';

type List = readonly unknown[];

/**
 * Strategic merge patch: maps merge, null removes, lists with a merge key merge by it, other lists are
 * replaced, and the directives `$patch` (replace, delete, merge), `$retainKeys`, `$setElementOrder/…` and
 * `$deleteFromPrimitiveList/…` do what kubectl means by them. Shares the untouched parts of `live`.
 *
 * Of a built-in kind that the type table does not know, lists are replaced.
 *
 * @throws PatchError 415 for a group that is not built in (custom resources take no such patch), 400 or
 * 422 for a malformed directive or an element without its merge key.
 */
export function strategicMerge(args: { live: KubeObject; patch: unknown; kind: KindKey }): KubeObject {
  if (!isObject(args.patch))
    throw new PatchError(400, 'BadRequest', 'error decoding patch: a strategic merge patch must be an object');
  const type = typeOfKind(args.kind);
  if (!isBuiltInGroup(args.kind.group)) {
    throw new PatchError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
  return mergeMaps(args.live, args.patch, type) as KubeObject;
}

function mergeMaps(live: JsonObject, patch: JsonObject, type: MapType): JsonObject {
  const directive = own(patch, DIRECTIVE);
  if (directive !== undefined) return replaced(patch, directive);
  let merged: Record<string, unknown> = retained(live, patch);
  merged = orderLists(merged, patch, type);
  for (const [key, value] of Object.entries(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(ELEMENT_ORDER) || Object.hasOwn(patch, ELEMENT_ORDER + key)) continue;
    if (key.startsWith(DELETE_FROM_PRIMITIVES))
      removePrimitives(merged, key.slice(DELETE_FROM_PRIMITIVES.length), value);
    else if (value === null) delete merged[key];
    else setOwn(merged, key, mergeValue(own(merged, key), value, type, key));
  }
  return merged;
}

/** The merged value of one field. */
function mergeValue(live: unknown, value: unknown, type: MapType, key: string): unknown {
  const field: Field | undefined = type.fields.get(key);
  const of: FieldType | undefined = childType(type, key);
  const strategy = field?.patchStrategy ?? '';
  if (isObject(value) && isObject(live) && strategy !== 'replace')
    return mergeMaps(live, value, of?.kind === 'map' ? of : OPEN);
  if (Array.isArray(value) && Array.isArray(live) && strategy.split(',').includes('merge') && of?.kind === 'list') {
    return mergeLists(live, value, of.element, field?.mergeKey);
  }
  if (Array.isArray(value) && replacesList(value))
    return mergeLists([], value, of?.kind === 'list' ? of.element : { kind: 'any' }, field?.mergeKey);
  return withoutDirectives(value);
}

const OPEN: MapType = {
  kind: 'map',
  atomic: false,
  fields: new Map(),
  rest: { kind: 'any' },
  implied: new Map(),
  defaults: {},
};

function replaced(patch: JsonObject, directive: unknown): JsonObject {
  const { [DIRECTIVE]: _, ...rest } = patch;
  if (directive === 'replace') return rest;
  if (directive === 'delete') return {};
  throw unknownDirective(directive);
}

/** `$retainKeys` names the only keys that stay; every key of the patch must be among them. */
function retained(live: JsonObject, patch: JsonObject): Record<string, unknown> {
  const keep = own(patch, RETAIN_KEYS);
  if (keep === undefined) return { ...live };
  if (!Array.isArray(keep)) throw badFormat('retainKeys');
  const names = keep as readonly unknown[];
  const stranger = Object.keys(patch).find(
    (key) => key !== RETAIN_KEYS && patch[key] !== null && !key.startsWith('$') && !names.includes(key),
  );
  if (stranger !== undefined) throw badFormat('retainKeys');
  return Object.fromEntries(Object.entries(live).filter(([key]) => names.includes(key)));
}

function removePrimitives(merged: Record<string, unknown>, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw badFormat('deleteFromPrimitiveList');
  const live = own(merged, key);
  if (!Array.isArray(live)) return;
  setOwn(
    merged,
    key,
    (live as readonly unknown[]).filter(
      (item) => !(values as readonly unknown[]).some((gone) => jsonEqual(gone, item)),
    ),
  );
}

/** Merges the lists whose order the patch sets with `$setElementOrder/…`, and puts them in that order. */
function orderLists(live: Record<string, unknown>, patch: JsonObject, type: MapType): Record<string, unknown> {
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(ELEMENT_ORDER)) continue;
    if (!Array.isArray(order)) throw badFormat('setElementOrder list');
    const key = directive.slice(ELEMENT_ORDER.length);
    const before = own(live, key);
    const change = own(patch, key);
    if (change === null) {
      delete live[key];
      continue;
    }
    if (before === undefined && change === undefined) continue;
    const mergeKey = type.fields.get(key)?.mergeKey;
    if (Array.isArray(change)) checkOrder(change, order, mergeKey);
    const merged = change === undefined ? before : mergeValue(before, change, type, key);
    if (Array.isArray(merged)) setOwn(live, key, inOrder(merged, order, Array.isArray(before) ? before : [], mergeKey));
  }
  return live;
}

/** Every element that the patch changes must stand in the order it sets. */
function checkOrder(change: List, order: List, mergeKey: string | undefined): void {
  const kept = change.filter((item) => !(isObject(item) && item[DIRECTIVE] !== undefined));
  if (kept.some((item) => indexOf(order, item, mergeKey) < 0)) throw badFormat('setElementOrder list');
}

/** Whether an element of the list says that the list is to be replaced. */
function replacesList(patch: List): boolean {
  return patch.some((item) => isObject(item) && item[DIRECTIVE] === 'replace');
}

/** Merges a list by its merge key, in the order of the patch; a list of scalars becomes the union. */
function mergeLists(live: List, patch: List, element: FieldType, mergeKey: string | undefined): List {
  if (!patch.some(isObject)) return inOrder(uniqueScalars([...live, ...patch]), patch, live, undefined);
  if (replacesList(patch)) return withoutReplaceMarks(patch);
  const key = mergeKey ?? '';
  const merged = [...live.filter((item) => !isDeleted(item, patch, key))];
  for (const item of patch) {
    if (!isObject(item) || item[DIRECTIVE] === 'delete') continue;
    mergeElement(merged, item, element, key);
  }
  return inOrder(merged, patch, live, key);
}

function mergeElement(merged: unknown[], item: JsonObject, element: FieldType, key: string): void {
  if (own(item, key) === undefined) throw withoutKey(item, key);
  const { [DIRECTIVE]: directive, ...rest } = item;
  if (directive !== undefined && directive !== 'merge') throw unknownDirective(directive);
  const at = merged.findIndex((other) => isObject(other) && jsonEqual(other[key], item[key]));
  const found = merged[at];
  if (at < 0) merged.push(withoutDirectives(rest));
  else if (isObject(found) && element.kind === 'map') merged[at] = mergeMaps(found, rest, element);
  else merged[at] = withoutDirectives(rest);
}

function isDeleted(item: unknown, patch: List, key: string): boolean {
  return patch.some((mark) => {
    if (!isObject(mark) || mark[DIRECTIVE] !== 'delete') return false;
    if (own(mark, key) === undefined) throw withoutKey(mark, key);
    return isObject(item) && jsonEqual(item[key], mark[key]);
  });
}

function withoutReplaceMarks(patch: List): List {
  return patch.flatMap((item) => {
    if (!isObject(item)) return [item];
    const { [DIRECTIVE]: directive, ...rest } = item;
    return directive === 'replace' && Object.keys(rest).length === 0 ? [] : [withoutDirectives(rest)];
  });
}

function uniqueScalars(items: List): List {
  return [...new Set(items)];
}

const REJECTED = 'the server rejected our request due to an error in our request';

function withoutKey(item: JsonObject, key: string): PatchError {
  return new PatchError(
    422,
    'Invalid',
    REJECTED,
    `an element of the patch has no merge key ${JSON.stringify(key)}: ${JSON.stringify(item).slice(0, 200)}`,
  );
}

function unknownDirective(directive: unknown): PatchError {
  return new PatchError(
    422,
    'Invalid',
    REJECTED,
    `unknown patch type: ${String(directive)}: use "merge", "replace" or "delete"`,
  );
}
