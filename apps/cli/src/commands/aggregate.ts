import { printable, type LarryReport } from '@larry/contracts';
import { aggregateReports } from '@larry/reports';
import path from 'node:path';
import { readLarryReport } from '../run/read-report';
import { writeFiles } from '../run/write-files';
import { summaryText, type SummaryFormat } from '../run/write-reports';
import { UserError } from '../user-error';

interface AggregateOptions {
  /** commander's names of `--larry-01-report` and its like. */
  larry01Report?: string;
  larry02Report?: string;
  larry03Report?: string;
  report?: string[];
  output: string;
}

interface ReportFile {
  file: string;
  report: LarryReport;
}

/** `larry aggregate`: the summary of a run from its Larrys' reports, without a cluster. */
export function aggregate(options: AggregateOptions): void {
  const format = formatOf(options.output);
  const reports = [...namedReports(options), ...(options.report ?? []).map((file) => ({ file, report: readLarryReport(file) }))];
  if (reports.length === 0) throw new UserError('there is nothing to aggregate; give --larry-01-report, --larry-02-report, --larry-03-report, or --report several times');
  checkTogether(reports);
  const [file] = writeFiles(path.dirname(options.output), [{ name: path.basename(options.output), text: summaryText(summaryOf(reports), format) }]);
  process.stderr.write('larry: made from the reports alone; what needs the cluster was not looked at anew\n');
  process.stdout.write(`${file ?? options.output}\n`);
}

function summaryOf(reports: readonly ReportFile[]): ReturnType<typeof aggregateReports> {
  try {
    return aggregateReports(reports.map((r) => r.report));
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/** A file given for a Larry must be that Larry's. */
function namedReports(options: AggregateOptions): ReportFile[] {
  const named: [larry: string, file: string | undefined][] = [
    ['larry-01', options.larry01Report],
    ['larry-02', options.larry02Report],
    ['larry-03', options.larry03Report],
  ];
  return named.flatMap(([larry, file]): ReportFile[] => {
    if (file === undefined) return [];
    const report = readLarryReport(file);
    if (report.larry !== larry) throw new UserError(`${file} is the report of ${printable(report.larry, 60)}, and was given as --${larry}-report: field "larry"`);
    return [{ file, report }];
  });
}

/** Reports of one run over one source, each Larry once, and all of them final. */
function checkTogether(reports: readonly ReportFile[]): void {
  const [first] = reports;
  const seen = new Map<string, string>();
  for (const { file, report } of reports) {
    const before = seen.get(report.larry);
    if (before) throw new UserError(`${before} and ${file} are both reports of ${printable(report.larry, 60)}; give one of them`);
    seen.set(report.larry, file);
    if (report.status !== 'completed' && report.status !== 'failed') throw new UserError(`${file} is not final: field "status" says ${report.status}; larry report writes final ones when the run is complete`);
    if (first && report.run !== first.report.run) throw new UserError(`${first.file} is of run ${printable(first.report.run, 100)} and ${file} of run ${printable(report.run, 100)}; give reports of one run`);
    if (first && (report.source.name !== first.report.source.name || report.source.simulated !== first.report.source.simulated)) throw new UserError(`${first.file} and ${file} speak of different sources: field "source"`);
  }
}

/** The format that a file's ending asks for. */
export function formatOf(file: string): SummaryFormat {
  const ending = path.extname(file).slice(1).toLowerCase();
  if (ending === 'md' || ending === 'html' || ending === 'json') return ending;
  throw new UserError(`--output ${file} ends neither in .md nor in .html nor in .json, which say what to write`);
}
