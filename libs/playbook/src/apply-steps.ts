import { auditOf, takeBack, type Attempt } from './attempt';
import { asksFor, earlierAttempt, judge, personsWord, verdictsOf, type Asks, type Word } from './decision';
import type { EarlierChange } from './earlier';
import { applyChange, type EffectContext } from './effects';
import type { Step } from './engine';
import { commitOf } from './git-effect';

/** A step that the cluster would take, and by whose word; without one it waits for a person. */
interface Ready {
  step: Step;
  who?: string;
  /** The person who allowed it. */
  approvedBy?: string;
  /** An earlier attempt made it, and its journal was lost. */
  carried: boolean;
  /** And the audit log says so. */
  vouched?: boolean;
}

const afterFailure = 'an earlier step of this plan did not succeed';

/** @internal Applies a plan in order, up to the first step that does not succeed; nothing at all while one waits for a person. */
export async function applyPlan(attempt: Attempt, steps: readonly Step[]): Promise<Asks | undefined> {
  const { hands, options } = attempt;
  const ready = await judgeAll(attempt, steps, false);
  const waiting = ready.filter((r) => r.who === undefined).map((r) => r.step);
  const begun = steps.filter((s) => s.earlier?.matters || ready.some((r) => r.carried && r.step === s));
  const word = waiting.length > 0 ? await personsWord(hands, options, steps, waiting, begun) : undefined;
  if (word) tell(word, ready);
  if (word && typeof word === 'object' && 'asks' in word) return word.asks;
  const granted = word && typeof word === 'object' && 'granted' in word ? word.granted : undefined;
  if (granted !== undefined) for (const one of ready) if (one.who === undefined) one.approvedBy = granted;
  await applyReady(attempt, steps, word && granted === undefined ? ready.filter((r) => r.carried) : ready, false);
  return undefined;
}

/** @internal What {@link applyApart} left undone. */
export interface Undone {
  /** Nobody has said anything of them. */
  waiting: Step[];
  /** Some step needed nobody's word. */
  someFree: boolean;
  /** A person has decided on one, now or in an earlier attempt. */
  someDecided: boolean;
}

/** @internal Applies steps that do not build on each other: each by its own verdict, and none waits for another. */
export async function applyApart(attempt: Attempt, steps: readonly Step[]): Promise<Undone> {
  const { hands, options } = attempt;
  const ready = await judgeAll(attempt, steps, true);
  const asked = ready.filter((r) => r.who === undefined);
  const verdicts = await verdictsOf(hands, options, steps, asked.map((r) => r.step));
  for (const one of asked) {
    const verdict = verdicts.get(one.step);
    if (verdict?.granted) one.approvedBy = one.step.report.approvedBy = verdict.who;
    else if (verdict) Object.assign(one.step.report, { outcome: 'refused', reason: `denied by ${verdict.who}` });
    else if (hands.asksNoMore) Object.assign(one.step.report, { outcome: 'refused', reason: 'nobody decided on it in time' });
  }
  await applyReady(attempt, steps, ready.filter((r) => r.who !== undefined || r.approvedBy !== undefined), true);
  const someDecided = verdicts.size > 0 || steps.some((s) => s.earlier?.intent.approvedBy !== undefined);
  return { waiting: hands.asksNoMore ? [] : asked.filter((r) => !verdicts.has(r.step)).map((r) => r.step), someFree: asked.length < ready.length, someDecided };
}

/** @internal Asks for steps that are each decided by themselves; also written into their reports. */
export function askFor(waiting: readonly Step[], begun: boolean): Asks {
  const asks = asksFor(waiting, true, begun);
  for (const { report } of waiting) Object.assign(report, { outcome: 'awaiting-approval', reason: `larry approve ${report.digest.slice(0, 12)}` });
  return asks;
}

/** Takes up what earlier attempts left, and tries every other step in a dry run before any is applied. */
async function judgeAll(attempt: Attempt, steps: readonly Step[], apart: boolean): Promise<Ready[]> {
  const { context, hands, options } = attempt;
  const ready: Ready[] = [];
  let blocked = false;
  for (const step of steps) {
    if (step.earlier?.matters) {
      blocked = (!(await takeUp(attempt, step, step.earlier)) && !apart) || blocked;
      continue;
    }
    const judgement = blocked ? 'blocked' : await judge(context, hands, options, step);
    if (judgement === 'blocked') step.report.reason = afterFailure;
    else if (judgement === 'ask') ready.push({ step, carried: false });
    else if (judgement !== 'no') ready.push({ step, ...judgement, carried: judgement.who === earlierAttempt });
    blocked = blocked || (judgement === 'no' && !apart);
  }
  return ready;
}

