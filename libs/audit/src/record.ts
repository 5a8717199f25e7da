import { createHash } from 'node:crypto';
import { canonicalJson } from '@larry/contracts';
import { z } from 'zod';

/** The hash before the first record. */
export const genesisHash = '0'.repeat(64);

/** The longest line of a log, in bytes with its newline; `append` refuses more, `verifyAudit` reads no more. */
export const maxLineBytes = 256 * 1024;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

/** What a caller says of one change or approval. Secrets in `details` are redacted before anything is written; the rest are names. */
export const auditEntrySchema = z.strictObject({
  /** Who did it: a Larry, a worker, a person with the means that named them; `larry-01/cleanup-worker`, `user:ada`. */
  actor: z.string().min(1).max(300),
  /** What was done, in snake case: `change_applied`, `approval_granted`, `rolled_back`. */
  action: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
  run: z.string().max(300).optional(),
  task: z.string().max(300).optional(),
  step: z.string().max(300).optional(),
  /** sha-256 (hex) of the change, and of what was observed, as approvals are bound to it. */
  digest: sha256Hex.optional(),
  /** Anything else that a reader of the log needs; JSON. */
  details: z.record(z.string(), z.json()).optional(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** One line of the log: the entry with its place in the chain. */
export const auditRecordSchema = auditEntrySchema.extend({
  v: z.literal(1),
  /** 1 for the first; equal to the line's number. */
  seq: z.number().int().positive(),
  /** ISO 8601, UTC, by the writer's clock. Not part of the order: that is `seq`. */
  time: z.string().max(40),
  prevHash: sha256Hex,
  /** sha-256 (hex) of the canonical JSON of the record without this field. */
  hash: sha256Hex,
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** The end of a chain: what to keep elsewhere, so that a cut tail can be seen. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** The hash of a record, whatever its `hash` says. */
export function hashOf(record: Omit<AuditRecord, 'hash'>): string {
  const { hash: _, ...unhashed } = record as AuditRecord;
  return createHash('sha256').update(canonicalJson(unhashed)).digest('hex');
}

/** The record that follows `head`. */
export function chained(entry: AuditEntry, head: AuditHead, time: string): AuditRecord {
  const record = { ...entry, v: 1 as const, seq: head.seq + 1, time, prevHash: head.hash };
  return { ...record, hash: hashOf(record) };
}

/** The line of a record, newline included. */
export function lineOf(record: AuditRecord): Buffer {
  return Buffer.from(`${canonicalJson(record)}\n`);
}

/** The record on a line (without its newline), or why there is none: only the one canonical spelling counts. */
export function readLine(line: Buffer): { record: AuditRecord } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return { problem: line.length === 0 ? 'the line is empty' : 'the line is not JSON' };
  }
  const parsed = auditRecordSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { problem: `the line is no audit record (field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'wrong'})` };
  }
  if (!Buffer.from(canonicalJson(value)).equals(line)) return { problem: 'the line is not written as Larry writes it' };
  if (hashOf(parsed.data) !== parsed.data.hash) return { problem: 'its hash does not belong to its content' };
  return { record: parsed.data };
}
