import type { GitBranch } from '@larry/contracts';
import { isUtf8 } from 'node:buffer';
import { blobId } from './blob-id';
import { runGit, type GitExit, type GitRun } from './git-tool';
import { editedText, secretElsewhere } from './manifest-change';
import { showsSecretOf } from './masked-text';

/** What a commit of a change is made of besides the change: the same of these make the same commit. */
export interface CommitOf {
  /** The change's id, for the trailer. */
  id: string;
  /** The commit that it comes after. */
  base: string;
  /** When it was intended: ISO 8601. */
  at: string;
}

/** The trailer that tells whose commit it is. */
export const changeTrailer = 'Larry-Change';

/** A command of git that did not do its work. */
export class GitError extends Error {
  constructor(readonly what: string, readonly exit: Pick<GitExit, 'code' | 'stderr'>) {
    super(`git ${what}: ${exit.stderr.trim()}`);
    this.name = 'GitError';
  }
}

/** Objects are on the disk before a branch names them. */
const durable = ['-c', 'core.fsync=committed', '-c', 'i18n.commitEncoding=UTF-8'];

/** @internal Runs git and gives what it wrote. @throws GitError */
export async function gitOutput(folder: string, args: readonly string[], run: GitRun = {}): Promise<Buffer> {
  const exit = await runGit(folder, [...durable, ...args], run);
  if (exit.code !== 0) throw new GitError(args[0] ?? '', exit);
  return exit.stdout;
}

/**
 * @internal Writes the blob, the trees and the commit of a change into the repository's objects, and nothing else: no index, no work tree
 * and no filter plays a part. Returns the commit's id. No branch names it yet.
 * @throws GitError; Error in one sentence where what would be committed is not exactly what was planned
 */
export async function writeCommit(folder: string, change: GitBranch, of: CommitOf, run: GitRun): Promise<string> {
  const { file, before, after } = change;
  const bytes = await gitOutput(folder, ['cat-file', 'blob', before], run);
  const text = isUtf8(bytes) ? await editedText(file, bytes.toString('utf8'), change.edits) : undefined;
  if (text === undefined || blobId(text, before) !== after) throw new Error(`the edits of ${file} do not give what was planned: another version of Larry planned it`);
  if ([bytes.toString('utf8'), text].some((version) => showsSecretOf(file, version, `${change.message}\n${change.diff}`))) throw new Error(`${file}: ${secretElsewhere}`);
  await gitOutput(folder, ['hash-object', '-t', 'blob', '-w', '--stdin'], { ...run, input: text });
  const tree = await writeTree(folder, `${of.base}^{tree}`, Buffer.from(file, 'utf8').toString('latin1').split('/'), { before, after }, run);
  const commit = textOf(await gitOutput(folder, ['commit-tree', tree, '-p', of.base], { ...run, input: `${change.message.trimEnd()}\n\n${changeTrailer}: ${of.id}\n`, environment: { ...run.environment, ...signedBy(of.at) } }));
  if (!(await changesAlone(folder, of.base, commit, change, run))) throw new Error(`the commit would change more than ${file}`);
  return commit;
}

/** @internal Who writes the commit and the entry of the branch's log. */
export function signedBy(at: string): Record<string, string> {
  const [name, email, date] = ['Larry', 'larry@localhost', `@${Math.floor(Date.parse(at) / 1000)} +0000`];
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email, GIT_COMMITTER_DATE: date };
}

/** @internal Whether two commits differ in the planned file alone, and there as planned. */
export async function changesAlone(folder: string, base: string, commit: string, { file, before, after }: Pick<GitBranch, 'file' | 'before' | 'after'>, run: GitRun): Promise<boolean> {
  const raw = (await gitOutput(folder, ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--full-index', base, commit], run)).toString('utf8');
  const [, modeBefore, modeAfter] = /^:(\d{6}) (\d{6}) /.exec(raw) ?? [];
  return modeBefore === modeAfter && raw === `:${modeBefore} ${modeAfter} ${before} ${after} M\0${file}\0`;
}

/** Each tree on the way with the one entry replaced; every other entry byte for byte as it is, whatever its name and kind. Names are bytes, kept as Latin 1. */
async function writeTree(folder: string, tree: string, [name = '', ...below]: string[], change: { before: string; after: string }, run: GitRun): Promise<string> {
  const entries = (await gitOutput(folder, ['ls-tree', '-z', '--full-tree', tree], run)).toString('latin1').split('\0').filter((e) => e !== '');
  const at = entries.findIndex((entry) => entry.slice(entry.indexOf('\t') + 1) === name);
  const [, mode = '', type = '', id = ''] = /^(\d+) (\w+) ([0-9a-f]+)\t/.exec(entries[at] ?? '') ?? [];
  const isFile = below.length === 0;
  if (isFile ? type !== 'blob' || id !== change.before || !/^100(?:644|755)$/.test(mode) : type !== 'tree') throw new Error('the file is not in the commit as it was planned');
  const made = isFile ? change.after : await writeTree(folder, id, below, change, run);
  entries[at] = `${mode} ${type} ${made}\t${name}`;
  return textOf(await gitOutput(folder, ['mktree', '-z', '--missing'], { ...run, input: Buffer.from(entries.map((e) => `${e}\0`).join(''), 'latin1') }));
}

const textOf = (output: Buffer): string => output.toString('utf8').trim();
