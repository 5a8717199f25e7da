import type { KubeObject, ObjectRef } from '@larry/contracts';

/** A conditional JSON patch of one object. */
export interface ConditionalPatch {
  target: ObjectRef;
  /** RFC 6902; starts with `test` operations on uid and on every field that the diagnosis read. */
  patch: Record<string, unknown>[];
}

/** What the API server answered to a write. `conflict`: a `test` failed or the object is newer; read again before deciding. */
export type WriteOutcome =
  | { outcome: 'done'; object: KubeObject }
  | { outcome: 'conflict'; message: string }
  | { outcome: 'refused'; status: number; message: string }
  /** No answer, or one that does not tell whether it was applied: look at the target. */
  | { outcome: 'unknown'; message: string };

/** How a write is sent. */
export interface WriteOptions {
  /** Checked by the server and not stored. */
  dryRun: boolean;
  signal?: AbortSignal;
  /** Called synchronously, directly before each request leaves; what it throws, nothing was sent. */
  guard?(): void;
}

/** Writes to a cluster, one conditional request at a time; every write carries the annotation `larry.dev/change` (the caller puts it in). */
export interface ClusterWriter {
  /** Whether the account may do it (SelfSubjectAccessReview). */
  may(verb: 'patch' | 'create' | 'delete', ref: ObjectRef, subresource?: string): Promise<boolean>;
  patch(change: ConditionalPatch, options: WriteOptions): Promise<WriteOutcome>;
  create(object: KubeObject, options: WriteOptions): Promise<WriteOutcome>;
  /** Deletes with preconditions on uid and resourceVersion. */
  remove(ref: ObjectRef, preconditions: { uid: string; resourceVersion?: string }, options: WriteOptions): Promise<WriteOutcome>;
}
