import { canonicalJson } from '@larry/contracts';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Whose result it is; part of what is sealed, so that no other task's or run's passes for it. */
export interface SealedFor {
  run: string;
  task: string;
}

/**
 * A result with its seal (HMAC-SHA-256) beside its fields: who can write to Redis can then change what a report says only
 * so that it shows. The key is that of the journal, which is not in Redis.
 */
export function sealResult(result: object, whose: SealedFor, key: Buffer): object {
  const plain = JSON.parse(JSON.stringify(result)) as object;
  return { ...plain, seal: sealOf(plain, whose, key) };
}

/** Whether a result from Redis is as its worker settled it. */
export function isSealedResult(stored: unknown, { run, task }: SealedFor, key: Buffer): boolean {
  if (typeof stored !== 'object' || stored === null) return false;
  const { seal, ...plain } = stored as { seal?: unknown };
  if (typeof seal !== 'string') return false;
  const [given, right] = [Buffer.from(seal), Buffer.from(sealOf(plain, { run, task }, key))];
  return given.length === right.length && timingSafeEqual(given, right);
}

function sealOf(plain: object, { run, task }: SealedFor, key: Buffer): string {
  return createHmac('sha256', key).update(canonicalJson({ what: 'result', run, task, value: plain })).digest('hex');
}
