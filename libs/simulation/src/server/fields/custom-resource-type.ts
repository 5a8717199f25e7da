import {
  ANY,
  EMPTY_OBJECT,
  LEAF,
  listOf,
  mapOf,
  schemalessType,
  type Field,
  type FieldType,
  type MapType,
} from './field-types';
import { isObject, own, type JsonObject } from './json-values';

/**
 * The type of a custom resource, from `spec.versions[].schema.openAPIV3Schema` of its definition:
 * `x-kubernetes-list-type`, `-list-map-keys`, `-map-type`, `-preserve-unknown-fields`, `-int-or-string`.
 * Compute it once per definition and hand it to `trackUpdate` and `applyPatchSSA` as `type`.
 */
export function customResourceType(openApiV3Schema: unknown): MapType {
  const base = schemalessType();
  if (!isObject(openApiV3Schema)) return base;
  const root = typeOf(openApiV3Schema);
  if (root.kind !== 'map') return base;
  const fields = new Map<string, Field>([
    ...root.fields,
    ['apiVersion', field(LEAF)],
    ['kind', field(LEAF)],
    ...base.fields,
  ]);
  const type: MapType = { ...root, fields };
  return type;
}

const field = (type: FieldType): Field => ({ type, omitsZero: false, patchStrategy: '' });

function typeOf(schema: unknown): FieldType {
  if (!isObject(schema)) return ANY;
  const type = own(schema, 'type');
  if (type === 'array') return arrayOf(schema);
  if (type === 'object') return objectOf(schema);
  if (own(schema, 'x-kubernetes-int-or-string') === true) return LEAF;
  return type === undefined ? ANY : LEAF;
}

function arrayOf(schema: JsonObject): FieldType {
  const keys = own(schema, 'x-kubernetes-list-map-keys');
  const relation = own(schema, 'x-kubernetes-list-type');
  return listOf(
    String(relation ?? 'atomic'),
    Array.isArray(keys) ? keys.map(String) : [],
    typeOf(own(schema, 'items')),
  );
}

function objectOf(schema: JsonObject): FieldType {
  const atomic = own(schema, 'x-kubernetes-map-type') === 'atomic';
  const properties = own(schema, 'properties');
  const additional = own(schema, 'additionalProperties');
  if (isObject(additional)) return mapOf(typeOf(additional), atomic);
  const open = own(schema, 'x-kubernetes-preserve-unknown-fields') === true || additional === true;
  if (!isObject(properties)) return open ? ANY : { ...mapOf(ANY, atomic) };
  const entries = Object.entries(properties);
  const struct: MapType = {
    kind: 'map',
    atomic,
    fields: new Map(entries.map(([name, child]) => [name, field(typeOf(child))])),
    implied: new Map(),
    defaults: defaultsOf(entries),
  };
  return open ? { ...struct, rest: ANY } : struct;
}

function defaultsOf(entries: readonly [string, unknown][]): JsonObject {
  const defaults = entries.flatMap(([name, child]) => {
    const value = isObject(child) ? own(child, 'default') : undefined;
    return value === undefined || typeof value === 'object' ? [] : [[name, value] as const];
  });
  return defaults.length === 0 ? EMPTY_OBJECT : Object.fromEntries(defaults);
}
