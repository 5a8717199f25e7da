import type { LarryReport, RunSummary, TaskReport, Validation } from '@larry/contracts';
import { markdown } from '../escape';
import { claimedCriterion, criterionBasis, criterionMark, crossCheckMark, legend, taskMark, validationMark, validationOf } from './verdict-mark';

/** `3-LARRY-EXECUTION-SUMMARY.md`. */
export function summaryToMarkdown(summary: RunSummary): string {
  const parts = [
    '# 3-Larry execution summary',
    ...(summary.source.simulated ? ['**SIMULATED cluster: nothing here is real.**'] : []),
    '## Executive summary',
    executiveSummary(summary),
    '## Timelines',
    timelines(summary),
    ...summary.larrys.map((larry) => larrySection(larry, summary)),
    '## Validation by new observation',
    validations(summary),
    '## Cross-checks',
    summary.crossChecks.map((c) => `- ${crossCheckMark(c)} ${markdown(c.title)}: ${markdown(c.observation, 1000)}`).join('\n') || 'None.',
    '## Token use',
    ['| Who | Used | Limit | Overshoot |', '| --- | ---: | ---: | ---: |', ...summary.tokens.map((t) => `| ${markdown(t.node)} | ${t.used} | ${t.limit} | ${t.overshoot} |`)].join('\n'),
    '## New since the last run',
    sinceLast(summary),
    '## Lessons',
    bullets(summary.lessons),
    '## Next steps',
    bullets(summary.nextSteps),
    legend,
  ];
  return `${parts.join('\n\n')}\n`;
}

function executiveSummary(summary: RunSummary): string {
  const { done, of } = summary.didWork;
  const changes = summary.larrys.flatMap((l) => l.tasks).flatMap((t) => t.result?.changes ?? []);
  const turned = summary.validations.reduce((n, v) => n + v.turned.length, 0);
  const agrees = summary.crossChecks.filter((c) => c.verdict === 'agrees').length;
  return [
    `- Run ${markdown(summary.run)} of plan ${markdown(summary.plan.title)}: **${summary.status}**, mode ${summary.mode}, source ${summary.source.type} ${markdown(summary.source.name)}`,
    `- ${done} of ${of} tasks did work; the others say below why not`,
    `- Changes: ${changes.length === 0 ? 'none' : counted(changes.map((c) => c.outcome))}`,
    `- Looked again: ${summary.validations.length === 0 ? 'at nothing' : turned === 0 ? 'no claim turned' : `**${turned} claims turned**`}; cross-checks: ${agrees} of ${summary.crossChecks.length} agree`,
  ].join('\n');
}

function timelines(summary: RunSummary): string {
  const rows = summary.larrys.flatMap((l) =>
    l.tasks.map((t) => `| ${markdown(l.larry)} | ${markdown(t.worker)} | ${markdown(t.node)} | ${t.plannedMinutes} min | ${actual(t)} |`),
  );
  return [`Started ${markdown(summary.startedAt)}, ended ${markdown(summary.endedAt)}.`, '', '| Larry | Worker | Node | Planned | Actual |', '| --- | --- | --- | ---: | ---: |', ...rows].join('\n');
}

function actual(task: TaskReport): string {
  if (task.status === 'skipped' || !task.startedAt || !task.endedAt) return '–';
  return `${((Date.parse(task.endedAt) - Date.parse(task.startedAt)) / 1000).toFixed(1)} s`;
}

function larrySection(larry: LarryReport, summary: RunSummary): string {
  return [`## ${markdown(larry.larry)}: ${markdown(larry.title)}`, '', `Phase **${larry.status}**; ${workWords(larry)}.`, '', ...larry.tasks.map((task) => taskSection(task, validationOf(summary, task)))].join('\n');
}

function taskSection(task: TaskReport, validation: Validation | undefined): string {
  const { result } = task;
  const skipped = task.status === 'skipped' ? ` (skipped: ${task.skipReason ?? 'no reason given'})` : '';
  const lines = [`### ${taskMark(task, validation)} ${markdown(task.title)} (${markdown(task.task)})${skipped}`, '', markdown(result?.summary ?? task.reason ?? 'No result.', 2000)];
  if (!result) return `${lines.join('\n')}\n`;
  const figures = Object.entries(result.figures).map(([name, value]) => `${markdown(name)} ${markdown(String(value))}`);
  if (figures.length > 0) lines.push('', figures.join(' · '));
  const criteria = result.criteria.map((c) => ({ text: c.text, ...claimedCriterion(c, validation) }));
  lines.push('', ...criteria.map(({ mark, text, basis }) => `- ${mark} ${markdown(text)}: ${markdown(basis, 1000)}`));
  lines.push(...result.changes.map((c) => `- Change ${markdown(c.summary)}: **${c.outcome}**${c.approvedBy === undefined ? '' : `, approved by ${markdown(c.approvedBy, 200)}`}${c.reason ? ` (${markdown(c.reason)})` : ''}`));
  const worst = result.findings.slice(0, 5);
  if (worst.length > 0) lines.push('', ...worst.map((f) => `- ${f.severity}: ${markdown(f.title)}`));
  if (result.findings.length > worst.length) lines.push(`- and ${result.findings.length - worst.length} more findings in the JSON report`);
  lines.push(...result.unknowns.slice(0, 10).map((u) => `- ❔ ${markdown(u.subject)}: ${markdown(u.reason)}`));
  return `${lines.join('\n')}\n`;
}

function validations(summary: RunSummary): string {
  return (
    summary.validations
      .map((v) => {
        const { mark, text } = validationMark(v);
        const seen = v.criteria.map((c) => `  - ${criterionMark(c)} ${markdown(c.text)}: ${markdown(criterionBasis(c), 1000)}`);
        return [`- ${markdown(v.task)} (${markdown(v.at)}): ${mark} ${markdown(text)}`, ...seen].join('\n');
      })
      .join('\n') || 'Nothing was validated.'
  );
}

function sinceLast({ sinceLast: since }: RunSummary): string {
  if (!since) return 'No run over this source before.';
  return [`Compared with run ${markdown(since.previousRun)}: ${since.new.length} new, ${since.gone.length} gone.`, ...since.new.slice(0, 20).map((t) => `- new: ${markdown(t)}`), ...since.gone.slice(0, 20).map((t) => `- gone: ${markdown(t)}`)].join('\n');
}

const bullets = (lines: string[]): string => lines.map((l) => `- ${markdown(l, 1000)}`).join('\n') || 'None.';

/** `2 of 5 tasks did work, 3 were skipped (progress 40 %: skipped work is no progress)`. */
export function workWords({ didWork, tasks }: LarryReport): string {
  const skipped = tasks.filter((t) => t.status === 'skipped').length;
  const words = `${didWork} of ${tasks.length} tasks did work`;
  return skipped === 0 ? words : `${words}, ${skipped} ${skipped === 1 ? 'was' : 'were'} skipped (progress ${Math.floor((didWork * 100) / tasks.length)} %: skipped work is no progress)`;
}

/** `2 verified, 1 refused`. */
export function counted(values: string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, n]) => `${n} ${value}`).join(', ');
}
