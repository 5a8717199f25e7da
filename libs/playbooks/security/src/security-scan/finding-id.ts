import { createHash } from 'node:crypto';
import { describeRef, type ObjectRef } from '@larry/contracts';

const maxLength = 480;

/** The id of a finding: rule, object and what tells it apart; stable over runs, positions in lists and pods of a workload do not count. */
export function findingId(rule: string, ref: ObjectRef, key?: string): string {
  const id = `${rule} ${describeRef(ref)}${key === undefined ? '' : ` ${key}`}`;
  if (id.length <= maxLength) return id;
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 16);
  return `${id.slice(0, maxLength - digest.length - 1)}#${digest}`;
}
