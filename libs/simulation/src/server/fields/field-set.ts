import { isObject, sortedJson } from './json-values';

/**
 * A set of field paths as a tree. A path element is written as in `fieldsV1`: `f:name` (field),
 * `k:{…}` (list element by its keys), `v:…` (by its value), `i:…` (by its index). A node that is a
 * `member` is itself in the set, whatever lies below it.
 */
export interface FieldSet {
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

interface MutableSet {
  member: boolean;
  children: Map<string, MutableSet>;
}

const NO_CHILDREN: ReadonlyMap<string, FieldSet> = new Map();
export const EMPTY_SET: FieldSet = { member: false, children: NO_CHILDREN };
const MEMBER: FieldSet = { member: true, children: NO_CHILDREN };

export function isEmptySet(set: FieldSet): boolean {
  return !set.member && set.children.size === 0;
}

/** Collects paths; `done()` gives the set. */
export class FieldSetBuilder {
  private readonly root: MutableSet = { member: false, children: new Map() };

  insert(path: readonly string[]): void {
    let node = this.root;
    for (const element of path) {
      let child = node.children.get(element);
      if (!child) node.children.set(element, (child = { member: false, children: new Map() }));
      node = child;
    }
    node.member = true;
  }

  done(): FieldSet {
    return this.root;
  }
}

export function setOf(...paths: string[][]): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.done();
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || a === b) return b;
  if (isEmptySet(b)) return a;
  const children = new Map(a.children);
  for (const [key, child] of b.children) {
    const mine = children.get(key);
    children.set(key, mine ? union(mine, child) : child);
  }
  return { member: a.member || b.member, children };
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    const both = other ? intersection(child, other) : EMPTY_SET;
    if (!isEmptySet(both)) children.set(key, both);
  }
  return { member: a.member && b.member, children };
}

/** The paths of `a` that are not in `b`; what lies below a path of `b` stays. `a` itself if none goes. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  const children = new Map<string, FieldSet>();
  let changed = a.member && b.member;
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    const rest = other ? difference(child, other) : child;
    changed ||= rest !== child;
    if (!isEmptySet(rest)) children.set(key, rest);
  }
  return changed ? { member: a.member && !b.member, children } : a;
}

/** As {@link difference}, but a path of `b` takes everything below it away too. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  const children = new Map<string, FieldSet>();
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (other?.member) continue;
    const rest = other ? differenceBelow(child, other) : child;
    if (!isEmptySet(rest)) children.set(key, rest);
  }
  return { member: a.member && !b.member, children };
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (!other || !equalSets(child, other)) return false;
  }
  return true;
}

/** Every path of the set: at each level first its own members, then what lies below, both sorted. */
export function* pathsOf(set: FieldSet, prefix: readonly string[] = []): Generator<readonly string[]> {
  const keys = [...set.children.keys()].sort(compareElements);
  for (const key of keys) if (set.children.get(key)?.member) yield [...prefix, key];
  for (const key of keys) yield* pathsOf(set.children.get(key) ?? EMPTY_SET, [...prefix, key]);
}

const ORDER = 'fkvi';

/** Fields before keys before values before indices, then by text. */
function compareElements(a: string, b: string): number {
  const byKind = ORDER.indexOf(a.charAt(0)) - ORDER.indexOf(b.charAt(0));
  if (byKind !== 0) return byKind;
  return a < b ? -1 : a > b ? 1 : 0;
}

const decoded = new WeakMap<object, FieldSet>();

/** Reads `fieldsV1`. What is not a field set reads as empty. */
export function decodeFieldsV1(fields: unknown): FieldSet {
  if (!isObject(fields)) return EMPTY_SET;
  const known = decoded.get(fields);
  if (known) return known;
  const set = decodeNode(fields, true);
  decoded.set(fields, set);
  return set;
}

function decodeNode(node: Readonly<Record<string, unknown>>, isRoot: boolean): FieldSet {
  const keys = Object.keys(node);
  if (keys.length === 0) return isRoot ? EMPTY_SET : MEMBER;
  const children = new Map<string, FieldSet>();
  let member = false;
  for (const key of keys) {
    const child = node[key];
    if (key === '.') member = true;
    else if (/^[fkvi]:/.test(key) && isObject(child)) children.set(canonicalElement(key), decodeNode(child, false));
  }
  return { member, children };
}

/** Clients may write the keys of an element in any order; sets are compared by text. */
function canonicalElement(element: string): string {
  if (!element.startsWith('k:') && !element.startsWith('v:')) return element;
  try {
    return element.slice(0, 2) + sortedJson(JSON.parse(element.slice(2)));
  } catch {
    return element;
  }
}

const encoded = new WeakMap<FieldSet, Record<string, unknown>>();

/** Writes `fieldsV1`: `.` first, then the elements in the server's order. One object for one set. */
export function encodeFieldsV1(set: FieldSet): Record<string, unknown> {
  const known = encoded.get(set);
  if (known) return known;
  const fields = encodeNode(set);
  encoded.set(set, fields);
  decoded.set(fields, set);
  return fields;
}

function encodeNode(set: FieldSet): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (set.member && set.children.size > 0) out['.'] = {};
  for (const key of [...set.children.keys()].sort(compareElements))
    out[key] = encodeNode(set.children.get(key) ?? EMPTY_SET);
  return out;
}

/** A path as the server prints it: `.spec.containers[name="api"].image`, `.metadata.finalizers[="x"]`. */
export function printPath(path: readonly string[]): string {
  return path.map(printElement).join('');
}

/** One path element as the server prints it: `[name="api"]`. */
export function printElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  if (element.startsWith('i:')) return `[${text}]`;
  const keys = JSON.parse(text) as Record<string, unknown>;
  return `[${Object.keys(keys)
    .sort()
    .map((key) => `${key}=${sortedJson(keys[key])}`)
    .join(',')}]`;
}
