import type { Fields } from './kube-object';
import { isObject } from './kube-object';
import { canonicalQuantity } from './quantity';
import type { Field } from './schema';
import { fieldEntries, isListWrapper, isScalar, jsonFields } from './schema';

/** What reading an object by its type found out. */
export interface TypedResult {
  value: Fields;
  /** `spec.template.spec.containers[0].imagee`: fields that the type does not have; they are dropped. */
  unknown: string[];
  /** The first value of a wrong type, as Go's JSON decoder words it. */
  mistyped?: string;
}

interface Walk {
  unknown: string[];
  mistyped?: string;
}

const GO: Record<string, string> = { bool: 'bool', int32: 'int32', int64: 'int64', double: 'float64', string: 'string', bytes: '[]uint8' };
const jsonName = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value === 'object' ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value);

/** Reads an object as Go reads and writes it: unknown fields and zero values of optional fields go, structs that are always written come. */
export function readTyped(type: string, input: Fields): TypedResult {
  const walk: Walk = { unknown: [] };
  const { apiVersion, kind, ...rest } = input;
  const value = { ...(kind === undefined ? {} : { kind }), ...(apiVersion === undefined ? {} : { apiVersion }), ...struct(type, rest, '', '', walk) };
  return { value, unknown: walk.unknown, ...(walk.mistyped ? { mistyped: walk.mistyped } : {}) };
}

function struct(type: string, input: Fields, at: string, goPath: string, walk: Walk): Fields {
  const fields = jsonFields(type) ?? {};
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(fields, name)) walk.unknown.push(at ? `${at}.${name}` : name);
  }
  const out: Fields = {};
  for (const [name, field] of fieldEntries(type)) {
    const given = input[name];
    // Most fields of a type are absent: nothing is told of them, so no path is made.
    const value =
      given === undefined || given === null
        ? absent(field, walk)
        : container(field, given, at ? `${at}.${name}` : name, { owner: type, path: goPath ? `${goPath}.${name}` : name }, walk);
    if (value !== undefined && !(type === 'meta.v1.ObjectMeta' && value === null)) out[name] = value;
  }
  return out;
}

interface Place {
  owner: string;
  path: string;
}

function mistyped(walk: Walk, value: unknown, go: string, place: Place): undefined {
  const owner = place.owner.slice(place.owner.lastIndexOf('.') + 1);
  walk.mistyped ??= `json: cannot unmarshal ${jsonName(value)} into Go struct field ${owner}.${place.path} of type ${go}`;
  return undefined;
}

function container(field: Field, value: unknown, at: string, place: Place, walk: Walk): unknown {
  if (field.c === undefined) return single(field, value, at, place, walk);
  if (field.c === 'l') {
    if (!Array.isArray(value)) return mistyped(walk, value, goType(field), place);
    if (value.length === 0 && !field.k) return undefined;
    return value.map((item, i) => element(field.t, item, `${at}[${i}]`, place, walk));
  }
  if (!isObject(value)) return mistyped(walk, value, goType(field), place);
  const entries = Object.entries(value);
  if (entries.length === 0 && !field.k) return undefined;
  return Object.fromEntries(entries.map(([key, item]) => [key, element(field.t, item, `${at}.${key}`, place, walk)]));
}

const goType = (field: Field): string => {
  const inner = GO[field.t] ?? (field.t === 'quantity' ? 'resource.Quantity' : field.t.split('.').filter((_, i, all) => i !== 0 || all.length < 3).join('.'));
  return field.c === 'l' ? `[]${inner}` : field.c === 'm' ? `map[string]${inner}` : inner;
};

/** An element of a list or map: written even when it is zero. */
function element(type: string, value: unknown, at: string, place: Place, walk: Walk): unknown {
  if (!isScalar(type)) return isListWrapper(type) ? value : isObject(value) ? struct(type, value, at, place.path, walk) : value === null ? {} : mistyped(walk, value, goType({ t: type }), place);
  return value === null ? (type === 'string' ? '' : null) : scalarValue(type, value, place, walk);
}

function single(field: Field, value: unknown, at: string, place: Place, walk: Walk): unknown {
  if (!isScalar(field.t)) {
    if (isListWrapper(field.t)) return value;
    return isObject(value) ? struct(field.t, value, at, place.path, walk) : mistyped(walk, value, goType(field), place);
  }
  const read = scalarValue(field.t, value, place, walk);
  const zero = read === '' || read === 0 || read === false;
  return zero && !field.p && !field.k && field.t !== 'intstr' ? undefined : read;
}

/** What is written for a field that is not given: a struct that is no pointer always is. */
function absent(field: Field, walk: Walk): unknown {
  if (field.c === undefined && !isScalar(field.t) && isListWrapper(field.t)) return undefined;
  if (field.c !== undefined || field.p) return field.k ? null : undefined;
  if (!isScalar(field.t)) return struct(field.t, {}, '', '', walk);
  switch (field.t) {
    case 'time': case 'microtime': return null;
    case 'quantity': return '0';
    case 'string': case 'bytes': return field.k ? '' : undefined;
    case 'int32': case 'int64': case 'double': return field.k ? 0 : undefined;
    case 'bool': return field.k ? false : undefined;
    default: return undefined;
  }
}

function scalarValue(type: string, value: unknown, place: Place, walk: Walk): unknown {
  switch (type) {
    case 'string': case 'bytes': case 'time': case 'microtime':
      return typeof value === 'string' ? value : mistyped(walk, value, GO[type] ?? 'string', place);
    case 'bool':
      return typeof value === 'boolean' ? value : mistyped(walk, value, 'bool', place);
    case 'int32': case 'int64':
      return typeof value === 'number' && Number.isInteger(value) ? value : mistyped(walk, value, type, place);
    case 'double':
      return typeof value === 'number' ? value : mistyped(walk, value, 'float64', place);
    case 'quantity':
      return canonicalQuantity(value) ?? mistyped(walk, value, 'resource.Quantity', place);
    case 'intstr':
      return typeof value === 'number' || typeof value === 'string' ? value : mistyped(walk, value, 'intstr.IntOrString', place);
    default:
      return value;
  }
}
