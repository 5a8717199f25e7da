import { canonicalJson, type KubeObject, type ObjectRef, type PlannedChange } from '@larry/contracts';
import { applyPatch, elementNames, inversePatch, type PatchOperation, type TouchedPlace } from './json-patch';
import { valueAt } from './json-pointer';
import { earlierText, markOf } from './marks';

/** What is written down before a change is made, so that a successor can tell what became of it, and take it back. */
export interface Intent {
  /** `<run>/<task>/<step>`, the same in every attempt. */
  id: string;
  /** ISO 8601, UTC. */
  at: string;
  target: ObjectRef;
  verb: PlannedChange['verb'];
  /** Digest of the change and of what it depends on. */
  digest: string;
  /** The change as it was planned, without a created object's body; of a Secret without any value. */
  change: PlannedChange;
  /** The object as it was just before: absent for `create`. */
  uid?: string;
  resourceVersion?: string;
  /** The mark of an earlier change on the same object, which a rollback puts back. */
  previousMark?: string;
  /** The ids beside it. */
  previousEarlier?: string;
  hadAnnotations: boolean;
  /** The person whose word it was made by; absent where nobody was asked. */
  approvedBy?: string;
  /** False for Secrets: their values are not written down, so nothing can be put back. */
  restorable: boolean;
  /** For `patch`: restores the touched fields as they were. */
  inverse: PatchOperation[];
  /** For `patch`: what stands at the touched places once it is applied. */
  touched: TouchedPlace[];
  /** For `patch`: the names of the list elements that hold what is touched; a list that was reordered since is seen by them. */
  elements?: TouchedPlace[];
  /** For `git-branch`: the commit that the branch's comes after. */
  base?: string;
  /** For `delete`: the object, as it is created again by a rollback. */
  before?: KubeObject;
}

/** What became of an intent, as far as is known. Without an outcome it is open. */
export type IntentOutcome =
  | 'applied'
  | 'adopted'
  | 'not-applied'
  | 'refused'
  | 'superseded'
  | 'rolling-back'
  | 'rolled-back'
  | 'outcome-unknown';

/** Outcomes after which the change is not in effect and may be intended anew. */
export const repeatableOutcomes: readonly IntentOutcome[] = ['not-applied', 'refused', 'superseded', 'rolled-back'];

/** Where intents and outcomes are kept, outside the process; written under the task's fence. */
export interface EffectJournal {
  /**
   * Keeps an intent; an earlier one that is open or in effect stays. Throws when the fence is stale or the write was not
   * acknowledged: then no effect may follow.
   */
  intent(intent: Intent): Promise<void>;
  /** What became of an intent that was kept; a later outcome replaces an earlier one. */
  outcome(id: string, outcome: IntentOutcome): Promise<void>;
  /** Every intent of this task with what became of it, in no order. */
  entries(): Promise<{ intent: Intent; outcome?: IntentOutcome }[]>;
}

/** Writes down what a change will do to the object as it was just read. @throws PatchError where the patch does not fit */
export function intentOf(id: string, change: PlannedChange, digest: string, live: KubeObject | undefined): Intent {
  const { target, verb } = change;
  const secret = target.kind === 'Secret';
  const { annotations, uid, resourceVersion } = live?.metadata ?? {};
  const previousMark = markOf(live);
  const previousEarlier = earlierText(live);
  const undo = verb === 'patch' && live && !secret ? undoing(live, (change.patch ?? []) as PatchOperation[]) : { inverse: [], touched: [] };
  const { object: _, patch, ...rest } = change;
  return {
    id,
    at: new Date().toISOString(),
    target,
    verb,
    digest,
    change: { ...rest, ...(patch && !secret ? { patch } : {}) },
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(previousMark ? { previousMark } : {}),
    ...(previousEarlier ? { previousEarlier } : {}),
    hadAnnotations: annotations !== undefined,
    restorable: verb === 'create' || !secret,
    ...undo,
    ...(verb === 'delete' && live && !secret ? { before: asCreated(live) } : {}),
  };
}

function undoing(live: KubeObject, wanted: readonly PatchOperation[]): Pick<Intent, 'inverse' | 'touched' | 'elements'> {
  const undo = inversePatch(live, wanted);
  const elements = elementNames(applyPatch(live, wanted), undo.touched.map(({ path }) => path));
  return { ...undo, ...(elements.length > 0 ? { elements } : {}) };
}

/** An object as it would be created: without what the API server and the controllers put in. */
export function asCreated(object: KubeObject): KubeObject {
  const { status: _, ...rest } = object;
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, generation: _g, managedFields: _m, deletionTimestamp: _d, ...metadata } = object.metadata;
  return { ...rest, metadata } as KubeObject;
}

/** True while the touched places stand as the change left them. The server's defaults inside them do not count. */
export function standsAsLeft(live: KubeObject, intent: Intent): boolean {
  return [...intent.touched, ...(intent.elements ?? [])].every(({ path, value }) => contains(valueAt(live, path), value));
}

/** True where what a patch wants stands on the object, whoever wrote it. What it appends may stand anywhere in its list. */
export function standsAsWanted(live: KubeObject, wanted: readonly PatchOperation[]): boolean {
  return wanted.every(({ op, path, value }) => {
    if (op === 'test') return true;
    if (op === 'remove') return valueAt(live, path) === undefined;
    if (!path.endsWith('/-')) return contains(valueAt(live, path), value);
    const list = valueAt(live, path.slice(0, -2));
    return Array.isArray(list) && list.some((element) => contains(element, value));
  });
}

function contains(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) return Array.isArray(actual) && actual.length === wanted.length && wanted.every((w, i) => contains(actual[i], w));
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof actual !== 'object' || actual === null) return false;
    return Object.entries(wanted).every(([key, value]) => Object.hasOwn(actual, key) && contains((actual as Record<string, unknown>)[key], value));
  }
  return canonicalJson(actual ?? null) === canonicalJson(wanted ?? null);
}
