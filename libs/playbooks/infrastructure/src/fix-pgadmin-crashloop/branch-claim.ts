import { describeRef, numberOf, printable, type AppliedChange, type Criterion, type GitBranch, type KubeObject, type PlannedChange } from '@larry/contracts';
import type { Facts as ClusterFacts } from '@larry/diagnosis';
import { gitBranches, isBranchOf, type BranchTip } from '@larry/kube';
import { changeId, standsAsWanted, type PatchOperation, type PlaybookContext } from '@larry/playbook';

/** What was made in Git: a proposal, of which nothing is claimed of the cluster. */
export type InGit = PlannedChange & { git: GitBranch };

export const isInGit = (change: PlannedChange): change is InGit => change.git !== undefined;

/** A branch that was made, as it stands now: its tip, or why it is not what was planned. */
export async function lookAtBranch(context: Pick<PlaybookContext, 'run' | 'task' | 'git' | 'signal'>, { step, git }: InGit): Promise<{ tip: BranchTip } | { failure: string }> {
  if (context.git === undefined) return { failure: 'there is no repository to look for it in' };
  const looked = await gitBranches(context.git).look(git, context.signal);
  if ('unreadable' in looked) return { failure: looked.unreadable };
  const { tip } = looked.standing;
  if (!tip) return { failure: `branch ${git.branch} is not there` };
  const id = changeId(context.run, context.task, step);
  return isBranchOf(tip, id, tip.base) ? { tip } : { failure: `branch ${git.branch} holds something else than the change of ${git.file}` };
}

/** What a person does with a branch next, to be typed as it stands: nothing has changed in the cluster, and the object is as unwell as before. */
export function waitsForMerge(folder: string, branch: string, commit: string): string {
  const dir = /^[\w./@-]+$/.test(folder) ? folder : `'${printable(folder, 300).replaceAll("'", String.raw`'\''`)}'`;
  return `commit ${commit.slice(0, 12)} waits to be merged: git -C ${dir} log -p -1 ${branch} to look, git -C ${dir} push origin ${branch} to publish; once the cluster has it, larry verify closes it`;
}

/** The claim that an object is well again, as far as a branch has come. */
export interface BranchClaim {
  verdict: 'open' | 'turned' | 'arrived';
  text: string;
}

/** Where the change of a branch is by now: in the cluster, merged, waiting, or gone. */
export async function branchNow(context: Pick<PlaybookContext, 'git' | 'signal'>, change: AppliedChange & { git: NonNullable<AppliedChange['git']> }, live: KubeObject | undefined): Promise<BranchClaim> {
  const { branch, file, after, commit, wanted } = change.git;
  if (live && standsAsWanted(live, wanted as unknown as PatchOperation[])) return { verdict: 'arrived', text: `with the change of branch ${branch}` };
  if (context.git === undefined) return { verdict: 'open', text: `the cluster does not have the change of branch ${branch} yet; whether it was merged is not known without the repository: larry verify --git DIR` };
  const git = gitBranches(context.git);
  const looked = await git.look(change.git, context.signal);
  if ('unreadable' in looked) return { verdict: 'open', text: `the cluster does not have the change of branch ${branch} yet; ${looked.unreadable}` };
  const { tip, blob, head } = looked.standing;
  if (blob === after || (commit !== undefined && (await git.hasMerged(commit, context.signal)))) return { verdict: 'open', text: `branch ${branch} is merged (${file} at commit ${head.slice(0, 12)}), and the cluster does not have it yet` };
  if (tip) return { verdict: 'open', text: waitsForMerge(context.git, branch, tip.commit) };
  const published = commit === undefined ? [] : await git.publishedAs(commit, context.signal);
  if (published.length > 0) return { verdict: 'open', text: `the change waits to be merged at ${printable(published.join(', '), 300)}` };
  return { verdict: 'turned', text: `branch ${branch} was deleted, and ${file} does not have its change at commit ${head.slice(0, 12)}` };
}

/** For how many minutes the pods of a workload have run as they are; undefined for what has none. */
export function minutesRunning(cluster: ClusterFacts, target: AppliedChange['target']): number | undefined {
  const containers = (cluster.workloadAt.get(describeRef(target))?.pods ?? []).filter((p) => p.deletedMs === undefined).flatMap((p) => p.containers.filter((c) => !c.init));
  const started = containers.map(({ state }) => (state.kind === 'running' ? numberOf(state.startedMs) : undefined));
  if (started.length === 0) return undefined;
  return started.includes(undefined) ? 0 : (cluster.atMs - Math.max(...(started as number[]))) / 60_000;
}

/** @see branchNow */
export function claimOfBranch(base: Pick<Criterion, 'id' | 'text'>, subject: string, { verdict, text }: BranchClaim, failure: string | undefined, at: string): Criterion {
  const observation = { subject, value: printable(failure ?? 'well', 1000), at };
  return verdict === 'turned' ? { ...base, verdict: 'not-met', observation: { ...observation, value: printable(`${text}; ${failure ?? ''}`, 1500) } } : { ...base, verdict: 'provisional', observation, reason: printable(text, 500) };
}
