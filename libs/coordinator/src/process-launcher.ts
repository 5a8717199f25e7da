import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { localNode } from './run-plan';
import { orderToEnvironment, type LaunchedWorker, type WorkerExit, type WorkerLauncher, type WorkOrder } from './launcher';

/** What the process launcher needs. */
export interface ProcessLauncherOptions {
  /** The built worker program: `apps/larry-01/dist/worker.js`. */
  program: string;
  /** Added to this process' own environment. */
  env: Record<string, string>;
  /** Workers' standard output and error go to `<folder>/<larry>-<worker>[-n].log`. */
  logFolder: string;
}

/** Workers as child processes. They end with their coordinator: a pipe to it closes when it dies, however it dies. */
export class ProcessLauncher implements WorkerLauncher {
  readonly startLimitMs = 30_000;

  constructor(private readonly options: ProcessLauncherOptions) {}

  async launch(order: WorkOrder): Promise<LaunchedWorker> {
    const { program, env, logFolder } = this.options;
    requireProgram(program);
    const name = `${order.larry}-${order.worker}${order.attempt > 1 ? `-${order.attempt}` : ''}`;
    mkdirSync(logFolder, { recursive: true });
    const child = spawn(process.execPath, ['--max-old-space-size=512', program], {
      env: { ...process.env, ...env, ...orderToEnvironment(order), LARRY_LEASH: '1' },
      // Standard input is the leash: the worker stops when it closes.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin?.on('error', () => undefined);
    keepLog(child, createWriteStream(path.join(logFolder, `${name}.log`), { flags: 'a' }));
    const exited = exitOf(child);
    await spawned(child);
    return { id: `pid ${child.pid}`, node: localNode(order.plannedNode), exited, stop: (graceMs) => stop(child, exited, graceMs) };
  }
}

/** Node would start without it, and exit like a worker that wants another attempt. */
function requireProgram(program: string): void {
  try {
    accessSync(program, constants.R_OK);
  } catch {
    throw new Error(`the worker program ${program} cannot be read; build it, or name another`);
  }
}

function keepLog(child: ChildProcess, log: WriteStream): void {
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  // 'close', not 'exit': what is still in the pipes comes in between.
  child.once('close', () => log.end());
  log.on('error', () => {
    // A full disk or a bad folder costs the log, never the worker: unread pipes would block it.
    child.stdout?.resume();
    child.stderr?.resume();
  });
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

function exitOf(child: ChildProcess): Promise<WorkerExit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ reason: error.message }));
    child.once('exit', (code, signal) =>
      resolve(code === null ? { reason: `killed by ${signal ?? 'a signal'}` } : { code, reason: `exit code ${code}` }),
    );
  });
}

async function stop(child: ChildProcess, exited: Promise<WorkerExit>, graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(timer);
}
