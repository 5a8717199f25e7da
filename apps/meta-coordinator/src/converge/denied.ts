import { verifyApproval } from '@larry/audit';
import { printable } from '@larry/contracts';
import type { TaskRecord } from '@larry/coordination';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { approvalText } from '../runs/approval-text';

/** Who denied a task, when, and what: of the signed verdict and of what the digest covers. Undefined where it was not denied. Pure. */
export function deniedBy({ skipReason, approval, parked, task }: TaskRecord, run: string, approvalKey: KeyObject | undefined): string | undefined {
  if (skipReason !== 'denied') return undefined;
  const text = parked && approvalText(parked.digest, parked.request);
  const what = text && 'asks' in text ? `${text.asks.summary} (${text.asks.objects.join(', ')})` : 'what it was cannot be told: what stands in Redis does not fit its digest';
  const signed = approval && approvalKey && verifyApproval(jsonOf(approval.proof), createPublicKey(approvalKey));
  const fits = signed && !signed.granted && signed.run === run && signed.task === task && signed.digest === parked?.digest;
  const who = fits ? `${printable(signed.who, 200)} at ${printable(signed.at, 40)}` : 'somebody whose signature is missing or does not fit; the audit log says who';
  return `denied by ${who}: ${what}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
