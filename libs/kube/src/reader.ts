import type { KubeObject, ObjectRef } from '@larry/contracts';

/** A kind as the source serves it. */
export interface KindRef {
  /** `v1`, `apps/v1`. */
  apiVersion: string;
  kind: string;
}

/** What a source knows about one kind. */
export interface KindInfo extends KindRef {
  /** The plural in URLs: `deployments`. */
  resource: string;
  namespaced: boolean;
  /** `unknown` is never shown as none: the reason says why the source cannot tell (`not in dump`, `forbidden`). */
  availability:
    | { state: 'listed'; /** Set when some of the objects could not be read: which, and why. */ incomplete?: string }
    | { state: 'unknown'; reason: string };
}

/** Where facts come from. */
export interface SourceInfo {
  type: 'live' | 'snapshot' | 'dump' | 'manifests';
  /** For people: the context and server, or the folder. */
  name: string;
  /** True when it is a simulated cluster: every screen and report then says SIMULATED. */
  simulated: boolean;
  /** When the facts are from, ISO 8601; absent for a live cluster (now) and for manifests (unknown). */
  takenAt?: string;
  /** The API server's version where known. */
  serverVersion?: string;
  /**
   * The only namespaces that the source speaks about (a dump of two namespaces); absent when it speaks about all.
   * A list over all namespaces holds these alone, and the list of another namespace throws {@link UnknownKindError}.
   */
  namespaces?: string[];
}

export interface ListOptions {
  namespace?: string;
  /** Kubernetes' label selector syntax. Served by every source. */
  labelSelector?: string;
  /** Only `metadata.name=…`, `spec.nodeName=…`, `involvedObject.*=…`, `status.phase=…`; served by every source. */
  fieldSelector?: string;
  signal?: AbortSignal;
}

export interface LogOptions {
  previous?: boolean;
  /** At most this many last lines; 1,000 by default. */
  tailLines?: number;
  /** At most this many bytes; 1 MiB by default. Longer lines are cut. */
  limitBytes?: number;
  signal?: AbortSignal;
}

/** A file of a folder source that was not used, and why. */
export interface SkippedFile {
  file: string;
  line?: number;
  reason: string;
  /** Only this part was passed over: the file is in `loaded` too, and is not counted twice. */
  partial?: true;
}

/**
 * Reads a cluster: the one read interface with four sources (live, snapshot, dump, manifests). Never writes.
 * Lists are paged behind the iterator, so that memory stays flat; objects are untrusted data and must not be changed.
 */
export interface ClusterReader {
  readonly source: SourceInfo;
  /** Every kind that the source serves or should have served, custom resources included. */
  kinds(): Promise<KindInfo[]>;
  /**
   * The objects of one kind, page by page. Throws {@link UnknownKindError} when the source cannot tell
   * (a dump without that kind, a 403): an empty iteration always means none.
   */
  list(kind: KindRef, options?: ListOptions): AsyncIterable<KubeObject>;
  /** One object, or undefined when there is none. Throws {@link UnknownKindError} like `list`. */
  get(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined>;
  /** The log of a container, oldest line first. Throws {@link LogUnavailableError} with the reason. */
  logs(pod: { namespace: string; name: string }, container: string, options?: LogOptions): Promise<string[]>;
  /** Where an object is written in a tree of manifests, and so where a change to it belongs; undefined for every other source. */
  originOf(object: KubeObject): { file: string; line?: number } | undefined;
  /** Files loaded and skipped; empty for a live cluster. `loaded` + `skipped` without the `partial` ones = all files seen. */
  files(): { loaded: string[]; skipped: SkippedFile[] };
  close(): Promise<void>;
}
