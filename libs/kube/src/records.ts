import { createReadStream } from 'node:fs';

/** No Kubernetes object is near this: etcd takes 1.5 MiB a request. */
export const maxRecordBytes = 16 * 1024 * 1024;

/** Cuts a stream of bytes into records. `problem` is set once the rest cannot be read; no record comes after it. */
export interface Splitter {
  push(chunk: Buffer): Iterable<FileRecord>;
  /** Call once at the end of the file: the last record, and what is wrong with the whole. */
  end(): Iterable<FileRecord>;
  readonly problem: string | undefined;
}

export interface FileRecord {
  bytes: Buffer;
  /** Offset in the file. */
  start: number;
}

/**
 * The records of a file, those of a piece of it together: to wait for each of ten thousands would cost more than to read them.
 * Take all of one before the next. Throws when the file cannot be opened or read.
 */
export async function* readPieces(file: string, splitter: Splitter, signal?: AbortSignal): AsyncIterable<Iterable<FileRecord>> {
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024, signal })) {
    yield splitter.push(chunk as Buffer);
    if (splitter.problem !== undefined) return;
  }
  yield splitter.end();
}

/** The records of a file one after the other, in flat memory. Throws when the file cannot be opened or read. */
export async function* readRecords(file: string, splitter: Splitter, signal?: AbortSignal): AsyncIterable<FileRecord> {
  for await (const piece of readPieces(file, splitter, signal)) yield* piece;
}

/** Bytes not yet given out, and where they stand in the file. */
abstract class Pending {
  protected buffer: Buffer = Buffer.alloc(0);
  /** File offset of `buffer[0]`. */
  protected base = 0;
  problem: string | undefined;

  protected append(chunk: Buffer): void {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
  }

  protected keepFrom(index: number): void {
    this.base += index;
    this.buffer = this.buffer.subarray(index);
    if (this.buffer.length > maxRecordBytes) this.problem = `an object at byte ${this.base} is larger than ${maxRecordBytes} bytes`;
  }

  protected cut(from: number, to: number): FileRecord {
    return { bytes: this.buffer.subarray(from, to), start: this.base + from };
  }
}

/** One record a line (NDJSON); empty lines are left out. A last line without its end is a problem: the file was cut off. */
export class LineSplitter extends Pending implements Splitter {
  *push(chunk: Buffer): Iterable<FileRecord> {
    this.append(chunk);
    let from = 0;
    for (let end = this.buffer.indexOf(10); end >= 0; end = this.buffer.indexOf(10, from)) {
      if (end > from) yield this.cut(from, end);
      from = end + 1;
    }
    this.keepFrom(from);
  }

  *end(): Iterable<FileRecord> {
    if (this.buffer.length > 0) this.problem ??= 'the last line has no end: the file was cut off';
  }
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const newline = 0x0a;
const letterN = 0x6e;

const tableOf = (...bytes: number[]): Uint8Array => Uint8Array.from({ length: 256 }, (_, byte) => Number(bytes.includes(byte)));
/** The bytes that matter inside of a string, and outside: most of a file is neither, and is passed over in a tight loop. */
const endsText = tableOf(quote, backslash);
const hasMeaning = tableOf(quote, openBrace, closeBrace, openBracket, closeBracket, letterN);

function next(wanted: Uint8Array, buffer: Buffer, from: number): number {
  let at = from;
  while (at < buffer.length && wanted[buffer[at] as number] === 0) at += 1;
  return at;
}

/**
 * The elements of the top-level `items` of a JSON list (`items`), or the JSON values that stand one after the other
 * in a file (`values`), without parsing them.
 */
export class JsonSplitter extends Pending implements Splitter {
  private at = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private recordStart = -1;
  private keyStart = -1;
  private lastKey = '';
  private insideItems = false;
  private sawItems = false;

  constructor(private readonly unit: 'items' | 'values') {
    super();
  }

