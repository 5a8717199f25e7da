import type { LogOptions } from './reader';

const defaultTailLines = 1_000;
const defaultLimitBytes = 1024 * 1024;
/** A single line is never longer than this, whatever `limitBytes` allows. */
const maxLineBytes = 64 * 1024;

/** The defaults of {@link LogOptions} filled in. */
export function logLimits(options: LogOptions = {}): { tailLines: number; limitBytes: number } {
  return {
    tailLines: options.tailLines ?? defaultTailLines,
    limitBytes: options.limitBytes ?? defaultLimitBytes,
  };
}

/** The last lines of a log of any length within the limits, in memory of about `limitBytes`; overlong lines are cut and say so. */
export class LogTail {
  private lines: { text: string; bytes: number }[] = [];
  private bytes = 0;
  private readonly tailLines: number;
  private readonly limitBytes: number;

  constructor(options?: LogOptions) {
    ({ tailLines: this.tailLines, limitBytes: this.limitBytes } = logLimits(options));
  }

  push(line: Buffer, cutBytes = 0): void {
    const limit = Math.min(maxLineBytes, this.limitBytes);
    const missing = Math.max(0, line.length - limit) + cutBytes;
    const text = line.toString('utf8', 0, Math.min(line.length, limit)).replace(/\r$/, '');
    this.lines.push({ text: missing > 0 ? `${text}… (${missing} bytes cut)` : text, bytes: Math.min(line.length, limit) + 1 });
    this.bytes += Math.min(line.length, limit) + 1;
    if (this.lines.length > 2 * this.tailLines + 1_000 || this.bytes > 2 * this.limitBytes + maxLineBytes) this.trim();
  }

  clear(): void {
    this.lines = [];
    this.bytes = 0;
  }

  result(): string[] {
    this.trim();
    return this.lines.map((line) => line.text);
  }

  private trim(): void {
    let drop = Math.max(0, this.lines.length - this.tailLines);
    for (let i = 0; i < drop; i += 1) this.bytes -= this.lines[i]?.bytes ?? 0;
    // The last line stays, whatever its length: an empty answer would say that nothing was logged.
    for (; this.bytes > this.limitBytes && drop < this.lines.length - 1; drop += 1) this.bytes -= this.lines[drop]?.bytes ?? 0;
    this.lines = this.lines.slice(drop);
  }
}

/** Lines of a stream of bytes; of a line longer than 64 KiB the rest is counted, not kept. */
export class LineReader {
  private rest: Buffer = Buffer.alloc(0);
  private dropped = 0;

  constructor(private readonly onLine: (line: Buffer, cutBytes: number) => void) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.add(chunk.subarray(from, end));
      this.emit();
      from = end + 1;
    }
    this.add(chunk.subarray(from));
  }

  end(): void {
    if (this.rest.length > 0) this.emit();
  }

  private add(part: Buffer): void {
    const room = maxLineBytes - this.rest.length;
    const kept = part.subarray(0, Math.max(0, room));
    this.dropped += part.length - kept.length;
    this.rest = this.rest.length === 0 ? kept : Buffer.concat([this.rest, kept]);
  }

  private emit(): void {
    this.onLine(this.rest, this.dropped);
    this.rest = Buffer.alloc(0);
    this.dropped = 0;
  }
}

/** The last lines of a log within the limits, oldest first. */
export function lastLines(text: string, options?: LogOptions): string[] {
  const tail = new LogTail(options);
  const reader = new LineReader((line, cut) => tail.push(line, cut));
  reader.push(Buffer.from(text));
  reader.end();
  return tail.result();
}
