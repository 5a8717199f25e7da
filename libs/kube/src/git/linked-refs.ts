import { printable, redactText } from '@larry/contracts';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { gitOutput } from './commit-objects';
import type { GitRun } from './git-tool';

/**
 * @internal Git follows links where it writes a branch and its log: they have to stay in the repository's own folder.
 * @throws Error in one sentence where one leads out of it
 */
export async function refuseLinks(folder: string, branch: string, run: GitRun): Promise<void> {
  const common = await realpath(resolve(folder, (await gitOutput(folder, ['rev-parse', '--git-common-dir'], run)).toString('utf8').replace(/\n$/, '')));
  for (const place of [`refs/heads/${branch}`, `logs/refs/heads/${branch}`, 'packed-refs']) {
    const there = await deepest(join(common, place), common);
    const real = await realpath(there).catch(() => undefined);
    if (real !== common && !real?.startsWith(`${common}${sep}`)) throw new Error(`${printable(redactText(there), 300)} is a link out of the repository, or to nowhere: Larry writes no branch through it; make it a folder or file of its own`);
  }
}

/** The longest part of a path that is there, a link to nowhere among it. */
async function deepest(path: string, root: string): Promise<string> {
  if (path === root) return path;
  const there = await lstat(path).then(() => true, (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR');
  return there ? path : deepest(dirname(path), root);
}
