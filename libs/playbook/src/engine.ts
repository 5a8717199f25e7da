import { describeRef, type AppliedChange, type Criterion, type PlannedChange, type TaskResult } from '@larry/contracts';
import type { HelmReleases } from '@larry/helm';
import type { ClusterWriter, GitBranches } from '@larry/kube';
import type { RequestedChange } from './approval-request';
import { earlierAttempt, judge, personsWord, type Asks, type Word } from './decision';
import { earlierChanges, type EarlierChange } from './earlier';
import { applyChange, type EffectContext } from './effects';
import { PlaybookOptionsError } from './errors';
import { commitOf } from './git-effect';
import type { EffectJournal } from './intent';
import type { Diagnosis, Playbook, PlaybookContext, Verification } from './playbook';
import { prepare } from './prepare';
import { rollBack } from './rollback';

/** What may be changed: `observe` nothing; `ask` what a named person approves; `auto` also the categories that the configuration allows. */
export const modes = ['observe', 'ask', 'auto'] as const;
export type Mode = (typeof modes)[number];

/** A person's verdict on the waiting changes of one plan, already verified against the key that is not in Redis. */
export interface Approval {
  granted: boolean;
  who: string;
}

type JsonValue = string | number | boolean | null;

/** The log of every change and approval, outside Redis (`libs/audit`). */
export interface AuditTrail {
  append(entry: {
    actor: string;
    action: string;
    run: string;
    task: string;
    step: string;
    digest: string;
    details: Record<string, JsonValue>;
  }): Promise<unknown>;
  /** Whether the log says that this change was made before; absent where nobody can tell. */
  wasMade?(change: { run: string; task: string; step: string }): Promise<boolean>;
}

/** What a playbook needs besides its context when it may change something. */
export interface Hands {
  writer: ClusterWriter;
  /** For changes of what Helm releases own; absent where there is no helm. */
  helm?: HelmReleases;
  /** For branches in the working clone of the manifests; absent where none is configured. */
  git?: GitBranches;
  journal: EffectJournal;
  audit: AuditTrail;
  /** Synchronous; throws when the lease may be over. Called directly before each request. */
  guard(): void;
  /** The verdict on exactly this digest, if there is one: of one change, or of several (`approvalDigest`). */
  approval(digest: string): Promise<Approval | undefined>;
  /** Says an alert to everybody: a rollback was begun. */
  rollbackInitiated(reason: string, data: Record<string, unknown>): Promise<void>;
}

/** How a playbook is run. Without `hands` nothing can be changed whatever the mode says. */
export interface RunOptions {
  mode: Mode;
  /** Categories of change that `auto` may make without asking. */
  allow: readonly string[];
  hands?: Hands;
}

/** @internal One change of this run with what is said of it. */
export interface Step {
  change: PlannedChange;
  report: AppliedChange;
  /** What a person is asked for. */
  requested: RequestedChange;
  /** What earlier attempts left of it. */
  earlier?: EarlierChange;
  /** It had to be taken back, or nobody knows what became of it. */
  failed?: boolean;
}

/** What an attempt came to; while it waits for a person also what for. */
export interface PlaybookResult extends TaskResult {
  /** The digest that an approval must carry, and what it is made of. */
  asks?: Asks;
}

/**
 * Runs one playbook once: observe, diagnose, plan, approve, apply, verify, roll back. Changes that earlier attempts made
 * are neither repeated nor forgotten: they are looked up, verified and reported as if this attempt had made them. A plan
 * has one approval: every step is tried in a dry run first, and nothing is applied while one of them waits. Returns
 * what an attempt came to; throws what `observe` throws, {@link PlaybookOptionsError} for bad options, and what the guard
 * or the journal throw when the lease is lost.
 */
export async function runPlaybook(playbook: Playbook, context: PlaybookContext, options: RunOptions): Promise<PlaybookResult> {
  const startedAt = context.now().toISOString();
  const checked: PlaybookContext = { ...context, options: parseOptions(playbook, context.options) };
  const facts = await playbook.observe(checked);
  context.signal.throwIfAborted();
  const pure = playbook.diagnose(facts, checked.options);
  const diagnosis = playbook.refine ? await playbook.refine(checked, facts, pure) : pure;
  const summary = diagnosis.skip?.summary ?? diagnosis.summary;
  const finish = (outcome: TaskResult['outcome'], changes: AppliedChange[], criteria: Criterion[], said = summary): TaskResult => ({
    ...emptyResult(context.task, startedAt),
    outcome,
    summary: said,
    endedAt: context.now().toISOString(),
    figures: diagnosis.figures,
    criteria,
    findings: diagnosis.findings,
    changes,
    unknowns: diagnosis.unknowns,
    artifacts: diagnosis.artifacts ?? {},
  });
  const hands = options.mode === 'observe' ? undefined : options.hands;
  const effects = hands && effectContext(checked, hands);
  const earlier = effects ? await earlierChanges(effects) : [];
  // Where an earlier attempt has mended it there is nothing left to do, and all of that to verify and report.
  if (diagnosis.skip && !earlier.some((e) => e.matters)) {
    return { ...finish('skipped', [], diagnosis.criteria), skipReason: diagnosis.skip.reason };
  }

  const planned = diagnosis.skip ? [] : (playbook.plan?.(facts, diagnosis, checked.options) ?? []);
  const steps = await prepare(checked, planned, earlier);
  const reports = steps.map((s) => s.report);
  if (!hands || !effects) {
    for (const report of reports) report.reason = options.hands ? 'mode observe: nothing is changed' : 'read-only: nothing is changed';
    return finish('completed', reports, await verifiedCriteria(playbook, checked, facts, diagnosis, []).then((v) => v.criteria));
  }

  const asks = await applyAll(checked, effects, hands, options, steps, playbook.independentSteps === true);
  if (asks) return { ...finish('awaiting_approval', reports, diagnosis.criteria), asks };
  const applied = steps.filter((s) => s.report.outcome === 'applied' || s.report.outcome === 'adopted');
  const { criteria, ...seen } = await verifiedCriteria(playbook, checked, facts, diagnosis, applied);
  await markVerified(effects, hands, applied, seen);
  return finish(steps.some((s) => s.failed) ? 'failed' : 'completed', reports, criteria, summaryWith(summary, reports));
}

