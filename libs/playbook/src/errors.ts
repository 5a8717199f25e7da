/** An error that another attempt cannot mend: the task fails at once and uses no further attempts. */
export class TerminalError extends Error {
  override name = 'TerminalError';
}

/** The options of a task do not fit its playbook; names the field. */
export class PlaybookOptionsError extends TerminalError {
  override name = 'PlaybookOptionsError';
}
