import type { KubeObject } from '@larry/contracts';
import type { ClientContext } from './controller';
import type { ResourceKind } from './kinds';
import { sameValue } from './template';

/**
 * Writes an object's whole status where it differs. A merge patch with the object's uid: it cannot land on
 * another object of the same name, and does not lose against writers of other fields.
 */
export async function writeStatus<T extends KubeObject & { status?: object }>(context: ClientContext, kind: ResourceKind<T>, object: T, status: object): Promise<T> {
  const changed = changedFields((object.status ?? {}) as Record<string, unknown>, status as Record<string, unknown>);
  if (!changed) return object;
  const patch = { metadata: { uid: object.metadata.uid }, status: changed };
  return context.informers.of(kind).observe(await context.api.patch(kind, object, patch, 'merge', 'status'));
}

/** What a merge patch must hold to make `before` into `after` (objects merged, lists replaced); undefined for nothing. */
function changedFields(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined || sameValue(before[key], value)) continue;
    const old = before[key];
    patch[key] = isPlain(old) && isPlain(value) ? changedFields(old, value) : value;
  }
  return Object.keys(patch).length ? patch : undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
