import { buildProgram } from './program';
import { exitCodeOf, sentenceOf } from './user-error';

buildProgram()
  .parseAsync(process.argv)
  .catch((error: unknown) => {
    process.stderr.write(`larry: ${sentenceOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  });
