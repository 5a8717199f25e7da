import { verifyApproval, type ApprovalRecord } from '@larry/audit';
import { createPublicKey, type KeyObject } from 'node:crypto';

/** The verdicts on changes of one task that were signed with our key: what else stands in Redis is nobody's word. Pure. */
export function signedVerdicts(stored: readonly { proof: string }[], of: { run: string; task: string }, approvalKey: KeyObject | undefined): ApprovalRecord[] {
  const publicKey = approvalKey && createPublicKey(approvalKey);
  if (!publicKey) return [];
  return stored.flatMap(({ proof }) => {
    const signed = verifyApproval(jsonOf(proof), publicKey);
    return signed?.run === of.run && signed.task === of.task ? [signed] : [];
  });
}

function jsonOf(text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    return undefined;
  }
}
