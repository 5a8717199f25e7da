import { difference, EMPTY_SET, union, type FieldSet } from './field-set';
import type { MapType } from './field-types';
import { isObject, sortedJson } from './json-values';
import { compareTyped } from './typed-compare';
import { fieldSetOf } from './typed-sets';
import type { KubeObject } from './types';

const ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
/** Annotations may hold 256 KiB in all; a larger configuration is remembered as an empty one. */
const MAX_BYTES = 256 * 1024;

/**
 * The fields that `kubectl apply` set on the client's side and that still have that value: moving to
 * server-side apply takes these over without a conflict.
 */
export function allowedByLastApplied(live: KubeObject, type: MapType): FieldSet {
  const text = live.metadata?.annotations?.[ANNOTATION];
  if (typeof text !== 'string' || text === '') return EMPTY_SET;
  const lastApplied = parse(text);
  if (!lastApplied) return EMPTY_SET;
  const { modified, added } = compareTyped(live, lastApplied, type);
  return difference(fieldSetOf(lastApplied, type), union(modified, added));
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The object with its last-applied annotation, if it has one, saying what `kubectl` applied just now. */
export function withLastApplied(object: KubeObject, applied: KubeObject): KubeObject {
  const annotations = object.metadata?.annotations;
  if (annotations?.[ANNOTATION] === undefined) return object;
  const text = `${sortedJson(withoutAnnotation(applied))}\n`;
  const value = Buffer.byteLength(text) > MAX_BYTES ? '' : text;
  if (annotations[ANNOTATION] === value) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [ANNOTATION]: value } } };
}

function withoutAnnotation(applied: KubeObject): KubeObject {
  const { managedFields: _fields, annotations, ...metadata } = applied.metadata ?? {};
  if (annotations === undefined) return { ...applied, metadata };
  const { [ANNOTATION]: _annotation, ...others } = annotations;
  return { ...applied, metadata: { ...metadata, annotations: others } };
}
