import { createReadStream } from 'node:fs';
import { printable } from '@larry/contracts';
import { LogUnavailableError } from './errors';
import { LineReader, LogTail } from './log-lines';
import type { LogOptions } from './reader';

/**
 * The log of one container out of the `logs.txt` of a pod, in which kubectl writes all containers one after the other between
 * `==== START logs for container X of pod ns/name ====` and the same with END. The END mark follows the last byte of
 * the log, with or without a newline.
 * @throws LogUnavailableError when the container is not in the file or kubectl could not read its log.
 */
export async function readDumpLog(
  file: string,
  pod: { namespace: string; name: string },
  container: string,
  options: LogOptions = {},
): Promise<string[]> {
  const mark = (word: string) => `==== ${word} logs for container ${container} of pod ${pod.namespace}/${pod.name} ====`;
  const section = new LogSection(mark('START'), mark('END'), new LogTail(options));
  const reader = new LineReader((line, cutBytes) => section.push(line, cutBytes));
  for await (const chunk of createReadStream(file, { signal: options.signal })) reader.push(chunk as Buffer);
  reader.end();
  const lines = section.result();
  if (!lines) throw new LogUnavailableError(`the dump has no log of container ${container} of pod ${pod.namespace}/${pod.name}`);
  const failure = lines.length === 1 ? /^(?:Create log request error|Request log error): (.*)/.exec(lines[0] ?? '')?.[1] : undefined;
  if (failure !== undefined) throw new LogUnavailableError(`kubectl could not read the log when it wrote the dump: ${printable(failure)}`);
  return lines;
}

class LogSection {
  private state: 'before' | 'inside' | 'ended' | 'after' = 'before';

  constructor(
    private readonly start: string,
    private readonly end: string,
    private readonly tail: LogTail,
  ) {}

  push(line: Buffer, cutBytes: number): void {
    if (this.state === 'after') return;
    const short = line.length < 1_024 ? line.toString() : '';
    if (this.state === 'before') {
      if (short === this.start) this.state = 'inside';
      return;
    }
    if (this.state === 'ended') {
      // Another container begins, or else the END was the log's own text.
      this.state = short.startsWith('==== START logs for container ') ? 'after' : 'inside';
      if (this.state === 'after') return;
      this.tail.push(Buffer.from(this.end));
    }
    const tailText = line.subarray(Math.max(0, line.length - Buffer.byteLength(this.end))).toString();
    if (tailText !== this.end || cutBytes > 0) {
      this.tail.push(line, cutBytes);
      return;
    }
    this.state = 'ended';
    const last = line.subarray(0, line.length - Buffer.byteLength(this.end));
    if (last.length > 0) this.tail.push(last);
  }

  result(): string[] | undefined {
    return this.state === 'before' ? undefined : this.tail.result();
  }
}
