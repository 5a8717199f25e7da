import { ensureApprovalKeys } from '@larry/audit';
import { ensureJournalKey } from '@larry/coordinator';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { ApiAddress } from '../run/api-client';
import { exitCodes, UserError } from '../user-error';
import { startChildService, type ChildService } from './child-service';
import { closeCutOffRun } from './cut-off-run';
import { holdFolder, releaseFolder } from './held-folder';
import { readLastSource, writeLastSource, type LastSource } from './last-source';
import { startSupervisedService, type SupervisedService } from './supervised-service';
import { localRedis, type LocalRedis } from './local-redis';
import { isAlive } from './process-alive';

/** How a run on this machine is made up. */
export interface LocalStackOptions {
  /** Everything of the run is kept here: logs, keys, the audit log, reports. */
  state: string;
  /** `simulated`, or what `LARRY_SOURCE` takes: `live`, `manifests:DIR`, `snapshot:DIR`, `dump:DIR`. */
  source: string;
  kubeconfig?: string;
  context?: string;
  /** A working clone of the repository that manifests come from. */
  git?: string;
  /** Modes that the meta-coordinator accepts for a source that is not simulated. */
  modesAllowed: string[];
  larrys: string[];
  /** Copies of each Larry. */
  replicas: number;
  leaseTtlMs?: number;
  redisPort?: number;
  onStep(text: string): void;
  /** Something happened that the user should know, one sentence. */
  say(text: string): void;
  /** The run cannot go on: a part that cannot be started again is gone. */
  lost(error: UserError): void;
  /** Stops the start-up. */
  signal: AbortSignal;
}

/** The address of a running stack, as other commands find it. */
export const stackFileSchema = z.object({
  pid: z.number(),
  api: z.object({ url: z.string(), token: z.string().optional() }),
  redisUrl: z.string(),
  kubeconfig: z.string().optional(),
  services: z.array(z.object({ name: z.string(), pid: z.number() })),
});
export type StackFile = z.infer<typeof stackFileSchema>;

/** A running stack. */
export interface LocalStack {
  api: ApiAddress;
  redis: LocalRedis;
  kubeconfig?: string;
  services: ChildService[];
  folder: string;
  stop(): Promise<void>;
}

const apps = path.join(__dirname, '..', '..', '..');
const program = (app: string, file = 'main.js'): string => path.join(apps, app, 'dist', file);

/** Where other commands look for a running stack. */
export const stackFile = (state: string): string => path.join(state, 'stack.json');

