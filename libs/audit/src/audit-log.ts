import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { printable, redact } from '@larry/contracts';
import { AuditError } from './errors';
import { takeLock, type LockOptions } from './lock';
import { auditEntrySchema, chained, genesisHash, lineOf, maxLineBytes, readLine, type AuditEntry, type AuditHead, type AuditRecord } from './record';
import { verifyAudit } from './verify';

/** How a log is written. */
export interface AuditLogOptions {
  /** The clock of the records; for tests. */
  readonly now?: () => Date;
  /** How long an append waits for other processes' appends. Milliseconds, default 10,000. */
  readonly lockWaitMs?: number;
  /** When the lock of a process on another host (a shared volume) counts as abandoned. Milliseconds, default 30,000. */
  readonly foreignStaleMs?: number;
}

/** A change, by what is the same in every attempt. */
interface ChangeName {
  run: string;
  task: string;
  step: string;
}

const isOf = ({ run, task, step }: AuditRecord, change: ChangeName): boolean => run === change.run && task === change.task && step === change.step;

/** The last words on a change after which it may be in effect. */
const vouching: ReadonlySet<string> = new Set(['change_intended', 'change_applied', 'change_adopted', 'change_outcome_unknown']);

interface Waiting {
  readonly entry: AuditEntry;
  readonly resolve: (record: AuditRecord) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The hash-chained log of every change and approval: a JSONL file outside Redis that many processes may append to.
 * One file with one chain under one short lock, not a file for each process: a single order is what a reader wants, and
 * a missing file of many could only be seen by the others' knowing of it.
 * Each append is one write with O_APPEND and one fdatasync; appends that wait together share both.
 */
export class AuditLog {
  private readonly options: LockOptions & { now: () => Date };
  private waiting: Waiting[] = [];
  private running?: Promise<void>;

  /** @param file path of the log; its folder is made when missing. Beside it stands `<file>.lock/`. */
  constructor(
    readonly file: string,
    options: AuditLogOptions = {},
  ) {
    this.options = { waitMs: options.lockWaitMs ?? 10_000, foreignStaleMs: options.foreignStaleMs ?? 30_000, now: options.now ?? (() => new Date()) };
  }

  /**
   * Writes one entry, secrets in its details redacted, and resolves when it is on disk: only then may the change be made.
   * @throws AuditError when the entry is no entry or too long, the lock is not to be had, the disk is full, or the last
   * line of the log is not its own (it was edited: nothing is built on it)
   */
  async append(entry: AuditEntry): Promise<AuditRecord> {
    const parsed = auditEntrySchema.safeParse({ ...entry, actor: printable(entry.actor), ...(entry.details ? { details: redact(entry.details) } : {}) });
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new AuditError(`this cannot be written to the audit log: field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'wrong'}`);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ entry: parsed.data, resolve, reject });
      this.running ??= this.drain();
    });
  }

  /**
   * Whether a record says that this change was made. A mark that was only found at the object is none. A log that is not there says no.
   * @throws AuditError when the log was edited: then it says nothing that could be believed
   */
  async wasMade(change: ChangeName): Promise<boolean> {
    let made = false;
    await this.read((record) => {
      const { action, details } = record;
      made ||= isOf(record, change) && (action === 'change_applied' || (action === 'change_adopted' && details?.['foundMarked'] !== true));
    });
    return made;
  }

  /**
   * Whether the last that the log says of this change leaves it in effect, or begun: then its mark at an object is ours.
   * @throws AuditError when the log was edited
   */
  async vouches(change: ChangeName): Promise<boolean> {
    let last: string | undefined;
    await this.read((record) => {
      const { action, details } = record;
      if (isOf(record, change) && action.startsWith('change_')) last = details?.['foundMarked'] === true ? 'change_found' : action;
    });
    return last !== undefined && vouching.has(last);
  }

  /**
   * Who has denied this digest, where that is the last word on it. A decision that was not taken is none.
   * @throws AuditError when the log was edited
   */
  async deniedBy(asked: { run: string; task: string; digest: string }): Promise<string | undefined> {
    let words: AuditRecord[] = [];
    await this.read((record) => {
      const { action, run, task, digest, details } = record;
      if (run !== asked.run || task !== asked.task || digest !== asked.digest) return;
      if (action === 'approval_granted' || action === 'approval_denied') words.push(record);
      else if (action === 'approval_not_taken') words = words.filter((word) => word.details?.['signature'] !== details?.['signature']);
    });
    const last = words.at(-1);
    return last?.action === 'approval_denied' ? last.actor.replace(/^user:/, '') : undefined;
  }

  private async read(onRecord: (record: AuditRecord) => void): Promise<void> {
    if (!existsSync(this.file)) return;
    const verdict = await verifyAudit(this.file, { onRecord });
    if (verdict.state === 'broken') throw new AuditError(`${this.file} is not as it was written: whether an approval was used or denied before cannot be told, and nothing is changed by it`);
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        const records = await this.write(batch.map(({ entry }) => entry));
        records.forEach((record, i) => batch[i]?.resolve(record));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.running = undefined;
  }

  private async write(entries: readonly AuditEntry[]): Promise<AuditRecord[]> {
    await mkdir(path.dirname(this.file), { recursive: true });
    const lock = await takeLock(`${this.file}.lock`, this.options);
    try {
      const handle = await this.openFile();
      try {
        const tail = await readTail(handle, this.file);
        // A pause since the lock was taken may have made another host take it for abandoned.
        if (lock.heldMs() > this.options.foreignStaleMs / 2) throw new AuditError(`${this.file}: this process was paused while it held the lock; nothing was written, try again`);
        return await appendTo(handle, this.file, tail, entries, this.options.now().toISOString());
      } finally {
        await handle.close();
      }
    } finally {
      await lock.release();
    }
  }

  private async openFile(): Promise<FileHandle> {
    try {
      const handle = await open(this.file, 'a+', 0o600);
      if ((await handle.stat()).size === 0) await syncFolder(path.dirname(this.file));
      return handle;
    } catch (cause) {
      throw new AuditError(`${this.file}: the audit log cannot be opened (${(cause as Error).message}); nothing may be changed without it`, { cause });
    }
  }
}

