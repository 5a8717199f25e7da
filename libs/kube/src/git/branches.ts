import { printable, redactText, type GitBranch } from '@larry/contracts';
import { constants } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { changesAlone, changeTrailer, GitError, gitOutput, signedBy, writeCommit, type CommitOf } from './commit-objects';
import { branchInTheWay, gitTrouble } from './git-trouble';
import { runGit, type GitRun } from './git-tool';
import { refuseLinks } from './linked-refs';
import { readGitHead } from './repository';

/** The commit at the tip of a branch, as far as it tells whose it is. */
export interface BranchTip {
  /** Empty where the name is taken without one: a symbolic reference to nowhere, or the unborn branch of a work tree. */
  commit: string;
  /** The change that its trailer names. */
  change?: string;
  /** Its only parent. */
  base?: string;
  /** It changes the planned file alone, as planned. */
  exact: boolean;
  /** Its parent is in the history of what is checked out. */
  onHead: boolean;
  /** The work trees that have the branch checked out. */
  checkedOut?: string;
}

/** How things stand for a change. */
export interface BranchStanding {
  /** The commit that is checked out. */
  head: string;
  /** The file's blob there; undefined where it is no regular file. */
  blob?: string;
  /** Absent while there is no such branch. */
  tip?: BranchTip;
}

/** What is asked of a branch: which file it changes from what to what. */
export type BranchOf = Pick<GitBranch, 'branch' | 'file' | 'before' | 'after'>;

/** `failed`: nothing was made of it, and why. `unknown`: nobody can tell from here. */
export type BranchAnswer = { outcome: 'done'; commit: string } | { outcome: 'failed' | 'unknown'; message: string };

/** Synchronous; called directly before the one request that counts, and throws when the lease may be over. */
type Guarded = { guard?: () => void; signal?: AbortSignal };

/** The branches that Larry makes in a working clone. Work tree, index, HEAD, the branch that is checked out and the configuration stay as they are; no hook runs; nothing is fetched or pushed. */
export interface GitBranches {
  look(of: BranchOf, signal?: AbortSignal): Promise<{ standing: BranchStanding } | { unreadable: string }>;
  /** Makes the commit in a folder of objects that is thrown away, and looks whether the branch could be made. Undefined where all would be well. */
  tryOut(change: GitBranch, of: CommitOf, signal?: AbortSignal): Promise<string | undefined>;
  /** Makes the commit, then the branch, which must not be there. */
  create(change: GitBranch, request: CommitOf & Guarded): Promise<BranchAnswer>;
  /** Takes the branch away while its tip is this commit. */
  remove(of: Pick<GitBranch, 'branch'>, request: Guarded & { commit: string; at: string }): Promise<BranchAnswer>;
  /** Whether the history of what is checked out has a commit. */
  hasMerged(commit: string, signal?: AbortSignal): Promise<boolean>;
  /** The branches of remotes that hold a commit, as far as the clone knows. */
  publishedAs(commit: string, signal?: AbortSignal): Promise<string[]>;
}

/** Whether a branch is the one of this change: its trailer says so, and its commit changes what was planned alone. Pure. */
export function isBranchOf(tip: BranchTip, id: string, base?: string): boolean {
  return tip.change === id && tip.exact && (tip.onHead || (base !== undefined && tip.base === base));
}

