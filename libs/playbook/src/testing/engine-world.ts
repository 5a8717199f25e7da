import type { PlannedChange } from '@larry/contracts';
import { z } from 'zod';
import { runPlaybook, type Hands, type PlaybookResult, type RunOptions } from '../engine';
import type { Playbook, PlaybookContext } from '../playbook';
import { aStep, aTargetObject } from './effect-cases';
import { memoryJournal, memoryTarget, type MemoryTarget } from './memory-target';

/** The object that steps change when nothing else is said. */
export const start = () => aTargetObject({ uid: 'u1', resourceVersion: '1' });
const ref = aStep().target;

/** A playbook that plans these steps, whatever it sees. */
export function aPlaybook(steps: PlannedChange[], parts: Partial<Playbook> = {}): Playbook {
  return {
    id: 't',
    title: 't',
    description: '',
    options: z.strictObject({ n: z.number().default(1) }),
    access: [],
    observe: () => Promise.resolve({}),
    diagnose: () => ({ summary: 'Diagnosed.', findings: [], figures: {}, criteria: [], unknowns: [] }),
    plan: () => steps,
    validate: () => Promise.resolve([]),
    ...parts,
  };
}

/** One task's world over several attempts: target, journal and audit log outlive each. */
export function aWorld(target: MemoryTarget = memoryTarget([start()])) {
  const journal = memoryJournal();
  const audit: string[] = [];
  const rollbacks: string[] = [];
  const verdicts = new Map<string, { granted: boolean; who: string }>();
  const hands: Hands = {
    writer: target.writer,
    journal,
    audit: { append: (entry) => Promise.resolve(audit.push(`${entry.step} ${entry.action} ${entry.actor}`)) },
    guard: () => undefined,
    approval: (digest) => Promise.resolve(verdicts.get(digest)),
    rollbackInitiated: (reason) => Promise.resolve(void rollbacks.push(reason)),
  };
  const run = (playbook: Playbook, options: Partial<RunOptions> = {}, given: unknown = {}, more: Partial<Hands> = {}): Promise<PlaybookResult> => {
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const context: PlaybookContext = {
      run: 'r', task: 't', cluster: target.cluster, options: given, signal: new AbortController().signal, results: new Map(), log,
      now: () => new Date(0), progress: () => undefined, wait: () => Promise.resolve(),
    };
    return runPlaybook(playbook, context, { mode: 'auto', allow: ['test'], hands: { ...hands, ...more }, ...options });
  };
  return { target, journal, audit, rollbacks, verdicts, hands, run, finalizers: () => target.get(ref)?.metadata.finalizers };
}