/** The stack that runs under a state folder, or undefined. A file left by a killed one is not believed. */
export function runningStack(state: string): StackFile | undefined {
  const file = stackFile(state);
  if (!existsSync(file)) return undefined;
  const parsed = stackFileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/** Starts Redis, the simulated cluster when asked for, the meta-coordinator and the Larrys, as processes of this one. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  mkdirSync(options.state, { recursive: true, mode: 0o700 });
  const other = runningStack(options.state)?.pid ?? holdFolder(options.state);
  if (other !== undefined) throw new UserError(`a run is going on under ${options.state} (process ${other}); wait for it, larry abort it, or give another --state`);
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    rmSync(stackFile(options.state), { force: true });
    // Larrys first, so that they hand their leases back while Redis is there; then what they need.
    const [redis, ...others] = started;
    await Promise.all(others.reverse().map((s) => s.stop()));
    await redis?.stop();
    releaseFolder(options.state);
  };
  try {
    return await startAll(options, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(options: LocalStackOptions, started: { stop(): Promise<void> }[], stop: () => Promise<void>): Promise<LocalStack> {
  const { state, onStep } = options;
  const folder = path.join(state, 'logs');
  onStep('starting Redis');
  const redis = await localRedis(path.join(state, 'redis'), options.redisPort);
  started.push(redis);
  void redis.lost.then(() => options.lost(new UserError(`the Redis of this run ended by itself; its log: ${path.join(state, 'redis', 'redis.log')}`, exitCodes.unreachable)));
  options.signal.throwIfAborted();
  // A Redis of somebody's own may hold a run that goes on elsewhere.
  if (redis.own) await closeLastRun(options, redis.url, folder);
  options.signal.throwIfAborted();
  const simulated = options.source === 'simulated';
  if (simulated) onStep('starting the simulated cluster');
  const sim = simulated ? await startSimulation(options, folder) : undefined;
  if (sim) started.push(sim);
  options.signal.throwIfAborted();
  const kubeconfig = sim ? String(sim.current().ready['kubeconfig']) : options.kubeconfig;
  const fromEnvironment = process.env['KUBECONFIG'];
  // A list of files has no one path: it is read from the environment again.
  writeLastSource(state, { ...options, kubeconfig: kubeconfig ?? (fromEnvironment?.includes(path.delimiter) ? undefined : fromEnvironment) });
  const { env, token } = environment(options, redis.url, kubeconfig);
  onStep('starting the meta-coordinator and the Larrys');
  const keptUp = { restarts: 5, say: options.say, lost: options.lost };
  const meta = await startSupervisedService({ name: 'meta-coordinator', program: program('meta-coordinator'), env, folder }, keptUp);
  started.push(meta);
  const larrys = await Promise.all(larryNames(options).map(({ app, name }) => startSupervisedService({ name, program: program(app), env, folder }, keptUp)));
  started.push(...larrys);
  options.signal.throwIfAborted();
  const api = { url: `http://127.0.0.1:${String(meta.current().ready['port'])}`, token };
  const services = [...(sim ? [sim] : []), meta, ...larrys].map((s) => s.current());
  writeStackFile(state, { pid: process.pid, api, redisUrl: redis.url, ...(kubeconfig ? { kubeconfig } : {}), services: services.map(({ name, pid }) => ({ name, pid })) });
  return { api, redis, ...(kubeconfig ? { kubeconfig } : {}), services, folder, stop };
}

/** Over what that run read: what it had begun is looked for there. */
async function closeLastRun(options: LocalStackOptions, redisUrl: string, folder: string): Promise<void> {
  const { state, larrys, modesAllowed, onStep, say, signal } = options;
  const last = readLastSource(state);
  const over: EnvironmentOptions = last ? { ...last, state, larrys, modesAllowed } : options;
  const startMeta = async (): Promise<{ api: ApiAddress; stop(): Promise<void> }> => {
    const { env, token } = environment(over, redisUrl, over.kubeconfig);
    const meta = await startChildService({ name: 'meta-coordinator', program: program('meta-coordinator'), env, folder });
    return { api: { url: `http://127.0.0.1:${String(meta.ready['port'])}`, token }, stop: () => meta.stop() };
  };
  await closeCutOffRun({ state, redisUrl, ...(last ? { last } : {}), startMeta, onStep, say, signal });
}

function larryNames({ larrys, replicas }: LocalStackOptions): { app: string; name: string }[] {
  return larrys.flatMap((app) => {
    if (!existsSync(program(app))) throw new UserError(`the plan names ${app}, and there is no program for it (${program(app)})`);
    return Array.from({ length: replicas }, (_, i) => ({ app, name: i === 0 ? app : `${app}-replica-${i + 1}` }));
  });
}

function startSimulation({ state, say, lost }: LocalStackOptions, folder: string): Promise<SupervisedService> {
  const spec = {
    name: 'simulated-cluster',
    program: path.join(__dirname, '..', 'main.js'),
    args: ['sim', 'up', '--kubeconfig', path.join(state, 'kubeconfig')],
    env: {},
    folder,
    readyWithinMs: 60_000,
  };
  // What was in it is gone with it.
  return startSupervisedService(spec, { restarts: 0, say, lost });
}

type EnvironmentOptions = LastSource & Pick<LocalStackOptions, 'state' | 'larrys' | 'modesAllowed' | 'leaseTtlMs'>;

function environment(options: EnvironmentOptions, redisUrl: string, kubeconfig: string | undefined): { env: Record<string, string>; token: string } {
  const { state } = options;
  const keys = ensureApprovalKeys(path.join(state, 'keys'));
  const token = randomBytes(24).toString('hex');
  const tokens = path.join(state, 'keys', 'tokens.json');
  const who = os.userInfo().username || 'local-user';
  writeFileSync(tokens, JSON.stringify({ [who]: createHash('sha256').update(token).digest('hex') }), { mode: 0o600 });
  const workers = Object.fromEntries(options.larrys.map((l) => [l, program(l, 'worker.js')]));
  const env: Record<string, string> = {
    REDIS_URL: redisUrl,
    PORT: '0',
    LARRY_LISTEN: '127.0.0.1',
    LARRY_SOURCE: options.source === 'simulated' ? 'live' : options.source,
    LARRY_AUDIT_LOG: path.resolve(state, 'audit.jsonl'),
    LARRY_APPROVAL_PUBLIC_KEY: path.resolve(keys.publicKey),
    LARRY_APPROVAL_PRIVATE_KEY: path.resolve(keys.privateKey),
    LARRY_JOURNAL_KEY: path.resolve(ensureJournalKey(path.join(state, 'keys', 'journal.key'))),
    LARRY_TOKENS_FILE: path.resolve(tokens),
    LARRY_STATE_DIR: path.resolve(state, 'memory'),
    LARRY_LOG_DIR: path.resolve(state, 'logs', 'workers'),
    LARRY_MODES_ALLOWED: options.modesAllowed.join(','),
    LARRY_WORKER_PROGRAMS: JSON.stringify(workers),
  };
  if (kubeconfig) env['LARRY_KUBECONFIG'] = path.resolve(kubeconfig);
  if (options.git) env['LARRY_GIT_REPOSITORY'] = path.resolve(options.git);
  if (options.context) env['LARRY_CONTEXT'] = options.context;
  if (options.leaseTtlMs) env['LARRY_LEASE_TTL_MS'] = String(options.leaseTtlMs);
  return { env, token };
}

function writeStackFile(state: string, content: StackFile): void {
  const temporary = `${stackFile(state)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(content), { mode: 0o600 });
  renameSync(temporary, stackFile(state));
}

/** The API to talk to: given by `--api`, or of the stack that runs under the state folder. */
export function findApi(options: { api?: string; state: string }): ApiAddress {
  const token = process.env['LARRY_TOKEN'];
  if (options.api) return { url: options.api, ...(token ? { token } : {}) };
  const running = runningStack(options.state);
  if (running) return running.api;
  const cutOff = existsSync(stackFile(options.state)) ? ' (the last one was killed: the next larry run closes it first, and says what it had changed)' : '';
  throw new UserError(`no run is going on under ${options.state}${cutOff}; start one with larry run, or name a meta-coordinator with --api URL`, exitCodes.unreachable);
}
