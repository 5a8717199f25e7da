import { builtInType, childType, deduced, type FieldType, type ListType, type MapType } from './field-types';
import { isObject, setOwn } from './json-values';
import type { KindKey, KubeObject } from './types';

/**
 * The value as Go would print it after reading it: nulls and empty optional values go, structs by value
 * and required fields appear. Custom resources (no declared fields but their schema's) lose only nulls
 * that an apply left. Returns the same reference where nothing changes.
 */
export function canonical(value: unknown, declared: FieldType): unknown {
  const type = deduced(declared, value);
  if (declared.kind === 'any') return value;
  if (type.kind === 'list') return canonicalList(value, type);
  if (type.kind === 'map') return canonicalMap(value, type);
  return value;
}

function canonicalList(value: unknown, type: ListType): unknown {
  if (!Array.isArray(value)) return value;
  let changed = false;
  const next = (value as readonly unknown[]).map((element) => {
    const kept = canonical(element, type.element);
    changed ||= kept !== element;
    return kept;
  });
  return changed ? next : value;
}

function canonicalMap(value: unknown, type: MapType): unknown {
  if (!isObject(value)) return value;
  const next: Record<string, unknown> = {};
  let changed = false;
  for (const [key, child] of Object.entries(value)) {
    const kept = canonical(child, childType(type, key) ?? { kind: 'any' });
    changed ||= kept !== child;
    if (isOmitted(kept, key, type)) changed = true;
    else setOwn(next, key, kept);
  }
  for (const [key, implied] of type.implied) {
    if (next[key] !== undefined && (next[key] !== null || implied === null)) continue;
    setOwn(next, key, impliedValue(implied, type.fields.get(key)?.type));
    changed = true;
  }
  return changed ? next : value;
}

/** A struct by value brings the fields that it always prints itself. */
function impliedValue(implied: unknown, type: FieldType | undefined): unknown {
  return type ? canonical(implied, type) : implied;
}

function isOmitted(value: unknown, key: string, type: MapType): boolean {
  if (type.implied.has(key)) return false;
  const field = type.fields.get(key);
  if (!field) return false;
  if (value === null || value === undefined) return true;
  if (!field.omitsZero) return false;
  if (field.type.kind === 'leaf') return value === '' || value === 0 || value === false;
  if (field.type.kind === 'list') return Array.isArray(value) && value.length === 0;
  // A map without entries is not printed; a pointer to an empty struct is.
  return (
    field.type.kind === 'map' && field.type.rest !== undefined && isObject(value) && Object.keys(value).length === 0
  );
}

/**
 * An object as a real server would print it after decoding: for built-in kinds nulls and empty optional
 * values go, structs by value (`resources: {}`, `status: {}`) and required fields appear; custom
 * resources stay as they are. Not defaulting: call it before. Same reference where nothing changes.
 */
export function canonicalObject(object: KubeObject, kind: KindKey): KubeObject {
  const type = builtInType(kind);
  return type ? (canonical(object, type) as KubeObject) : object;
}
