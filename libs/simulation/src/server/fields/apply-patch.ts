import { describeConflicts } from './apply-conflict';
import { canonical } from './canonical';
import { difference, EMPTY_SET, intersection, isEmptySet, union, type FieldSet } from './field-set';
import { typeOfKind, type MapType } from './field-types';
import { isObject, jsonEqual } from './json-values';
import { allowedByLastApplied, withLastApplied } from './last-applied';
import {
  decodeManagedFields,
  ownerId,
  toSeconds,
  withOwners,
  withoutEmpty,
  type Owner,
  type Ownership,
  type Ownerships,
} from './managed-fields';
import { afterUpdate, conflictsWith, takenOver, within } from './ownership';
import { compareTyped } from './typed-compare';
import { mergeTyped } from './typed-merge';
import { checkApplied, fieldSetOf, removeFields, withNamedFields } from './typed-sets';
import { PatchError, type ApplyConflict, type KindKey, type KubeObject } from './types';
import { NEVER_OWNED, reachOf, SET_BY_SERVER, type Reach } from './untracked-fields';

/** What {@link applyPatchSSA} needs to know of a server-side apply. */
export interface ApplyArgs {
  /** The stored object; undefined when the apply creates it. */
  live: KubeObject | undefined;
  /** The applied configuration as sent; of a `scale` endpoint the Scale. */
  patch: KubeObject;
  manager: string;
  /** Take fields that others own. */
  force: boolean;
  /** RFC 3339. */
  now: string;
  kind: KindKey;
  /** `status`, `scale`, …; left out for the object itself. */
  subresource?: string;
  /** Of a custom resource with a schema: see `customResourceType`. */
  type?: MapType;
}

/** Owner of everything that was there before the first apply to an object without owners. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/** One apply, made ready: the typed parts, and the owners before it. */
interface Step {
  live: KubeObject;
  applied: KubeObject;
  type: MapType;
  reach: Reach;
  owners: Ownerships;
  writer: Owner;
  now: string;
}

type Outcome = { object: KubeObject } | { conflicts: ReadonlyMap<string, Ownership> };

/**
 * Server-side apply: lays the configuration over the live object, removes what the manager applied before
 * and nobody else owns, and gives it what it applies. Fields of others that would change are conflicts
 * unless `force`. An apply that changes nothing returns the live object with its times.
 *
 * When to call: with the patch as decoded, not defaulted; default the result afterwards and do not track
 * it again, so that an applier never owns a default. `kubectl` also gets past conflicts with its own
 * client-side apply where the live value is the last applied, and has that annotation kept up to date.
 *
 * @throws PatchError for a patch that a server refuses before merging: `managedFields` set (400), another
 * type (400), an unknown field or a repeated list key (500, as recorded).
 * Source: structured-merge-diff and k8s.io/apimachinery managedfields; measured on Kubernetes 1.36.2.
 */
export function applyPatchSSA(args: ApplyArgs): { object: KubeObject } | { conflicts: ApplyConflict[] } {
  const step = prepare(args);
  let outcome = applyOnce(step, args.force);
  if ('conflicts' in outcome && args.manager === 'kubectl' && args.live) {
    const forgiven = withoutAllowed(outcome.conflicts, allowedByLastApplied(args.live, step.type));
    outcome = forgiven.size === 0 ? applyOnce(step, true) : { conflicts: forgiven };
  }
  if ('conflicts' in outcome) return { conflicts: describeConflicts(outcome.conflicts) };
  return { object: args.manager === 'kubectl' ? withLastApplied(outcome.object, args.patch) : outcome.object };
}

function prepare(args: ApplyArgs): Step {
  const subresource = args.subresource ?? '';
  checkMeta(args, subresource);
  const type = args.type ?? typeOfKind(args.kind);
  const sent = subresource === 'scale' ? scaled(args.patch) : args.patch;
  checkApplied(sent, type, describe(args));
  const reach = reachOf(args.kind, subresource);
  const applied = (removeFields(sent, union(reach.except, SET_BY_SERVER), type) ?? {}) as KubeObject;
  const live = args.live ?? {};
  const { version, group } = args.kind;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const writer: Owner = { manager: args.manager, operation: 'Apply', apiVersion, subresource };
  const now = toSeconds(args.now);
  let owners: Ownerships = decodeManagedFields(live.metadata?.managedFields) ?? new Map();
  if (owners.size === 0 && args.live) {
    const found = within(compareTyped({}, live, type), reach);
    owners = afterUpdate(owners, { ...writer, manager: BEFORE_FIRST_APPLY, operation: 'Update' }, found, now);
  }
  return { live, applied, type, reach, owners, writer, now };
}

