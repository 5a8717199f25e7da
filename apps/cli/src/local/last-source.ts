import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const lastSourceSchema = z.object({
  /** As {@link LocalStackOptions.source}. */
  source: z.string(),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  git: z.string().optional(),
});

/** What a run under a state folder read: it is looked at again when that run was cut off, whatever the next one reads. */
export type LastSource = z.infer<typeof lastSourceSchema>;

const fileOf = (state: string): string => path.join(state, 'last-source.json');

/** Kept before a run can begin, and after it. */
export function writeLastSource(state: string, { source, kubeconfig, context, git }: LastSource): void {
  const absolute = (file: string | undefined): string | undefined => (file === undefined ? undefined : path.resolve(file));
  const temporary = `${fileOf(state)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ source, kubeconfig: absolute(kubeconfig), context, git: absolute(git) }), { mode: 0o600 });
  renameSync(temporary, fileOf(state));
}

/** Undefined where there was no run, or the file is not ours. */
export function readLastSource(state: string): LastSource | undefined {
  if (!existsSync(fileOf(state))) return undefined;
  try {
    return lastSourceSchema.safeParse(JSON.parse(readFileSync(fileOf(state), 'utf8'))).data;
  } catch {
    return undefined;
  }
}
