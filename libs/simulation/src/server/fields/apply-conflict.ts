import { pathsOf, printPath } from './field-set';
import type { Ownership } from './managed-fields';
import type { ApplyConflict } from './types';

/** The conflicts in the shape of the API, by manager. */
export function describeConflicts(conflicts: ReadonlyMap<string, Ownership>): ApplyConflict[] {
  return [...conflicts.values()]
    .map(({ owner, fields }) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
      fields: [...pathsOf(fields)].map((path) => printPath(path)),
    }))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

// The server sorts by the JSON of an entry without its fields.
function sortKey({ manager, operation, apiVersion, subresource }: ApplyConflict): string {
  return JSON.stringify({ manager, operation, ...(operation === 'Update' ? { apiVersion } : {}), subresource });
}

/**
 * The Status (409, reason Conflict) with which a real server refuses an apply: one FieldManagerConflict
 * cause per field, and a message that names the only conflict, or lists them by manager.
 */
export function conflictStatus(conflicts: readonly ApplyConflict[]): Record<string, unknown> {
  const causes = conflicts.flatMap((conflict) =>
    conflict.fields.map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${printOwner(conflict)}`,
      field,
    })),
  );
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: conflictMessage(conflicts, causes.length),
    reason: 'Conflict',
    details: { causes },
    code: 409,
  };
}

function conflictMessage(conflicts: readonly ApplyConflict[], count: number): string {
  const [first] = conflicts;
  if (count === 1 && first)
    return `Apply failed with 1 conflict: conflict with ${printOwner(first)}: ${first.fields[0]}`;
  const lines = conflicts.flatMap((conflict) => [
    `conflicts with ${printOwner(conflict)}:`,
    ...conflict.fields.map((field) => `- ${field}`),
  ]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function printOwner({ manager, operation, apiVersion, subresource, time }: ApplyConflict): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  if (operation === 'Apply') return name;
  return `${name} using ${apiVersion}${time ? ` at ${time}` : ''}`;
}
