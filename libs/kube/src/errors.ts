/** The source cannot tell what objects of a kind there are: not in the dump, not permitted, not served. Never means none. */
export class UnknownKindError extends Error {
  override name = 'UnknownKindError';
  constructor(
    readonly kind: string,
    readonly reason: string,
  ) {
    super(`${kind}: unknown (${reason})`);
  }
}

/** The log of a container cannot be read, with the reason. */
export class LogUnavailableError extends Error {
  override name = 'LogUnavailableError';
}

/** The cluster cannot be reached or refuses us; the message is one sentence that says what to do. */
export class ClusterUnavailableError extends Error {
  override name = 'ClusterUnavailableError';
}

/** A label or field selector that Larry cannot read; the message names the selector and the part. */
export class BadSelectorError extends Error {
  override name = 'BadSelectorError';
}
