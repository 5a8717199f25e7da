import { isObject, own, setOwn } from './json-values';

/**
 * JSON merge patch (RFC 7386): objects merge, null removes, everything else replaces, lists whole.
 * Returns a value that shares the untouched parts of `live`.
 */
export function mergePatch(live: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const target = isObject(live) ? live : undefined;
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else setOwn(merged, key, mergePatch(own(target, key), value));
  }
  return merged;
}
