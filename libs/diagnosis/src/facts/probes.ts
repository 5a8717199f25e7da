import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const loose = z.union([z.string(), z.record(z.string(), z.unknown())]);

const probesSchema = z.object({
  kind: z.literal('ProbeResults'),
  version: z.literal(1),
  connectivity: z
    .array(
      z.object({
        namespace: z.string(),
        service: z.string(),
        port: z.union([z.number(), z.string()]),
        fromNode: z.string().nullish(),
        connected: z.boolean(),
        address: z.string().nullish(),
        targetPort: z.union([z.number(), z.string()]).nullish(),
        timedOut: z.boolean().nullish(),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
  nodeServices: z
    .array(
      z.object({
        node: z.string(),
        service: z.string(),
        active: z.union([z.boolean(), z.string()]).nullish(),
        sub: z.string().nullish(),
        error: z.string().nullish(),
        log: z.array(z.string()).nullish(),
      }),
    )
    .nullish()
    .transform((list) => list ?? []),
  metricAnomalies: z
    .array(z.object({ kind: z.enum(['Service', 'Node']), name: z.string(), namespace: z.string().nullish(), window: z.unknown(), evidence: z.array(loose).nullish() }))
    .nullish()
    .transform((list) => list ?? []),
  notProbed: z
    .array(z.object({ subject: z.string(), reason: z.string() }))
    .nullish()
    .transform((list) => list ?? []),
});

/** Results of active probes: `probes.json` beside a dump or snapshot, version 1. */
export type Probes = z.infer<typeof probesSchema>;

/** The file's name in a folder. */
export const probesFile = 'probes.json';
const maxBytes = 32 * 1024 * 1024;

/** Checks the JSON of a `probes.json`. @throws Error with one sentence that names the field. */
export function parseProbes(json: unknown, name = probesFile): Probes {
  const parsed = probesSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${name}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not ProbeResults'}; expected {"kind":"ProbeResults","version":1,…}`);
}

/** Reads a file of probe results; undefined when there is none. @throws Error with one sentence when it cannot be used. */
export async function readProbes(file: string): Promise<Probes | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isFile() || found.size > maxBytes) throw new Error(`${file}: not a file of probe results: ${found.isFile() ? `larger than ${maxBytes / 1024 / 1024} MiB` : 'not a file'}`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: is not JSON (${(error as Error).message.slice(0, 100)})`);
  }
  return parseProbes(json, file);
}

/** Reads `probes.json` of a folder; undefined when it has none. @throws Error with one sentence. */
export function readProbesOf(folder: string): Promise<Probes | undefined> {
  return readProbes(join(folder, probesFile));
}
