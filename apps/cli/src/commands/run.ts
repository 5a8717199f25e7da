import { criterionBasis, criterionMark, wrapped } from '@larry/reports';
import { planTasks, printable, type Plan, type RunSummary } from '@larry/contracts';
import type { Mode } from '@larry/playbook';
import path from 'node:path';
import { startLocalStack, type LocalStack } from '../local/local-stack';
import { readPlan } from '../plan-file';
import { requirePlaybooks } from '../playbook-libraries';
import { progressLine } from '../progress-line';
import { ApiClient } from '../run/api-client';
import { followRun, type FollowedRun } from '../run/follow-run';
import { runView } from '../run/run-view';
import { writeReports } from '../run/write-reports';
import type { SourceOptions } from '../sources';
import { exitCodes, UserError } from '../user-error';

interface RunOptions extends SourceOptions {
  simulated?: boolean;
  mode: Mode;
  allow: string[];
  plan?: string;
  state: string;
  output?: string;
  replicas: number;
  redisPort?: number;
  leaseTtl?: number;
  json?: boolean;
  lines?: boolean;
  keep?: boolean;
}

/** `larry run`: the whole crew as processes of this machine, until the summary is written. */
export async function run(options: RunOptions): Promise<void> {
  const plan = readPlan(options.plan);
  requirePlaybooks(plan, true);
  const source = sourceOf(options);
  if (source !== 'simulated' && source !== 'live' && options.mode !== 'observe') {
    throw new UserError(`a folder cannot be changed: --mode ${options.mode} needs a cluster`);
  }
  const stop = new AbortController();
  const interrupted = (): void => stop.abort();
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', interrupted);
  const line = progressLine();
  let lost: UserError | undefined;
  const stack = await startLocalStack({
    state: options.state,
    source,
    ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}),
    ...(options.context ? { context: options.context } : {}),
    // Typed by the person who starts it: that is the asking.
    modesAllowed: ['observe', options.mode],
    larrys: plan.larrys.map((l) => l.id),
    replicas: options.replicas,
    ...(options.redisPort ? { redisPort: options.redisPort } : {}),
    ...(options.leaseTtl ? { leaseTtlMs: options.leaseTtl } : {}),
    onStep: (text) => line.show(text),
    say: (text) => process.stderr.write(`larry: ${text}\n`),
    lost: (error) => {
      lost ??= error;
      stop.abort();
    },
    signal: stop.signal,
  })
    .catch((error: unknown) => {
      if (stop.signal.aborted && !lost) return undefined;
      throw lost ?? error;
    })
    .finally(() => line.clear());
  if (!stack) {
    process.stderr.write('larry: stopped before the run began\n');
    process.exitCode = 130;
    return;
  }
  try {
    const ended = await runOnce(stack, plan, options, stop.signal);
    if (lost) throw lost;
    if (!ended) process.stderr.write('larry: stopped; the run is aborted, its leases are handed back\n');
    if (options.keep && !stop.signal.aborted) await keepUp(stack, stop.signal);
    process.exitCode = ended === undefined ? 130 : ended.status === 'completed' ? exitCodes.ok : exitCodes.found;
  } finally {
    await stack.stop();
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
  }
}

async function runOnce(stack: LocalStack, plan: Plan, options: RunOptions, signal: AbortSignal): Promise<FollowedRun | undefined> {
  const api = new ApiClient(stack.api);
  const begun = await api.post<{ run: string; warnings?: string[] }>('/runs', { plan, mode: options.mode, allow: options.allow });
  for (const warning of begun.warnings ?? []) process.stderr.write(`larry: ${printable(warning, 500)}\n`);
  if (!options.json) process.stdout.write(heading(stack, begun.run, plan, options));
  const ended = await followRun(api, begun.run, runView(api, { plain: options.lines === true || options.json === true, quiet: options.json === true }), signal);
  if (!ended) {
    await api.post('/runs/current/abort').catch(() => undefined);
    return undefined;
  }
  if (!ended.summary) {
    process.stderr.write(`larry: the run ended as ${ended.status} without a summary; larry logs meta-coordinator says why\n`);
    return ended;
  }
  const folder = options.output ?? path.join(options.state, 'reports');
  const files = writeReports(ended.summary, folder);
  process.stdout.write(options.json ? `${JSON.stringify(ended.summary, null, 2)}\n` : closing(ended.summary, files));
  return ended;
}

function sourceOf(options: RunOptions): string {
  if (options.simulated) return 'simulated';
  if (options.manifests) return `manifests:${path.resolve(options.manifests)}`;
  if (options.snapshot) return `snapshot:${path.resolve(options.snapshot)}`;
  if (options.dump) return `dump:${path.resolve(options.dump)}`;
  return 'live';
}

function heading(stack: LocalStack, run: string, plan: Plan, options: RunOptions): string {
  const lines = [
    `Run ${run}: ${printable(plan.title)}, ${plan.larrys.length} Larrys, ${planTasks(plan).length} workers, mode ${options.mode}`,
    ...(options.simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `API ${stack.api.url} · Redis ${stack.redis.url} · logs ${stack.folder}`,
    ...(stack.kubeconfig ? [`kubectl --kubeconfig ${stack.kubeconfig} get pods -A`] : []),
    `redis-cli -u ${stack.redis.url} SUBSCRIBE larry:coordination`,
  ];
  return `${lines.join('\n')}\n\n`;
}

/** What the run came to, on one screen: every claim with what was seen for it. */
function closing(summary: RunSummary, files: string[]): string {
  const columns = Math.min(process.stdout.columns ?? 100, 120);
  const done = summary.larrys.flatMap((l) => l.tasks).filter((t) => t.status === 'completed' && t.result);
  const lines = [
    '',
    ...(summary.source.simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `Run ${summary.run} ${summary.status}: ${summary.didWork.done} of ${summary.didWork.of} tasks did work.`,
    ...done.flatMap((t) => [
      `  ${t.task}: ${printable(t.result?.summary ?? '', 300)}`,
      ...(t.result?.criteria ?? []).map((c) => `    ${criterionMark(c)} ${c.text}: ${printable(criterionBasis(c), 400)}`),
    ]),
    ...summary.larrys.map((l) => `  ${l.larry}: phase ${l.status}, ${l.didWork} of ${l.tasks.length} tasks did work`),
    `  cross-checks: ${summary.crossChecks.filter((c) => c.verdict === 'agrees').length} of ${summary.crossChecks.length} agree; claims turned: ${summary.validations.reduce((n, v) => n + v.turned.length, 0)}`,
    ...files.filter((f) => /SUMMARY/.test(f)).map((f) => `  ${f}`),
    '',
  ];
  return lines.map((line) => hanging(line, columns)).join('\n');
}

/** Wrapped with its own indent, later lines a little deeper. */
function hanging(line: string, columns: number): string {
  const indent = line.search(/\S|$/);
  return `${' '.repeat(indent)}${wrapped(line.slice(indent), columns, indent + 3, indent)}`;
}

/** Leaves everything running after the run, to look around, until Ctrl-C. */
async function keepUp(stack: LocalStack, signal: AbortSignal): Promise<void> {
  process.stdout.write(`Everything stays up until Ctrl-C: API ${stack.api.url}, Redis ${stack.redis.url}\n`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
