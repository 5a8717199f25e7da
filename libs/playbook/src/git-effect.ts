import { printable, type GitBranch, type PlannedChange } from '@larry/contracts';
import { isBranchOf, type BranchStanding, type GitBranches } from '@larry/kube';
import { changeDigest, changeId } from './change-digest';
import type { EffectContext, EffectOutcome } from './effects';
import { intentOf, type Intent } from './intent';

/** @internal Where the configuration names no working clone. */
export const noRepository = 'there is no repository to make the branch in: --git (or LARRY_GIT_REPOSITORY) names a working clone';

/**
 * @internal Makes one branch, at most once over all attempts: look, intent, guard, one `update-ref` that makes it only where there is none,
 * outcome. Its mark is the trailer of its commit. The commit comes after the one that is checked out, whose file has to be the one that was
 * planned (and approved).
 */
export async function applyGitBranch(context: EffectContext, change: PlannedChange, expectedDigest: string, earlier?: Intent): Promise<EffectOutcome> {
  const { git, signal } = context;
  const plan = change.git;
  if (!git || !plan) return { outcome: 'refused', reason: noRepository };
  const id = changeId(context.run, context.task, change.step);
  const looked = await git.look(plan, signal);
  if ('unreadable' in looked) return { outcome: 'refused', reason: looked.unreadable };
  const { standing } = looked;
  const live = await context.cluster.get(change.target, signal);
  const { head: base } = standing;
  // An attempt that goes on where another ended makes the same commit.
  const intent: Intent = { ...intentOf(id, change, expectedDigest, live), base, ...(earlier?.base === base ? { at: earlier.at } : {}), restorable: true };
  const { tip } = standing;
  if (tip) {
    if (!isBranchOf(tip, id, earlier?.base)) return { outcome: 'superseded', reason: takenBy(standing, plan) };
    if (!earlier) await context.journal.intent(intent);
    return record(context, id, { outcome: 'adopted', commit: tip.commit });
  }
  const changed = fileChanged(standing, plan);
  if (changed !== undefined) return { outcome: 'superseded', reason: changed };
  if (changeDigest(change, live) !== expectedDigest) return { outcome: 'superseded', reason: 'the object changed after it was diagnosed' };
  await context.journal.intent(intent);
  context.guard();
  const answer = await git.create(plan, { id, base, at: intent.at, signal, guard: () => context.guard() });
  if (answer.outcome === 'done') return record(context, id, { outcome: 'applied', commit: answer.commit });
  return afterTrouble(context, git, intent, plan, answer);
}

/** Git did not say that it was done: the branch tells what became of it. */
async function afterTrouble(context: EffectContext, git: GitBranches, intent: Intent, plan: GitBranch, { outcome, message }: { outcome: 'failed' | 'unknown'; message: string }): Promise<EffectOutcome> {
  const looked = await git.look(plan, context.signal);
  if ('unreadable' in looked) return { outcome: 'outcome-unknown', reason: message };
  const { tip } = looked.standing;
  if (tip && isBranchOf(tip, intent.id, intent.base)) return record(context, intent.id, { outcome: 'adopted', commit: tip.commit });
  if (tip) return record(context, intent.id, { outcome: 'superseded', reason: takenBy(looked.standing, plan) });
  // A git that was ended may have been ended too late: whoever comes next looks again.
  return outcome === 'unknown' ? { outcome: 'outcome-unknown', reason: message } : record(context, intent.id, { outcome: 'refused', reason: message });
}

/** @internal What became of a branch that has no outcome. */
export async function resolveGitBranch(context: EffectContext, intent: Intent): Promise<'applied' | 'not-applied' | 'outcome-unknown'> {
  const { git } = context;
  const plan = intent.change.git;
  if (!git || !plan) return 'outcome-unknown';
  const looked = await git.look(plan, context.signal);
  if ('unreadable' in looked) return 'outcome-unknown';
  const { tip } = looked.standing;
  if (!tip) return 'not-applied';
  if (isBranchOf(tip, intent.id, intent.base)) return 'applied';
  // Our trailer over something else: somebody has gone on with it.
  return tip.change === intent.id ? 'outcome-unknown' : 'not-applied';
}

/** @internal The commit of a branch that an earlier attempt made. */
export async function commitOf(context: EffectContext, { id, base, change }: Intent): Promise<string | undefined> {
  const looked = change.git && (await context.git?.look(change.git, context.signal));
  const tip = looked && 'standing' in looked ? looked.standing.tip : undefined;
  return tip && isBranchOf(tip, id, base) ? tip.commit : undefined;
}

/** @internal Takes the branch away while it is ours alone: nobody has committed on it, checked it out or published it. */
export async function rollBackGit(context: EffectContext, intent: Intent): Promise<EffectOutcome> {
  const { git, signal } = context;
  const plan = intent.change.git;
  if (!git || !plan) return { outcome: 'refused', reason: noRepository };
  const looked = await git.look(plan, signal);
  if ('unreadable' in looked) return { outcome: 'outcome-unknown', reason: looked.unreadable };
  const { tip } = looked.standing;
  if (!tip) return { outcome: 'adopted' };
  if (!isBranchOf(tip, intent.id, intent.base)) return { outcome: 'superseded', reason: takenBy(looked.standing, plan) };
  const used = tip.checkedOut !== undefined ? `is checked out in ${printable(tip.checkedOut, 300)}` : (await git.publishedAs(tip.commit, signal)).length > 0 ? 'was published' : undefined;
  if (used !== undefined) return { outcome: 'superseded', reason: `branch ${plan.branch} ${used}: take it back there` };
  context.guard();
  const answer = await git.remove(plan, { commit: tip.commit, at: intent.at, signal, guard: () => context.guard() });
  if (answer.outcome === 'done') return { outcome: 'applied' };
  const after = await git.look(plan, signal);
  if ('standing' in after && !after.standing.tip) return { outcome: 'adopted' };
  return { outcome: 'outcome-unknown', reason: answer.message };
}

/** @internal Why a branch that is there is not the one of this change. */
export function takenBy({ tip }: BranchStanding, { branch, file }: GitBranch): string {
  if (tip?.change !== undefined && tip.exact) return `branch ${branch} holds this change already, by ${printable(tip.change, 200)}: merge it, or delete it to have it made anew`;
  if (tip?.commit === '') return `branch ${branch} is taken without a commit (a symbolic reference to nowhere, or checked out in a work tree before its first commit): delete or rename it`;
  return `branch ${branch} is there, and is not this change of ${file} alone: somebody else's commit is never overwritten; rename or delete it`;
}

/** @internal Why the file that is checked out is not the one that was planned. */
export function fileChanged({ head, blob }: BranchStanding, { file, before }: GitBranch): string | undefined {
  if (blob === before) return undefined;
  return `${file} is ${blob === undefined ? 'not there' : 'another'} at commit ${head.slice(0, 12)}: it changed after it was diagnosed`;
}

async function record(context: EffectContext, id: string, became: EffectOutcome): Promise<EffectOutcome> {
  await context.journal.outcome(id, became.outcome);
  return became;
}
