import type { Cause } from './api-error';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { isObject, record } from './kube-object';
import { readTyped } from './typed';
import type { TypedResult } from './typed';
import { required, wrong } from './validation';

/**
 * Reads a custom resource by its structural schema: unknown fields are pruned, defaults filled in. An object of a
 * kind without a schema stays as it was sent. CEL rules (`x-kubernetes-validations`) are not evaluated.
 */
export function customDefaults(kind: Kind, input: Fields): TypedResult {
  const unknown: string[] = [];
  const { metadata, apiVersion, kind: kindName, ...rest } = input;
  const meta = readTyped('meta.v1.ObjectMeta', record(metadata));
  unknown.push(...meta.unknown.map((f) => `metadata.${f}`));
  const schema = kind.custom?.schema;
  const body = schema ? (walk(schema, rest, '', unknown) as Fields) : rest;
  return { value: { apiVersion, kind: kindName, metadata: meta.value, ...structuredClone(body) }, unknown, ...(meta.mistyped ? { mistyped: meta.mistyped } : {}) };
}

function walk(schema: Fields, value: unknown, at: string, unknown: string[]): unknown {
  if (Array.isArray(value)) {
    const items = schema['items'];
    return isObject(items) ? value.map((item, i) => walk(items, item, `${at}[${i}]`, unknown)) : value;
  }
  if (!isObject(value)) return value;
  const properties = record(schema['properties']);
  const more = schema['additionalProperties'];
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-embedded-resource'] === true || more === true || !schema['properties'] && !isObject(more);
  const out: Fields = {};
  for (const [key, inner] of Object.entries(value)) {
    const here = at ? `${at}.${key}` : key;
    const property = properties[key];
    if (isObject(property)) {
      if (inner === null && property['nullable'] !== true && property['default'] !== undefined) continue;
      out[key] = walk(property, inner, here, unknown);
    } else if (isObject(more)) out[key] = walk(more, inner, here, unknown);
    else if (keeps) out[key] = inner;
    else unknown.push(here);
  }
  for (const [key, property] of Object.entries(properties)) {
    if (out[key] === undefined && isObject(property) && property['default'] !== undefined) out[key] = walk(property, structuredClone(property['default']), key, []);
  }
  return out;
}

type Causes = Required<Cause>[];

/** What the schema of a custom resource forbids: types, required, enum, bounds, lengths, patterns. */
export function customValidate(kind: Kind, object: KubeObject): Causes {
  const schema = kind.custom?.schema;
  if (!schema) return [];
  const out: Causes = [];
  const { metadata: _m, apiVersion: _a, kind: _k, ...body } = object;
  check(schema, body, '', out);
  if (out.length > 0 && JSON.stringify(schema).includes('x-kubernetes-validations')) {
    out.push({ reason: 'FieldValueInvalid', message: 'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation', field: '<nil>' });
  }
  return out;
}

const typeName = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : Number.isInteger(value) ? 'integer' : typeof value);

function typeFits(schema: Fields, value: unknown): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return typeof value === 'string' || Number.isInteger(value);
  const type = schema['type'];
  if (type === undefined) return true;
  if (value === null) return schema['nullable'] === true;
  return typeName(value) === type || (type === 'number' && typeof value === 'number');
}

function check(schema: Fields, value: unknown, at: string, out: Causes): void {
  if (!typeFits(schema, value)) {
    const shown = JSON.stringify(value);
    out.push({ reason: 'FieldValueTypeInvalid', message: `Invalid value: ${shown}: ${at} in body must be of type ${String(schema['type'])}: ${shown}`, field: at || '<nil>' });
    return;
  }
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) {
    out.push({ reason: 'FieldValueNotSupported', message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${schema['enum'].map((e) => JSON.stringify(e)).join(', ')}`, field: at });
  }
  if (typeof value === 'number') numbers(schema, value, at, out);
  if (typeof value === 'string') strings(schema, value, at, out);
  if (Array.isArray(value) && isObject(schema['items'])) value.forEach((item, i) => check(schema['items'] as Fields, item, `${at}[${i}]`, out));
  if (!isObject(value)) return;
  for (const name of (schema['required'] ?? []) as string[]) if (value[name] === undefined && name !== 'metadata') out.push(required(at ? `${at}.${name}` : name));
  const properties = record(schema['properties']);
  for (const [key, inner] of Object.entries(value)) {
    const property = properties[key] ?? schema['additionalProperties'];
    if (isObject(property)) check(property, inner, at ? `${at}.${key}` : key, out);
  }
}

function numbers(schema: Fields, value: number, at: string, out: Causes): void {
  const { minimum, maximum } = schema;
  if (typeof minimum === 'number' && value < minimum) out.push(wrong(at, value, `${at} in body should be greater than or equal to ${minimum}`));
  if (typeof maximum === 'number' && value > maximum) out.push(wrong(at, value, `${at} in body should be less than or equal to ${maximum}`));
}

function strings(schema: Fields, value: string, at: string, out: Causes): void {
  const { minLength, maxLength, pattern } = schema;
  if (typeof minLength === 'number' && value.length < minLength) out.push(wrong(at, value, `${at} in body should be at least ${minLength} chars long`));
  if (typeof maxLength === 'number' && value.length > maxLength) out.push({ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${maxLength} bytes`, field: at });
  if (typeof pattern === 'string' && !safePattern(pattern, value)) out.push(wrong(at, value, `${at} in body should match '${pattern}'`));
}

/** A pattern that JavaScript cannot read forbids nothing. */
function safePattern(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern).test(value);
  } catch {
    return true;
  }
}

export const listKindOf = (kind: Kind): string => kind.custom?.listKind ?? `${kind.kind}List`;
