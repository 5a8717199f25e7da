import { readFileSync } from 'node:fs';
import path from 'node:path';

/** One field of a built-in type; the letters are explained in `data/schema.json`. */
export interface Field {
  /** A scalar (`string`, `bool`, `int32`, `int64`, `double`, `bytes`, `quantity`, `time`, `microtime`, `intstr`, `raw`) or a type. */
  t: string;
  /** Protobuf field number. */
  n?: number;
  /** `l` a list, `m` a map with string keys. */
  c?: 'l' | 'm';
  /** A Go pointer: an explicit zero value stays. */
  p?: 1;
  /** Written even when empty. */
  k?: 1;
  /** Its fields stand directly in the parent. */
  i?: 1;
  r?: 1;
  d?: unknown;
  e?: string[];
  lt?: 'map' | 'set' | 'atomic';
  lk?: string[];
  mt?: 'atomic' | 'granular';
  ps?: string;
  pk?: string;
}

export type TypeFields = Readonly<Record<string, Field>>;

interface SchemaFile {
  atomic: string[];
  types: Record<string, Record<string, Field>>;
}

let loaded: SchemaFile | undefined;
const flat = new Map<string, TypeFields>();

function file(): SchemaFile {
  loaded ??= JSON.parse(readFileSync(path.join(__dirname, 'data', 'schema.json'), 'utf8')) as SchemaFile;
  return loaded;
}

/** The fields of a type as its protobuf message has them: inlined messages are fields of their own. */
export const messageFields = (type: string): TypeFields | undefined => file().types[type];

/** The fields of a type as its JSON has them, or undefined where there is no such type. */
export function jsonFields(type: string): TypeFields | undefined {
  const known = flat.get(type);
  if (known) return known;
  const message = file().types[type];
  if (!message) return undefined;
  const fields: Record<string, Field> = {};
  for (const [name, field] of Object.entries(message)) {
    if (field.i) Object.assign(fields, jsonFields(field.t));
    else fields[name] = field;
  }
  flat.set(type, fields);
  return fields;
}

export const isAtomic = (type: string): boolean => file().atomic.includes(type);

const entries = new Map<string, [string, Field][]>();

/** `jsonFields` as a list, made once: objects are read field by field all the time. */
export function fieldEntries(type: string): readonly [string, Field][] {
  let known = entries.get(type);
  if (!known) entries.set(type, (known = Object.entries(jsonFields(type) ?? {})));
  return known;
}

const SCALARS = new Set(['string', 'bool', 'int32', 'int64', 'double', 'bytes', 'quantity', 'time', 'microtime', 'intstr', 'raw']);
export const isScalar = (type: string): boolean => SCALARS.has(type);

/** Types that are a bare list in JSON and a message with `items` on the wire (`ExtraValue`). */
export function isListWrapper(type: string): boolean {
  let known = wrappers.get(type);
  if (known === undefined) wrappers.set(type, (known = findWrapper(type)));
  return known;
}

const wrappers = new Map<string, boolean>();

function findWrapper(type: string): boolean {
  const fields = messageFields(type);
  return fields !== undefined && !type.endsWith('List') && Object.keys(fields).length === 1 && fields['items']?.c === 'l';
}
