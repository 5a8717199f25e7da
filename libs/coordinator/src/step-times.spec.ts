import { definePlaybook, type EffectJournal, type Intent, type IntentOutcome, type PlaybookContext } from '@larry/playbook';
import { z } from 'zod';
import { StepTimes } from './step-times';

let now = 0;
const passes = (ms: number): void => void (now += ms);
const takes = async (ms: number): Promise<void> => passes(ms);
beforeEach(() => (now = 1000));

const playbook = definePlaybook({
  id: 'reads', title: 't', description: 'd', options: z.strictObject({}), access: [],
  observe: async () => takes(40),
  diagnose: () => {
    passes(2.06);
    return { summary: 's', findings: [], figures: {}, criteria: [], unknowns: [] };
  },
  validate: async () => [],
}); // prettier-ignore
const context = {} as PlaybookContext;
const target = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'one', name: 'settings' };
const intent = { id: 'r/t/s', target } as Intent;
const journal = (): EffectJournal & { kept: IntentOutcome[] } => {
  const kept: IntentOutcome[] = [];
  return { kept, intent: () => takes(1), outcome: async (_, outcome) => void kept.push(outcome), entries: async () => [] };
};

it('tells of each step how long before now it began, and how long it took', async () => {
  const times = new StepTimes(() => now);
  const timed = times.playbook(playbook);
  await timed.observe(context);
  timed.diagnose(undefined, {});
  passes(10);
  expect(times.steps()).toEqual([
    { step: 'observe', began_ms_ago: 52.1, took_ms: 40 },
    { step: 'diagnose', began_ms_ago: 12.1, took_ms: 2.1 },
  ]);
  expect([timed.plan, timed.verify]).toEqual([undefined, undefined]);
});

it('tells which step ended with which error, and hands the error on', async () => {
  const times = new StepTimes(() => now);
  const timed = times.playbook({ ...playbook, observe: () => Promise.reject(new Error('connection reset')) });
  await expect(timed.observe(context)).rejects.toThrow('connection reset');
  expect(times.steps()).toEqual([{ step: 'observe', began_ms_ago: 0, took_ms: 0, problem: 'connection reset' }]);
});

it('takes a change from its intent to its outcome, and its rollback after it', async () => {
  const times = new StepTimes(() => now);
  const kept = journal();
  const timed = times.journal(kept);
  await timed.intent(intent);
  passes(30);
  await timed.outcome(intent.id, 'applied');
  passes(500);
  await timed.outcome(intent.id, 'rolling-back');
  passes(20);
  await timed.outcome(intent.id, 'rolled-back');
  expect(kept.kept).toEqual(['applied', 'rolling-back', 'rolled-back']);
  expect(times.steps()).toEqual([
    { step: 'apply', target: 'ConfigMap one/settings', outcome: 'applied', began_ms_ago: 551, took_ms: 31 },
    { step: 'roll-back', target: 'ConfigMap one/settings', outcome: 'rolled-back', began_ms_ago: 20, took_ms: 20 },
  ]);
});

it('fits one event, however many changes there were', async () => {
  const times = new StepTimes(() => now);
  const timed = times.journal(journal());
  for (let i = 0; i < 150; i += 1) {
    await timed.intent({ ...intent, id: `r/t/${i}` });
    await timed.outcome(`r/t/${i}`, 'applied');
  }
  expect(times.steps()).toHaveLength(100);
});
