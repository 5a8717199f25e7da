import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, watch } from 'node:fs';
import path from 'node:path';
import { UserError } from '../user-error';

/** A program of ours that runs as a child process and says when it is ready. */
export interface ChildServiceSpec {
  /** `larry-01`, `meta-coordinator`: names its log and its ready file. */
  name: string;
  /** The built program. */
  program: string;
  args?: string[];
  env: Record<string, string>;
  /** Logs and ready files are written here. */
  folder: string;
  /** How long it may take until it is ready; milliseconds, 30,000 by default. */
  readyWithinMs?: number;
}

/** A running child. */
export interface ChildService {
  name: string;
  pid: number;
  /** What the program wrote to its ready file. */
  ready: Record<string, unknown>;
  logFile: string;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stop(graceMs?: number): Promise<void>;
}

/** Starts a program and waits for its ready file. Throws one sentence with the end of its log when it does not get ready. */
export async function startChildService(spec: ChildServiceSpec): Promise<ChildService> {
  mkdirSync(spec.folder, { recursive: true });
  const readyFile = path.join(spec.folder, `${spec.name}.ready.json`);
  const logFile = path.join(spec.folder, `${spec.name}.log`);
  rmSync(readyFile, { force: true });
  const log = createWriteStream(logFile, { flags: 'a' });
  const child = spawn(process.execPath, [spec.program, ...(spec.args ?? [])], {
    env: { ...process.env, ...spec.env, LARRY_READY_FILE: readyFile, LARRY_LEASH: '1' },
    // The leash: a child that sees its standard input close knows that this process is gone, however it went.
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C reaches this process alone, which stops its children in order.
    detached: true,
  });
  child.stdin?.on('error', () => undefined);
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  // A log that cannot be written (a full disk) ends nobody's work, and holds up nobody who writes to it.
  log.on('error', () => [child.stdout, child.stderr].forEach((output) => output?.unpipe(log).resume()));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  void exited.then(() => log.end());
  try {
    const ready = await readyOrDead(spec, readyFile, logFile, exited);
    return { name: spec.name, pid: child.pid ?? 0, ready, logFile, exited, stop: (graceMs = 10_000) => stopChild(child, exited, graceMs) };
  } catch (error) {
    await stopChild(child, exited, 1000);
    throw error;
  }
}

async function readyOrDead(
  spec: ChildServiceSpec,
  readyFile: string,
  logFile: string,
  exited: ChildService['exited'],
): Promise<Record<string, unknown>> {
  const limitMs = spec.readyWithinMs ?? 30_000;
  return new Promise((resolve, reject) => {
    const watcher = watch(spec.folder, () => look());
    const timer = setTimeout(() => fail(`was not ready within ${limitMs / 1000} s`), limitMs);
    const done = (): void => {
      clearTimeout(timer);
      watcher.close();
    };
    const look = (): void => {
      if (!existsSync(readyFile)) return;
      done();
      resolve(JSON.parse(readFileSync(readyFile, 'utf8')) as Record<string, unknown>);
    };
    const fail = (what: string): void => {
      done();
      reject(new UserError(`${spec.name} ${what}; the end of ${logFile}: ${lastLine(logFile)}`, 3));
    };
    void exited.then(({ code, signal }) => fail(`stopped at once (${signal ?? `exit code ${code}`})`));
    look();
  });
}

function lastLine(file: string): string {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return text.split('\n').at(-1) ?? '(empty)';
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(timer);
}
