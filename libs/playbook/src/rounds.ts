import { describeRef, type Criterion, type Finding, type PlannedChange } from '@larry/contracts';
import { applyApart, applyPlan, askFor } from './apply-steps';
import { isInEffect, lookAt, takeBack, type Attempt, type Look } from './attempt';
import type { Asks } from './decision';
import { changeId } from './effects';
import type { Step } from './engine';
import { prepare, prepareNew } from './prepare';

/** How many changes one object may get in a run: a workload in which more faults hide each other is for people. */
export const maxRounds = 3;

/** @internal What an attempt came to, as it grows. */
interface Rounds {
  steps: Step[];
  criteria: Criterion[];
  findings: Finding[];
  /** What a person is asked for at the end of the attempt. */
  waiting: Step[];
  /** What would be asked for if nothing could be made without a person. */
  left: Step[];
}

/** The changes of one object, in order, that are in effect and did not make it well yet. */
interface Chain {
  steps: Step[];
  reason: string;
}

/**
 * @internal Applies what is planned and verifies it. Where that uncovered another fault of the same object, it looks again and makes the
 * next change, until the object is well (then all of them are kept), or there is none (then all are taken back, the last
 * first). What waits for a person is asked for at the end, and what is in effect by then stays until it is decided.
 */
export async function runRounds(attempt: Attempt, first: Look): Promise<Omit<Rounds, 'waiting' | 'left'> & { asks?: Asks }> {
  const { playbook, context, earlier } = attempt;
  const { facts, diagnosis } = first;
  const planned = diagnosis.skip ? [] : (playbook.plan?.(facts, diagnosis, context.options) ?? []).filter((change) => !isBegun(attempt, change));
  const rounds: Rounds = { steps: await prepare(context, planned, earlier), criteria: diagnosis.criteria, findings: diagnosis.findings, waiting: [], left: [] };
  const asks = await begin(attempt, rounds);
  if (asks) return { ...rounds, asks };
  let look = first;
  let open = rounds.steps.filter(isInEffect);
  if (open.length === 0 && rounds.waiting.length > 0) return { ...rounds, ...ask(rounds) };
  do {
    const { chains, rest } = await verify(attempt, look, open, rounds);
    if (chains.length === 0) break;
    look = await lookAt(playbook, context);
    open = [...rest, ...(await nextRound(attempt, look, chains, rounds))];
  } while (open.length > 0);
  return { ...rounds, ...ask(rounds) };
}

/** What an earlier attempt has begun to mend is looked at first: its next change is one of another round. */
function isBegun({ playbook, earlier, context }: Attempt, { target, step }: PlannedChange): boolean {
  const id = changeId(context.run, context.task, step);
  return playbook.next !== undefined && earlier.some(({ state, intent }) => state === 'in-effect' && intent.id !== id && describeRef(intent.target) === describeRef(target));
}

/** The first round. Returns what a plan that is decided as a whole waits for. */
async function begin(attempt: Attempt, rounds: Rounds): Promise<Asks | undefined> {
  if (!attempt.playbook.independentSteps) return applyPlan(attempt, rounds.steps);
  const { waiting, someFree, someDecided } = await applyApart(attempt, rounds.steps);
  const begun = someFree || rounds.steps.some((s) => s.earlier?.matters);
  // A run in auto that has asked for nothing so far waits for nobody: what was made is told at once.
  if (attempt.options.mode === 'auto' && begun && !someDecided) rounds.left = waiting;
  else rounds.waiting = waiting;
  return undefined;
}

/** Looks at what is in effect, and takes back what did not help. Returns what uncovered something else, and what is looked at again then. */
async function verify(attempt: Attempt, { facts }: Look, open: readonly Step[], rounds: Rounds): Promise<{ chains: Chain[]; rest: Step[] }> {
  const { playbook, context } = attempt;
  const seen = (await playbook.verify?.(context, facts, open.map((s) => s.change))) ?? { criteria: [], rollBack: [] };
  rounds.criteria = mergeCriteria(rounds.criteria, seen.criteria);
  const reasons = new Map(seen.rollBack.map(({ step, reason }) => [step, reason]));
  await takeBack(attempt, open.filter((s) => reasons.has(s.change.step)), (s) => reasons.get(s.change.step) ?? '');
  const chains = (seen.uncovered ?? []).map(({ steps, reason }): Chain => ({ steps: open.filter((s) => steps.includes(s.change.step)), reason }));
  const rest = open.filter((s) => !reasons.has(s.change.step) && !chains.some((c) => c.steps.includes(s)));
  if (chains.length > 0) return { chains, rest };
  for (const { change, report } of rest) {
    const provisional = seen.provisional?.find((p) => p.step === change.step);
    Object.assign(report, provisional ? { outcome: 'provisional', reason: provisional.reason } : { outcome: 'verified' });
  }
  return { chains, rest: [] };
}

