import { FieldSetBuilder, type FieldSet } from './field-set';
import { childType, deduced, type FieldType, type ListType, type MapType } from './field-types';
import { isObject, jsonEqual, own } from './json-values';
import { indexElements } from './list-elements';

/** What differs between two objects, by field path. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/**
 * Compares two objects of one type the way structured-merge-diff does: atomic values as one, list
 * elements by their keys, an added or removed container with everything in it. A field that Go always
 * prints (a struct by value, a field without omitempty) counts as there on both sides.
 */
export function compareTyped(before: unknown, after: unknown, type: FieldType): Comparison {
  const walk = new CompareWalk();
  walk.compare(before, after, type, []);
  return { added: walk.added.done(), modified: walk.modified.done(), removed: walk.removed.done() };
}

class CompareWalk {
  readonly added = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();

  compare(before: unknown, after: unknown, declared: FieldType, path: string[]): void {
    if (before === after) return;
    const type = deduced(declared, after === undefined || after === null ? before : after);
    if (declared.kind === 'any' && before !== undefined && after !== undefined && shape(before) !== shape(after)) {
      this.compare(before, undefined, declared, path);
      this.compare(undefined, after, declared, path);
      return;
    }
    if (isLeaf(type, before, after)) {
      this.leaf(before, after, path);
      return;
    }
    if (type.kind === 'list') this.list(asList(before), asList(after), type, path);
    else if (type.kind === 'map') this.map(before, after, type, path);
    if (before === undefined) this.insert(this.added, path);
    else if (after === undefined) this.insert(this.removed, path);
  }

  private leaf(before: unknown, after: unknown, path: string[]): void {
    if (before === undefined) this.insert(this.added, path);
    else if (after === undefined) this.insert(this.removed, path);
    else if (!jsonEqual(before, after)) this.insert(this.modified, path);
  }

  private insert(set: FieldSetBuilder, path: string[]): void {
    if (path.length > 0) set.insert(path);
  }

  private list(before: readonly unknown[], after: readonly unknown[], type: ListType, path: string[]): void {
    const old = indexElements(type, before);
    const now = indexElements(type, after);
    for (const element of new Set([...old.keys(), ...now.keys()])) {
      const was = old.get(element) ?? [];
      const is = now.get(element) ?? [];
      path.push(element);
      // An element that appears twice has no fields that could be told apart: it is compared whole.
      if (was.length > 1 || is.length > 1) this.leaf(was.length ? was : undefined, is.length ? is : undefined, path);
      else this.compare(was[0], is[0], type.element, path);
      path.pop();
    }
  }

  private map(before: unknown, after: unknown, type: MapType, path: string[]): void {
    const old = isObject(before) ? before : undefined;
    const now = isObject(after) ? after : undefined;
    const visit = (key: string): void => {
      const child = childType(type, key) ?? { kind: 'any' };
      const was = old && (own(old, key) ?? impliedUnlessNull(old, key, type));
      const is = now && (own(now, key) ?? impliedUnlessNull(now, key, type));
      if (was === is) return;
      path.push(`f:${key}`);
      this.compare(was, is, child, path);
      path.pop();
    };
    const keys = new Set<string>(type.implied.keys());
    for (const key of Object.keys(old ?? {})) keys.add(key);
    for (const key of Object.keys(now ?? {})) keys.add(key);
    keys.forEach(visit);
  }
}

/** What Go would print for a field that the JSON leaves out; a null that is there stays a null. */
function impliedUnlessNull(object: Readonly<Record<string, unknown>>, key: string, type: MapType): unknown {
  return type.implied.has(key) ? type.implied.get(key) : own(object, key);
}

const shape = (value: unknown): string => (Array.isArray(value) ? 'list' : isObject(value) ? 'map' : 'leaf');

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Atomic values, scalars, values of an unexpected shape, and containers that are empty on both sides. */
function isLeaf(type: FieldType, before: unknown, after: unknown): boolean {
  if (type.kind === 'list')
    return (
      type.relation === 'atomic' ||
      (isEmptyOf(before, 'list') && isEmptyOf(after, 'list')) ||
      !fits(before, 'list') ||
      !fits(after, 'list')
    );
  if (type.kind === 'map')
    return (
      type.atomic ||
      (isEmptyOf(before, 'map') && isEmptyOf(after, 'map')) ||
      !fits(before, 'map') ||
      !fits(after, 'map')
    );
  return true;
}

const fits = (value: unknown, wanted: 'list' | 'map'): boolean =>
  value === undefined || value === null || shape(value) === wanted;

function isEmptyOf(value: unknown, wanted: 'list' | 'map'): boolean {
  if (value === undefined || value === null) return true;
  if (wanted === 'list') return Array.isArray(value) && value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
