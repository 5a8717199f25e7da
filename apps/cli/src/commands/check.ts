import { compareSeverity, type CheckReport, type Severity } from '@larry/contracts';
import { loadExceptions } from '@larry/playbooks-security';
import { checkToHtml, checkToMarkdown, checkToSarif, checkToTerminal, jsonPieces } from '@larry/reports';
import { closeSync, openSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { compareChecks, keepLastCheck, readLastCheck } from '../check/last-check';
import { runCheck, type CheckOutcome } from '../check/run-check';
import { readPlan } from '../plan-file';
import { requirePlaybooks } from '../playbook-libraries';
import { progressLine } from '../progress-line';
import { openSource, type SourceOptions } from '../sources';
import { exitCodes, UserError } from '../user-error';
import { version } from '../version';

interface CheckOptions extends SourceOptions {
  all?: boolean;
  json?: boolean;
  sarif?: string | true;
  markdown?: string | true;
  html?: string;
  failOn: Severity | 'never';
  since?: 'last';
  exceptions?: string;
  plan?: string;
}

/** `larry check`: the tasks that only read, in one process. */
export async function check(options: CheckOptions): Promise<void> {
  const plan = readPlan(options.plan);
  requirePlaybooks(plan, false);
  if (options.exceptions) await requireGoodExceptions(options.exceptions);
  const cluster = await openSource(options);
  const line = progressLine();
  try {
    const outcome = await runCheck(cluster, plan, {
      signal: new AbortController().signal,
      progress: (task, percent, message) => line.show(`${task} ${percent} % ${message}`),
      ...(options.exceptions ? { exceptions: options.exceptions } : {}),
    });
    line.clear();
    if (outcome.nothingRead) process.stderr.write(`larry: ${outcome.nothingRead}\n`);
    else compareWithLast(outcome.report, options);
    await print(outcome, options);
    process.exitCode = exitCode(outcome, options.failOn);
  } finally {
    line.clear();
    await cluster.close();
  }
}

/** The scans go on without exceptions that are wrong; who names a file expects it to count. */
async function requireGoodExceptions(file: string): Promise<void> {
  const { problems } = await loadExceptions(file);
  if (problems.length === 0) return;
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : '';
  throw new UserError(`the exceptions cannot be used: ${problems.slice(0, 5).join('; ')}${more}. larry check --help shows the format`);
}

function compareWithLast(report: CheckReport, options: CheckOptions): void {
  const last = readLastCheck(report.source);
  if (options.since && last) report.since = compareChecks(last, report.findings);
  if (options.since && !last) process.stderr.write('larry: no check of this source before; this one is kept for the next --since last\n');
  const problem = keepLastCheck(report.source, report.startedAt, report.findings);
  if (problem) process.stderr.write(`larry: ${problem}\n`);
}

async function print({ report, pictures }: CheckOutcome, options: CheckOptions): Promise<void> {
  const standardOutput = [options.json, options.sarif === true, options.markdown === true].filter(Boolean).length;
  if (standardOutput > 1) throw new UserError('--json, --sarif and --markdown cannot share standard output; give files to all but one');
  if (options.html) write(options.html, [checkToHtml(report, pictures)]);
  if (typeof options.sarif === 'string') write(options.sarif, jsonPieces(checkToSarif(report, version)));
  if (typeof options.markdown === 'string') write(options.markdown, [checkToMarkdown(report)]);
  if (options.json) await show(jsonPieces(report), '\n');
  else if (options.sarif === true) await show(jsonPieces(checkToSarif(report, version)), '\n');
  else if (options.markdown === true) await show([checkToMarkdown(report)]);
  else await show([checkToTerminal(report, terminalStyle(options.all === true))]);
}

function terminalStyle(all: boolean) {
  const colour = Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'];
  return { columns: Math.min(process.stdout.columns ?? 80, 120), colour, limit: all ? Number.POSITIVE_INFINITY : 10 };
}

/** Written as fast as it is read, so that what waits stays small. */
async function show(pieces: Iterable<string>, end = ''): Promise<void> {
  for (const chunk of chunks(pieces)) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
  if (end !== '') process.stdout.write(end);
}

function* chunks(pieces: Iterable<string>): Iterable<string> {
  let held: string[] = [];
  let length = 0;
  for (const piece of pieces) {
    held.push(piece);
    length += piece.length;
    if (length < 64 * 1024) continue;
    yield held.join('');
    held = [];
    length = 0;
  }
  yield held.join('');
}

function write(file: string, pieces: Iterable<string>): void {
  try {
    const to = openSync(file, 'w');
    try {
      for (const chunk of chunks(pieces)) writeSync(to, chunk);
    } finally {
      closeSync(to);
    }
  } catch (error) {
    throw new UserError(`cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.stderr.write(`larry: wrote ${file}\n`);
}

function exitCode({ report, incomplete }: CheckOutcome, failOn: Severity | 'never'): number {
  const bad = failOn !== 'never' && report.findings.some((f) => !f.accepted && compareSeverity(f.severity, failOn) <= 0);
  if (bad) return exitCodes.found;
  return incomplete ? exitCodes.incomplete : exitCodes.ok;
}
