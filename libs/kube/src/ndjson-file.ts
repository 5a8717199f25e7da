import { open, type FileHandle } from 'node:fs/promises';

const flushBytes = 1024 * 1024;

/** A file of one JSON text a line, written in blocks of about 1 MiB. */
export class NdjsonFile {
  count = 0;
  bytes = 0;
  private pending: string[] = [];
  private pendingChars = 0;
  private closed = false;

  private constructor(private readonly handle: FileHandle) {}

  static async create(path: string): Promise<NdjsonFile> {
    return new NdjsonFile(await open(path, 'wx', 0o600));
  }

  async write(line: string): Promise<void> {
    this.pending.push(line, '\n');
    this.pendingChars += line.length;
    this.count += 1;
    if (this.pendingChars >= flushBytes) await this.flush();
  }

  /** Writes what is left; a second call does nothing. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      await this.flush();
    } finally {
      await this.handle.close();
    }
  }

  private async flush(): Promise<void> {
    const block = Buffer.from(this.pending.join(''));
    this.pending = [];
    this.pendingChars = 0;
    // A full disk may take part of a block without an error: writeFile goes on until all is written or it fails.
    await this.handle.writeFile(block);
    this.bytes += block.length;
  }
}
