import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** One redis-server (or sentinel) on loopback, in a folder of its own. */
export interface ServerProcess {
  readonly port: number;
  /** The server's own process id: for signals. */
  readonly pid: number;
  /** Ends the server at once (SIGKILL) and removes its folder. */
  stop(): Promise<void>;
}

// The server's life hangs on a pipe from this process: whatever ends us, SIGKILL included, closes the pipe, `read`
// returns, and the shell ends the server; a signal to the whole group (a terminal, `timeout`) ends it as well. No orphans.
const WATCHDOG = '"$@" </dev/null >/dev/null 2>&1 & pid=$!; trap "kill -9 $pid 2>/dev/null" EXIT; trap exit HUP INT TERM; echo $pid; read -r _';

function serverProgram(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error('These tests need redis-server or valkey-server (7.0 or newer) on PATH, or REDIS_URL: apt-get install redis-server');
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Starts a server with these extra arguments and waits until it answers. Another process may take the port first: it tries thrice. */
export async function startServer(extra: (port: number, folder: string) => readonly string[] | Promise<readonly string[]> = () => []): Promise<ServerProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), 'larry-redis-'));
    const base = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
    const own = await extra(port, folder);
    // A sentinel's first argument is its configuration file, and it takes no others of these.
    const args = own[0]?.endsWith('.conf') ? [...own] : [...base, ...own];
    const started = await launch(args, port, folder).catch((error: Error) => error);
    if (!(started instanceof Error)) return started;
    rmSync(folder, { recursive: true, force: true });
    if (attempt === 3) throw started;
  }
}

/** Starts a program that ends with this process, however that ends. `stop` kills it; its output goes nowhere. */
export async function leashed(program: string, args: readonly string[]): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const shell = spawn('/bin/sh', ['-c', WATCHDOG, 'sh', program, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()));
  const pid = await firstLine(shell);
  const stop = async (): Promise<void> => {
    shell.stdin?.end();
    await ended;
  };
  return { pid, stop };
}

async function launch(args: readonly string[], port: number, folder: string): Promise<ServerProcess> {
  const { pid, stop: end } = await leashed(serverProgram(), args);
  const stop = async (): Promise<void> => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(port, pid);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid, stop };
}

function firstLine(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.once('data', (data: Buffer) => resolve(Number(data.toString().trim())));
  });
}

async function answers(port: number, pid: number): Promise<void> {
  await eventually(async () => {
    if (!isAlive(pid)) throw new Error(`the test's redis-server on port ${port} ended at once`);
    await ping(port);
  }, 5000);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ping(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(500, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      if (data.toString().startsWith('+PONG') || data.toString().startsWith('-')) resolve();
      else reject(new Error('not a Redis'));
    });
  });
}

/** Tries again every few milliseconds until the check passes or the time is up; then throws the check's last error. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 5000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
