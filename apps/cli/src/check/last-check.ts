import type { CheckReport, Finding } from '@larry/contracts';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const lastCheckSchema = z.object({
  version: z.literal(1),
  at: z.string(),
  findings: z.array(z.object({ id: z.string(), title: z.string() })),
});
type LastCheck = z.infer<typeof lastCheckSchema>;

/** What the last check of the same source found, if there was one. */
export function readLastCheck(source: CheckReport['source']): LastCheck | undefined {
  const file = fileOf(source);
  if (!existsSync(file)) return undefined;
  try {
    return lastCheckSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // A file that cannot be read compares as no check before; this one replaces it.
  }
}

/** Keeps this check's findings for the next `--since last`. A folder that cannot be written to is said, not fatal. */
export function keepLastCheck(source: CheckReport['source'], at: string, findings: readonly Finding[]): string | undefined {
  const file = fileOf(source);
  const kept: LastCheck = { version: 1, at, findings: findings.map(({ id, title }) => ({ id, title })) };
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600 });
    renameSync(temporary, file);
    return undefined;
  } catch (error) {
    return `this check could not be kept for --since last: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Which findings are new and which are gone, by their stable ids. */
export function compareChecks(last: LastCheck, findings: readonly Finding[]): NonNullable<CheckReport['since']> {
  const before = new Set(last.findings.map((f) => f.id));
  const now = new Set(findings.map((f) => f.id));
  return {
    previousAt: last.at,
    new: findings.filter((f) => !before.has(f.id)).map((f) => f.id),
    gone: last.findings.filter((f) => !now.has(f.id)),
  };
}

function fileOf(source: CheckReport['source']): string {
  const state = process.env['XDG_STATE_HOME'] ?? path.join(os.homedir(), '.local', 'state');
  const key = createHash('sha256').update(`${source.type}\0${source.type === 'live' ? source.name : path.resolve(source.name)}`).digest('hex').slice(0, 24);
  return path.join(state, 'larry', 'checks', `${key}.json`);
}
