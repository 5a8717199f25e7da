import { mergePatch } from './json-patches';
import type { Kind } from './kinds';
import type { KubeObject } from './kube-object';
import type { Caller } from './state';

/** One update whose field owners are to be recorded. */
export interface TrackedUpdate {
  before: KubeObject | undefined;
  after: KubeObject;
  kind: Kind;
  caller: Caller;
  now: string;
  subresource?: string;
}

/** Keeps the managers that the object had: until field ownership is wired in. */
export function trackManagers({ before, after }: TrackedUpdate): KubeObject {
  const managedFields = before?.metadata.managedFields;
  const { managedFields: _dropped, ...metadata } = after.metadata;
  return { ...after, metadata: managedFields ? { ...metadata, managedFields } : metadata };
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

/** Merges without owners: until field ownership is wired in. */
export function applyOwned({ live, patch }: OwnedApply): KubeObject {
  return (live ? mergePatch(live, patch) : patch) as KubeObject;
}

export function strategicPatch(_kind: Kind, live: KubeObject, patch: unknown): unknown {
  return mergePatch(live, patch);
}
