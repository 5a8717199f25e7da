import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGit } from './git-tool';

/** A text with what was changed from one rendering of it to another; undefined where the two meet on a line. */
export async function mergedText({ own, before, after }: { own: string; before: string; after: string }): Promise<string | undefined> {
  if (own === before) return after;
  return withFiles({ own, before, after }, async (folder) => {
    const { code, stdout } = await runGit(folder, ['merge-file', '-p', '-q', 'own', 'before', 'after'], outside);
    return code === 0 ? stdout.toString('utf8') : undefined;
  });
}

/** The hunks of a unified diff as git writes it, without its head; empty where the texts are the same. */
export async function unifiedHunks(before: string, after: string): Promise<string> {
  return withFiles({ before, after }, async (folder) => {
    const { code, stdout, stderr } = await runGit(folder, ['diff', '--no-index', '--no-ext-diff', '--no-textconv', '--no-color', '--unified=3', '--text', '--', 'before', 'after'], outside);
    if (code !== 0 && code !== 1) throw new Error(`git diff: ${stderr.slice(0, 300)}`);
    const text = stdout.toString('utf8');
    const at = text.search(/^@@ /m);
    return at < 0 ? '' : text.slice(at);
  });
}

/** No repository above the folder of the files. */
const outside = { environment: { GIT_CEILING_DIRECTORIES: tmpdir() } };

/** Files of ours in a folder of ours, away from any repository: what a repository says of its files plays no part. */
async function withFiles<T>(texts: Record<string, string>, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'larry-git-'));
  try {
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text, { mode: 0o600 });
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
