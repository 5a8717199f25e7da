import type { Journal, JournalEntry, TaskLease } from '@larry/coordination';
import type { Intent } from '@larry/playbook';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureJournalKey, readJournalKey, workerJournal } from './worker-journal';

const lease: TaskLease = { run: 'r', task: 't', larry: 'larry-01', claim: 'c', holder: 'h', fence: '1' };
const intent = { id: 'r/t/step', at: '2026-01-01T00:00:00Z', verb: 'delete', before: { kind: 'ConfigMap' } } as unknown as Intent;
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Redis' side of a journal: anybody who can write there can change it. */
function aStore() {
  const stored = new Map<string, JournalEntry>();
  const journal = {
    intend: async (_: TaskLease, change: string, value: unknown) => void stored.set(change, { change, intent: value }),
    conclude: async (_: TaskLease, change: string, outcome: unknown) => void stored.set(change, { ...(stored.get(change) as JournalEntry), outcome }),
    entries: async () => JSON.parse(JSON.stringify([...stored.values()])) as JournalEntry[],
  } as unknown as Journal;
  return { stored, journal };
}

describe('the journal of a worker', () => {
  const key = Buffer.from('k'.repeat(32));

  it('gives back what it sealed', async () => {
    const { journal } = aStore();
    const ours = workerJournal(journal, lease, key, log);
    await ours.intent(intent);
    await ours.outcome(intent.id, 'rolling-back');
    expect(await ours.entries()).toEqual([{ intent, outcome: 'rolling-back' }]);
  });

  it.each<[string, (entry: JournalEntry) => JournalEntry]>([
    ['without a seal', (e) => ({ ...e, intent })],
    ['with another pre-image under the old seal', (e) => ({ ...e, intent: { ...(e.intent as object), value: { ...intent, before: { kind: 'ClusterRoleBinding' } } } })],
    ['under another id', (e) => ({ ...e, change: 'r/t/other' })],
  ])('ignores an intent %s', async (_what, forge) => {
    const { journal, stored } = aStore();
    const ours = workerJournal(journal, lease, key, log);
    await ours.intent(intent);
    stored.set(intent.id, forge(stored.get(intent.id) as JournalEntry));
    expect(await ours.entries()).toEqual([]);
  });

  it('takes a forged outcome for none, so that the target is looked at', async () => {
    const { journal, stored } = aStore();
    const ours = workerJournal(journal, lease, key, log);
    await ours.intent(intent);
    stored.set(intent.id, { ...(stored.get(intent.id) as JournalEntry), outcome: { value: 'rolling-back', seal: 'x' } });
    expect(await ours.entries()).toEqual([{ intent }]);
  });

  it("does not open another run's or another key's entries", async () => {
    const { journal } = aStore();
    await workerJournal(journal, lease, key, log).intent(intent);
    expect(await workerJournal(journal, { ...lease, run: 'r2' }, key, log).entries()).toEqual([]);
    expect(await workerJournal(journal, lease, Buffer.from('z'.repeat(32)), log).entries()).toEqual([]);
  });
});

describe('the key of the journal', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'larry-journal-key-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once, for its owner only', () => {
    const file = ensureJournalKey(path.join(folder, 'keys', 'journal.key'));
    const first = readJournalKey(file);
    expect(readJournalKey(ensureJournalKey(file))).toEqual(first);
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('is refused when it is too short, by one sentence', () => {
    const file = path.join(folder, 'short.key');
    writeFileSync(file, 'abc');
    expect(() => readJournalKey(file)).toThrow(/short\.key is too short/);
  });
});
