/** One accepted write. */
export interface JournalEntry {
  /** Counts from 1 without gaps, in the order of the writes. */
  seq: number;
  /** RFC 3339 with milliseconds. */
  time: string;
  verb: 'create' | 'update' | 'patch' | 'delete';
  group: string;
  version: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name: string;
  user: string;
  manager: string;
  userAgent: string;
  /** The value of the object's annotation `larry.dev/change` after the write (before it, for a delete). */
  change?: string;
  /** The object's resourceVersion after the write; the same as before where the write changed nothing. */
  resourceVersion: string;
  /** False where the write was accepted and changed nothing. */
  changed: boolean;
}

/** Entries kept; older ones go, so that a cluster may run for days. Gaps at the start show in `seq`. */
const KEPT = 100_000;

/** The writes that a server accepted, the latest 100,000 of them. */
export class Journal {
  private kept: JournalEntry[] = [];
  private written = 0;

  add(entry: Omit<JournalEntry, 'seq'>): void {
    this.kept.push({ seq: ++this.written, ...entry });
    if (this.kept.length >= 2 * KEPT) this.kept = this.kept.slice(-KEPT);
  }

  entries(): readonly JournalEntry[] {
    return this.kept;
  }
}
