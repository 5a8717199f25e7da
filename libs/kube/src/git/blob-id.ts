import { createHash } from 'node:crypto';

/** The id that a text has as a blob, in the repository that another id is of (Git, *gitformat-object*: SHA-1, or SHA-256 where ids have 64 digits). Pure. */
export function blobId(text: string, like: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash(like.length === 64 ? 'sha256' : 'sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
