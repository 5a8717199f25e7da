import { printable, redactText } from '@larry/contracts';
import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import { runGit } from './git-tool';

/** The manifests of a Git repository as its current commit has them; what is not committed is not seen. */
export interface GitManifests {
  /** The folder that was named. */
  folder: string;
  /** The commit that was read, in full. */
  commit: string;
  /** Text of each file by its path from the root of the repository, `/` between folders; only what may hold manifests. */
  texts: ReadonlyMap<string, string>;
  /** The blob of each of these files. */
  blobs: ReadonlyMap<string, string>;
  /** All paths below the folder, those that were not read among them. */
  files: readonly string[];
}

interface Blob {
  file: string;
  id: string;
  size: number;
}

const maxFileBytes = 8 * 1024 * 1024;
const mostFiles = 100_000;
/** Of all names together: the same text under many names is parsed as often. */
const maxTotalBytes = 64 * 1024 * 1024;
/** So much is asked of git at a time. */
const chunkBytes = 32 * 1024 * 1024;

/**
 * Reads the YAML and JSON files of the commit that is checked out in a working clone, below `folder`. Takes them from Git's own objects:
 * the work tree is not looked at, no link is followed, no filter of the repository runs, and nothing is written or fetched.
 * @throws Error in one sentence: no git, no repository, somebody else's, no commit, too many files, or too large ones.
 */
export async function readGitManifests(folder: string, signal?: AbortSignal): Promise<GitManifests> {
  const commit = await readGitHead(folder, signal);
  const run = { ...(signal ? { signal } : {}) };
  const tree = await runGit(folder, ['ls-tree', '-r', '-z', '-l', '--full-name', commit], run);
  const name = nameOf(folder);
  if (tree.code !== 0) throw new Error(`${name}: git ls-tree: ${printable(redactText(tree.stderr), 300)}`);
  const blobs = blobsOf(tree.stdout);
  if (blobs.length > mostFiles) throw new Error(`${name}: more than ${mostFiles} files; name a folder inside it`);
  const manifests = blobs.filter(({ file, size }) => /\.(?:ya?ml|json)$|(?:^|\/)Kustomization$/i.test(file) && size <= maxFileBytes);
  if (manifests.reduce((sum, { size }) => sum + size, 0) > maxTotalBytes) throw new Error(`${name}: its YAML and JSON files are more than ${maxTotalBytes / 1024 / 1024} MiB together; name a folder inside it`);
  const texts = await textsOf(folder, manifests, run);
  return { folder, commit, texts, blobs: new Map(blobs.map(({ file, id }) => [file, id])), files: blobs.map(({ file }) => file) };
}

const nameOf = (folder: string): string => printable(redactText(folder), 300);

/**
 * The commit that is checked out in a working clone, in full.
 * @throws Error in one sentence: no git, no repository, somebody else's, no commit
 */
export async function readGitHead(folder: string, signal?: AbortSignal): Promise<string> {
  const name = nameOf(folder);
  const there = await stat(folder).catch(() => undefined);
  if (!there?.isDirectory()) throw new Error(`${name}: there is no such folder; --git (or LARRY_GIT_REPOSITORY) names a working clone`);
  const head = await runGit(folder, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], signal ? { signal } : {});
  const commit = head.stdout.toString('utf8').trim();
  if (head.code !== 0 || !/^[0-9a-f]{40,64}$/.test(commit)) throw new Error(`${name}: ${whyNoCommit(head.stderr)}`);
  return commit;
}

function whyNoCommit(stderr: string): string {
  if (stderr.includes('dubious ownership')) return 'it belongs to somebody else, and git does not read it; once you trust it: git config --global --add safe.directory DIR';
  if (stderr.includes('not a git repository')) return 'it is no Git repository; --git (or LARRY_GIT_REPOSITORY) names a working clone';
  return stderr.trim() === '' ? 'it has no commit yet' : `git: ${printable(redactText(stderr), 300)}`;
}

/** Regular files alone: links and submodules are passed over, and names that no terminal should see. */
function blobsOf(listing: Buffer): Blob[] {
  return listing.toString('utf8').split('\0').flatMap((line) => {
    const match = /^100(?:644|755) blob ([0-9a-f]{40,64}) +(\d+)\t(.+)$/s.exec(line);
    if (!match) return [];
    const [, id = '', size = '', file = ''] = match;
    return isPlainPath(file) ? [{ file, id, size: Number(size) }] : [];
  });
}

/** @internal Whether a path can be shown, and stays in its repository. */
export function isPlainPath(file: string): boolean {
  const parts = file.split('/');
  return file.length <= 1000 && printable(file, 1000) === file && !/["\\\ufffd]/.test(file) && parts.every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git');
}

/** One text for each blob, whatever number of names it has. */
async function textsOf(folder: string, blobs: readonly Blob[], run: { signal?: AbortSignal }): Promise<Map<string, string>> {
  const byId = new Map<string, string>();
  let chunk: Blob[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (chunk.length === 0) return;
    const { stdout } = await runGit(folder, ['cat-file', '--batch'], { ...run, input: chunk.map(({ id }) => `${id}\n`).join('') });
    takeBatch(stdout, chunk, byId);
    [chunk, bytes] = [[], 0];
  };
  for (const blob of new Map(blobs.map((b) => [b.id, b])).values()) {
    if (bytes + blob.size > chunkBytes) await flush();
    chunk.push(blob);
    bytes += blob.size;
  }
  await flush();
  return new Map(blobs.flatMap(({ file, id }): [string, string][] => {
    const text = byId.get(id);
    return text === undefined ? [] : [[file, text]];
  }));
}

/** `<id> blob <size>` on a line, then the bytes and a line feed; a missing object (partial clone) has a line alone. */
function takeBatch(stdout: Buffer, asked: readonly Blob[], byId: Map<string, string>): void {
  let at = 0;
  for (const { id } of asked) {
    const end = stdout.indexOf(0x0a, at);
    if (end < 0) return;
    const match = /^(\S+) blob (\d+)$/.exec(stdout.toString('utf8', at, end));
    at = end + 1;
    if (!match || match[1] !== id) continue;
    const bytes = stdout.subarray(at, at + Number(match[2]));
    at += Number(match[2]) + 1;
    if (isUtf8(bytes) && !bytes.includes(0)) byId.set(id, bytes.toString('utf8'));
  }
}
