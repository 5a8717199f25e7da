import { planTasks, printable, type Plan } from '@larry/contracts';
import { openLive, readGitHead } from '@larry/kube';
import type { Mode } from '@larry/playbook';
import { describeAddress, parseRedisUrl } from '@larry/redis';
import path from 'node:path';
import { startLocalStack, type LocalStack } from '../local/local-stack';
import { readPlan } from '../plan-file';
import { requireCategories, requirePlaybooks } from '../playbook-libraries';
import { progressLine } from '../progress-line';
import { ApiClient } from '../run/api-client';
import { begunChangeLines } from '../run/begun-changes';
import { endedRun, type FollowedRun } from '../run/follow-run';
import { oneRun } from '../run/one-run';
import { openSource, type SourceOptions } from '../sources';
import { stopSignal } from '../terminal/stop-signal';
import { exitCodes, UserError } from '../user-error';
import { runInstalled } from './run-installed';

interface RunOptions extends SourceOptions {
  api?: string;
  simulated?: boolean;
  mode: Mode;
  git?: string;
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

/** `larry run`: the whole crew as processes of this machine, until the summary is written; with `--api` that of an installation. */
export async function run(options: RunOptions): Promise<void> {
  if (options.api) return runInstalled(options.api, options);
  const plan = readPlan(options.plan);
  requirePlaybooks(plan, true);
  requireCategories(options.allow);
  const source = sourceOf(options);
  if (source !== 'simulated' && source !== 'live' && options.mode !== 'observe') {
    throw new UserError(`a folder cannot be changed: --mode ${options.mode} needs a cluster`);
  }
  // A folder that cannot be read is said before anything is started, and not by the services' logs.
  if (options.manifests ?? options.snapshot ?? options.dump) await (await openSource(options)).close();
  const git = options.git ?? process.env['LARRY_GIT_REPOSITORY'];
  if (git) await requireRepository(git);
  const stop = stopSignal();
  const line = progressLine();
  let lost: UserError | undefined;
  const stack = await startLocalStack({
    state: options.state,
    source,
    ...(options.kubeconfig ? { kubeconfig: options.kubeconfig } : {}),
    ...(options.context ? { context: options.context } : {}),
    ...(git ? { git } : {}),
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
    const { mode, allow } = options;
    const code = await oneRun(new ApiClient(stack.api), { plan, mode, allow }, { ...options, heading: (id) => heading(stack, id, plan, options), keys: 'Ctrl-C stops the run.', interrupted: (api, id) => abortRun(api, id, stack, options) }, stop.signal);
    if (lost) throw lost;
    if (options.keep && !stop.signal.aborted) await keepUp(stack, stop.signal);
    process.exitCode = code;
  } finally {
    await stack.stop();
    stop.release();
  }
}

/** Said before anything is started; a run goes on without the repository when it is lost later, and says so. */
async function requireRepository(folder: string): Promise<void> {
  try {
    await readGitHead(folder);
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

/** After Ctrl-C: the run is aborted, and what it did until then is reported. One that ended in this moment is reported whole. */
async function abortRun(api: ApiClient, run: string, stack: LocalStack, options: RunOptions): Promise<FollowedRun> {
  process.stderr.write('larry: stopping. Running tasks end as skipped(aborted): their workers make no further change and hand their leases back. Ctrl-C again ends at once, without a report.\n');
  try {
    await api.post('/runs/current/abort', {}, { timeoutMs: patienceMs }).catch((error: unknown) => {
      // It had ended already.
      if (!(error instanceof UserError) || error.exitCode === exitCodes.unreachable) throw error;
    });
    return await endedRun(api, run);
  } catch (error) {
    process.stderr.write(`larry: no report of what was done could be made: ${printable(error instanceof Error ? error.message : String(error), 500)}\n`);
    const log = path.join(options.state, 'audit.jsonl');
    const kubeconfig = stack.kubeconfig ?? options.kubeconfig;
    const begun = await begunChangeLines(log, run, () => openLive({ ...(kubeconfig ? { kubeconfig } : {}), ...(options.context ? { context: options.context } : {}) }));
    const said = begun.length > 0 ? `The changes that were begun, by ${log} and by the objects as they are now:\n${begun.map((line) => `  ${line}\n`).join('')}` : `No change was begun, by ${log}.\n`;
    process.stderr.write(said);
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

/** Leaves everything running after the run, to look around, until Ctrl-C. */
async function keepUp(stack: LocalStack, signal: AbortSignal): Promise<void> {
  process.stdout.write(`Everything stays up until Ctrl-C: API ${stack.api.url}, Redis ${redisName(stack)}\n`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
