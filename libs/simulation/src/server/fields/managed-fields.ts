import { decodeFieldsV1, encodeFieldsV1, equalSets, isEmptySet, union, type FieldSet } from './field-set';
import { isObject } from './json-values';
import type { KubeObject, ManagedFieldsEntry } from './types';

/** Who owns fields: one Apply entry per manager and subresource, one Update entry per these and version. */
export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

/** An owner with what it owns, and when that changed last. */
export interface Ownership {
  readonly owner: Owner;
  readonly fields: FieldSet;
  readonly time?: string;
}

/** Ownerships by {@link ownerId}. */
export type Ownerships = ReadonlyMap<string, Ownership>;

/** An applier keeps its identity over versions, an updater does not. */
export function ownerId(owner: Owner): string {
  const version = owner.operation === 'Update' ? owner.apiVersion : '';
  return JSON.stringify([owner.manager, owner.operation, version, owner.subresource]);
}

/** Reads `metadata.managedFields`; undefined when an entry is not one that a server would accept. */
export function decodeManagedFields(entries: unknown): Ownerships | undefined {
  const owners = new Map<string, Ownership>();
  if (!Array.isArray(entries)) return entries === undefined || entries === null ? owners : undefined;
  for (const entry of entries as unknown[]) {
    if (!isObject(entry)) return undefined;
    const { manager = '', operation, apiVersion = '', subresource = '', time } = entry as ManagedFieldsEntry;
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (entry['fieldsType'] !== undefined && entry['fieldsType'] !== 'FieldsV1') return undefined;
    const owner: Owner = { manager, operation, apiVersion, subresource };
    const fields = decodeFieldsV1(entry['fieldsV1']);
    owners.set(ownerId(owner), time === undefined ? { owner, fields } : { owner, fields, time });
  }
  return owners;
}

/** Writes `metadata.managedFields` in the server's order: appliers first, then by time, then by name. */
export function encodeManagedFields(owners: Ownerships): ManagedFieldsEntry[] {
  return [...owners.values()].sort(byOperationTimeAndName).map(({ owner, fields, time }) => ({
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: owner.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFieldsV1(fields),
    ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
  }));
}

function byOperationTimeAndName(a: Ownership, b: Ownership): number {
  return (
    text(a.owner.operation, b.owner.operation) ||
    seconds(a.time) - seconds(b.time) ||
    text(a.owner.manager, b.owner.manager) ||
    text(a.owner.apiVersion, b.owner.apiVersion) ||
    text(a.owner.subresource, b.owner.subresource)
  );
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function seconds(time: string | undefined): number {
  const ms = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** RFC 3339 in whole seconds, as `metav1.Time` prints it. */
export function toSeconds(now: string): string {
  const ms = Date.parse(now);
  return Number.isNaN(ms) ? now : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The object with these owners; without any it has no `managedFields` at all. */
export function withOwners(object: KubeObject, owners: Ownerships): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  if (owners.size === 0) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields: encodeManagedFields(owners) } };
}

/** Whether both hold the same owners with the same fields; times do not count. */
export function sameOwnership(a: Ownerships, b: Ownerships): boolean {
  if (a.size !== b.size) return false;
  for (const [id, { fields, owner }] of a) {
    const other = b.get(id);
    if (!other || other.owner.apiVersion !== owner.apiVersion || !equalSets(fields, other.fields)) return false;
  }
  return true;
}

/** The owners without those that own nothing any more. */
export function withoutEmpty(owners: Ownerships): Map<string, Ownership> {
  return new Map([...owners].filter(([, { fields }]) => !isEmptySet(fields)));
}

/** A server keeps this many Update entries; older ones are folded together. */
export const MAX_UPDATE_ENTRIES = 10;
/** The name under which folded entries are kept. */
export const ANCIENT_CHANGES = 'ancient-changes';

/** Folds the oldest Update entries of each version into one until at most ten are left. */
export function capUpdateEntries(owners: Ownerships): Ownerships {
  const updaters = [...owners].filter(([, { owner }]) => owner.operation === 'Update');
  if (updaters.length <= MAX_UPDATE_ENTRIES) return owners;
  updaters.sort(([aId, a], [bId, b]) => seconds(a.time) - seconds(b.time) || text(aId, bId));
  const capped = new Map(owners);
  const oldestOf = new Map<string, string>();
  let left = updaters.length;
  for (const [id, ownership] of updaters) {
    if (left <= MAX_UPDATE_ENTRIES) break;
    const { apiVersion } = ownership.owner;
    const first = oldestOf.get(apiVersion);
    if (first === undefined) {
      oldestOf.set(apiVersion, id);
      continue;
    }
    const bucketOwner: Owner = { manager: ANCIENT_CHANGES, operation: 'Update', apiVersion, subresource: '' };
    const bucket = ownerId(bucketOwner);
    const folded = capped.get(bucket) ?? capped.get(first);
    if (!capped.has(bucket)) capped.delete(first);
    capped.delete(id);
    const fields = folded ? union(ownership.fields, folded.fields) : ownership.fields;
    // The bucket is as young as the youngest entry in it.
    capped.set(
      bucket,
      ownership.time === undefined
        ? { owner: bucketOwner, fields }
        : { owner: bucketOwner, fields, time: ownership.time },
    );
    left--;
  }
  return capped;
}
