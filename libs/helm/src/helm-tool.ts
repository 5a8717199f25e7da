import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The `helm` program of this machine, or why there is none. */
export type HelmLocation = { file: string } | { missing: string };

/** Server-side apply came with 4; what is written here of its behaviour is as 4.1 does it. */
const oldestMajor = 4;

/** Finds Helm 4 or newer: what `LARRY_HELM` names, else the first on `PATH`. Starts it once to hear its version. */
export function findHelm(environment: NodeJS.ProcessEnv = process.env): HelmLocation {
  const named = environment['LARRY_HELM'];
  if (named) return existsSync(named) ? checked(named) : { missing: `LARRY_HELM=${named}: no such file` };
  const onPath = (environment['PATH'] ?? '').split(path.delimiter).filter(Boolean).map((folder) => path.join(folder, 'helm'));
  const file = onPath.find((candidate) => existsSync(candidate));
  return file ? checked(file) : { missing: 'there is no helm on PATH, and LARRY_HELM names none' };
}

function checked(file: string): HelmLocation {
  try {
    const said = execFileSync(file, ['version', '--short'], { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] });
    const major = Number(/v(\d+)\./.exec(said)?.[1] ?? 0);
    return major >= oldestMajor ? { file } : { missing: `${file} is Helm ${said.trim()}; version ${oldestMajor} or newer is needed` };
  } catch {
    return { missing: `${file} does not run` };
  }
}

/** What a run of helm ended with. `code` is null when a signal ended it. */
export interface HelmExit {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** How a run of helm is ended and held back. */
export interface HelmRun {
  /** Its own home for configuration and caches, so that no plugin and no repository of the machine plays a part. */
  folder: string;
  environment?: Record<string, string>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Called synchronously, directly before the process is made; when it throws there is none. */
  guard?(): void;
}

const maxOutput = 64 * 1024 * 1024;
/** After being told to end Helm marks the release as failed; that takes requests. */
const endsWithinMs = 10_000;
const notForHelm = /^(?:LARRY_|REDIS_|KAFKA_|HELM_)/;

/** Runs helm without a shell. Never throws for what helm says; throws what `guard` throws, and when it cannot be started. */
export function runHelm(file: string, args: readonly string[], run: HelmRun): Promise<HelmExit> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !notForHelm.test(name)));
  const own = { HELM_CONFIG_HOME: `${run.folder}/config`, HELM_CACHE_HOME: `${run.folder}/cache`, HELM_DATA_HOME: `${run.folder}/data`, HELM_MAX_HISTORY: '10' };
  run.guard?.();
  const child = spawn(file, args, { env: { ...inherited, ...own, ...run.environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let killer: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    killer ??= setTimeout(() => child.kill('SIGKILL'), endsWithinMs);
  };
  const timer = run.timeoutMs === undefined ? undefined : setTimeout(end, run.timeoutMs);
  run.signal?.addEventListener('abort', end, { once: true });
  if (run.signal?.aborted) end();
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      if (text[stream].length < maxOutput) text[stream] += chunk;
      else end();
    });
  }
  return new Promise<HelmExit>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, ...text }));
  }).finally(() => {
    clearTimeout(timer);
    clearTimeout(killer);
    run.signal?.removeEventListener('abort', end);
  });
}