interface Tail {
  readonly head: AuditHead;
  /** Where the last whole line ends. */
  readonly end: number;
  /** What stands behind it: a line whose writer was killed. */
  readonly torn: Buffer;
  /** What the next line begins with: a newline where the last record lacks nothing else. */
  readonly joint: Buffer;
}

const nothing = Buffer.alloc(0);

async function readTail(handle: FileHandle, file: string): Promise<Tail> {
  const { size } = await handle.stat();
  // Two lines at most: a torn one and the last whole one.
  const from = Math.max(0, size - 2 * maxLineBytes);
  const bytes = Buffer.alloc(size - from);
  await handle.read(bytes, 0, bytes.length, from);
  const end = bytes.lastIndexOf(0x0a) + 1;
  const torn = bytes.subarray(end);
  if (end === 0 && from > 0) throw new AuditError(`${file}: the last line has no end; this is not a log that Larry wrote: run "larry audit verify"`);
  const head = end === 0 ? { seq: 0, hash: genesisHash } : lastRecord(bytes, end, file);
  const whole = readLine(torn);
  if ('record' in whole && whole.record.prevHash === head.hash && whole.record.seq === head.seq + 1) {
    return { head: whole.record, end: size, torn: nothing, joint: Buffer.from('\n') };
  }
  return { head, end: from + end, torn, joint: nothing };
}

function lastRecord(bytes: Buffer, end: number, file: string): AuditHead {
  const start = bytes.lastIndexOf(0x0a, end - 2) + 1;
  const last = readLine(bytes.subarray(start, end - 1));
  if ('problem' in last) throw new AuditError(`${file}: the last record is damaged (${last.problem}): run "larry audit verify", and continue in a new file`);
  return last.record;
}

async function appendTo(handle: FileHandle, file: string, tail: Tail, entries: readonly AuditEntry[], time: string): Promise<AuditRecord[]> {
  let head = tail.head;
  const records: AuditRecord[] = [];
  for (const entry of tail.torn.length > 0 ? [recovery(tail.torn), ...entries] : entries) {
    const record = chained(entry, head, time);
    records.push(record);
    head = record;
  }
  const lines = records.map(lineOf);
  const long = lines.findIndex((line) => line.length > maxLineBytes);
  if (long >= 0) throw new AuditError(`an entry "${records[long]?.action ?? ''}" makes a line of ${lines[long]?.length ?? 0} bytes; the audit log takes ${maxLineBytes}: log its digest instead`);
  if (tail.torn.length > 0) await handle.truncate(tail.end);
  try {
    await handle.appendFile(Buffer.concat([tail.joint, ...lines]));
    await handle.datasync();
  } catch (cause) {
    await handle.truncate(tail.end).catch(() => undefined);
    throw new AuditError(`${file}: the audit log cannot be written (${(cause as Error).message}); nothing may be changed without it`, { cause });
  }
  return tail.torn.length > 0 ? records.slice(1) : records;
}

/** Says in the chain itself that a torn line was taken away, and what it was. Nobody was told that it had been written. */
function recovery(torn: Buffer): AuditEntry {
  return {
    actor: 'larry/audit',
    action: 'torn_line_removed',
    details: { bytes: torn.length, sha256: createHash('sha256').update(torn).digest('hex'), text: printable(torn.toString('utf8'), 2000) },
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch {
    // Some file systems cannot; the data itself is synced all the same.
  } finally {
    await handle.close();
  }
}
