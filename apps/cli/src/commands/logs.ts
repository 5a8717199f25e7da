import { planTasks, printable, recordOf, stripControl } from '@larry/contracts';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { readPlan } from '../plan-file';
import { interruptSignal } from '../terminal/interrupted';
import { exitCodes, UserError } from '../user-error';

interface LogsOptions {
  state: string;
  plan?: string;
  follow?: boolean;
  lines: number;
  raw?: boolean;
}

/** `larry logs [name]`: the log of a Larry, of the meta-coordinator, of a task's worker; without a name, which there are. */
export async function logs(name: string | undefined, options: LogsOptions): Promise<void> {
  const folder = path.join(options.state, 'logs');
  const files = logFiles(folder);
  if (files.length === 0) throw new UserError(`there are no logs under ${folder}; larry run writes them, --state names another folder`, exitCodes.unreachable);
  if (name === undefined) {
    for (const file of files) process.stdout.write(`${nameOf(file).padEnd(36)} ${String(statSync(file).size).padStart(10)} bytes  ${file}\n`);
    return;
  }
  const file = fileFor(name, files, options);
  const tail = new LogTail(file, (line) => process.stdout.write(`${options.raw ? stripControl(line) : logLine(line)}\n`));
  tail.last(options.lines);
  if (options.follow) await follow(file, tail);
  tail.close();
}

function logFiles(folder: string): string[] {
  return [folder, path.join(folder, 'workers')].flatMap((f) =>
    existsSync(f) ? readdirSync(f).filter((name) => name.endsWith('.log')).sort().map((name) => path.join(f, name)) : [],
  );
}

const nameOf = (file: string): string => path.basename(file, '.log');

/** By the file's own name, or by the task, whose worker the plan names. */
function fileFor(name: string, files: readonly string[], options: LogsOptions): string {
  const direct = files.find((f) => nameOf(f) === name);
  if (direct) return direct;
  const task = planTasks(readPlan(options.plan)).find((t) => t.id === name);
  const ofTask = task && files.find((f) => nameOf(f) === `${task.larry}-${task.worker}`);
  if (ofTask) return ofTask;
  if (task) throw new UserError(`${name} has not been worked on here: there is no log of ${task.larry}-${task.worker}`);
  throw new UserError(`there is no log of "${printable(name, 80)}"; there are ${files.map(nameOf).join(', ')}, and the tasks of the plan`);
}

const levels: Record<string, string> = { '30': 'info', '40': 'warn', '50': 'error', '20': 'debug' };

/** A JSON line as people read it, everything else as it is; safe to print. */
export function logLine(line: string): string {
  let parsed: Record<string, unknown>;
  try {
    parsed = recordOf(JSON.parse(line));
  } catch {
    return printable(line, 2000);
  }
  const { level, time, msg, pid: _, hostname: __, ...fields } = parsed;
  if (msg === undefined) return printable(line, 2000);
  const at = typeof time === 'number' ? new Date(time).toISOString() : String(time ?? '');
  const more = Object.entries(fields).map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return printable(`${at} ${(levels[String(level)] ?? String(level ?? '')).padEnd(5)} ${String(msg)}${more.length > 0 ? `  ${more.join(' ')}` : ''}`, 2000);
}

/** Until Ctrl-C: what is appended, as it is appended. */
async function follow(file: string, tail: LogTail): Promise<void> {
  const { signal, release } = interruptSignal();
  const watcher = watch(file, () => tail.more());
  tail.more();
  await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
  watcher.close();
  release();
}

const chunkBytes = 64 * 1024;

/** A file that grows, read by whole lines in flat memory. */
class LogTail {
  private readonly descriptor: number;
  private at = 0;
  private rest = Buffer.alloc(0);

  constructor(
    file: string,
    private readonly onLine: (line: string) => void,
  ) {
    this.descriptor = openSync(file, 'r');
  }

  /** The last lines of what is there now. */
  last(lines: number): void {
    this.at = this.startOfLast(lines);
    this.more();
  }

  /** What has been appended since. A file that became shorter was begun anew. */
  more(): void {
    const { size } = fstatSync(this.descriptor);
    if (size < this.at) [this.at, this.rest] = [0, Buffer.alloc(0)];
    const buffer = Buffer.alloc(chunkBytes);
    for (let read = this.read(buffer); read > 0; read = this.read(buffer)) {
      let bytes = Buffer.concat([this.rest, buffer.subarray(0, read)]);
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
        this.onLine(bytes.toString('utf8', 0, end));
        bytes = bytes.subarray(end + 1);
      }
      this.rest = Buffer.from(bytes);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private read(buffer: Buffer): number {
    const read = readSync(this.descriptor, buffer, 0, buffer.length, this.at);
    this.at += read;
    return read;
  }

  private startOfLast(lines: number): number {
    const { size } = fstatSync(this.descriptor);
    const buffer = Buffer.alloc(chunkBytes);
    let ends = 0;
    for (let to = size; to > 0; to -= chunkBytes) {
      const from = Math.max(0, to - chunkBytes);
      const read = readSync(this.descriptor, buffer, 0, to - from, from);
      for (let i = read - 1; i >= 0; i--) {
        // The end of the last line begins no further line.
        if (buffer[i] === 0x0a && from + i + 1 < size && ++ends > lines - 1) return from + i + 1;
      }
    }
    return 0;
  }
}
