import { isSigned, signValue } from '@larry/audit';
import { planSchema } from '@larry/contracts';
import type { Coordination } from '@larry/coordination';
import { modes } from '@larry/playbook';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';

/** What a run is about, written once before it begins: what it may change, and the plan. */
export const runDocumentSchema = z.object({
  run: z.string(),
  mode: z.enum(modes),
  /** Categories of change that `auto` may make without asking. */
  allow: z.array(z.string()),
  plan: planSchema,
});
export type RunDocument = z.infer<typeof runDocumentSchema>;

const storedSchema = z.object({ document: runDocumentSchema, signature: z.string().optional() });
const purpose = 'larry run document';

const keyOf = (coordination: Coordination, run: string): string => coordination.redis.key(`{larry}:blob:plan:${run}`);

/**
 * Writes a run's document; call it before `createRun`, so that a run never is without. Signed with the key that is not in
 * Redis, because who can write to Redis must not decide what may be changed; without a key the run can only observe.
 */
export async function writeRunDocument(coordination: Coordination, document: RunDocument, privateKey?: KeyObject): Promise<void> {
  const { redis } = coordination;
  const key = keyOf(coordination, document.run);
  // As it will be read: the schema's defaults are part of what is signed.
  const whole = runDocumentSchema.parse(document);
  const signature = privateKey ? { signature: signValue(purpose, whole, privateKey) } : {};
  await coordination.recordKeys([key]);
  await redis.named(redis.commands.set(key, JSON.stringify({ document: whole, ...signature })));
}

/** Reads a run's document; undefined when it is not there (a run of an older version, or a damaged Redis). */
export async function readRunDocument(coordination: Coordination, run: string): Promise<RunDocument | undefined> {
  return (await readStored(coordination, run))?.document;
}

/**
 * The document that a worker acts on, and whether the holder of the signing key wrote it for this run. One that is not
 * trusted may be used for reading only.
 */
export async function readTrustedRunDocument(
  coordination: Coordination,
  run: string,
  publicKey: KeyObject | undefined,
): Promise<{ document: RunDocument; trusted: boolean } | undefined> {
  const stored = await readStored(coordination, run);
  if (!stored) return undefined;
  const { document, signature } = stored;
  const trusted = publicKey !== undefined && signature !== undefined && document.run === run && isSigned(purpose, document, signature, publicKey);
  return { document, trusted };
}

async function readStored(coordination: Coordination, run: string): Promise<z.infer<typeof storedSchema> | undefined> {
  const { redis } = coordination;
  const text = await redis.named(redis.commands.get(keyOf(coordination, run)));
  if (text === null) return undefined;
  const parsed = storedSchema.safeParse(parsedJson(text));
  return parsed.success ? parsed.data : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
