import { jsonEqual } from './json-values';
import type { KubeObject } from './types';

/**
 * The object to store: when it differs from the stored one in nothing but the times of `managedFields`,
 * the stored one. Call it last, after defaulting and the server's own changes; an unchanged reference
 * means that nothing is to be written and that the resource version stays.
 */
export function keepTimesOfNoop(before: KubeObject, after: KubeObject): KubeObject {
  return jsonEqual(withoutTimes(before), withoutTimes(after)) ? before : after;
}

function withoutTimes(object: KubeObject): KubeObject {
  const entries = object.metadata?.managedFields;
  if (!Array.isArray(entries)) return object;
  const timeless = entries.map(({ time: _, ...entry }: Record<string, unknown>) => entry);
  return { ...object, metadata: { ...object.metadata, managedFields: timeless } };
}
