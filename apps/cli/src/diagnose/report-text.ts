import { describeRef, printable, stripControl, type Evidence, type Finding } from '@larry/contracts';
import type { DiagnosisFinding, DiagnosisReport } from '@larry/diagnosis';
import type { SourceInfo } from '@larry/kube';
import { fenced, markdown, ownerText, remedyText, wrapped } from '@larry/reports';
import { paint } from '../terminal/paint';
import { keyOf } from './explain-text';

/** How the terminal is. */
export interface Screen {
  columns: number;
  colour: boolean;
  /** How many root causes to show. */
  limit: number;
}

/** The screen of `larry diagnose`: root causes best first, each with its evidence, what follows from it, and the change. */
export function diagnosisToTerminal(report: DiagnosisReport, source: SourceInfo, screen: Screen): string {
  const { bold, red, dim, alarm, green } = paint(screen.colour);
  const shown = report.findings.slice(0, screen.limit);
  const field = (name: string, text: string): string => `   ${dim(name.padEnd(8))} ${wrapped(printable(text, 700), screen.columns, 12, 12)}`;
  const block = (finding: DiagnosisFinding, index: number): string => {
    const remedy = remedyText(finding as unknown as Finding);
    return [
      `${String(index + 1).padStart(2)} ${red(finding.cause)}  ${bold(printable(keyOf(finding), 200))}  ${dim(`${Math.round(finding.confidence * 100)} %`)}`,
      field('why', finding.title),
      ...finding.evidence.slice(0, 4).map((e) => field('seen', evidenceText(e, finding))),
      ...(finding.symptoms.length > 0 ? [field('so', symptomsText(finding.symptoms))] : []),
      ...finding.alternatives.slice(0, 3).map((a) => field('not', `${a.cause}: ${a.why}`)),
      field('owner', ownerText(finding.owner)),
      field('change', remedy.where),
      ...(remedy.body ? [bodyLines(remedy.body)] : []),
      ...(remedy.note ? [field('note', remedy.note)] : []),
    ].join('\n');
  };
  const heading = wrapped(`larry diagnose · ${source.type} ${printable(source.name, 200)} · ${report.at}`, screen.columns, 0);
  const verdict = report.findings.length === 0 ? green(verdictText(report, source)) : verdictText(report, source);
  const more = report.findings.length - shown.length;
  return `${[
    source.simulated ? `${heading}\n${alarm('SIMULATED cluster: nothing here is real')}` : heading,
    ...shown.map(block),
    [verdict, ...(more > 0 ? [`${more} more: larry diagnose --all`] : []), figuresText(report, source), ...unknownLines(report).map((line) => wrapped(line, screen.columns, 2))].join('\n'),
  ].join('\n\n')}\n`;
}

/** As it is: the indentation of YAML and the marks of a diff say what belongs where. */
function bodyLines(body: string): string {
  const lines = stripControl(body).split('\n');
  const more = lines.length - mostBodyLines;
  return [...lines.slice(0, mostBodyLines).map((line) => line.slice(0, 1_000)), ...(more > 0 ? [`… ${more} more lines: larry diagnose --json`] : [])].map((line) => `            ${line}`.trimEnd()).join('\n');
}

const mostBodyLines = 40;

function evidenceText(e: Evidence, finding: DiagnosisFinding): string {
  const about = describeRef(e.object);
  return `${about === keyOf(finding) ? '' : `${about} `}${e.at}: ${e.value}`;
}

function symptomsText(symptoms: readonly string[]): string {
  const shown = symptoms.slice(0, 6).join(', ');
  return symptoms.length > 6 ? `${shown} and ${symptoms.length - 6} more` : shown;
}

function verdictText({ findings }: DiagnosisReport, source: SourceInfo): string {
  if (findings.length > 0) return `${findings.length} root cause${findings.length === 1 ? '' : 's'}.`;
  return source.type === 'manifests' ? 'Nothing wrong was found in the manifests; whether anything runs, they do not tell.' : 'Nothing is wrong in what could be read.';
}

function figuresText({ figures }: DiagnosisReport, source: SourceInfo): string {
  const { workloads, pods, services, nodes, events, notRunning, starting } = figures;
  if (source.type === 'manifests') return `${workloads} workloads, ${services} services.`;
  return `${workloads} workloads (${notRunning} do not run${starting > 0 ? `, ${starting} start` : ''}), ${pods} pods, ${services} services, ${nodes} nodes, ${events} events.`;
}

function unknownLines(report: DiagnosisReport): string[] {
  const byReason = new Map<string, string[]>();
  for (const { subject, reason } of report.unknowns) byReason.set(reason, [...(byReason.get(reason) ?? []), subject]);
  const lines = [...byReason].slice(0, 6).map(([reason, subjects]) => printable(`Unknown (${reason}): ${subjects.slice(0, 10).join(', ')}${subjects.length > 10 ? ` and ${subjects.length - 10} more` : ''}`, 900));
  return byReason.size > 6 ? [...lines, `Unknown for ${byReason.size - 6} more reasons: larry diagnose --explain, or --markdown.`] : lines;
}

/** The same for people who read Markdown: nothing of the cluster's text is markup in it. */
export function diagnosisToMarkdown(report: DiagnosisReport, source: SourceInfo): string {
  const blocks = report.findings.map((finding, index) => {
    const remedy = remedyText(finding as unknown as Finding);
    return [
      `## ${index + 1}. ${markdown(finding.cause)}: ${markdown(keyOf(finding))}`,
      `${markdown(finding.title)}. Confidence ${Math.round(finding.confidence * 100)} %, owner: ${markdown(ownerText(finding.owner))}.`,
      ['| seen in | at | what |', '| --- | --- | --- |', ...finding.evidence.map((e) => `| ${markdown(describeRef(e.object))} | ${markdown(e.at)} | ${markdown(e.value)} |`)].join('\n'),
      ...(finding.symptoms.length > 0 ? [`Follows from it: ${markdown(finding.symptoms.join(', '), 2_000)}.`] : []),
      ...(finding.alternatives.length > 0 ? [finding.alternatives.map((a) => `- not ${markdown(a.cause)}: ${markdown(a.why)}`).join('\n')] : []),
      `Change: ${markdown(remedy.where)}.`,
      ...(remedy.body ? [fenced(remedy.body, remedy.language ?? 'text')] : []),
      ...(remedy.note ? [markdown(remedy.note)] : []),
    ].join('\n\n');
  });
  const unknowns = report.unknowns.length === 0 ? [] : ['## Unknown', report.unknowns.map((u) => `- ${markdown(u.subject)}: ${markdown(u.reason)}`).join('\n')];
  const verdict = verdictText(report, source);
  return `${[`# Diagnosis of ${markdown(source.name)}`, ...(source.simulated ? ['**SIMULATED cluster: nothing here is real.**'] : []), `${verdict} ${markdown(figuresText(report, source))} Facts of ${report.at}.`, ...blocks, ...unknowns].join('\n\n')}\n`;
}
