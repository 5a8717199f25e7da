import { describeRef, severities, type CheckReport } from '@larry/contracts';
import { fenced, markdown } from '../escape';
import { alsoIn, countBySeverity, groupFindings, isOutage, namesOf, type FindingGroup } from './finding-groups';
import { filesText } from './files-text';
import { ownerText, remedyText } from './remedy-text';

/** The whole check as Markdown, every group of findings included. */
export function checkToMarkdown(report: CheckReport): string {
  const counts = countBySeverity(report.findings);
  const parts = [
    '# Larry check',
    ...(report.source.simulated ? ['**SIMULATED cluster: nothing here is real.**'] : []),
    `${markdown(`${report.source.type} ${report.source.name}`)} · ${markdown(report.startedAt)}`,
    `| ${severities.join(' | ')} |\n|${severities.map(() => ' ---: ').join('|')}|\n| ${severities.map((s) => counts[s]).join(' | ')} |`,
    '## Findings',
    ...groupFindings(report.findings).map((g, i) => groupSection(g, i + 1)),
    '## Tasks',
    taskTable(report),
    '## Unknown',
    report.unknowns.length === 0 ? 'Nothing.' : report.unknowns.map((u) => `- ${markdown(u.subject)}: ${markdown(u.reason)}`).join('\n'),
    ...filesSection(report),
  ];
  return `${parts.join('\n\n')}\n`;
}

function groupSection(group: FindingGroup, number: number): string {
  const { first, severity } = group;
  const remedy = remedyText(first);
  const { roots, podCount } = alsoIn(group);
  const also = [roots.length > 0 ? namesOf(group, roots, 20) : '', podCount > 0 ? `${podCount} ${podCount === 1 ? 'pod' : 'pods'}` : ''].filter(Boolean).join('; and ');
  return [
    `### ${number}. ${isOutage(first) ? 'DOWN NOW ' : ''}${severity.toUpperCase()} ${markdown(first.title)}`,
    `- Object: ${markdown(describeRef(first.object))}, owned by ${markdown(ownerText(first.owner))}`,
    ...first.evidence.map((e) => `- Seen: ${markdown(e.at)}: ${markdown(e.value)}`),
    ...(also ? [`- Also: ${markdown(also, 4000)}`] : []),
    `- Rule: ${markdown(first.rule)}${first.references.length > 0 ? ` (${first.references.map((r) => markdown(r)).join(', ')})` : ''}`,
    `- Change: ${markdown(remedy.where)}${remedy.note ? ` (${markdown(remedy.note)})` : ''}`,
    ...(remedy.body ? ['', fenced(remedy.body, remedy.language)] : []),
  ].join('\n');
}

function taskTable(report: CheckReport): string {
  const rows = report.tasks.map((t) => `| ${markdown(t.task)} | ${markdown(t.outcome)}${t.skipReason ? ` (${markdown(t.skipReason)})` : ''} | ${markdown(t.summary)} |`);
  return ['| Task | Outcome | Summary |', '| --- | --- | --- |', ...rows].join('\n');
}

function filesSection(report: CheckReport): string[] {
  const { skipped } = report.files;
  const text = filesText(report);
  if (text === undefined) return [];
  const list = skipped.map((s) => `- ${markdown(s.file)}${s.line ? `:${s.line}` : ''}: ${markdown(s.reason)}`);
  return ['## Files', text, ...(list.length > 0 ? [list.join('\n')] : [])];
}
