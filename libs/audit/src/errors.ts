/** The log cannot be read, locked or written, or what stands in it is wrong. One sentence that names the file. */
export class AuditError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'AuditError';
  }
}
