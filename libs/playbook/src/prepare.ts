import { canonicalJson, describeRef, redact, shownLine, type AppliedChange, type PlannedChange } from '@larry/contracts';
import { named, requestedChange } from './approval-request';
import type { EarlierChange } from './earlier';
import { changeDigest, changeId } from './effects';
import type { Step } from './engine';
import { gitLines } from './git-diff';
import { helmLines } from './helm-diff';
import type { PatchOperation } from './json-patch';
import { valueAt } from './json-pointer';
import type { PlaybookContext } from './playbook';

/**
 * @internal Every change of an attempt: what earlier ones left comes first, as they planned it and in their order, whether it is planned
 * again or not.
 */
export async function prepare(context: PlaybookContext, planned: readonly PlannedChange[], earlier: readonly EarlierChange[]): Promise<Step[]> {
  const left = earlier.filter((e) => e.matters).map((e): Step => {
    const { id, change, digest } = e.intent;
    return { change, report: reportOf(id, change, digest, undefined), requested: requestedChange(change, undefined), earlier: e };
  });
  const fresh = planned.filter(({ step }) => !left.some((s) => s.report.id === changeId(context.run, context.task, step)));
  return [...left, ...(await prepareNew(context, fresh, earlier))];
}

/** @internal Reads each target once, so that every planned change has the digest of what was observed, and a diff for people. */
export async function prepareNew(context: PlaybookContext, planned: readonly PlannedChange[], earlier: readonly EarlierChange[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const change of planned) {
    const id = changeId(context.run, context.task, change.step);
    const before = earlier.find((e) => e.intent.id === id);
    const live = await context.cluster.get(change.target, context.signal);
    steps.push({ change, report: reportOf(id, change, changeDigest(change, live), live), requested: requestedChange(change, live), ...(before ? { earlier: before } : {}) });
  }
  return steps;
}

function reportOf(id: string, change: PlannedChange, digest: string, live: unknown): AppliedChange {
  const helm = change.helm && { release: change.helm.release, namespace: change.helm.namespace };
  const git = change.git && { branch: change.git.branch, file: change.git.file, before: change.git.before, after: change.git.after, wanted: change.git.wanted };
  return { id, summary: change.summary, target: change.target, ...(helm ? { helm } : {}), ...(git ? { git } : {}), outcome: 'proposed', digest, diff: diffText(change, live) };
}

function diffText(change: PlannedChange, live: unknown): string {
  if (change.verb === 'delete') return `delete ${describeRef(change.target)}`;
  if (change.verb === 'helm-upgrade') return (change.helm ? helmLines(change.helm) : []).join('\n').slice(0, 8000);
  if (change.verb === 'git-branch') return (change.git ? gitLines(change.git) : []).join('\n').slice(0, 8000);
  if (change.verb === 'create') return redact(`create ${describeRef(change.target)}${change.object ? `\n${canonicalJson(change.object)}` : ''}`).slice(0, 8000);
  const lines = ((change.patch ?? []) as PatchOperation[]).flatMap(({ op, path, value }) => [
    path,
    ...(op === 'add' ? [] : [`- ${canonicalJson(named(path, valueAt(live, path)) ?? null)}`]),
    ...(op === 'remove' ? [] : [`+ ${canonicalJson(named(path, value) ?? null)}`]),
  ]);
  return lines.map((line) => shownLine(line)).join('\n').slice(0, 8000);
}
