/** Metadata of a {@link KubeObject}, as far as field ownership looks at it. */
export interface KubeMeta {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFieldsEntry[];
  readonly [key: string]: unknown;
}

/** A Kubernetes object as JSON. Treated as immutable: no function of this folder changes its input. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: KubeMeta;
  readonly [key: string]: unknown;
}

/** Names the type of an object: `{ group: '', version: 'v1', kind: 'Pod' }`. */
export interface KindKey {
  group: string;
  version: string;
  kind: string;
}

/** One entry of `metadata.managedFields`, in the shape of the API. `time` is RFC 3339 in seconds. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: unknown;
  readonly subresource?: string;
}

/**
 * What another manager owns and an apply wanted to change.
 * `fields` are as the server prints them: `.spec.replicas`,
 * `.spec.template.spec.containers[name="api"].image`.
 */
export interface ApplyConflict {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource?: string;
  time?: string;
  fields: string[];
}

/**
 * A patch that cannot be applied. `code`, `reason` and `message` are those of the Status that a real API
 * server answers; `detail` says in one sentence what was wrong where that message does not.
 */
export class PatchError extends Error {
  override readonly name = 'PatchError';

  constructor(
    readonly code: 400 | 415 | 422 | 500,
    readonly reason: string | undefined,
    message: string,
    readonly detail: string = message,
  ) {
    super(message);
  }

  /** The Status body to send. A 500 of a typed patch has no reason, a 422 has empty details, as recorded. */
  status(): Record<string, unknown> {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.code === 422 ? { details: {} } : {}),
      code: this.code,
    };
  }
}
