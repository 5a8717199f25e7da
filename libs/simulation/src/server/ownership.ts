import { ApiError } from './api-error';
import type { Status } from './api-error';
import { applyPatchSSA, conflictStatus, customResourceType, jsonPatch, keepTimesOfNoop, mergePatch, PatchError, strategicMerge, trackUpdate } from './fields';
import type { KindKey, KubeObject as OwnedObject } from './fields';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import type { Caller } from './state';

type CustomType = ReturnType<typeof customResourceType>;
const customTypes = new WeakMap<Kind, CustomType>();

/** What field ownership needs to know of a kind. */
function keyed(kind: Kind): { kind: KindKey; type?: CustomType } {
  const key = { group: kind.group, version: kind.version, kind: kind.kind };
  if (!kind.custom) return { kind: key };
  let type = customTypes.get(kind);
  if (!type) customTypes.set(kind, (type = customResourceType(kind.custom.schema)));
  return { kind: key, type };
}

/** Runs a function of field ownership; its refusals become answers. */
function answering<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof PatchError ? new ApiError(error.status() as unknown as Status) : error;
  }
}

const owned = (object: KubeObject): OwnedObject => object as unknown as OwnedObject;

/** One update whose field owners are to be recorded. */
export interface TrackedUpdate {
  before: KubeObject | undefined;
  after: KubeObject;
  kind: Kind;
  caller: Pick<Caller, 'manager'>;
  now: string;
  subresource?: string;
}

/** The managedFields after an update. Call it after defaulting and before the server sets fields of its own. */
export function managersAfter({ before, after, kind, caller, now, subresource }: TrackedUpdate): unknown[] | undefined {
  const tracked = answering(() => trackUpdate({
    before: before && owned(before), after: owned(after), manager: caller.manager, operation: 'Update', now, ...keyed(kind), ...(subresource ? { subresource } : {}),
  }));
  return tracked.metadata?.managedFields as unknown[] | undefined;
}

/** One server-side apply. */
export interface OwnedApply {
  kind: Kind;
  live: KubeObject | undefined;
  patch: KubeObject;
  caller: Caller;
  force: boolean;
  now: string;
  subresource?: string;
}

/** The applied object with its owners. Throws a 409 that lists every conflict. */
export function applyOwned({ kind, live, patch, caller, force, now, subresource }: OwnedApply): KubeObject {
  const result = answering(() => applyPatchSSA({
    live: live && owned(live), patch: owned(patch), manager: caller.manager, force, now, ...keyed(kind), ...(subresource ? { subresource } : {}),
  }));
  if ('conflicts' in result) throw new ApiError(conflictStatus(result.conflicts) as unknown as Status);
  return result.object as unknown as KubeObject;
}

/** A JSON, merge or strategic merge patch over an object; the result is a new value. */
export function patched(type: 'json' | 'merge' | 'strategic', kind: Kind, object: KubeObject, patch: unknown): unknown {
  return answering(() => {
    if (type === 'json') return jsonPatch(object, patch);
    if (type === 'merge') return mergePatch(object, patch);
    return strategicMerge({ live: owned(object), patch, kind: keyed(kind).kind });
  });
}

/** `before` itself where nothing but the times of managedFields would change. */
export const orUnchanged = (before: KubeObject, after: KubeObject): KubeObject => keepTimesOfNoop(owned(before), owned(after)) as unknown as KubeObject;
