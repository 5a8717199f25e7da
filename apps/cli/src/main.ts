import { buildProgram } from './program';
import { exitCodes } from './exit-codes';

// `larry events | head`: the reader has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});

buildProgram()
  .parseAsync(process.argv)
  .catch(async (error: unknown) => {
    if (isCommanderError(error)) {
      // commander has said it; help and version count as fine.
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
      return;
    }
    // Help and version need none of the libraries that these are told with.
    const { exitCodeOf, sentenceOf } = await import('./user-error.js');
    process.stderr.write(`larry: ${sentenceOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  });

function isCommanderError(error: unknown): error is { exitCode: number } {
  return error instanceof Error && error.name === 'CommanderError';
}
