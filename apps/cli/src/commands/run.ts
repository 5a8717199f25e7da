import { criterionBasis, criterionMark, wrapped } from '@larry/reports';
import { planTasks, printable, type Plan, type RunSummary } from '@larry/contracts';
import type { Mode } from '@larry/playbook';
import { describeAddress, parseRedisUrl } from '@larry/redis';
import path from 'node:path';
import { startLocalStack, type LocalStack } from '../local/local-stack';
import { readPlan } from '../plan-file';
import { requireCategories, requirePlaybooks } from '../playbook-libraries';
import { progressLine } from '../progress-line';
import { ApiClient } from '../run/api-client';
import { endedRun, followRun, type FollowedRun } from '../run/follow-run';
import { runView } from '../run/run-view';
import { writeReports } from '../run/write-reports';
import { typedCommand } from '../program/typed-command';
import type { SourceOptions } from '../sources';
import { stopSignal } from '../terminal/stop-signal';
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
  requireCategories(options.allow);
  const source = sourceOf(options);
  if (source !== 'simulated' && source !== 'live' && options.mode !== 'observe') {
    throw new UserError(`a folder cannot be changed: --mode ${options.mode} needs a cluster`);
  }
  const stop = stopSignal();
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
      stop.stop();
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
    process.exitCode = exitCodes.interrupted;
    stop.release();
    return;
  }
  try {
    const ended = await runOnce(stack, plan, options, stop.signal);
    if (lost) throw lost;
    if (options.keep && !stop.signal.aborted) await keepUp(stack, stop.signal);
    process.exitCode = ended.status === 'completed' ? exitCodes.ok : ended.interrupted ? exitCodes.interrupted : exitCodes.found;
  } finally {
    await stack.stop();
    stop.release();
  }
}

async function runOnce(stack: LocalStack, plan: Plan, options: RunOptions, signal: AbortSignal): Promise<{ status: FollowedRun['status']; interrupted: boolean }> {
  const api = new ApiClient(stack.api);
  const begun = await api.post<{ run: string; warnings?: string[] }>('/runs', { plan, mode: options.mode, allow: options.allow });
  for (const warning of begun.warnings ?? []) process.stderr.write(`larry: ${printable(warning, 500)}\n`);
  if (!options.json) process.stdout.write(heading(stack, begun.run, plan, options));
  const followed = await followRun(api, begun.run, runView(api, { plain: options.lines === true || options.json === true, quiet: options.json === true, state: options.state }), signal);
  const ended = followed ?? (await abortRun(api));
  if (ended.summary) {
    const files = writeReports(ended.summary, options.output ?? path.join(options.state, 'reports'));
    process.stdout.write(options.json ? `${JSON.stringify(ended.summary, null, 2)}\n` : closing(ended.summary, files));
  } else {
    process.stderr.write(`larry: the run ended as ${ended.status} without a summary; ${typedCommand('logs meta-coordinator', options)} says why\n`);
  }
  return { status: ended.status, interrupted: followed === undefined };
}

/** After Ctrl-C: the run is aborted, and what it did until then is reported. One that ended in this moment is reported whole. */
async function abortRun(api: ApiClient): Promise<FollowedRun> {
  process.stderr.write('larry: stopping. Running tasks end as skipped(aborted): their workers make no further change and hand their leases back. Ctrl-C again ends at once, without a report.\n');
  try {
    await api.post('/runs/current/abort', {}, { timeoutMs: patienceMs }).catch((error: unknown) => {
      // It had ended already.
      if (!(error instanceof UserError) || error.exitCode === exitCodes.unreachable) throw error;
    });
    return await endedRun(api);
  } catch (error) {
    process.stderr.write(`larry: no report of what was done could be made: ${printable(error instanceof Error ? error.message : String(error), 500)}\n`);
    return { status: 'aborted' };
  }
}

/** Whoever pressed Ctrl-C waits. */
const patienceMs = 10_000;

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
    `API ${stack.api.url} · Redis ${redisName(stack)} · logs ${stack.folder}`,
    ...(stack.kubeconfig ? [`kubectl --kubeconfig ${stack.kubeconfig} get pods -A`] : []),
    `redis-cli -u ${stack.redis.own ? stack.redis.url : '"$REDIS_URL"'} SUBSCRIBE larry:coordination`,
  ];
  return `${lines.join('\n')}\n\n`;
}

/** Without the password that a URL of somebody's own may hold. */
function redisName({ redis }: LocalStack): string {
  return redis.own ? redis.url : describeAddress(parseRedisUrl(redis.url));
}

/** What the run came to, on one screen: every claim with what was seen for it. */
function closing(summary: RunSummary, files: string[]): string {
  const columns = Math.min(process.stdout.columns ?? 100, 120);
  const tasks = summary.larrys.flatMap((l) => l.tasks);
  const done = tasks.filter((t) => t.status === 'completed' && t.result);
  const stopped = tasks.filter((t) => t.skipReason === 'aborted' && t.startedAt);
  const lines = [
    '',
    ...(summary.source.simulated ? ['SIMULATED cluster: nothing here is real'] : []),
    `Run ${summary.run} ${summary.status}: ${summary.didWork.done} of ${summary.didWork.of} tasks did work.${summary.status === 'aborted' ? ' This is a partial report.' : ''}`,
    ...done.flatMap((t) => [
      `  ${t.task}: ${printable(t.result?.summary ?? '', 300)}`,
      ...(t.result?.criteria ?? []).map((c) => `    ${criterionMark(c)} ${c.text}: ${printable(criterionBasis(c), 400)}`),
    ]),
    ...stopped.map((t) => `  ${t.task}: ${printable(t.reason ?? 'stopped', 500)}`),
    ...summary.larrys.map((l) => `  ${l.larry}: phase ${l.status}, ${doneWords(l.tasks)}`),
    ...(summary.status === 'aborted' ? summary.lessons.slice(0, 1).map((text) => `  ${printable(text, 400)}`) : [`  cross-checks: ${summary.crossChecks.filter((c) => c.verdict === 'agrees').length} of ${summary.crossChecks.length} agree; claims turned: ${summary.validations.reduce((n, v) => n + v.turned.length, 0)}`]),
    ...files.filter((f) => /SUMMARY/.test(f)).map((f) => `  ${f}`),
    '',
  ];
  return lines.map((line) => hanging(line, columns)).join('\n');
}

/** `2 of 4 tasks did work, 2 were skipped`. */
function doneWords(tasks: readonly { status: string }[]): string {
  const count = (status: string): number => tasks.filter((t) => t.status === status).length;
  const [skipped, failed] = [count('skipped'), count('failed')];
  return `${count('completed')} of ${tasks.length} tasks did work${skipped ? `, ${skipped} were skipped` : ''}${failed ? `, ${failed} failed` : ''}`;
}

/** Wrapped with its own indent, later lines a little deeper. */
function hanging(line: string, columns: number): string {
  const indent = line.search(/\S|$/);
  return `${' '.repeat(indent)}${wrapped(line.slice(indent), columns, indent + 3, indent)}`;
}

/** Leaves everything running after the run, to look around, until Ctrl-C. */
async function keepUp(stack: LocalStack, signal: AbortSignal): Promise<void> {
  process.stdout.write(`Everything stays up until Ctrl-C: API ${stack.api.url}, Redis ${redisName(stack)}\n`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
