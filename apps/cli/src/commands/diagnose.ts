import { printable } from '@larry/contracts';
import { collectDump, collectFacts, diagnose as diagnoseFacts, readProbes, readProbesOf, type CollectOptions, type DiagnosisFinding, type DiagnosisReport, type Facts, type Probes } from '@larry/diagnosis';
import { findHelm, refineHelmRemedies } from '@larry/helm';
import { readGitHead, refineGitRemedies, type ClusterReader } from '@larry/kube';
import { writeFileSync } from 'node:fs';
import { explainAsSvg } from '../diagnose/explain-svg';
import { explainAsText } from '../diagnose/explain-text';
import { diagnosisToMarkdown, diagnosisToTerminal } from '../diagnose/report-text';
import { progressLine } from '../progress-line';
import { openSource, type SourceOptions } from '../sources';
import { wantsColour } from '../terminal/paint';
import { exitCodes, UserError } from '../user-error';

interface DiagnoseOptions extends SourceOptions {
  namespace?: string;
  probes?: string;
  git?: string;
  json?: boolean;
  markdown?: string | true;
  explain?: string | true;
  all?: boolean;
}

/** `larry diagnose`: the root causes of what does not run, from one source, without changing anything. */
export async function diagnose(options: DiagnoseOptions): Promise<void> {
  if (options.json && (options.markdown === true || options.explain !== undefined)) throw new UserError('--json takes standard output for itself; give --markdown a file, and leave --explain out');
  const probes = await probesFor(options);
  const line = progressLine();
  line.show('reading');
  const { facts, reader: cluster } = await read(options, { ...(options.namespace ? { namespace: options.namespace } : {}), ...(probes ? { probes } : {}) });
  try {
    requireNamespace(facts);
    const report = await withManifests(await withValues(diagnoseFacts(facts), cluster), cluster, options.git ?? process.env['LARRY_GIT_REPOSITORY']);
    line.clear();
    print(report, cluster.source, options);
    const blind = report.findings.length === 0 ? blindness(report, facts) : undefined;
    if (blind) process.stderr.write(`larry: ${blind}\n`);
    process.exitCode = blind ? exitCodes.incomplete : exitCodes.ok;
  } finally {
    line.clear();
    await cluster.close();
  }
}

const broughtByCharts: ReadonlySet<string> = new Set(['helm', 'flux', 'k3s-helmchart', 'argocd']);

/** Names the chart values behind what Helm releases own, whoever drives them; a source that is no cluster keeps no charts. */
async function withValues(report: DiagnosisReport, cluster: ClusterReader): Promise<DiagnosisReport> {
  if (cluster.source.type !== 'live' || !report.findings.some((f) => broughtByCharts.has(f.owner.kind))) return report;
  const findings = await refineHelmRemedies(cluster, findHelm(), report.findings, objectOf);
  return { ...report, findings };
}

/** Finds the manifests behind what Flux, Argo CD, k3s or files own, in a working clone; nothing is written. */
async function withManifests(report: DiagnosisReport, cluster: ClusterReader, folder: string | undefined): Promise<DiagnosisReport> {
  if (!folder) return report;
  try {
    await readGitHead(folder);
    return { ...report, findings: await refineGitRemedies(cluster, folder, report.findings, objectOf) };
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

const objectOf = ({ apiVersion, kind, namespace, name }: DiagnosisFinding) => ({ apiVersion, kind, name, ...(namespace ? { namespace } : {}) });

/** A dump's files are read once, whatever their size; every other source answers when it is asked. */
async function read(options: DiagnoseOptions, collect: CollectOptions): Promise<{ facts: Facts; reader: ClusterReader }> {
  if (options.dump === undefined) {
    const reader = await openSource(options);
    return { facts: await collectFacts(reader, collect), reader };
  }
  try {
    return await collectDump(options.dump, collect);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/** The file that is named, else the one that lies beside a dump or in a snapshot. */
async function probesFor(options: DiagnoseOptions): Promise<Probes | undefined> {
  try {
    if (options.probes !== undefined) {
      const probes = await readProbes(options.probes);
      if (!probes) throw new Error(`${options.probes}: there is no such file`);
      return probes;
    }
    const folder = options.snapshot ?? options.dump;
    return folder === undefined ? undefined : await readProbesOf(folder);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/** A namespace that the source does not show is a mistyped one: nothing wrong in it means nothing. @throws UserError */
function requireNamespace({ namespace, objects, events, source }: Facts): void {
  if (namespace === undefined || objects.hasNamespace(namespace) || events.countIn(namespace) > 0) return;
  // An account that may list neither namespaces nor pods cannot tell; that nothing was seen is said as such then.
  if (source.type === 'live' && !objects.knows('Namespace') && !objects.knows('Pod')) return;
  const seen = objects.list('Namespace').map(({ metadata }) => metadata.name).sort();
  const hint = seen.length === 0 ? '' : `; there are ${seen.slice(0, 12).join(', ')}${seen.length > 12 ? ` and ${seen.length - 12} more` : ''}`;
  throw new UserError(`--namespace ${printable(namespace, 100)}: ${source.type} ${printable(source.name, 200)} shows no such namespace and nothing in it${printable(hint, 1000)}`);
}

/** Why no root cause does not mean that all is well. */
function blindness({ figures }: DiagnosisReport, { source, namespace, objects }: Facts): string | undefined {
  if (source.type !== 'manifests') return objects.knows('Pod') ? undefined : 'the pods could not all be read, so that no root cause does not mean that all is well';
  const where = namespace === undefined ? '' : ` in namespace ${printable(namespace, 100)}`;
  return figures.workloads === 0 && figures.services === 0 ? `nothing was read: the folder holds no workloads and no Services${where}` : undefined;
}

function print(report: DiagnosisReport, source: Parameters<typeof diagnosisToTerminal>[1], options: DiagnoseOptions): void {
  if (typeof options.markdown === 'string') write(options.markdown, diagnosisToMarkdown(report, source));
  if (typeof options.explain === 'string') write(options.explain, explainAsSvg(report.findings));
  if (options.json) return void process.stdout.write(`${JSON.stringify(report.findings, null, 2)}\n`);
  if (options.markdown === true) return void process.stdout.write(diagnosisToMarkdown(report, source));
  const screen = { columns: Math.min(process.stdout.columns ?? 100, 140), colour: wantsColour(process.stdout), limit: options.all ? Number.POSITIVE_INFINITY : 10 };
  process.stdout.write(diagnosisToTerminal(report, source, screen));
  if (options.explain !== undefined && report.findings.length > 0) process.stdout.write(`\n${explainAsText(report.findings)}\n`);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`cannot write ${printable(file, 300)}: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.stderr.write(`larry: wrote ${file}\n`);
}
