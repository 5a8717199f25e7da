/** A JSON object of unknown shape. */
export type JsonRecord = Record<string, unknown>;

/** The value as a JSON object; an empty one when it is anything else, so that a path can be read without asking at each step. */
export function recordOf(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}

/** The value as a list; empty when it is anything else. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a non-empty string, or undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The value as a finite number, or undefined. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** What stands at a path of an untrusted object: `valueIn(pod, 'spec', 'nodeName')`. Own properties only. */
export function valueIn(object: unknown, ...path: (string | number)[]): unknown {
  let at: unknown = object;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
