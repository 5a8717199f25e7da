import { printable } from '@larry/contracts';
import { exitCodes } from './exit-codes';

export { exitCodes };

/** A mistake of the user's or of the surroundings, told in one sentence that says what to do; never a stack trace. */
export class UserError extends Error {
  override name = 'UserError';
  constructor(
    message: string,
    readonly exitCode: number = exitCodes.usage,
  ) {
    super(message);
  }
}

/** Errors of the libraries that are told to the user as they are, with their exit code. */
const told: Record<string, number> = {
  ClusterUnavailableError: exitCodes.unreachable,
  RedisUnavailableError: exitCodes.unreachable,
  RedisAccessError: exitCodes.unreachable,
  RedisFullError: exitCodes.unreachable,
  RedisReadOnlyError: exitCodes.unreachable,
  RedisSetupError: exitCodes.usage,
  SourceError: exitCodes.usage,
  SnapshotError: exitCodes.usage,
  PlaybookOptionsError: exitCodes.usage,
  ExceptionsFileError: exitCodes.usage,
};

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return error.exitCode;
  return told[nameOf(error)] ?? exitCodes.incomplete;
}

/** What to print for what a command threw: a sentence; the stack only of a mistake of ours, and only when asked for. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UserError || nameOf(error) in told) return printable(message, 2000);
  const detail = process.env['LARRY_DEBUG'] && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  return `${printable(message, 2000)} (unexpected; LARRY_DEBUG=1 shows where)${detail}`;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