/** Makes the next change of each chain. Returns the steps of those that go on, to be verified; what does not is taken back. */
async function nextRound(attempt: Attempt, look: Look, chains: readonly Chain[], rounds: Rounds): Promise<Step[]> {
  const going: { chain: Chain; change: PlannedChange }[] = [];
  for (const chain of chains) {
    const next = nextOf(attempt, look, chain, rounds);
    if ('none' in next) await takeBack(attempt, chain.steps, () => `${chain.reason}; ${next.none}`);
    else if ('waits' in next) hold(chain);
    else going.push({ chain, change: next.change });
  }
  const steps = await prepareNew(attempt.context, going.map((g) => g.change), attempt.earlier);
  rounds.steps.push(...steps);
  const { waiting } = await applyApart(attempt, steps);
  rounds.waiting.push(...waiting);
  const open: Step[] = [];
  for (const [i, { chain }] of going.entries()) {
    const step = steps[i] as Step;
    if (waiting.includes(step)) hold(chain);
    else if (isInEffect(step)) open.push(...chain.steps, step);
    else await takeBack(attempt, chain.steps, () => `${chain.reason}; the change for that was not made: ${step.report.reason ?? step.report.outcome}`);
  }
  return open;
}

/** The change that a chain goes on with, `waits` where a person is asked for it already. */
function nextOf({ playbook, context, earlier }: Attempt, { facts, diagnosis }: Look, { steps }: Chain, rounds: Rounds): { change: PlannedChange } | { waits: true } | { none: string } {
  rounds.findings = withFindings(rounds.findings, diagnosis.findings.filter((f) => steps.some((s) => describeRef(s.change.target) === describeRef(f.object))));
  if (steps.length >= maxRounds) return { none: `${maxRounds} changes of one object are as many as Larry makes in a run` };
  const next = playbook.next?.(facts, diagnosis, context.options, steps.map((s) => s.change)) ?? { none: 'this task makes no further change of it' };
  if ('none' in next) return next;
  const id = changeId(context.run, context.task, next.change.step);
  const known = rounds.steps.find((s) => s.report.id === id);
  if (known && [...rounds.left, ...rounds.waiting].includes(known)) {
    if (!rounds.waiting.includes(known)) rounds.waiting.push(known);
    rounds.left = rounds.left.filter((s) => s !== known);
    return { waits: true };
  }
  if (known) return { none: isInEffect(known) ? 'the change for that is in effect already' : `the change for that was not made: ${known.report.reason ?? known.report.outcome}` };
  if (earlier.some((e) => e.matters && e.intent.id === id)) return { none: 'the change for that was made before in this run' };
  return next;
}

/** A chain whose next change a person is asked for stays as it is. */
function hold({ steps, reason }: Chain): void {
  for (const { report } of steps) Object.assign(report, { outcome: 'provisional', reason: `${reason}; the change for that waits for an approval, and this one is taken back with a denial` });
}

/** What needs a person is asked for together, or told. */
function ask({ steps, waiting, left }: Rounds): { asks?: Asks } {
  const begun = steps.some((s) => s.failed || isInEffect(s) || s.report.outcome === 'provisional' || s.report.outcome === 'verified');
  if (waiting.length > 0) return { asks: askFor([...waiting, ...left], begun) };
  for (const { report } of left) report.reason = 'it needs a person, and what needs none was made first: run again to be asked for it';
  return {};
}

/** @internal The later of two criteria with one id counts. */
export function mergeCriteria(first: readonly Criterion[], later: readonly Criterion[]): Criterion[] {
  return [...new Map([...first, ...later].map((c) => [c.id, c])).values()];
}

function withFindings(first: readonly Finding[], later: readonly Finding[]): Finding[] {
  return [...first, ...later.filter((f) => !first.some(({ id }) => id === f.id))];
}
