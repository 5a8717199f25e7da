import { canonicalJson, describeRef, redact, stripControl, type AppliedChange, type PlannedChange } from '@larry/contracts';
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
 * @internal Reads each target once, so that every planned change has the digest of what was observed, and a diff for people. What
 * earlier attempts left in effect comes first, whether it is planned again or not.
 */
export async function prepare(context: PlaybookContext, planned: PlannedChange[], earlier: readonly EarlierChange[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const { intent, matters, ...rest } of earlier) {
    if (!matters || planned.some((p) => changeId(context.run, context.task, p.step) === intent.id)) continue;
    const { id, change, digest } = intent;
    steps.push({ change, report: reportOf(id, change, digest, undefined), requested: requestedChange(change, undefined), earlier: { intent, matters, ...rest } });
  }
  for (const wanted of planned) {
    const id = changeId(context.run, context.task, wanted.step);
    const before = earlier.find((e) => e.intent.id === id);
    // A branch is looked at as it was made; the file may have gone on since.
    const change = before?.matters && wanted.git ? before.intent.change : wanted;
    const live = await context.cluster.get(change.target, context.signal);
    const digest = before?.matters ? before.intent.digest : changeDigest(change, live);
    steps.push({ change, report: reportOf(id, change, digest, live), requested: requestedChange(change, live), ...(before ? { earlier: before } : {}) });
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
  return stripControl(lines.join('\n')).slice(0, 8000);
}
