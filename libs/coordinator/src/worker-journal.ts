import type { Journal, TaskLease } from '@larry/coordination';
import type { EffectJournal, Intent } from '@larry/playbook';

/** A task's journal of effects in Redis, written under the worker's fence. */
export function workerJournal(journal: Journal, lease: TaskLease): EffectJournal {
  const intents = async (): Promise<{ intent: Intent; outcome?: unknown }[]> => {
    const entries = await journal.entries(lease.run, lease.task);
    return entries.map((e) => ({ intent: e.intent as Intent, outcome: e.outcome }));
  };
  return {
    intent: async (intent) => {
      await journal.intend(lease, intent.id, intent);
    },
    outcome: async (id, outcome) => {
      await journal.conclude(lease, id, { outcome });
    },
    open: async () => (await intents()).filter((e) => e.outcome === undefined).map((e) => e.intent),
    find: async (id) => (await intents()).find((e) => e.intent.id === id)?.intent,
  };
}
