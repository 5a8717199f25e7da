import { createInterface } from 'node:readline/promises';
import { UserError } from '../user-error';

/**
 * Asks before something that matters. Yes without asking with `yes`; where nobody can be asked, a {@link UserError} that
 * says how to answer beforehand.
 */
export async function confirmed(question: string, options: { yes?: boolean }): Promise<boolean> {
  if (options.yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UserError('nobody can be asked here, and nothing was done; add --yes to answer beforehand');
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await Promise.race([dialogue.question(`${question} [y/N] `), closed(dialogue)]);
    return /^\s*(y|yes)\s*$/i.test(answer);
  } finally {
    dialogue.close();
  }
}

/** Ctrl-C or Ctrl-D at the question means no. */
function closed(dialogue: ReturnType<typeof createInterface>): Promise<string> {
  return new Promise((resolve) => dialogue.once('close', () => resolve('')).once('SIGINT', () => resolve('')));
}
