import { FieldSetBuilder, printElement, type FieldSet } from './field-set';
import { childType, deduced, type FieldType, type ListType, type MapType } from './field-types';
import { isObject, setOwn } from './json-values';
import { elementPath, missingKey } from './list-elements';
import { PatchError } from './types';

/** The paths that an applied object mentions: its leaves, the elements of its lists, the keys of its maps. */
export function fieldSetOf(value: unknown, type: FieldType): FieldSet {
  const set = new FieldSetBuilder();
  collect(value, type, [], set);
  return set.done();
}

function collect(value: unknown, declared: FieldType, path: string[], set: FieldSetBuilder): void {
  const type = deduced(declared, value);
  if (type.kind === 'list' && type.relation !== 'atomic') collectList(value, type, path, set);
  else if (type.kind === 'map' && !type.atomic) collectMap(value, type, path, set);
  else if (path.length > 0) set.insert(path);
}

function collectList(value: unknown, type: ListType, path: string[], set: FieldSetBuilder): void {
  if (!Array.isArray(value)) return;
  value.forEach((element: unknown, i) => {
    path.push(elementPath(type, element, i));
    collect(element, type.element, path, set);
    set.insert(path);
    path.pop();
  });
}

function collectMap(value: unknown, type: MapType, path: string[], set: FieldSetBuilder): void {
  if (!isObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    path.push(`f:${key}`);
    collect(child, childType(type, key) ?? { kind: 'any' }, path, set);
    const empty = child === null || (isObject(child) && Object.keys(child).length === 0);
    if (empty || !type.fields.has(key)) set.insert(path);
    path.pop();
  }
}

/** The set with every struct field that has a path below it made a path itself. */
export function withNamedFields(set: FieldSet, type: FieldType): FieldSet {
  if (set.children.size === 0) return set;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of set.children) {
    const named = element.startsWith('f:') && type.kind === 'map' && type.fields.has(element.slice(2));
    const below = withNamedFields(child, typeBelow(type, element));
    children.set(element, named && !below.member ? { member: true, children: below.children } : below);
  }
  return { member: set.member, children };
}

function typeBelow(type: FieldType, element: string): FieldType {
  if (type.kind === 'list') return type.element;
  if (type.kind === 'map') return childType(type, element.slice(2)) ?? { kind: 'any' };
  return type;
}

/** The value without the fields of a set; a container that becomes empty goes too. */
export function removeFields(value: unknown, set: FieldSet, declared: FieldType): unknown {
  const type = deduced(declared, value);
  if (set.children.size === 0) return value;
  if (type.kind === 'list' && type.relation !== 'atomic' && Array.isArray(value))
    return removeFromList(value, set, type);
  if (type.kind === 'map' && !type.atomic && isObject(value)) return removeFromMap(value, set, type);
  return value;
}

function removeFromList(value: readonly unknown[], set: FieldSet, type: ListType): unknown {
  const kept: unknown[] = [];
  value.forEach((element, i) => {
    const subset = set.children.get(elementPath(type, element, i));
    if (subset?.member) return;
    const rest = subset ? removeFields(element, subset, type.element) : element;
    if (rest !== undefined) kept.push(rest);
  });
  return kept.length > 0 ? kept : undefined;
}

function removeFromMap(value: Readonly<Record<string, unknown>>, set: FieldSet, type: MapType): unknown {
  const kept: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const subset = set.children.get(`f:${key}`);
    if (subset?.member) continue;
    const rest = subset ? removeFields(child, subset, childType(type, key) ?? { kind: 'any' }) : child;
    if (rest !== undefined) setOwn(kept, key, rest);
  }
  return Object.keys(kept).length > 0 ? kept : undefined;
}

/**
 * Refuses what the server refuses in an applied object before it merges: fields that the type does not
 * declare, two elements with one key, an element without a key, a container of the wrong shape.
 * @throws PatchError 500, as a real server answers (recorded), with the message that `describe` begins.
 */
export function checkApplied(value: unknown, type: FieldType, describe: string): void {
  const errors: string[] = [];
  check(value, type, '', errors);
  if (errors.length === 0) return;
  const text = errors.length === 1 ? errors[0] : `errors:\n${errors.map((error) => `  ${error}`).join('\n')}`;
  throw new PatchError(500, undefined, `failed to create typed patch object (${describe}): ${text}`);
}

function check(value: unknown, declared: FieldType, path: string, errors: string[]): void {
  const type = deduced(declared, value);
  if (value === null || type.kind === 'leaf' || type.kind === 'any') return;
  if (type.kind === 'list') checkList(value, type, path, errors);
  else checkMap(value, type, path, errors);
}

function checkList(value: unknown, type: ListType, path: string, errors: string[]): void {
  if (!Array.isArray(value)) {
    errors.push(`${path}: expected list, got ${goKind(value)}`);
    return;
  }
  const seen = new Set<string>();
  value.forEach((element: unknown, i) => {
    const missing = missingKey(type, element);
    if (missing !== undefined) {
      errors.push(
        `${path}: element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`,
      );
      return;
    }
    const at = elementPath(type, element, i);
    const printed = printElement(at);
    if (type.relation !== 'atomic' && seen.has(at)) errors.push(`${path}: duplicate entries for key ${printed}`);
    seen.add(at);
    check(element, type.element, path + printed, errors);
  });
}

function checkMap(value: unknown, type: MapType, path: string, errors: string[]): void {
  if (!isObject(value)) {
    errors.push(`${path}: expected map, got ${goKind(value)}`);
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    const childKind = childType(type, key);
    if (childKind) check(child, childKind, `${path}.${key}`, errors);
    else errors.push(`${path}.${key}: field not declared in schema`);
  }
}

const goKind = (value: unknown): string =>
  Array.isArray(value) ? '&value.listUnstructured{}' : `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