/** A result with nothing in it yet. */
export function emptyResult(task: string, at: string): TaskResult {
  return { task, outcome: 'completed', summary: '', startedAt: at, endedAt: at, figures: {}, criteria: [], findings: [], changes: [], unknowns: [], artifacts: {} };
}

function parseOptions(playbook: Playbook, given: unknown): unknown {
  const parsed = playbook.options.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlaybookOptionsError(`task ${playbook.id}, option "${issue?.path.join('.') || 'with'}": ${issue?.message ?? 'not valid'}; correct it in the plan`);
}

/** A step that the cluster would take, and by whose word; without one it waits for a person. */
interface Ready {
  step: Step;
  who?: string;
  /** An earlier attempt made it, and its journal was lost. */
  carried: boolean;
}

/** Applies what may be, in order, up to the first that does not succeed; nothing at all while a step waits for a person. */
async function applyAll(context: PlaybookContext, effects: EffectContext, hands: Hands, options: RunOptions, steps: Step[], apart: boolean): Promise<Asks | undefined> {
  const judged = await judgeAll(context, effects, hands, options, steps, apart);
  const ready = apart ? withoutWaiting(judged) : judged;
  const waiting = ready.filter((r) => r.who === undefined).map((r) => r.step);
  const begun = steps.filter((s) => s.earlier?.matters || ready.some((r) => r.carried && r.step === s));
  const word = waiting.length > 0 ? await personsWord(hands, options, steps, waiting, begun) : undefined;
  if (word) tell(word, ready);
  if (word && typeof word === 'object' && 'asks' in word) return word.asks;
  const granted = word && typeof word === 'object' && 'granted' in word ? word.granted : undefined;
  await applyReady(context, effects, hands, word && !granted ? ready.filter((r) => r.carried) : ready, granted, apart);
  return undefined;
}

/** Where something can be made at once nothing waits: the rest is told, and asked for in another run. */
function withoutWaiting(ready: Ready[]): Ready[] {
  const free = ready.filter((r) => r.who !== undefined);
  if (free.length === 0) return ready;
  for (const { step, who } of ready) if (who === undefined) step.report.reason = 'it needs a person, and what needs none was made first: run again to be asked for it';
  return free;
}

/** Takes up what earlier attempts left, and tries every other step in a dry run before any is applied. */
async function judgeAll(context: PlaybookContext, effects: EffectContext, hands: Hands, options: RunOptions, steps: Step[], apart: boolean): Promise<Ready[]> {
  const ready: Ready[] = [];
  let blocked = false;
  for (const step of steps) {
    if (step.earlier?.matters) {
      blocked = (!(await takeUp(effects, hands, step, step.earlier)) && !apart) || blocked;
      continue;
    }
    const judgement = blocked ? 'blocked' : await judge(context, hands, options, step);
    if (judgement === 'blocked') step.report.reason = afterFailure;
    else if (judgement === 'ask') ready.push({ step, carried: false });
    else if (judgement !== 'no') ready.push({ step, who: judgement.who, carried: judgement.who === earlierAttempt });
    blocked = blocked || (judgement === 'no' && !apart);
  }
  return ready;
}

const afterFailure = 'an earlier step of this plan did not succeed';

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

