import { printable, type RunSummary } from '@larry/contracts';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findApi, runningStack } from '../local/local-stack';
import { ApiClient } from '../run/api-client';
import { readRunSummary } from '../run/read-report';
import { summaryName, summaryText, writeReports } from '../run/write-reports';
import { exitCodes, UserError } from '../user-error';
import type { RunAddress } from './status';

interface ReportOptions extends RunAddress {
  output?: string;
  json?: boolean;
  html?: boolean;
}

/** `larry report`: the summary of the run at the API, or of the last one kept under the state folder. */
export async function report(options: ReportOptions): Promise<void> {
  if (options.json && options.html) throw new UserError('--json and --html cannot share standard output; give one of them');
  const summary = await summaryOf(options);
  process.exitCode = summary.status === 'completed' ? exitCodes.ok : exitCodes.found;
  if (options.output) {
    for (const file of writeReports(summary, options.output)) process.stdout.write(`${file}\n`);
    return;
  }
  process.stdout.write(summaryText(summary, options.json ? 'json' : options.html ? 'html' : 'md'));
}

async function summaryOf(options: ReportOptions): Promise<RunSummary> {
  if (options.api || runningStack(options.state)) return new ApiClient(findApi(options)).get<RunSummary>('/runs/current/report');
  const kept = lastSummaryFile(options.state);
  if (!existsSync(kept)) throw new UserError(`no run is going on under ${options.state}, and none is kept at ${kept}; larry run makes one, --api URL names a meta-coordinator`, exitCodes.unreachable);
  const summary = readRunSummary(kept);
  process.stderr.write(`larry: ${printable(summary.run, 100)} ended ${printable(summary.endedAt, 40)}: the last run that left a summary, kept at ${kept}. A later run that ended without one is not here; larry audit verify shows every run that began.\n`);
  return summary;
}

/** Where `larry run` keeps the summary of the last run. */
export function lastSummaryFile(state: string): string {
  return path.join(state, 'reports', `${summaryName}.json`);
}
