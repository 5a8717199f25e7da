import { canonicalJson } from '@larry/contracts';
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/** A person's verdict on one change, bound to the digest of the change and of what was observed. */
export const approvalSchema = z.object({
  run: z.string(),
  task: z.string(),
  /** sha-256, hex: see `changeDigest` of the playbook engine. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  granted: z.boolean(),
  who: z.string().min(1).max(200),
  /** ISO 8601, UTC. */
  at: z.string(),
});
export type ApprovalRecord = z.infer<typeof approvalSchema>;

/** A verdict with its signature (Ed25519 over the canonical JSON, base64). Stored in Redis, which is not trusted with authority. */
export const signedApprovalSchema = z.object({ approval: approvalSchema, signature: z.string().max(200) });
export type SignedApproval = z.infer<typeof signedApprovalSchema>;

/** The two halves of the key that approvals are signed with, as PEM files; the private one is readable by its owner only. */
export interface ApprovalKeyFiles {
  privateKey: string;
  publicKey: string;
}

/** Makes the key pair in `folder` unless it is there, and names its files. Two processes at once end with one pair. */
export function ensureApprovalKeys(folder: string): ApprovalKeyFiles {
  const files = { privateKey: path.join(folder, 'approval.key'), publicKey: path.join(folder, 'approval.pub') };
  if (!existsSync(files.privateKey)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ed25519');
    const temporary = `${files.privateKey}.${process.pid}`;
    writeFileSync(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    if (!existsSync(files.privateKey)) renameSync(temporary, files.privateKey);
  }
  // The public half is derived, so that it always belongs to the private one that is there.
  const publicKey = createPublicKey(createPrivateKey(readFileSync(files.privateKey)));
  writeFileSync(files.publicKey, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
  return files;
}

/** Reads a PEM key. Throws one sentence that names the file. */
export function readApprovalKey(file: string, half: 'private' | 'public'): KeyObject {
  try {
    const pem = readFileSync(file);
    return half === 'private' ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (error) {
    throw new Error(`the ${half} approval key ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Signs any JSON value for one purpose (Ed25519 over canonical JSON, base64): a signature for one purpose is none for another. */
export function signValue(purpose: string, value: unknown, privateKey: KeyObject): string {
  return sign(null, Buffer.from(canonicalJson({ purpose, value })), privateKey).toString('base64');
}

/** Whether the holder of the private key signed this value for this purpose. */
export function isSigned(purpose: string, value: unknown, signature: string, publicKey: KeyObject): boolean {
  return verify(null, Buffer.from(canonicalJson({ purpose, value })), publicKey, Buffer.from(signature, 'base64'));
}

const approvalPurpose = 'larry approval';

/** Signs a verdict. */
export function signApproval(approval: ApprovalRecord, privateKey: KeyObject): SignedApproval {
  return { approval, signature: signValue(approvalPurpose, approval, privateKey) };
}

/** The verdict when it is well-formed and its signature is right; undefined for anything else, however it came into Redis. */
export function verifyApproval(value: unknown, publicKey: KeyObject): ApprovalRecord | undefined {
  const parsed = signedApprovalSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { approval, signature } = parsed.data;
  return isSigned(approvalPurpose, approval, signature, publicKey) ? approval : undefined;
}
