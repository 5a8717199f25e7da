import { createHash } from 'node:crypto';
import { canonicalJson } from '@larry/contracts';

/** SHA-256, hex, of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