/** Branches in the working clone that a folder is in; bare repositories, work trees and detached heads among them. */
export function gitBranches(folder: string): GitBranches {
  const runOf = (signal: AbortSignal | undefined): GitRun => (signal ? { signal } : {});
  const isAncestor = async (commit: string, of: string, run: GitRun): Promise<boolean> => (await runGit(folder, ['merge-base', '--is-ancestor', commit, of], run)).code === 0;

  async function tipOf({ branch, ...of }: BranchOf, head: string, run: GitRun): Promise<BranchTip | undefined> {
    const refs = (await gitOutput(folder, ['for-each-ref', '--format=%(refname) %(objecttype) %(objectname) %(symref)%00%(worktreepath)', `refs/heads/${branch}`], run)).toString('utf8').split('\n');
    const line = refs.find((l) => l.startsWith(`refs/heads/${branch} `));
    if (line === undefined) return (await isTakenWithoutCommit(branch, run)) ? { commit: '', exact: false, onHead: false } : undefined;
    const [said = '', checkedOut = ''] = line.split('\0');
    const [, type, commit = '', symref] = said.split(' ');
    const tip = { commit, exact: false, onHead: false, ...(checkedOut ? { checkedOut } : {}) };
    if (type !== 'commit' || symref) return tip;
    const { change, parents } = parsedCommit((await gitOutput(folder, ['cat-file', 'commit', commit], run)).toString('utf8'));
    const [base] = parents;
    if (base === undefined || parents.length > 1) return { ...tip, ...(change ? { change } : {}) };
    return { ...tip, base, ...(change ? { change } : {}), exact: await changesAlone(folder, base, commit, of, run), onHead: await isAncestor(base, head, run) };
  }

  return {
    async look(of, signal) {
      const run = runOf(signal);
      try {
        const head = await readGitHead(folder, signal);
        const entry = (await gitOutput(folder, ['ls-tree', '-z', '--full-tree', head, '--', of.file], run)).toString('utf8');
        const blob = /^100(?:644|755) blob ([0-9a-f]+)\t([^\0]*)\0$/.exec(entry);
        await refuseLinks(folder, of.branch, run);
        const tip = await tipOf(of, head, run);
        return { standing: { head, ...(blob?.[1] && blob[2] === of.file ? { blob: blob[1] } : {}), ...(tip ? { tip } : {}) } };
      } catch (error) {
        signal?.throwIfAborted();
        return { unreadable: troubleOf(error, of.branch) };
      }
    },

    async tryOut(change, of, signal) {
      const run = runOf(signal);
      const aside = await mkdtemp(join(tmpdir(), 'larry-git-'));
      try {
        const there = (await gitOutput(folder, ['rev-parse', '--git-path', 'objects'], run)).toString('utf8').replace(/\n$/, '');
        const refs = (await gitOutput(folder, ['rev-parse', '--git-path', 'refs/heads'], run)).toString('utf8').replace(/\n$/, '');
        await refuseLinks(folder, change.branch, run);
        const inTheWay = await otherBranch(change.branch, run);
        if (inTheWay !== undefined) return branchInTheWay(inTheWay, change.branch);
        const objects = resolve(folder, there);
        for (const place of [objects, resolve(folder, refs)]) await access(place, constants.W_OK);
        await writeCommit(folder, change, of, { ...run, environment: { GIT_OBJECT_DIRECTORY: aside, GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(objects) } });
        return undefined;
      } catch (error) {
        signal?.throwIfAborted();
        return troubleOf(error, change.branch);
      } finally {
        await rm(aside, { recursive: true, force: true });
      }
    },

    async create(change, { guard, signal, ...of }) {
      const run = runOf(signal);
      let commit: string;
      try {
        await refuseLinks(folder, change.branch, run);
        commit = await writeCommit(folder, change, of, run);
      } catch (error) {
        signal?.throwIfAborted();
        return { outcome: 'failed', message: troubleOf(error, change.branch) };
      }
      guard?.();
      return moved(['update-ref', '--no-deref', '-m', `larry: ${of.id}`, `refs/heads/${change.branch}`, commit, '0'.repeat(commit.length)], commit, of.at, change.branch, run);
    },

    async remove({ branch }, { commit, at, guard, signal }) {
      try {
        await refuseLinks(folder, branch, runOf(signal));
      } catch (error) {
        signal?.throwIfAborted();
        return { outcome: 'failed', message: troubleOf(error, branch) };
      }
      guard?.();
      return moved(['update-ref', '--no-deref', '-d', `refs/heads/${branch}`, commit], commit, at, branch, runOf(signal));
    },

    async hasMerged(commit, signal) {
      return isAncestor(commit, 'HEAD', runOf(signal));
    },

    async publishedAs(commit, signal) {
      const { stdout } = await runGit(folder, ['for-each-ref', '--count=5', '--format=%(refname:short)', `--contains=${commit}`, 'refs/remotes'], runOf(signal));
      return stdout.toString('utf8').split('\n').filter((name) => name !== '');
    },
  };

  async function moved(args: string[], commit: string, at: string, branch: string, run: GitRun): Promise<BranchAnswer> {
    const { code, stderr } = await runGit(folder, args, { ...run, environment: signedBy(at) });
    if (code === 0) return { outcome: 'done', commit };
    return { outcome: code === null ? 'unknown' : 'failed', message: gitTrouble('update-ref', stderr, branch) };
  }

  /** What `for-each-ref` passes over, and `update-ref` would write over. */
  async function isTakenWithoutCommit(branch: string, run: GitRun): Promise<boolean> {
    if ((await runGit(folder, ['symbolic-ref', '-q', `refs/heads/${branch}`], run)).code === 0) return true;
    const trees = (await gitOutput(folder, ['worktree', 'list', '--porcelain'], run)).toString('utf8');
    return trees.split('\n').includes(`branch refs/heads/${branch}`);
  }

  /** A branch whose name cannot be beside this one. */
  async function otherBranch(branch: string, run: GitRun): Promise<string | undefined> {
    const [parent = ''] = branch.split('/');
    const names = (await gitOutput(folder, ['for-each-ref', '--format=%(refname)', `refs/heads/${parent}`], run)).toString('utf8').split('\n').map((name) => name.replace('refs/heads/', ''));
    return names.find((name) => name === parent || name.startsWith(`${branch}/`));
  }
}

/** The parents of a raw commit, and the change that the last paragraph of its message names. */
function parsedCommit(raw: string): { parents: string[]; change?: string } {
  const end = raw.indexOf('\n\n');
  const parents = [...raw.slice(0, end).matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, id = '']) => id);
  const last = raw.slice(end).trimEnd().split('\n\n').at(-1) ?? '';
  const change = new RegExp(`^${changeTrailer}: (\\S+)$`, 'm').exec(last)?.[1];
  return { parents, ...(change ? { change } : {}) };
}

/** Git separates the folders of that variable by colons, and takes quoted ones (Git, `GIT_ALTERNATE_OBJECT_DIRECTORIES`). */
const quoted = (path: string): string => (/[:"]/.test(path) ? `"${path.replace(/[\\"]/g, '\\$&')}"` : path);

function troubleOf(error: unknown, branch: string): string {
  if (error instanceof GitError) return gitTrouble(error.what, error.exit.stderr, branch);
  const message = error instanceof Error ? error.message : String(error);
  if (/^E(?:ACCES|ROFS|PERM):/.test(message)) return `the repository cannot be written (${printable(redactText(message), 300)}): Larry needs the rights of whoever commits there`;
  return printable(redactText(message), 500);
}