  *push(chunk: Buffer): Iterable<FileRecord> {
    this.append(chunk);
    const { buffer } = this;
    for (; this.at < buffer.length; this.at += 1) {
      if (!this.escaped) this.at = next(this.inString ? endsText : hasMeaning, buffer, this.at);
      if (this.at === buffer.length) break;
      const byte = buffer[this.at] as number;
      if (this.inString) this.inside(byte);
      else if (byte === quote) this.openString();
      else if (byte === openBrace || byte === openBracket) this.open(byte);
      else if (byte === closeBrace || byte === closeBracket) {
        if (this.close(byte)) {
          yield this.cut(this.recordStart, this.at + 1);
          this.recordStart = -1;
        }
      } else if (byte === letterN && this.depth === 1 && this.lastKey === 'items') {
        // `"items": null`: how kubectl writes an empty list of a real API server.
        this.sawItems = true;
      }
    }
    this.trim();
  }

  *end(): Iterable<FileRecord> {
    if (this.depth !== 0 || this.inString) this.problem ??= `cut off at byte ${this.base + this.buffer.length}`;
    else if (this.unit === 'items' && !this.sawItems) this.problem ??= 'holds no list of objects';
  }

  private get recordDepth(): number {
    return this.unit === 'items' ? 2 : 0;
  }

  private inside(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === backslash) this.escaped = true;
    else if (byte === quote) {
      this.inString = false;
      if (this.keyStart >= 0) this.lastKey = this.buffer.toString('latin1', this.keyStart, this.at);
      this.keyStart = -1;
    }
  }

  private openString(): void {
    this.inString = true;
    if (this.unit === 'items' && this.depth === 1) this.keyStart = this.at + 1;
  }

  private open(byte: number): void {
    if (this.unit === 'items' && this.depth === 1 && byte === openBracket && this.lastKey === 'items') {
      this.insideItems = true;
      this.sawItems = true;
    } else if (byte === openBrace && this.depth === this.recordDepth && (this.unit === 'values' || this.insideItems)) {
      this.recordStart = this.at;
    }
    this.depth += 1;
  }

  /** True when a record ends here. */
  private close(byte: number): boolean {
    this.depth -= 1;
    if (this.depth < 0) {
      this.problem = `byte ${this.base + this.at} closes what was never opened`;
      this.depth = 0;
      return false;
    }
    if (this.insideItems && this.depth === 1 && byte === closeBracket) this.insideItems = false;
    return this.depth === this.recordDepth && this.recordStart >= 0;
  }

  private trim(): void {
    const keep = this.recordStart >= 0 ? this.recordStart : this.keyStart >= 0 ? this.keyStart : this.at;
    this.keepFrom(keep);
    this.at -= keep;
    if (this.recordStart >= 0) this.recordStart = 0;
    if (this.keyStart >= 0) this.keyStart = 0;
  }
}

/**
 * The elements of `items:` of one list as kubectl prints it in YAML: each begins with `- ` at the start of a line and is
 * given out indented by two spaces. `kind:` stands after the items, so a file without it was cut off.
 */
export class YamlItemSplitter extends Pending implements Splitter {
  private insideItems = false;
  private recordStart = -1;
  private sawItems = false;
  private sawKind = false;
  private at = 0;

  *push(chunk: Buffer): Iterable<FileRecord> {
    this.append(chunk);
    for (let end = this.buffer.indexOf(newline, this.at); end >= 0; end = this.buffer.indexOf(newline, this.at)) {
      yield* this.line(this.at, end);
      this.at = end + 1;
    }
    const keep = this.recordStart >= 0 ? this.recordStart : this.at;
    this.keepFrom(keep);
    this.at -= keep;
    if (this.recordStart >= 0) this.recordStart = 0;
  }

  *end(): Iterable<FileRecord> {
    if (!this.sawKind) this.problem ??= `cut off at byte ${this.base + this.buffer.length}`;
    else if (!this.sawItems) this.problem ??= 'holds no list of objects';
  }

  private *line(from: number, to: number): Iterable<FileRecord> {
    const first = this.buffer[from];
    const beginsItem = first === 0x2d && this.buffer[from + 1] === 0x20;
    if (first === 0x20 || to === from) return;
    if (this.recordStart >= 0) {
      yield this.cut(this.recordStart, from);
      this.recordStart = -1;
    }
    if (beginsItem && this.insideItems) {
      this.recordStart = from;
      return;
    }
    const text = this.buffer.toString('utf8', from, Math.min(to, from + 200)).trimEnd();
    if (/^items: *(\[\]|null)?$/.test(text)) this.sawItems = true;
    this.insideItems = text === 'items:';
    if (/^kind: *\w/.test(text)) this.sawKind = true;
  }
}

