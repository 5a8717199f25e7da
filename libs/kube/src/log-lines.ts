import type { LogOptions } from './reader';

const defaultTailLines = 1_000;
const defaultLimitBytes = 1024 * 1024;
/** A single line is never longer than this, whatever `limitBytes` allows. */
const maxLineChars = 64 * 1024;

/** The defaults of {@link LogOptions} filled in. */
export function logLimits(options: LogOptions = {}): { tailLines: number; limitBytes: number } {
  return {
    tailLines: options.tailLines ?? defaultTailLines,
    limitBytes: options.limitBytes ?? defaultLimitBytes,
  };
}

/** The last lines of a log within the limits, oldest first; overlong lines are cut and say so. */
export function lastLines(text: string, options?: LogOptions): string[] {
  const { tailLines, limitBytes } = logLimits(options);
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const kept: string[] = [];
  let bytes = 0;
  for (let i = lines.length - 1; i >= 0 && kept.length < tailLines; i -= 1) {
    const line = cutLine((lines[i] ?? '').replace(/\r$/, ''), limitBytes);
    bytes += Buffer.byteLength(line) + 1;
    if (kept.length > 0 && bytes > limitBytes) break;
    kept.push(line);
  }
  return kept.reverse();
}

function cutLine(line: string, limitBytes: number): string {
  const limit = Math.min(maxLineChars, limitBytes);
  return line.length > limit ? `${line.slice(0, limit)}… (${line.length - limit} characters cut)` : line;
}
