import { printable, type RunSummary, type Validation } from '@larry/contracts';
import { planHash, validateAnew } from '@larry/coordinator';
import { criterionBasis, criterionMark } from '@larry/reports';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readPlan } from '../plan-file';
import { playbookLibraries } from '../playbook-libraries';
import { progressLine } from '../progress-line';
import { readRunSummary } from '../run/read-report';
import { claimsOf, verifiedCriteria } from '../run/verify-claims';
import { openReported } from '../run/verify-source';
import type { SourceOptions } from '../sources';
import { exitCodes, UserError } from '../user-error';
import { lastSummaryFile } from './report';

interface VerifyOptions extends SourceOptions {
  state: string;
  report?: string;
  plan?: string;
  git?: string;
  json?: boolean;
}

/** `larry verify`: looks anew, in this process and reading only, at what a report claimed. */
export async function verify(options: VerifyOptions): Promise<void> {
  const file = options.report ?? lastSummaryFile(options.state);
  if (!options.report && !existsSync(file)) throw new UserError(`no run is kept at ${file}; larry run makes one, --report names another`);
  const summary = readRunSummary(file);
  const plan = readPlan(options.plan);
  if (planHash(plan) !== summary.plan.hash) process.stderr.write('larry: the plan is another than that run had; tasks are looked at with the options of this one (--plan names another)\n');
  const claims = claimsOf(summary, plan);
  if (claims.length === 0) throw new UserError(`${file} claims nothing: no task of run ${printable(summary.run, 100)} completed, or changed anything that stands`);
  const git = options.git ?? process.env['LARRY_GIT_REPOSITORY'];
  const cluster = await openReported(summary, options);
  const line = progressLine();
  try {
    const validations: Validation[] = [];
    for (const { larry, request } of claims) {
      line.show(`looking anew at ${request.tasks.length} tasks of ${larry}`);
      validations.push(...(await validateAnew(request, { larry, libraries: playbookLibraries, cluster, ...(git ? { git: path.resolve(git) } : {}), signal: new AbortController().signal, log: quiet })));
    }
    line.clear();
    process.stdout.write(options.json ? `${JSON.stringify(validations, null, 2)}\n` : verifyText(summary, validations));
    process.exitCode = verifyExitCode(validations);
  } finally {
    line.clear();
    await cluster.close();
  }
}

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** 1 when a claim has turned, 4 when something could not be looked at, else 0. */
export function verifyExitCode(validations: readonly Validation[]): number {
  if (validations.some((v) => v.turned.length > 0)) return exitCodes.found;
  return validations.some((v) => v.problem !== undefined) ? exitCodes.incomplete : exitCodes.ok;
}

const words = { holds: 'holds', turned: 'TURNED', closed: 'closed', open: 'open' } as const;

/** Every claim with what was seen for it now. */
export function verifyText(summary: RunSummary, validations: readonly Validation[]): string {
  const criteria = verifiedCriteria(summary, validations);
  const counts = (['holds', 'closed', 'turned', 'open'] as const).map((outcome) => `${criteria.filter((c) => c.outcome === outcome).length} ${words[outcome]}`);
  const lines = [
    ...(summary.source.simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `Run ${printable(summary.run, 100)} of ${printable(summary.endedAt, 40)}, looked at anew: ${counts.join(', ')}.`,
    ...validations.flatMap((v) => [
      `  ${v.task}${v.problem === undefined ? '' : `: ❔ ${printable(v.problem, 500)}`}`,
      ...criteria.filter((c) => c.task === v.task).map(({ before, now, outcome }) => `    ${now ? criterionMark(now) : '❔'} ${words[outcome]}: ${printable(before.text, 300)}: ${printable(now ? criterionBasis(now) : 'not spoken of any more', 500)}`),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
