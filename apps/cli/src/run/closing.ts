import { printable, type RunSummary } from '@larry/contracts';
import { criterionBasis, criterionMark, wrapped } from '@larry/reports';

/** What the run came to, on one screen: every claim with what was seen for it. */
export function closing(summary: RunSummary, files: readonly string[]): string {
  const columns = Math.min(process.stdout.columns ?? 100, 120);
  const tasks = summary.larrys.flatMap((l) => l.tasks);
  const done = tasks.filter((t) => t.status === 'completed' && t.result);
  const stopped = tasks.filter((t) => t.skipReason === 'aborted' && t.startedAt);
  const lines = [
    '',
    ...(summary.source.simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `Run ${summary.run} ${summary.status}: ${summary.didWork.done} of ${summary.didWork.of} tasks did work.${summary.status === 'aborted' ? ' This is a partial report.' : ''}`,
    ...(nothingWasRead(summary) ? ['  Nothing of this cluster could be read: the account may not. larry doctor --rights says which rights are missing.'] : []),
    ...done.flatMap((t) => [
      `  ${t.task}: ${printable(t.result?.summary ?? '', 300)}`,
      ...(t.result?.criteria ?? []).map((c) => `    ${criterionMark(c)} ${c.text}: ${printable(criterionBasis(c), 400)}`),
    ]),
    ...stopped.map((t) => `  ${t.task}: ${printable(t.reason ?? 'stopped', 500)}`),
    ...summary.larrys.map((l) => `  ${l.larry}: phase ${l.status}, ${doneWords(l.tasks)}`),
    ...(summary.status === 'aborted' ? summary.lessons.slice(0, 1).map((text) => `  ${printable(text, 400)}`) : [`  cross-checks: ${summary.crossChecks.filter((c) => c.verdict === 'agrees').length} of ${summary.crossChecks.length} agree; claims turned: ${summary.validations.reduce((n, v) => n + v.turned.length, 0)}`]),
    ...files.filter((f) => /SUMMARY/.test(f)).map((f) => `  ${f}`),
    '',
  ];
  return lines.map((line) => hanging(line, columns)).join('\n');
}

/** Whether a run came to nothing because its account may read nothing: it has ended, and says nothing of the cluster. */
export function nothingWasRead({ didWork, larrys }: RunSummary): boolean {
  return didWork.done === 0 && larrys.some(({ tasks }) => tasks.some((t) => t.skipReason === 'not-permitted'));
}

/** `2 of 4 tasks did work, 2 were skipped`. */
function doneWords(tasks: readonly { status: string }[]): string {
  const count = (status: string): number => tasks.filter((t) => t.status === status).length;
  const [skipped, failed] = [count('skipped'), count('failed')];
  return `${count('completed')} of ${tasks.length} tasks did work${skipped ? `, ${skipped} were skipped` : ''}${failed ? `, ${failed} failed` : ''}`;
}

/** Wrapped with its own indent, later lines a little deeper. */
function hanging(line: string, columns: number): string {
  const indent = line.search(/\S|$/);
  return `${' '.repeat(indent)}${wrapped(line.slice(indent), columns, indent + 3, indent)}`;
}

