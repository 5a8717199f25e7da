import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@larry/redis/testing';
import { approvalKeys, journalKey } from './approval-keys';

/** A built program as a process of this one; it ends with it. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Its log, a line of JSON each. */
  log(): Record<string, unknown>[];
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

const programs = path.join(__dirname, '..', 'dist', 'programs');
export const testLarryProgram = path.join(programs, 'test-larry.js');
export const testWorkerProgram = path.join(programs, 'test-worker.js');

/** Starts a service and waits until it listens. */
export async function startProgram(name: string, file: string, env: Record<string, string>, folder: string): Promise<Program> {
  const ready = path.join(folder, `${name}-${Math.random().toString(36).slice(2, 8)}.ready`);
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, PORT: '0', LARRY_LEASH: '1', LARRY_READY_FILE: ready, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin?.on('error', () => undefined);
  const lines = linesOf(child);
  const exited = new Promise<number | NodeJS.Signals>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 'SIGKILL')));
  let gone = false;
  void exited.then(() => (gone = true));
  const { port } = await eventually(() => {
    if (gone) throw new ProgramEndedError(`${name} ended at once: ${lines.slice(-5).join('\n')}`);
    if (!existsSync(ready)) throw new Error(`${name} is not ready: ${lines.slice(-5).join('\n')}`);
    return JSON.parse(readFileSync(ready, 'utf8')) as { port: number };
  }, 30_000);
  return {
    name,
    pid: child.pid ?? 0,
    port,
    exited,
    log: () => lines.flatMap((line) => parsed(line)),
    signal: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 8000);
      await exited;
      clearTimeout(timer);
    },
  };
}

class ProgramEndedError extends Error {
  override name = 'ProgramEndedError';
}

function linesOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.on('data', (data: Buffer) => {
      const parts = (rest + data.toString()).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
  }
  return lines;
}

function parsed(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}

/** What a crew is started with. */
export interface CrewOptions {
  redisUrl: string;
  prefix: string;
  /** The API server's kubeconfig, YAML. */
  kubeconfig: string;
  ttlMs?: number;
  env?: Record<string, string>;
}

/** One crew of test Larrys: a folder, an environment, and the processes started in it. */
export class Crew {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'larry-e2e-'));
  readonly env: Record<string, string>;
  private readonly programs: Program[] = [];

  constructor(options: CrewOptions) {
    const file = (name: string): string => path.join(this.folder, name);
    writeFileSync(file('kubeconfig'), options.kubeconfig, { mode: 0o600 });
    this.env = {
      REDIS_URL: options.redisUrl,
      LARRY_PREFIX: options.prefix,
      LARRY_KUBECONFIG: file('kubeconfig'),
      LARRY_AUDIT_LOG: file('audit.jsonl'),
      LARRY_APPROVAL_PUBLIC_KEY: approvalKeys.publicKey,
      LARRY_JOURNAL_KEY: journalKey,
      LARRY_LOG_DIR: file('logs'),
      LARRY_LEASE_TTL_MS: String(options.ttlMs ?? 1000),
      TEST_FAULT_FILE: file('faults.jsonl'),
      TEST_BOOT_FILE: file('boots.jsonl'),
      ...options.env,
    };
  }

  /** Starts one replica of a Larry. */
  async larry(id = 'larry-01', env: Record<string, string> = {}): Promise<Program> {
    return this.program(id, testLarryProgram, { TEST_LARRY: id, ...env });
  }

  async program(name: string, file: string, env: Record<string, string> = {}): Promise<Program> {
    const program = await startProgram(name, file, { ...this.env, ...env }, this.folder);
    this.programs.push(program);
    return program;
  }

  /** Every worker process that was begun: pid, task, claim, attempt, and when. */
  boots(): { pid: number; task: string; claim: string; attempt: string; at: number }[] {
    return this.jsonLines('boots.jsonl');
  }

  /** Every fault that has happened. */
  faults(): { pid: number; point: string; action: string; task?: string; at: number }[] {
    return this.jsonLines('faults.jsonl');
  }

  /** What a task's workers have logged, over all attempts. */
  workerLog(larry: string, task: string): Record<string, unknown>[] {
    const folder = path.join(this.folder, 'logs');
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(`${larry}-${task}-worker`)) : [];
    return files.flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n').flatMap(parsed));
  }

  async stop(): Promise<void> {
    for (const { pid } of this.faults().filter((f) => f.action === 'stop')) continueProcess(pid);
    await Promise.all(this.programs.map((p) => p.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private jsonLines<T>(name: string): T[] {
    const file = path.join(this.folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line) as T) : [];
  }
}

/** Continues a process that SIGSTOP holds. */
export function continueProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It has ended.
  }
}
