import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../clock';
import type { Container, Probe } from '../../types';
import type { ContainerRun, RunEvents } from '../container-run';
import type { Verdict } from '../probe';
import { probeProcess } from './probe-process';
import { memoryBytes } from './process-memory';

/** How to start one of our programs. */
export interface ProgramStart {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  podIp: string;
  container: Container;
  memoryLimitBytes: number | undefined;
}

/** How often a limited process' memory is read, in milliseconds. */
const memoryLookMs = 1_000;
/** A line without an end is written in pieces of this length, as container runtimes do. */
const lineLength = 16 * 1024;

/** A container that is one of our own programs, as a process of this machine with a process group of its own. */
export class ProgramProcess implements ContainerRun {
  private readonly child: ChildProcess;
  private readonly timers: (() => void)[] = [];
  private reason: string | undefined;

  constructor(
    private readonly start: ProgramStart,
    private readonly clock: Clock,
    private readonly events: RunEvents,
    started: (child: ChildProcess) => void,
  ) {
    this.child = spawn(process.execPath, [start.file, ...start.args], {
      cwd: start.cwd,
      env: { ...start.env, LARRY_LEASH: '1' },
      // Standard input is the leash: our programs end when it closes, as it does when the simulation is killed.
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    started(this.child);
    this.child.stdin?.on('error', () => undefined);
    for (const stream of [this.child.stdout, this.child.stderr]) if (stream) readLines(stream, (lines) => events.wrote(lines));
    this.child.once('error', (error) => this.over(128, 'StartError', error.message));
    // What the program left behind holds its pipes open.
    this.child.once('exit', () => this.killGroup());
    this.child.once('close', (code, signal) => this.over(code ?? 128 + (signal ? constants.signals[signal] : 0), this.reason));
    if (start.memoryLimitBytes !== undefined) this.watchMemory(start.memoryLimitBytes);
  }

  stop(graceMs: number): void {
    const before = preStopMs(this.start.container);
    this.timers.push(this.clock.setTimer(graceMs, () => this.killGroup()));
    if (before > 0) this.timers.push(this.clock.setTimer(before, () => void this.child.kill('SIGTERM')));
    else this.child.kill('SIGTERM');
  }

  dispose(): void {
    for (const cancel of this.timers) cancel();
    this.killGroup();
  }

  probe(probe: Probe): Promise<Verdict> {
    return probeProcess(probe, this.start.container, this.start.podIp);
  }

  private over(code: number, reason?: string, message?: string): void {
    for (const cancel of this.timers) cancel();
    if (message) this.events.wrote([message]);
    this.events.ended(code, reason);
  }

  private watchMemory(limit: number): void {
    const timer = setInterval(() => {
      if ((memoryBytes(this.child.pid ?? 0) ?? 0) <= limit) return;
      this.reason = 'OOMKilled';
      this.killGroup();
    }, memoryLookMs);
    timer.unref();
    this.timers.push(() => clearInterval(timer));
  }

  private killGroup(): void {
    killGroup(this.child);
  }
}

/** Kills a process and everything it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}

/** Of the hooks before a stop only `sleep` is kept; the others are not run (`served` says so). */
function preStopMs(container: Container): number {
  const hook = (container.lifecycle as { preStop?: { sleep?: { seconds?: number } } } | undefined)?.preStop;
  return (hook?.sleep?.seconds ?? 0) * 1000;
}

function readLines(stream: NodeJS.ReadableStream, tell: (lines: string[]) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    while (rest.length > lineLength) {
      lines.push(rest.slice(0, lineLength));
      rest = rest.slice(lineLength);
    }
    if (lines.length > 0) tell(lines);
  });
  stream.on('end', () => {
    if (rest) tell([rest]);
  });
  stream.on('error', () => undefined);
}
