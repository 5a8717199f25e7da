import { createReadStream } from 'node:fs';
import { AuditError } from './errors';
import { genesisHash, maxLineBytes, readLine, type AuditHead, type AuditRecord } from './record';

/** What is wrong with a log. `torn` is a last line whose writer was killed: the next append says so and goes on. */
export type AuditProblemKind = 'edited' | 'removed' | 'inserted' | 'truncated' | 'replaced' | 'torn';

/** The first wrong line. */
export interface AuditProblem {
  readonly kind: AuditProblemKind;
  /** Counted from 1; for `truncated` the line that should be there. */
  readonly line: number;
  readonly reason: string;
}

/** What a log came to. */
export interface AuditVerdict {
  /** `intact` only when every byte is as written; `torn` when all but a half-written last line is. */
  readonly state: 'intact' | 'torn' | 'broken';
  /** Records that were found right, from the first. */
  readonly records: number;
  /** The last right one; `undefined` in an empty log. */
  readonly head?: AuditHead;
  readonly problem?: AuditProblem;
}

/** How a log is verified. */
export interface VerifyOptions {
  /** The end of the chain as known from elsewhere (a report, an earlier verification). Without it a cut tail cannot be seen. */
  readonly expectedHead?: AuditHead;
  /** Called with every right record, in order. */
  readonly onRecord?: (record: AuditRecord) => void;
}

/**
 * Reads a log from its first line and says what the first wrong line is, and why. Memory stays flat whatever its length.
 * @throws AuditError when the file cannot be read
 */
export async function verifyAudit(file: string, options: VerifyOptions = {}): Promise<AuditVerdict> {
  const chain = new Chain(options);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let at = 0;
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, at)) {
        if (!chain.take(bytes.subarray(at, end))) return chain.verdict();
        at = end + 1;
      }
      rest = bytes.subarray(at);
      if (rest.length >= maxLineBytes) return chain.tooLong();
    }
  } catch (cause) {
    throw new AuditError(`${file}: the audit log cannot be read (${(cause as Error).message})`, { cause });
  }
  return chain.end(rest);
}

class Chain {
  private head: AuditHead = { seq: 0, hash: genesisHash };
  private problem?: AuditProblem;

  constructor(private readonly options: VerifyOptions) {}

  /** False at the first wrong line. */
  take(line: Buffer): boolean {
    const read = readLine(line);
    if ('problem' in read) return this.fail('edited', read.problem);
    const { record } = read;
    if (!this.follows(record)) return false;
    const expected = this.options.expectedHead;
    if (expected?.seq === record.seq && expected.hash !== record.hash) {
      return this.fail('replaced', `record ${record.seq} has another hash than the expected head: the log was written anew`);
    }
    this.head = { seq: record.seq, hash: record.hash };
    this.options.onRecord?.(record);
    return true;
  }

  private follows(record: AuditRecord): boolean {
    const due = this.head.seq + 1;
    if (record.seq > due) {
      return this.fail('removed', `record ${record.seq} stands where record ${due} should be: ${record.seq - due} missing`);
    }
    if (record.seq < due) return this.fail('inserted', `record ${record.seq} stands a second time, or in the wrong place; record ${due} should be here`);
    if (record.prevHash !== this.head.hash) {
      return this.fail('replaced', `it follows another record than the one before it: that one was replaced, or this one is foreign`);
    }
    return true;
  }

  tooLong(): AuditVerdict {
    this.fail('edited', `the line is longer than ${maxLineBytes} bytes`);
    return this.verdict();
  }

  end(rest: Buffer): AuditVerdict {
    const expected = this.options.expectedHead;
    if (expected && this.head.seq < expected.seq) {
      this.fail('truncated', `the log ends with record ${this.head.seq}, and record ${expected.seq} is known to have been written: ${expected.seq - this.head.seq} missing at the end`);
    } else if (rest.length > 0) {
      this.fail('torn', `the last line has no end (${rest.length} bytes): its writer was stopped in the middle; the next append takes it away and says so`);
    }
    return this.verdict();
  }

  verdict(): AuditVerdict {
    const state = this.problem === undefined ? 'intact' : this.problem.kind === 'torn' ? 'torn' : 'broken';
    return { state, records: this.head.seq, head: this.head.seq > 0 ? this.head : undefined, problem: this.problem };
  }

  private fail(kind: AuditProblemKind, reason: string): false {
    this.problem = { kind, line: this.head.seq + 1, reason };
    return false;
  }
}
