import { z } from 'zod';

/** The index of a snapshot folder; written last, so a folder without it is not a snapshot. */
export const indexFile = 'larry-snapshot.json';

const kindSchema = z.object({ apiVersion: z.string().max(300), kind: z.string().max(300), resource: z.string().max(300), namespaced: z.boolean() });

/** `larry-snapshot.json`, version 1. Times ISO 8601, sizes in bytes, paths from the folder. */
export const snapshotIndexSchema = z.object({
  version: z.literal(1),
  takenAt: z.string(),
  source: z.object({
    type: z.enum(['live', 'snapshot', 'dump', 'manifests']),
    name: z.string(),
    simulated: z.boolean(),
    serverVersion: z.string().optional(),
    namespaces: z.array(z.string()).optional(),
  }),
  kinds: z.array(
    z.union([
      kindSchema.extend({
        /** NDJSON, one object a line. */
        file: z.string().regex(/^objects\/[a-z0-9][a-z0-9._-]*\.ndjson$/),
        count: z.number().int().nonnegative(),
        bytes: z.number().int().nonnegative(),
        incomplete: z.string().optional(),
      }),
      kindSchema.extend({ unknown: z.string() }),
    ]),
  ),
  logs: z.object({
    files: z.number().int().nonnegative(),
    /** Logs that should be there and are not; the first 1,000, with the reason. */
    missing: z.array(z.object({ log: z.string(), reason: z.string() })),
    missingCount: z.number().int().nonnegative(),
  }),
});
export type SnapshotIndex = z.infer<typeof snapshotIndexSchema>;

/** Names of namespaces, pods and containers (RFC 1123); anything else never becomes a path. */
const safeName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The path of a log in a snapshot, or undefined when a name could lead anywhere else. */
export function logFile(pod: { namespace: string; name: string }, container: string, previous: boolean): string | undefined {
  if (![pod.namespace, pod.name, container].every((name) => safeName.test(name) && !name.includes('..'))) return undefined;
  return `logs/${pod.namespace}/${pod.name}/${container}${previous ? '.previous' : ''}.log`;
}

/** The file of a kind, from names that the cluster made up. `taken` holds the files given out. */
export function kindFile(kind: { apiVersion: string; resource: string }, taken: Set<string>): string {
  const slash = kind.apiVersion.indexOf('/');
  const group = slash < 0 ? 'core' : kind.apiVersion.slice(0, slash);
  const base = `${kind.resource}.${group}`.toLowerCase().replace(/[^a-z0-9.-]/g, '_').replace(/^[^a-z0-9]+/, '').slice(0, 150) || 'kind';
  let file = `objects/${base}.ndjson`;
  for (let n = 2; taken.has(file); n += 1) file = `objects/${base}-${n}.ndjson`;
  taken.add(file);
  return file;
}
