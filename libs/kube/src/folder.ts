import { isUtf8 } from 'node:buffer';
import { constants, readdirSync, type Dirent } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { SkippedFile } from './reader';

/** A tree of manifests is small; a dump or snapshot has a file for each log. */
const mostFiles = { manifests: 100_000, logs: 1_000_000 };
const skippedFolders = new Map([['.git', 'a Git folder: not looked into'], ['node_modules', 'npm packages: not looked into']]);

/** A tree as seen on disk: regular files with their paths from the root, and what was passed over by its nature. */
export interface Tree {
  root: string;
  files: string[];
  skipped: SkippedFile[];
}

/**
 * Every file below a folder, sorted, or the one file named. Symbolic links are never followed: what they point to inside the tree is
 * read where it stands, and nothing outside the tree is read.
 * @throws Error in one sentence when there is no such folder or it holds too many files: 100,000 manifests, a million with logs.
 */
export async function walkTree(path: string, holds: keyof typeof mostFiles): Promise<Tree> {
  const root = await realpath(path).catch(() => {
    throw new Error(`${path}: no such file or folder`);
  });
  if ((await stat(root)).isFile()) return { root: dirname(root), files: [basename(root)], skipped: [] };
  const tree: Tree = { root, files: [], skipped: [] };
  await walkFrom(tree, mostFiles[holds]);
  return tree;
}

/** A dump has a folder for each pod: after so many, signals and whoever else waits have their turn. */
const foldersInTurn = 256;

/** Asks the file system itself, folder by folder: by way of Node's threads the thousands of small questions take three times as long. */
async function walkFrom(tree: Tree, maxFiles: number): Promise<void> {
  const open: { folder: string; left: Dirent[] }[] = [];
  const enter = (folder: string): void => {
    const found = entriesOf(join(tree.root, folder));
    if ('reason' in found) tree.skipped.push({ file: folder, reason: found.reason });
    else open.push({ folder, left: found.sort((a, b) => (a.name > b.name ? -1 : 1)) });
  };
  enter('');
  for (let entered = 1; open.length > 0; ) {
    const { folder, left } = open.at(-1) as (typeof open)[number];
    const entry = left.pop();
    if (!entry) {
      open.pop();
      continue;
    }
    const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (isWalked(entry)) {
      enter(file);
      if (++entered % foldersInTurn === 0) await setImmediate();
    } else if (entry.isDirectory()) tree.skipped.push({ file, reason: skippedFolders.get(entry.name) ?? '' });
    else if (entry.isSymbolicLink()) tree.skipped.push({ file, reason: 'a symbolic link: not followed' });
    else if (!entry.isFile()) tree.skipped.push({ file, reason: 'not a regular file' });
    else tree.files.push(file);
    if (tree.files.length > maxFiles) throw new Error(`${tree.root}: more than ${maxFiles} files; name a smaller folder`);
  }
}

const isWalked = (entry: Dirent): boolean => entry.isDirectory() && !skippedFolders.has(entry.name);

/** What a folder holds, or why that cannot be said. Never throws. */
function entriesOf(folder: string): Dirent[] | { reason: string } {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return { reason: `the folder cannot be read: ${codeOf(error)}` };
  }
}

/** The text of a file of a tree, or the reason why it was not read. Never follows a link that took the file's place. */
export async function readTextFile(file: string, maxBytes: number): Promise<{ text: string } | { reason: string }> {
  let handle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size } = await handle.stat();
    if (size > maxBytes) return { reason: `larger than ${maxBytes / 1024 / 1024} MiB` };
    const bytes = await handle.readFile();
    return decoded(bytes);
  } catch (error) {
    return { reason: `cannot be read: ${codeOf(error)}` };
  } finally {
    await handle?.close();
  }
}

/** UTF-8 or nothing: a name with replacement characters in it would be the name of another object. */
function decoded(bytes: Buffer): { text: string } | { reason: string } {
  const mark = bytes.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') return { reason: 'UTF-16 text: save it as UTF-8' };
  if (bytes.includes(0)) return { reason: 'not a text file' };
  if (!isUtf8(bytes)) return { reason: 'not UTF-8 text: save it as UTF-8' };
  return { text: bytes.toString('utf8').replace(/^\ufeff/, '') };
}

/** The code of a system error (`EACCES`), or its message. */
export function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
