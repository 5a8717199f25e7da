import { isBranchOf } from '@larry/kube';
import { holdsSecret } from './approval-request';
import { earlierAttempt, type Judgement } from './decision';
import type { Hands, Step } from './engine';
import { fileChanged, noRepository, takenBy } from './git-effect';
import type { PlaybookContext } from './playbook';

/** @internal {@link judge} for a branch: that there is none of its name, that the file is the one that was planned, and that the commit can be made; it is made aside and thrown away. */
export async function judgeBranch(context: PlaybookContext, hands: Hands, step: Step, wordOf: () => Judgement): Promise<Judgement> {
  const { change, report, requested } = step;
  const { git: plan } = change;
  const no = (outcome: 'refused' | 'superseded', reason: string): Judgement => {
    Object.assign(report, { outcome, reason });
    return 'no';
  };
  if (!hands.git || !plan) return no('refused', noRepository);
  if (holdsSecret(requested)) return no('refused', 'it holds a secret value, which belongs in no commit: refer to a Secret instead');
  const looked = await hands.git.look(plan, context.signal);
  if ('unreadable' in looked) return no('refused', looked.unreadable);
  const { standing } = looked;
  if (standing.tip) return isBranchOf(standing.tip, report.id) ? { who: earlierAttempt } : no('superseded', takenBy(standing, plan));
  const changed = fileChanged(standing, plan);
  if (changed !== undefined) return no('superseded', changed);
  const trouble = await hands.git.tryOut(plan, { id: report.id, base: standing.head, at: context.now().toISOString() }, context.signal);
  return trouble === undefined ? wordOf() : no('refused', trouble);
}
