import { describeRef, isInEffect, printable, type AppliedChange, type RunSummary, type SkipReason, type TaskReport } from '@larry/contracts';
import { claimedCriterion, validationOf, wrapped } from '@larry/reports';

/** What the run came to, on one screen: every claim with what was seen for it, and every task of which a person must know why it did not do its work. */
export function closing(summary: RunSummary, files: readonly string[]): string {
  const columns = Math.min(process.stdout.columns ?? 100, 120);
  const tasks = summary.larrys.flatMap((l) => l.tasks);
  const told = tasks.filter((t) => isTold(t) && !(t.skipReason === 'not-permitted' && nothingWasRead(summary)));
  const lines = [
    '',
    ...(summary.source.simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `Run ${summary.run} ${summary.status}: ${summary.didWork.done} of ${summary.didWork.of} tasks did work.${summary.status === 'aborted' ? ' This is a partial report.' : ''}`,
    ...(nothingWasRead(summary) ? ['  Nothing of this cluster could be read: the account may not. larry doctor --rights says which rights are missing.'] : []),
    ...told.flatMap((t) => taskLines(t, summary)),
    ...summary.larrys.map((l) => `  ${l.larry}: phase ${l.status}, ${doneWords(l.tasks)}`),
    ...(summary.status === 'aborted' ? summary.lessons.slice(0, 1).map((text) => `  ${printable(text, 400)}`) : [`  cross-checks: ${summary.crossChecks.filter((c) => c.verdict === 'agrees').length} of ${summary.crossChecks.length} agree; claims turned: ${summary.validations.reduce((n, v) => n + v.turned.length, 0)}`]),
    ...files.filter((f) => /SUMMARY/.test(f)).map((f) => `  ${f}`),
    '',
  ];
  return lines.map((line) => hanging(line, columns)).join('\n');
}

/** Reasons that ask nothing of a person: such tasks stand in the counts only. */
const quietReasons: readonly SkipReason[] = ['not-built', 'nothing-to-do', 'dependency', 'no-target'];

function isTold({ status, skipReason, startedAt, result }: TaskReport): boolean {
  if (status === 'failed') return true;
  if (status !== 'skipped') return status === 'completed' && result !== undefined;
  if (result && result.changes.length > 0) return true;
  if (skipReason === 'aborted') return startedAt !== undefined;
  return skipReason !== undefined && !quietReasons.includes(skipReason);
}

/** What became of a task, and its criteria as they are known at the end of the run. */
function taskLines(task: TaskReport, summary: RunSummary): string[] {
  const criteria = (task.result?.criteria ?? []).map((c) => ({ text: c.text, ...claimedCriterion(c, validationOf(summary, task)) }));
  return [`  ${task.task}: ${outcomeText(task)}`, ...undone(task, summary.mode === 'observe'), ...approved(task), ...criteria.map(({ mark, text, basis }) => `    ${mark} ${text}: ${printable(basis, 900)}`)];
}

const undoneWords: Partial<Record<AppliedChange['outcome'], string>> = { 'rolled-back': 'taken back', 'outcome-unknown': 'nobody can tell what became of it', refused: 'not made', superseded: 'not made' };
const shownUndone = 5;

/** The changes that are not in effect, or of which nobody knows, each with the reason and who approved it; where something was to be done, what is only proposed comes last. */
function undone({ result }: TaskReport, onlyProposes: boolean): string[] {
  const changes = result?.changes ?? [];
  const lines = changes.flatMap(({ outcome, target, reason, approvedBy }) => {
    const word = undoneWords[outcome];
    return word === undefined ? [] : [`    ${word}: ${printable(describeRef(target), 200)}${approvedBy === undefined ? '' : `, approved by ${printable(approvedBy, 100)}`}${reason === undefined ? '' : `: ${printable(reason, 500)}`}`];
  });
  if (!onlyProposes) lines.push(...changes.filter((c) => c.outcome === 'proposed').map((c) => `    proposed: ${printable(describeRef(c.target), 200)}: ${printable(c.reason ?? c.summary, 500)}`));
  const more = lines.length - shownUndone;
  return [...lines.slice(0, shownUndone), ...(more > 0 ? [`    and ${more} more: larry report`] : [])];
}

/** Who approved the changes that stand, a line for each person. */
function approved({ result }: TaskReport): string[] {
  const standing = (result?.changes ?? []).filter((c) => isInEffect(c) && c.approvedBy !== undefined);
  return [...new Set(standing.map((c) => c.approvedBy))].map((who) => `    approved by ${printable(who ?? '', 100)}: ${standing.filter((c) => c.approvedBy === who).map((c) => printable(describeRef(c.target), 200)).join(', ')}`);
}

/** A failed or denied task's reason, and what it says of its changes where that is more. */
function outcomeText({ status, skipReason, reason, result }: TaskReport): string {
  if (status === 'completed') return printable(result?.summary ?? '', 300);
  if (skipReason === 'aborted' && !result) return printable(reason ?? 'stopped', 500);
  const why = reason ?? result?.summary ?? 'no reason was given';
  const more = result && !why.includes(result.summary) ? `; ${printable(result.summary, 1000)}` : '';
  const word = status === 'failed' ? 'failed' : `skipped (${skipReason ?? 'unknown'})`;
  return `${word}: ${printable(why, 1000)}${more}`;
}

/** Whether a run came to nothing because its account may read nothing: it has ended, and says nothing of the cluster. */
export function nothingWasRead({ didWork, larrys }: RunSummary): boolean {
  return didWork.done === 0 && larrys.some(({ tasks }) => tasks.some((t) => t.skipReason === 'not-permitted'));
}

/** `2 of 4 tasks did work, 2 were skipped`. */
function doneWords(tasks: readonly TaskReport[]): string {
  const count = (status: string): number => tasks.filter((t) => t.status === status).length;
  const [skipped, failed] = [count('skipped'), count('failed')];
  const stand = tasks.filter((t) => t.status === 'failed').flatMap((t) => t.result?.changes ?? []).filter(isInEffect).length;
  const what = stand === 0 ? '' : ` (${stand} ${stand === 1 ? 'change stands' : 'changes stand'} all the same)`;
  return `${count('completed')} of ${tasks.length} tasks did work${skipped ? `, ${skipped} were skipped` : ''}${failed ? `, ${failed} failed${what}` : ''}`;
}

/** Wrapped with its own indent, later lines a little deeper. */
function hanging(line: string, columns: number): string {
  const indent = line.search(/\S|$/);
  return `${' '.repeat(indent)}${wrapped(line.slice(indent), columns, indent + 3, indent)}`;
}

