import { canonicalJson } from '@larry/contracts';
import type { Journal, TaskLease } from '@larry/coordination';
import { repeatableOutcomes, type EffectJournal, type Intent, type IntentOutcome, type PlaybookLog } from '@larry/playbook';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Makes the key of the journal unless it is there, readable by its owner only. Two processes at once end with one key. */
export function ensureJournalKey(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, randomBytes(32).toString('hex'), { mode: 0o600 });
    try {
      linkSync(temporary, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }
  return file;
}

interface Sealed<T> {
  value: T;
  seal: string;
}

/**
 * A task's journal of effects in Redis, written under the worker's fence. Every entry is sealed (HMAC-SHA-256) with a key
 * that is not in Redis: a rollback does what an intent says, so that who can write to Redis must not be able to make one.
 * An entry without its seal is as if it were lost; the marks at the targets then tell what is in effect.
 */
export function workerJournal(journal: Journal, lease: TaskLease, key: Buffer, log: PlaybookLog): EffectJournal {
  const sealOf = (what: 'intent' | 'outcome', id: string, value: unknown): string =>
    createHmac('sha256', key).update(canonicalJson({ what, run: lease.run, task: lease.task, id, value })).digest('hex');
  const opened = <T>(what: 'intent' | 'outcome', id: string, stored: unknown): T | undefined => {
    const { value, seal } = (stored ?? {}) as Partial<Sealed<T>>;
    if (value !== undefined && typeof seal === 'string' && sameText(seal, sealOf(what, id, value))) return value;
    log.warn({ change: id, what }, 'a journal entry without its seal is ignored');
    return undefined;
  };
  return {
    intent: async (intent) => {
      await journal.intend(lease, intent.id, { value: intent, seal: sealOf('intent', intent.id, intent) });
    },
    outcome: async (id, outcome) => {
      await journal.conclude(lease, id, { value: outcome, seal: sealOf('outcome', id, outcome), repeatable: repeatableOutcomes.includes(outcome) });
    },
    entries: async () => {
      const entries = await journal.entries(lease.run, lease.task);
      return entries.flatMap(({ change, intent, outcome }) => {
        const value = opened<Intent>('intent', change, intent);
        if (!value) return [];
        const became = outcome === undefined ? undefined : opened<IntentOutcome>('outcome', change, outcome);
        return [{ intent: value, ...(became === undefined ? {} : { outcome: became }) }];
      });
    },
  };
}

/** Reads the key of the journal. Throws one sentence that names the file. */
export function readJournalKey(file: string): Buffer {
  const key = Buffer.from(readFileSync(file, 'utf8').trim());
  if (key.length < 32) throw new Error(`the journal key ${file} is too short: it must have 32 characters or more`);
  return key;
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
