import { describeRef, printable, type PlannedChange } from '@larry/contracts';
import type { ClusterWriter, WriteOutcome } from '@larry/kube';
import type { Hands, RunOptions, Step } from './engine';
import { NoVerdictError } from './errors';
import { fieldTests, markedChange, type PatchOperation } from './json-patch';
import { carries } from './marks';
import type { PlaybookContext } from './playbook';

/** @internal May a step be applied: not now, not at all, or by whose word. */
export type Decision = 'wait' | 'no' | { who: string };

/** @internal Asks the cluster (rights, dry run) and then people or the configuration. Writes the reason into the report. */
export async function decide(context: PlaybookContext, hands: Hands, options: RunOptions, step: Step): Promise<Decision> {
  const { change, report } = step;
  const live = await context.cluster.get(change.target, context.signal);
  if (carries(live, report.id) || (change.verb === 'delete' && !live)) return { who: 'larry (earlier attempt)' };
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
  if (options.mode === 'auto' && options.allow.includes(change.category) && !change.alwaysAsk) return { who: 'larry (auto)' };
  const approval = await hands.approval(report.digest);
  if (!approval) {
    Object.assign(report, { outcome: 'awaiting-approval', reason: `larry approve ${report.digest.slice(0, 12)}` });
    return 'wait';
  }
  if (!approval.granted) {
    Object.assign(report, { outcome: 'refused', reason: `denied by ${approval.who}` });
    return 'no';
  }
  report.approvedBy = approval.who;
  return { who: approval.who };
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
