import type { Comparison } from './typed-compare';
import {
  difference,
  differenceBelow,
  EMPTY_SET,
  intersection,
  isEmptySet,
  setOf,
  union,
  type FieldSet,
} from './field-set';
import { ownerId, withoutEmpty, type Owner, type Ownership, type Ownerships } from './managed-fields';
import { NEVER_OWNED, type Reach } from './untracked-fields';

/** The comparison, limited to what an endpoint can write. */
export function within(comparison: Comparison, reach: Reach): Comparison {
  const limit = (set: FieldSet): FieldSet => {
    const kept = differenceBelow(set, reach.except);
    return reach.only ? intersection(kept, setOf([...reach.only])) : kept;
  };
  return { added: limit(comparison.added), modified: limit(comparison.modified), removed: limit(comparison.removed) };
}

/** What the others own of the fields that change or appear: the conflicts of a writer. */
export function conflictsWith(
  owners: Ownerships,
  writer: string | undefined,
  comparison: Comparison,
): Map<string, Ownership> {
  const touched = union(comparison.modified, comparison.added);
  const conflicts = new Map<string, Ownership>();
  for (const [id, ownership] of owners) {
    if (id === writer) continue;
    const fields = intersection(ownership.fields, touched);
    if (!isEmptySet(fields)) conflicts.set(id, { owner: ownership.owner, fields });
  }
  return conflicts;
}

/** The owners after a write that went through: the others lose what it took over and what is gone. */
export function takenOver(
  owners: Ownerships,
  writer: string | undefined,
  comparison: Comparison,
): Map<string, Ownership> {
  const lost = union(union(comparison.modified, comparison.added), comparison.removed);
  const next = new Map<string, Ownership>();
  for (const [id, ownership] of owners) {
    next.set(id, id === writer ? ownership : { ...ownership, fields: difference(ownership.fields, lost) });
  }
  return withoutEmpty(next);
}

/** The owners after an update: the writer has what it changed or added, dated now, and nobody else has that. */
export function afterUpdate(owners: Ownerships, writer: Owner, comparison: Comparison, now: string): Ownerships {
  const next = takenOver(owners, undefined, comparison);
  const taken = difference(union(comparison.modified, comparison.added), NEVER_OWNED);
  if (isEmptySet(taken)) return next;
  const id = ownerId(writer);
  const before = next.get(id)?.fields ?? EMPTY_SET;
  next.set(id, { owner: writer, fields: union(taken, before), time: now });
  return next;
}
