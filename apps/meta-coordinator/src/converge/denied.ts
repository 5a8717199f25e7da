import { printable } from '@larry/contracts';
import type { TaskRecord } from '@larry/coordination';
import type { KeyObject } from 'node:crypto';
import { approvalText } from '../runs/approval-text';
import { signedVerdicts } from '../runs/verdicts';

/** Who denied a task, when, and what: of the signed verdicts and of what the digests cover. Undefined where it was not denied. Pure. */
export function deniedBy({ skipReason, approval, verdicts = [], parked, task }: TaskRecord, run: string, approvalKey: KeyObject | undefined): string | undefined {
  if (skipReason !== 'denied') return undefined;
  const text = parked && approvalText(parked.digest, parked.request);
  const asks = text && 'asks' in text ? text.asks : undefined;
  const denials = signedVerdicts([...(approval ? [approval] : []), ...verdicts], { run, task }, approvalKey).filter((v) => !v.granted);
  const by = (digest: string | undefined): string | undefined => {
    const denial = denials.find((v) => v.digest === digest);
    return denial && `${printable(denial.who, 200)} at ${printable(denial.at, 40)}`;
  };
  const changes = asks?.changes ?? [];
  if (changes.length > 0 && changes.every((c) => by(c.digest) !== undefined)) {
    return `denied by ${changes.map((c) => `${by(c.digest) ?? ''}: ${c.summary} (${c.object})`).join('; ')}`;
  }
  const what = asks ? `${asks.summary} (${asks.objects.join(', ')})` : 'what it was cannot be told: what stands in Redis does not fit its digest';
  return `denied by ${by(parked?.digest) ?? 'somebody whose signature is missing or does not fit; the audit log says who'}: ${what}`;
}