/** Writes into the reports what people said, or that they are asked. */
function tell(word: Word, ready: readonly Ready[]): void {
  for (const { step, who, carried } of ready) {
    if (carried) continue;
    const { report } = step;
    if (word === 'not-asked') report.reason = 'the plan was begun before this was approved: run again to be asked for it';
    else if ('granted' in word) Object.assign(report, who === undefined ? { approvedBy: word.granted } : {});
    else if (who !== undefined) report.reason = 'denied' in word ? `another step of this plan was denied by ${word.denied}` : 'another step of this plan waits for an approval';
    else if ('denied' in word) Object.assign(report, { outcome: 'refused', reason: `denied by ${word.denied}` });
    else Object.assign(report, { outcome: 'awaiting-approval', reason: `larry approve ${word.asks.digest.slice(0, 12)}` });
  }
}

async function applyReady({ context, effects, hands }: Attempt, steps: readonly Step[], ready: readonly Ready[], apart: boolean): Promise<void> {
  let blocked = false;
  for (const { step, who, approvedBy, carried, vouched = false } of ready) {
    const actor = who ?? approvedBy;
    if (blocked || actor === undefined) {
      step.report.reason = afterFailure;
      continue;
    }
    if (step.change.after !== undefined && !isMade(steps, step.change.after)) {
      step.report.reason = 'the step that it belongs to was not made';
      continue;
    }
    // An approval is good for one making: what was made and has gone since is not made again by the same word.
    if (who === undefined && (await hands.audit.wasMade?.({ run: context.run, task: context.task, step: step.change.step }))) {
      Object.assign(step.report, { outcome: 'superseded', reason: 'this approval was used: the audit log says that the change was made before, and it has been undone since; run again to be asked anew' });
      blocked = !apart;
      continue;
    }
    // What is only adopted is not intended: the log would vouch for a mark of anybody's.
    if (!carried) await hands.audit.append({ ...auditOf(context, step, 'change_intended'), actor });
    const became = await applyChange({ ...(who === undefined ? allowedBy(effects, actor) : effects), vouched }, step.change, step.report.digest, step.earlier?.intent);
    Object.assign(step.report, { outcome: became.outcome, ...('reason' in became ? { reason: became.reason } : {}) });
    if ('commit' in became && step.report.git) step.report.git.commit = became.commit;
    const said = auditOf(context, step, `change_${became.outcome.replaceAll('-', '_')}`);
    // No making by anybody's word: it says nothing of whether an approval was used.
    const found: Record<string, true> = 'foundMarked' in became ? { foundMarked: true } : {};
    await hands.audit.append({ ...said, actor, details: { ...said.details, ...found } });
    step.failed = became.outcome === 'outcome-unknown';
    blocked = !apart && became.outcome !== 'applied' && became.outcome !== 'adopted';
  }
}

const isMade = (steps: readonly Step[], id: string): boolean => steps.some(({ change, report }) => change.step === id && (report.outcome === 'applied' || report.outcome === 'adopted'));

/** Whoever takes a change up later can tell who allowed it. */
function allowedBy(effects: EffectContext, approvedBy: string): EffectContext {
  const { journal } = effects;
  return { ...effects, journal: { intent: (intent) => journal.intent({ ...intent, approvedBy }), outcome: (id, outcome) => journal.outcome(id, outcome), entries: () => journal.entries() } };
}

/** Goes on where an earlier attempt ended; returns true when the change is in effect. Nothing is applied twice. */
async function takeUp(attempt: Attempt, step: Step, { state, intent }: EarlierChange): Promise<boolean> {
  if (intent.approvedBy !== undefined) step.report.approvedBy = intent.approvedBy;
  switch (state) {
    case 'in-effect':
      step.report.outcome = 'adopted';
      if (step.report.git) step.report.git.commit = await commitOf(attempt.effects, intent);
      return true;
    case 'unknown':
      step.failed = true;
      Object.assign(step.report, {
        outcome: 'outcome-unknown',
        reason: 'an earlier attempt ended in the middle of this change and the object no longer tells; look at it',
      });
      return false;
    case 'rolling-back':
      await takeBack(attempt, [step], () => 'an earlier attempt had begun to take it back');
      return false;
    case 'rolled-back':
      step.failed = true;
      Object.assign(step.report, { outcome: 'rolled-back', reason: 'an earlier attempt took it back; it is not tried twice in a run' });
      return false;
    case 'not-in-effect':
      return false;
  }
}
