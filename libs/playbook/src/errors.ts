/** An error that another attempt cannot mend: the task fails at once and uses no further attempts. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

/** The options of a task do not fit its playbook; names the field. */
export class PlaybookOptionsError extends TerminalError {
  override name = 'PlaybookOptionsError';
}

/** An operation of a JSON patch does not fit the document. */
export class PatchError extends Error {
  override name = 'PatchError';

  constructor(
    readonly operation: { readonly op: string; readonly path: string },
    why: string,
  ) {
    super(`${operation.op} ${operation.path}: ${why}`);
  }
}

/** The API server did not say whether a change would be accepted: another attempt may hear more. */
export class NoVerdictError extends Error {
  override name = 'NoVerdictError';
}
