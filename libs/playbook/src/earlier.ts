import { resolveIntent, type EffectContext } from './effects';
import type { Intent, IntentOutcome } from './intent';

/** @internal What earlier attempts at a task left of one change. */
export interface EarlierChange {
  intent: Intent;
  state: 'in-effect' | 'not-in-effect' | 'rolling-back' | 'rolled-back' | 'unknown';
  /** Anything but `not-in-effect`: it is to be verified, reported, and never repeated. */
  matters: boolean;
}

const states: Record<IntentOutcome, EarlierChange['state']> = {
  applied: 'in-effect',
  adopted: 'in-effect',
  'not-applied': 'not-in-effect',
  refused: 'not-in-effect',
  superseded: 'not-in-effect',
  'rolling-back': 'rolling-back',
  'rolled-back': 'rolled-back',
  'outcome-unknown': 'unknown',
};

/** @internal Every change that earlier attempts intended, oldest first; open ones are looked up at their target. */
export async function earlierChanges(effects: EffectContext): Promise<EarlierChange[]> {
  const entries = [...(await effects.journal.entries())].sort((a, b) => a.intent.at.localeCompare(b.intent.at));
  const changes: EarlierChange[] = [];
  for (const { intent, outcome } of entries) {
    const state = outcome ? states[outcome] : await settle(effects, intent);
    changes.push({ intent, state, matters: state !== 'not-in-effect' });
  }
  return changes;
}

async function settle(effects: EffectContext, intent: Intent): Promise<EarlierChange['state']> {
  const became = await resolveIntent(effects, intent);
  // What cannot be told stays open: the next attempt may see more.
  if (became === 'outcome-unknown') return 'unknown';
  const outcome = became === 'applied' ? 'adopted' : became === 'half-made' ? 'rolling-back' : became;
  await effects.journal.outcome(intent.id, outcome);
  return states[outcome];
}
