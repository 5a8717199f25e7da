import { valueIn, type KubeObject } from '@larry/contracts';
import { isMap, same, withValueAt, type Place } from './rendered';

/** An operation on a live object, without tests. */
export interface WantedOperation {
  op: string;
  path: string;
  value?: unknown;
}

/** The same change on the object as the release renders it. */
export interface WantedField {
  path: Place;
  /** What the release renders there; undefined where nothing. */
  before: unknown;
  /** What it has to render; undefined where nothing. */
  after: unknown;
}

/** The wanted fields, or why the rendered object has no such place. */
export type WantedFields = { fields: WantedField[] } | { none: string };

const listMap = ['name', 'containerPort', 'port', 'mountPath', 'key'];

/**
 * Finds the places of a JSON patch of a live object in the object as its release renders it: a live one has the server's
 * defaults, and lists that others have added to. What the two do not agree upon was changed after Helm wrote it. Pure.
 */
export function wantedFields(live: KubeObject, rendered: unknown, operations: readonly WantedOperation[]): WantedFields {
  const fields: WantedField[] = [];
  for (const operation of operations) {
    const parts = pointerParts(operation.path);
    const path = placeIn(live, rendered, parts);
    if (!path) return { none: `the release renders no ${operation.path}` };
    const before = valueIn(rendered, ...path);
    const adds = operation.op === 'add' && (parts.at(-1) === '-' || Array.isArray(valueIn(live, ...parts.slice(0, -1))));
    const stands = adds ? undefined : valueIn(live, ...parts);
    if (before !== undefined && !adds && !same(before, stands)) return { none: `${operation.path} was changed in the cluster after Helm wrote it` };
    fields.push({ path, before: adds ? undefined : before, after: operation.op === 'remove' ? undefined : operation.value });
  }
  return { fields };
}

/** A rendered object with the wanted fields. */
export function withFields(rendered: unknown, fields: readonly WantedField[]): unknown {
  return fields.reduce((object, { path, after }) => withValueAt(object, path, after), rendered);
}

/** The parts of a JSON pointer; indexes stay text, as the document says what they are. */
function pointerParts(pointer: string): string[] {
  return pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function placeIn(live: unknown, rendered: unknown, parts: readonly string[]): Place | undefined {
  const path: (string | number)[] = [];
  let [here, there] = [live, rendered];
  for (const [i, part] of parts.entries()) {
    if (part === '-' || Array.isArray(here)) {
      const last = i === parts.length - 1;
      const index = part === '-' || (last && Array.isArray(here) && Number(part) >= here.length) ? lengthOf(there) : elementIn(here as unknown[], there, Number(part));
      if (index === undefined) return undefined;
      path.push(index);
      here = part === '-' ? undefined : (here as unknown[])[Number(part)];
      there = Array.isArray(there) ? there[index] : undefined;
      continue;
    }
    path.push(part);
    here = isMap(here) ? here[part] : undefined;
    there = isMap(there) ? there[part] : undefined;
  }
  return path;
}

const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);

/** The element of a rendered list that is this live one: by what names it, else by its place in a list as long. */
function elementIn(live: readonly unknown[], rendered: unknown, index: number): number | undefined {
  if (!Array.isArray(rendered)) return undefined;
  const element = live[index];
  for (const key of listMap) {
    const name = valueIn(element, key);
    if (name === undefined) continue;
    const found = rendered.flatMap((other: unknown, i) => (same(valueIn(other, key), name) ? [i] : []));
    if (found.length === 1) return found[0];
  }
  return rendered.length === live.length && index < rendered.length ? index : undefined;
}
