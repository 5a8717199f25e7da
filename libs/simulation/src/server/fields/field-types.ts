import { isObject, type JsonObject } from './json-values';
import { TYPE_TABLE } from './type-table';
import type { CompactField } from './type-table-shape';
import type { KindKey } from './types';

/** A list: owned whole (`atomic`), by value (`set`), or by the values of its keys (`map`). */
export interface ListType {
  readonly kind: 'list';
  readonly relation: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  readonly element: FieldType;
}

/** A struct (`fields`), a map of anything (`rest`), or both. Without `rest` other fields are unknown. */
export interface MapType {
  readonly kind: 'map';
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, Field>;
  readonly rest?: FieldType;
  /** Values that Go prints even when nobody set them: structs by value, fields without omitempty. */
  readonly implied: ReadonlyMap<string, unknown>;
  /** Values that a key field takes when an element of a list leaves it out. */
  readonly defaults: JsonObject;
}

/** How a value is owned and merged. `any` is told by the value itself: maps granular, lists atomic. */
export type FieldType = { readonly kind: 'leaf' } | { readonly kind: 'any' } | ListType | MapType;

/** A named field of a struct. `omitsZero`: a Go value with omitempty, whose zero is never printed. */
export interface Field {
  readonly type: FieldType;
  readonly omitsZero: boolean;
  readonly patchStrategy: string;
  readonly mergeKey?: string;
}

export const LEAF: FieldType = { kind: 'leaf' };
export const ANY: FieldType = { kind: 'any' };
export const EMPTY_OBJECT: JsonObject = Object.freeze({});

const { kinds, types } = TYPE_TABLE;
const built = new Map<string, MapType>();

const LEAF_FIELD: Field = { type: LEAF, omitsZero: false, patchStrategy: '' };
const VALUE_FIELD: Field = { type: LEAF, omitsZero: true, patchStrategy: '' };

function named(name: string | undefined): FieldType {
  if (name === undefined || name === '.') return LEAF;
  if (name === '?') return ANY;
  return structNamed(name);
}

function structNamed(name: string): MapType {
  const known = built.get(name);
  if (known) return known;
  const compact = types[name] ?? {};
  const fields = new Map<string, Field>();
  const implied = new Map<string, unknown>(Object.entries(compact.zero ?? {}));
  const struct: MapType = {
    kind: 'map',
    atomic: compact.atomic === true,
    fields,
    implied,
    defaults: compact.defaults ?? EMPTY_OBJECT,
  };
  // A JSON schema holds JSON schemas: known by its name before its fields are looked at.
  built.set(name, struct);
  for (const field of words(compact.values))
    fields.set(field, compact.zero && field in compact.zero ? LEAF_FIELD : VALUE_FIELD);
  for (const field of words(compact.pointers)) fields.set(field, LEAF_FIELD);
  for (const [field, facts] of Object.entries(compact.fields ?? {})) {
    fields.set(field, fieldOf(facts));
    if (facts.byValue) implied.set(field, EMPTY_OBJECT);
  }
  return struct;
}

const words = (text: string | undefined): string[] => (text ? text.split(' ') : []);

function fieldOf(facts: CompactField): Field {
  const field = { type: typeOfField(facts), omitsZero: facts.byValue !== true, patchStrategy: facts.patch ?? '' };
  return facts.mergeKey === undefined ? field : { ...field, mergeKey: facts.mergeKey };
}

function typeOfField(facts: CompactField): FieldType {
  if (facts.list !== undefined) return listOf(facts.list, facts.keys ?? [], named(facts.of));
  const atomic = facts.mapType === 'atomic';
  if (facts.map !== undefined) return mapOf(named(facts.map), atomic);
  const type = named(facts.of);
  if (type.kind !== 'map' || facts.mapType === undefined) return type;
  return { ...type, atomic };
}

export function listOf(relation: string, keys: readonly string[], element: FieldType): ListType {
  const known = relation === 'map' || relation === 'set' ? relation : 'atomic';
  return { kind: 'list', relation: known, keys: [...keys].sort(), element };
}

export function mapOf(rest: FieldType, atomic: boolean): MapType {
  return { kind: 'map', atomic, fields: new Map(), rest, implied: new Map(), defaults: EMPTY_OBJECT };
}

/** The type of a built-in kind, or undefined for one that the table does not know (a custom resource). */
export function builtInType(kind: KindKey): MapType | undefined {
  const name = kinds[`${kind.group}/${kind.version}/${kind.kind}`];
  return name === undefined ? undefined : structNamed(name);
}

const BUILT_IN_GROUPS = new Set(
  (
    ' apps autoscaling batch extensions policy admissionregistration.k8s.io apiextensions.k8s.io apiregistration.k8s.io authentication.k8s.io' +
    ' authorization.k8s.io certificates.k8s.io coordination.k8s.io discovery.k8s.io events.k8s.io flowcontrol.apiserver.k8s.io' +
    ' internal.apiserver.k8s.io networking.k8s.io node.k8s.io rbac.authorization.k8s.io resource.k8s.io scheduling.k8s.io storage.k8s.io' +
    ' storagemigration.k8s.io'
  ).split(' '),
);

/** Whether the API server itself serves the group: other groups hold custom resources. */
export function isBuiltInGroup(group: string): boolean {
  return BUILT_IN_GROUPS.has(group);
}

let schemaless: MapType | undefined;

/** A custom resource without a schema: its metadata is typed, the rest tells its type by its values. */
export function schemalessType(): MapType {
  schemaless ??= {
    kind: 'map',
    atomic: false,
    fields: new Map([['metadata', { type: structNamed('meta.v1.ObjectMeta'), omitsZero: false, patchStrategy: '' }]]),
    rest: ANY,
    implied: new Map(),
    defaults: EMPTY_OBJECT,
  };
  return schemaless;
}

/** The type of a kind: built in, or that of a custom resource without a schema. */
export function typeOfKind(kind: KindKey): MapType {
  return builtInType(kind) ?? schemalessType();
}

/** The type of one field or key of a map; undefined when the type does not declare it. */
export function childType(type: MapType, key: string): FieldType | undefined {
  return type.fields.get(key)?.type ?? type.rest;
}

/** What `any` means for a value: the shape that the value has. */
export function deduced(type: FieldType, value: unknown): FieldType {
  if (type.kind !== 'any') return type;
  if (Array.isArray(value)) return ANY_LIST;
  return isObject(value) ? ANY_MAP : LEAF;
}

const ANY_LIST: ListType = { kind: 'list', relation: 'atomic', keys: [], element: ANY };
const ANY_MAP: MapType = mapOf(ANY, false);
