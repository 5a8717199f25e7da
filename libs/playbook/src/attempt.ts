import { describeRef } from '@larry/contracts';
import type { EarlierChange } from './earlier';
import type { EffectContext } from './effects';
import type { Hands, RunOptions, Step } from './engine';
import type { Diagnosis, Playbook, PlaybookContext } from './playbook';
import { rollBack } from './rollback';

/** @internal One attempt at a task that may change something. */
export interface Attempt {
  playbook: Playbook;
  context: PlaybookContext;
  effects: EffectContext;
  hands: Hands;
  options: RunOptions;
  /** Every change that earlier attempts intended. */
  earlier: readonly EarlierChange[];
}

/** @internal What one look at the cluster gave. */
export interface Look {
  facts: unknown;
  diagnosis: Diagnosis;
}

/** @internal Observes and diagnoses. */
export async function lookAt(playbook: Playbook, context: PlaybookContext): Promise<Look> {
  const facts = await playbook.observe(context);
  context.signal.throwIfAborted();
  const pure = playbook.diagnose(facts, context.options);
  return { facts, diagnosis: playbook.refine ? await playbook.refine(context, facts, pure) : pure };
}

/** @internal True while a change is in effect and nobody has said how it did. */
export const isInEffect = ({ report }: Step): boolean => report.outcome === 'applied' || report.outcome === 'adopted';

/** @internal Takes changes back, the later first, and says why to everybody. */
export async function takeBack({ effects, hands }: Pick<Attempt, 'effects' | 'hands'>, steps: readonly Step[], whyOf: (step: Step) => string): Promise<void> {
  for (const step of [...steps].reverse()) {
    const why = whyOf(step);
    await hands.rollbackInitiated(why, { change: step.report.id, target: describeRef(step.change.target) });
    const entry = (await hands.journal.entries()).find((e) => e.intent.id === step.report.id);
    const became = entry ? await rollBack(effects, entry.intent) : ({ outcome: 'outcome-unknown', reason: 'no pre-image was kept' } as const);
    const back = became.outcome === 'applied' || became.outcome === 'adopted';
    Object.assign(step.report, {
      outcome: back ? 'rolled-back' : became.outcome,
      reason: back ? why : `${why}; and the rollback failed: ${'reason' in became ? became.reason : ''}`,
    });
    step.failed = true;
    await hands.audit.append({ ...auditOf(effects, step, back ? 'change_rolled_back' : 'change_rollback_failed'), actor: 'larry (rollback)' });
  }
}

/** @internal What the audit log says of a step. */
export function auditOf({ run, task }: { run: string; task: string }, { change, report }: Step, action: string) {
  const { digest, target, diff, git } = report;
  const branch = git && { branch: git.branch, ...(git.commit ? { commit: git.commit } : {}) };
  return { action, run, task, step: change.step, digest, details: { target: describeRef(target), ...branch, diff } };
}
