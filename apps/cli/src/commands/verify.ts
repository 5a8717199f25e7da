import { printable, type RunSummary, type Validation } from '@larry/contracts';
import { planHash, validateAnew } from '@larry/coordinator';
import type { ClusterReader } from '@larry/kube';
import { criterionBasis, criterionMark } from '@larry/reports';
import { existsSync } from 'node:fs';
import { runningStack } from '../local/local-stack';
import { readPlan } from '../plan-file';
import { playbookLibraries } from '../playbook-libraries';
import { typedCommand } from '../program/typed-command';
import { progressLine } from '../progress-line';
import { readRunSummary } from '../run/read-report';
import { claimsOf, verifiedCriteria } from '../run/verify-claims';
import { openSource, type SourceOptions } from '../sources';
import { exitCodes, UserError } from '../user-error';
import { lastSummaryFile } from './report';

interface VerifyOptions extends SourceOptions {
  state: string;
  report?: string;
  plan?: string;
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
  if (claims.length === 0) throw new UserError(`${file} claims nothing: no task of run ${printable(summary.run, 100)} completed`);
  const cluster = await openSame(summary, options);
  const line = progressLine();
  try {
    const validations: Validation[] = [];
    for (const { larry, request } of claims) {
      line.show(`looking anew at ${request.tasks.length} tasks of ${larry}`);
      validations.push(...(await validateAnew(request, { larry, libraries: playbookLibraries, cluster, signal: new AbortController().signal, log: quiet })));
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

/** The source that the report speaks of, and no other: another cluster would turn every claim. */
async function openSame(summary: RunSummary, options: VerifyOptions): Promise<ClusterReader> {
  const { source } = summary;
  const given = [options.manifests, options.snapshot, options.dump, options.kubeconfig, options.context].some(Boolean);
  const cluster = await openSource(given ? options : sourceOf(summary, options));
  const seen = cluster.source;
  if (seen.simulated === source.simulated && (given || seen.name === source.name)) return cluster;
  await cluster.close();
  const what = (s: RunSummary['source']): string => `${s.simulated ? 'the SIMULATED cluster' : s.type} ${printable(s.name, 200)}`;
  throw new UserError(`the report speaks of ${what(source)}, and this is ${what(seen)}; name the source with --kubeconfig, --context or its folder`);
}

function sourceOf({ source }: RunSummary, options: VerifyOptions): SourceOptions {
  if (source.type !== 'live') return { [source.type]: source.name };
  if (!source.simulated) return {};
  const kubeconfig = runningStack(options.state)?.kubeconfig;
  if (kubeconfig) return { kubeconfig };
  throw new UserError(
    `the report speaks of a SIMULATED cluster, which is gone with its run; what needs no cluster: ${typedCommand('report', options)} (what was claimed, with its observations) and ${typedCommand('audit verify', options)} (every change and approval); a run with --simulated --keep keeps its cluster for verify`,
    exitCodes.unreachable,
  );
}

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
