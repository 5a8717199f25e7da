import { describeRef, printable, type PlannedChange } from '@larry/contracts';
import type { ClusterWriter, WriteOutcome } from '@larry/kube';
import { approvalDigest, holdsSecret, type ApprovalRequest } from './approval-request';
import { isMarkAlone, markAlone } from './effects';
import type { Approval, Hands, RunOptions, Step } from './engine';
import { NoVerdictError } from './errors';
import { fieldTests, markedChange, type PatchOperation } from './json-patch';
import { judgeBranch } from './git-decision';
import { judgeUpgrade } from './helm-decision';
import { carries } from './marks';
import type { PlaybookContext } from './playbook';

/** @internal May a step be applied: not at all, only by a person's word, or by whose. */
export type Judgement = 'no' | 'ask' | { who: string; vouched?: boolean };

/** @internal By whose word stands what carries its mark already. */
export const earlierAttempt = 'larry (earlier attempt)';

/** @internal Asks the cluster (rights, dry run) and the configuration. Writes the reason for a no into the report. */
export async function judge(context: PlaybookContext, hands: Hands, options: RunOptions, step: Step): Promise<Judgement> {
  const { change, report } = step;
  if (change.verb === 'helm-upgrade') return judgeUpgrade(context, hands, step, () => byWhoseWord(options, step));
  if (change.verb === 'git-branch') return judgeBranch(context, hands, step, () => byWhoseWord(options, step));
  const live = await context.cluster.get(change.target, context.signal);
  if (live && carries(live, report.id)) {
    const vouched = await hands.audit.vouches?.({ run: context.run, task: context.task, step: change.step });
    if (step.earlier || vouched || !isMarkAlone(live, change)) return { who: earlierAttempt, ...(vouched ? { vouched } : {}) };
    Object.assign(report, { outcome: 'superseded', reason: markAlone(change) });
    return 'no';
  }
  // Nothing to ask for: a journal that is lost must not stop the steps that follow.
  if (change.verb === 'delete' && !live) return { who: 'larry (gone already)' };
  if (!(await hands.writer.may(change.verb, change.target))) {
    Object.assign(report, { outcome: 'unverified-no-patch-right', reason: `unverified: no ${change.verb} right on ${describeRef(change.target)}` });
    return 'no';
  }
  const dry = await dryRun(hands.writer, change, live, report.id, context.signal);
  if (dry.outcome === 'unknown') throw new NoVerdictError(`server dry run of ${describeRef(change.target)}: ${printable(dry.message, 500)}`);
  if (dry.outcome !== 'done') {
    Object.assign(report, { outcome: dry.outcome === 'conflict' ? 'superseded' : 'refused', reason: `server dry run: ${printable(dry.message, 500)}` });
    return 'no';
  }
  return byWhoseWord(options, step);
}

function byWhoseWord(options: RunOptions, step: Step): Judgement {
  const { change, report } = step;
  if (!needsPerson(options, change)) return { who: 'larry (auto)' };
  if (!holdsSecret(step.requested)) return 'ask';
  Object.assign(report, { outcome: 'refused', reason: 'it holds a secret value, which nobody can be shown to decide on: refer to a Secret instead' });
  return 'no';
}

/** @internal What people say of the steps that wait: one verdict for all of them. */
export type Word = { granted: string } | { denied: string } | 'not-asked' | { asks: Asks };

/** @internal What a task is parked with. */
export interface Asks {
  digest: string;
  request: ApprovalRequest;
  /** The digests of the changes that may each be decided by itself; none where they are decided as a whole. */
  changes: string[];
  /** Something of the task is in effect: also a denial goes back to the worker, who has to see to it. */
  begun: boolean;
}

/** @internal What is asked for `waiting`. */
export function asksFor(waiting: readonly Step[], apart: boolean, begun: boolean): Asks {
  const digests = waiting.map((s) => s.report.digest);
  const request = { summary: waiting.map((s) => s.change.summary).join('; '), ...(apart ? { apart: true as const } : {}), changes: waiting.map((s) => s.requested) };
  return { digest: approvalDigest(digests), request, changes: apart ? digests : [], begun };
}

/**
 * @internal One verdict for all `waiting` steps. A plan of which a part is in effect was approved as a whole: that
 * approval still stands for the rest. What it does not cover is not asked for any more, since a denial would leave half
 * a plan behind.
 */
export async function personsWord(hands: Hands, options: RunOptions, steps: readonly Step[], waiting: readonly Step[], begun: readonly Step[]): Promise<Word> {
  const approval = await verdictOnAll(hands, options, steps, waiting, begun);
  if (approval) return approval.granted ? { granted: approval.who } : { denied: approval.who };
  return begun.length > 0 ? 'not-asked' : { asks: asksFor(waiting, false, false) };
}

/** @internal The verdict on each step that has one: its own, else that on all that were asked for together. */
export async function verdictsOf(hands: Hands, options: RunOptions, steps: readonly Step[], waiting: readonly Step[]): Promise<Map<Step, Approval>> {
  const onAll = waiting.length > 0 ? await verdictOnAll(hands, options, steps, waiting, steps.filter((s) => s.earlier?.matters)) : undefined;
  const verdicts = new Map<Step, Approval>();
  for (const step of waiting) {
    const verdict = (await hands.approval(step.report.digest)) ?? onAll;
    if (verdict) verdicts.set(step, verdict);
  }
  return verdicts;
}

async function verdictOnAll(hands: Hands, options: RunOptions, steps: readonly Step[], waiting: readonly Step[], begun: readonly Step[]): Promise<Approval | undefined> {
  const whole = steps.filter((s) => waiting.includes(s) || (begun.includes(s) && needsPerson(options, s.change)));
  for (const covered of [waiting, whole]) {
    const approval = await hands.approval(approvalDigest(covered.map((s) => s.report.digest)));
    if (approval) return approval;
  }
  return undefined;
}

function needsPerson(options: RunOptions, change: PlannedChange): boolean {
  return options.mode !== 'auto' || change.alwaysAsk || !options.allow.includes(change.category);
}

async function dryRun(
  writer: ClusterWriter,
  change: PlannedChange,
  live: Awaited<ReturnType<PlaybookContext['cluster']['get']>>,
  id: string,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const options = { dryRun: true, signal };
  if (change.verb === 'create') return writer.create(change.object as never, options);
  if (!live) return { outcome: 'conflict', message: `${describeRef(change.target)} is gone` };
  if (change.verb === 'delete') return writer.remove(change.target, { uid: live.metadata.uid ?? '' }, options);
  // Without the version test of the real patch: status churn between the read and this would look like an edit.
  const patch = [...fieldTests(live, change.depends), ...markedChange(live, (change.patch ?? []) as PatchOperation[], id)];
  return writer.patch({ target: change.target, patch }, options);
}
