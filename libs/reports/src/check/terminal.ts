import { describeRef, printable, severities, stripControl, type CheckReport, type Severity } from '@larry/contracts';
import { alsoIn, countBySeverity, groupFindings, isOutage, namesOf, type FindingGroup } from './finding-groups';
import { cutLine } from '../escape';
import { wrapped } from '../text-layout';
import { filesText, nothingRead } from './files-text';
import { ownerText, remedyText } from './remedy-text';

/** How the terminal is: columns, and whether it shows colours. */
export interface TerminalStyle {
  columns: number;
  colour: boolean;
  /** How many findings to show; 10 on the first screen. */
  limit: number;
}

const colours: Record<Severity, string> = { critical: '1;31', high: '31', medium: '33', low: '36', info: '2' };

/** The screen of `larry check`: at most `limit` findings, worst first, then counts, unknowns and what to type next. */
export function checkToTerminal(report: CheckReport, style: TerminalStyle): string {
  const groups = groupFindings(report.findings);
  const shown = groups.slice(0, style.limit);
  const blocks = [
    heading(report, style),
    ...shown.map((group, i) => findingBlock(group, i + 1, report, style)),
    closing(report, groups.length - shown.length, style),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function heading(report: CheckReport, style: TerminalStyle): string {
  const { source } = report;
  const seconds = ((Date.parse(report.endedAt) - Date.parse(report.startedAt)) / 1000).toFixed(1);
  const parts = ['larry check', `${source.type} ${printable(source.name, 200)}`, source.serverVersion && printable(source.serverVersion, 60), source.takenAt && `taken ${printable(source.takenAt, 40)}`, `${seconds} s`];
  const line = wrapped(parts.filter(Boolean).join(' · '), style.columns, 0);
  return source.simulated ? `${line}\n${paint('SIMULATED cluster: nothing here is real', '1;35', style)}` : line;
}

function findingBlock(group: FindingGroup, number: number, report: CheckReport, style: TerminalStyle): string {
  const { first, severity } = group;
  const isNew = report.since?.new.includes(first.id) ? ' NEW' : '';
  const badge = `${isOutage(first) ? 'DOWN NOW ' : ''}${severity.toUpperCase()}${isNew}`;
  const evidence = first.evidence.slice(0, 2).map((e) => field('seen', `${describeRef(e.object) === describeRef(first.object) ? '' : `${describeRef(e.object)} `}${e.at}: ${e.value}`, style));
  const also = alsoText(group);
  const remedy = remedyText(first);
  return [
    `${String(number).padStart(2)} ${paint(badge, colours[severity], style)} ${wrapped(printable(first.title, 300), style.columns, 4, 4 + badge.length)}`,
    field('object', describeRef(first.object), style),
    field('owner', ownerText(first.owner), style),
    ...evidence,
    field('change', remedy.where, style),
    ...(remedy.body ? [bodyLines(remedy.body)] : []),
    ...(remedy.note ? [field('note', remedy.note, style)] : []),
    ...(also ? [field('also', also, style, 3000)] : []),
    field('rule', first.rule, style),
  ].join('\n');
}

/** The other roots by name, and their pods as a number: replicas are no news of their own. */
function alsoText(group: FindingGroup): string {
  const { roots, pods, podCount } = alsoIn(group);
  const counted = podCount === 0 ? '' : `${podCount} ${podCount === 1 ? 'pod' : 'pods'}`;
  if (roots.length === 0) return podCount === 0 ? '' : `${counted}: ${pods.slice(0, 3).join(', ')}${podCount > 3 ? ', …' : ''}`;
  return [`${roots.length} more: ${namesOf(group, roots, 3)}`, counted].filter(Boolean).join('; and ');
}

/** Kept as it is, not wrapped, so that it can be copied from the screen. */
function bodyLines(body: string): string {
  const lines = stripControl(body).split('\n').map((l) => cutLine(l, 500));
  // The change itself often stands at the tail: the middle is what can be missed.
  const shown = lines.length <= 20 ? lines : [...lines.slice(0, 8), `… ${lines.length - 16} more lines: --json or --html FILE`, ...lines.slice(-8)];
  return shown.map((l) => `           ${l}`).join('\n');
}

function field(name: string, text: string, style: TerminalStyle, longest = 600): string {
  return `   ${name.padEnd(7)} ${wrapped(printable(text, longest), style.columns, 11, 11)}`;
}

function closing(report: CheckReport, more: number, style: TerminalStyle): string {
  const counts = countBySeverity(report.findings);
  const accepted = report.findings.filter((f) => f.accepted).length;
  const lines = [severities.map((s) => `${counts[s]} ${s}`).join(' · ') + (accepted ? ` · ${accepted} accepted (k3s baseline or your exceptions)` : '')];
  if (report.since) lines.push(`Since ${printable(report.since.previousAt, 40)}: ${report.since.new.length} new, ${report.since.gone.length} gone.`);
  if (more > 0) lines.push(`${more} more kinds of finding: larry check --all, or --html FILE to read at leisure.`);
  lines.push(...unknownLines(report));
  const files = filesText(report);
  if (files !== undefined) lines.push(`Files: ${files}${skippedReasons(report)}.`);
  if (report.source.type === 'dump' && report.source.namespaces) lines.push(dumpLine(report.source.namespaces));
  if (report.findings.length === 0 && nothingRead(report)) lines.unshift('No findings, since nothing was read.');
  else if (report.findings.length === 0) lines.unshift(`No findings in what could be read${report.unknowns.length > 0 ? `; ${report.unknowns.length} things could not be, and count as unknown, not as fine` : ''}.`);
  return lines.map((l) => wrapped(l, style.columns, 2)).join('\n');
}

/** `kubectl cluster-info dump` without -A holds two namespaces, which is easily taken for a whole cluster. */
function dumpLine(namespaces: readonly string[]): string {
  const named = namespaces.slice(0, 20).map((n) => printable(n, 80)).join(', ');
  const more = namespaces.length > 20 ? ` and ${namespaces.length - 20} more` : '';
  const byDefault = namespaces.every((n) => n === 'default' || n === 'kube-system');
  return byDefault ? `This dump holds only: ${named}; take it with -A for the rest.` : `Namespaces in this dump: ${named}${more}; nothing is known of any other.`;
}

function unknownLines(report: CheckReport): string[] {
  if (report.unknowns.length === 0) return [];
  const byReason = new Map<string, { subjects: Set<string>; details: Set<string> }>();
  for (const { subject, reason } of report.unknowns) {
    // `forbidden: deployments.apps is forbidden: …` for each of fifty kinds is one reason.
    // Each namespace that a dump lacks would be a reason of its own.
    const [head = reason] = reason.replace(/^namespace \S+ is (not in \w+(?: \w+)?)$/, 'namespaces $1').split(': ');
    const group = byReason.get(head) ?? { subjects: new Set(), details: new Set() };
    byReason.set(head, { subjects: group.subjects.add(subject), details: group.details.add(reason) });
  }
  const lines = [...byReason].slice(0, 5).map(([head, { subjects, details }]) => {
    const [detail = head] = details;
    const names = [...subjects];
    return printable(`Unknown (${printable(details.size === 1 ? detail : head)}): ${names.slice(0, 8).map((n) => printable(n, 80)).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`, 900);
  });
  if (byReason.size > lines.length) lines.push(`Unknown for ${byReason.size - lines.length} more reasons: larry check --json, or --html FILE.`);
  return lines;
}

const skippedAs: Record<string, string> = { 'same object as in': 'same object as in another file' };

function skippedReasons(report: CheckReport): string {
  const counts = new Map<string, number>();
  for (const { reason } of report.files.skipped) {
    // `does not parse: …` and `same object as in …` are one reason each, with the detail in --json and --html.
    const head = printable(reason.replace(/^(same object as in|does not parse|Kustomize file, not built).*$/s, (_, kind: string) => skippedAs[kind] ?? kind), 80);
    counts.set(head, (counts.get(head) ?? 0) + 1);
  }
  if (counts.size === 0) return '';
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return ` (${sorted.slice(0, 12).map(([reason, n]) => `${n}: ${reason}`).join('; ')}${sorted.length > 12 ? '; …' : ''})`;
}

function paint(text: string, code: string, style: TerminalStyle): string {
  return style.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
