import type { Journal, TaskLease } from '@larry/coordination';
import { repeatableOutcomes, type EffectJournal, type Intent, type IntentOutcome } from '@larry/playbook';

/** A task's journal of effects in Redis, written under the worker's fence. */
export function workerJournal(journal: Journal, lease: TaskLease): EffectJournal {
  return {
    intent: async (intent) => {
      await journal.intend(lease, intent.id, intent);
    },
    outcome: async (id, outcome) => {
      await journal.conclude(lease, id, { outcome, repeatable: repeatableOutcomes.includes(outcome) });
    },
    entries: async () => {
      const entries = await journal.entries(lease.run, lease.task);
      return entries.map(({ intent, outcome }) => ({
        intent: intent as Intent,
        ...(outcome === undefined ? {} : { outcome: (outcome as { outcome: IntentOutcome }).outcome }),
      }));
    },
  };
}