async function applyReady(context: PlaybookContext, effects: EffectContext, hands: Hands, ready: readonly Ready[], granted: string | undefined, apart: boolean): Promise<void> {
  let blocked = false;
  for (const { step, who } of ready) {
    const actor = who ?? granted;
    if (blocked || actor === undefined) {
      step.report.reason = afterFailure;
      continue;
    }
    // An approval is good for one making: what was made and has gone since is not made again by the same word.
    if (who === undefined && (await hands.audit.wasMade?.({ run: context.run, task: context.task, step: step.change.step }))) {
      Object.assign(step.report, { outcome: 'superseded', reason: 'this approval was used: the audit log says that the change was made before, and it has been undone since; run again to be asked anew' });
      blocked = !apart;
      continue;
    }
    await hands.audit.append({ ...auditOf(context, step, 'change_intended'), actor });
    const became = await applyChange(effects, step.change, step.report.digest, step.earlier?.intent);
    Object.assign(step.report, { outcome: became.outcome, ...('reason' in became ? { reason: became.reason } : {}) });
    if ('commit' in became && step.report.git) step.report.git.commit = became.commit;
    await hands.audit.append({ ...auditOf(context, step, `change_${became.outcome.replaceAll('-', '_')}`), actor });
    step.failed = became.outcome === 'outcome-unknown';
    blocked = !apart && became.outcome !== 'applied' && became.outcome !== 'adopted';
  }
}

/** Goes on where an earlier attempt ended; returns true when the change is in effect. Nothing is applied twice. */
async function takeUp(effects: EffectContext, hands: Hands, step: Step, earlier: EarlierChange): Promise<boolean> {
  switch (earlier.state) {
    case 'in-effect':
      step.report.outcome = 'adopted';
      if (step.report.git) step.report.git.commit = await commitOf(effects, earlier.intent);
      return true;
    case 'unknown':
      step.failed = true;
      Object.assign(step.report, {
        outcome: 'outcome-unknown',
        reason: 'an earlier attempt ended in the middle of this change and the object no longer tells; look at it',
      });
      return false;
    case 'rolling-back':
      await takeBack(effects, hands, step, 'an earlier attempt had begun to take it back');
      return false;
    case 'rolled-back':
      step.failed = true;
      Object.assign(step.report, { outcome: 'rolled-back', reason: 'an earlier attempt took it back; it is not tried twice in a run' });
      return false;
    case 'not-in-effect':
      return false;
  }
}

async function markVerified(effects: EffectContext, hands: Hands, applied: Step[], { rollBack: failures, provisional = [] }: Omit<Verification, 'criteria'>): Promise<void> {
  for (const step of [...applied].reverse()) {
    const failure = failures.find((f) => f.step === step.change.step);
    if (failure) await takeBack(effects, hands, step, failure.reason);
    else {
      const open = provisional.find((p) => p.step === step.change.step);
      Object.assign(step.report, open ? { outcome: 'provisional', reason: open.reason } : { outcome: 'verified' });
    }
  }
}

async function takeBack(effects: EffectContext, hands: Hands, step: Step, why: string): Promise<void> {
  await hands.rollbackInitiated(why, { change: step.report.id, target: describeRef(step.change.target) });
  const entry = (await hands.journal.entries()).find((e) => e.intent.id === step.report.id);
  const became = entry ? await rollBack(effects, entry.intent) : ({ outcome: 'outcome-unknown', reason: 'no pre-image was kept' } as const);
  const back = became.outcome === 'applied' || became.outcome === 'adopted';
  Object.assign(step.report, {
    outcome: back ? 'rolled-back' : became.outcome,
    reason: back ? why : `${why}; and the rollback failed: ${'reason' in became ? became.reason : ''}`,
  });
  step.failed = true;
  await hands.audit.append({ ...auditOf(effects, step, back ? 'change_rolled_back' : 'change_rollback_failed'), actor: 'larry (rollback)' });
}

async function verifiedCriteria(playbook: Playbook, context: PlaybookContext, facts: unknown, diagnosis: Diagnosis, applied: Step[]): Promise<Verification> {
  if (!playbook.verify) return { criteria: diagnosis.criteria, rollBack: [] };
  const seen = await playbook.verify(context, facts, applied.map((s) => s.change));
  return { ...seen, criteria: mergeCriteria(diagnosis.criteria, seen.criteria) };
}

function mergeCriteria(first: Criterion[], later: Criterion[]): Criterion[] {
  const byId = new Map([...first, ...later].map((c) => [c.id, c]));
  return [...byId.values()];
}

function summaryWith(summary: string, changes: AppliedChange[]): string {
  if (changes.length === 0) return summary;
  const counts = new Map<string, number>();
  for (const { outcome } of changes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return `${summary} Changes: ${[...counts].map(([outcome, n]) => `${n} ${outcome}`).join(', ')}.`;
}

function auditOf(context: { run: string; task: string }, step: Step, action: string) {
  const { run, task } = context;
  const { digest, target, diff, git } = step.report;
  const branch = git && { branch: git.branch, ...(git.commit ? { commit: git.commit } : {}) };
  return { action, run, task, step: step.change.step, digest, details: { target: describeRef(target), ...branch, diff } };
}

function effectContext(context: PlaybookContext, hands: Hands): EffectContext {
  const { run, task, cluster, signal } = context;
  return { run, task, cluster, signal, writer: hands.writer, ...(hands.helm ? { helm: hands.helm } : {}), ...(hands.git ? { git: hands.git } : {}), journal: hands.journal, guard: () => hands.guard() };
}