function checkMeta({ patch, kind }: ApplyArgs, subresource: string): void {
  if (!isObject(patch))
    throw new PatchError(400, 'BadRequest', 'error decoding YAML: the applied configuration must be an object');
  if (patch.metadata?.managedFields !== undefined && patch.metadata.managedFields !== null) {
    throw new PatchError(400, 'BadRequest', 'metadata.managedFields must be nil');
  }
  if (subresource === 'scale') return;
  const [version = '', group = ''] = (patch.apiVersion ?? '').split('/').reverse();
  if (group === kind.group && version === kind.version && patch.kind === kind.kind) return;
  const sent = group === '' && version === '' ? '/' : `${group}/${version}`;
  throw new PatchError(400, 'BadRequest', `invalid object type: ${sent}, Kind=${patch.kind ?? ''}`);
}

function describe({ patch, kind }: ApplyArgs): string {
  const { namespace = '', name = '' } = patch.metadata ?? {};
  const version = kind.group === '' ? `/${kind.version}` : `${kind.group}/${kind.version}`;
  return `${namespace}/${name}; ${version}, Kind=${kind.kind}`;
}

/** A Scale says one thing about the object that it scales. */
function scaled(patch: KubeObject): KubeObject {
  const spec = patch['spec'];
  const replicas = isObject(spec) ? spec['replicas'] : undefined;
  return replicas === undefined ? {} : { spec: { replicas } };
}

function applyOnce(step: Step, force: boolean): Outcome {
  const { live, applied, type, reach, writer } = step;
  const id = ownerId(writer);
  const set = difference(fieldSetOf(applied, type), NEVER_OWNED);
  const owners = new Map(step.owners);
  const last = owners.get(id);
  owners.set(
    id,
    last?.time === undefined ? { owner: writer, fields: set } : { owner: writer, fields: set, time: last.time },
  );
  const merged = mergeTyped(live, applied, type);
  const pruned = prune(merged, type, owners, last?.fields ?? EMPTY_SET);
  const comparison = within(compareTyped(live, pruned, type), reach);
  const conflicts = conflictsWith(owners, id, comparison);
  if (conflicts.size > 0 && !force) return { conflicts };
  const next = withoutEmpty(takenOver(owners, id, comparison));
  const object = canonical(pruned, type) as KubeObject;
  if (jsonEqual(object, canonical(live, type))) return { object: withOwners(live, next) };
  const mine = next.get(id);
  if (mine) next.set(id, { ...mine, time: step.now });
  return { object: withOwners(object, next) };
}

/** Takes out what the manager applied last time and neither it nor anyone else owns now. */
function prune(merged: unknown, type: MapType, owners: Ownerships, last: FieldSet): unknown {
  const lastNamed = withNamedFields(last, type);
  let owned = EMPTY_SET;
  for (const { fields } of owners.values()) owned = union(owned, fields);
  const ownedNamed = withNamedFields(owned, type);
  if (isEmptySet(difference(lastNamed, ownedNamed))) return merged;
  const mergedNamed = withNamedFields(fieldSetOf(merged, type), type);
  const withoutLast = removeFields(merged, lastNamed, type);
  const remaining = withNamedFields(fieldSetOf(withoutLast, type), type);
  const unowned = difference(mergedNamed, union(remaining, ownedNamed));
  const withOwned = removeFields(merged, unowned, type);
  const kept = withNamedFields(fieldSetOf(withOwned, type), type);
  // Only what this manager once applied goes: what dangles for another reason is not its to remove.
  return removeFields(merged, intersection(difference(mergedNamed, kept), lastNamed), type);
}

function withoutAllowed(conflicts: ReadonlyMap<string, Ownership>, allowed: FieldSet): Map<string, Ownership> {
  const left = new Map<string, Ownership>();
  for (const [id, ownership] of conflicts)
    left.set(id, { ...ownership, fields: difference(ownership.fields, allowed) });
  return withoutEmpty(left);
}
