import { planSchema } from '@larry/contracts';
import type { Coordination } from '@larry/coordination';
import { z } from 'zod';

/** What a run is about, written once before it begins: the plan, and which categories of change `auto` may make. */
export const runDocumentSchema = z.object({ plan: planSchema, allow: z.array(z.string()) });
export type RunDocument = z.infer<typeof runDocumentSchema>;

const keyOf = (coordination: Coordination, run: string): string => coordination.redis.key(`{larry}:blob:plan:${run}`);

/** Writes a run's document; call it before `createRun`, so that a run never is without. */
export async function writeRunDocument(coordination: Coordination, run: string, document: RunDocument): Promise<void> {
  const { redis } = coordination;
  const key = keyOf(coordination, run);
  await coordination.recordKeys([key]);
  await redis.named(redis.commands.set(key, JSON.stringify(document)));
}

/** Reads a run's document; undefined when it is not there (a run of an older version, or a damaged Redis). */
export async function readRunDocument(coordination: Coordination, run: string): Promise<RunDocument | undefined> {
  const { redis } = coordination;
  const text = await redis.named(redis.commands.get(keyOf(coordination, run)));
  if (text === null) return undefined;
  const parsed = runDocumentSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}
