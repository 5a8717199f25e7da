/** Something about a run that cannot be begun; the message names the field. */
export class RunSpecError extends Error {
  override readonly name = 'RunSpecError';
}

/**
 * The lease is gone, or may be by now: nothing may be changed any more. Thrown by `guard()` and by every guarded write;
 * the task is (or will be) another worker's. Not an error of the task: it uses no attempt.
 */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  constructor(
    readonly task: string,
    reason: string,
  ) {
    super(`The lease of task "${task}" is lost: ${reason}.`);
  }
}

/** An intent could not be made durable, or has no lease behind it: the effect must not happen. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
}
