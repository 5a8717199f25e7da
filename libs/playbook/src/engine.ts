import { canonicalJson, describeRef, redact, stripControl, type AppliedChange, type Criterion, type PlannedChange, type TaskResult } from '@larry/contracts';
import type { ClusterWriter } from '@larry/kube';
import { decide } from './decision';
import { earlierChanges, type EarlierChange } from './earlier';
import { applyChange, changeDigest, changeId, type EffectContext } from './effects';
import { PlaybookOptionsError } from './errors';
import type { EffectJournal } from './intent';
import type { PatchOperation } from './json-patch';
import { valueAt } from './json-pointer';
import type { Diagnosis, Playbook, PlaybookContext, Verification } from './playbook';
import { rollBack } from './rollback';

/** What may be changed: `observe` nothing; `ask` what a named person approves; `auto` also the categories that the configuration allows. */
export const modes = ['observe', 'ask', 'auto'] as const;
export type Mode = (typeof modes)[number];

/** A person's verdict on one change, already verified against the key that is not in Redis. */
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
}

/** What a playbook needs besides its context when it may change something. */
export interface Hands {
  writer: ClusterWriter;
  journal: EffectJournal;
  audit: AuditTrail;
  /** Synchronous; throws when the lease may be over. Called directly before each request. */
  guard(): void;
  /** The verdict on a change with exactly this digest, if there is one. */
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
  /** What earlier attempts left of it. */
  earlier?: EarlierChange;
  /** It had to be taken back, or nobody knows what became of it. */
  failed?: boolean;
}

/**
 * Runs one playbook once: observe, diagnose, plan, approve, apply, verify, roll back. Changes that earlier attempts made
 * are neither repeated nor forgotten: they are looked up, verified and reported as if this attempt had made them. Returns
 * what an attempt came to; throws what `observe` throws, {@link PlaybookOptionsError} for bad options, and what the guard
 * or the journal throw when the lease is lost.
 */
export async function runPlaybook(playbook: Playbook, context: PlaybookContext, options: RunOptions): Promise<TaskResult> {
  const startedAt = context.now().toISOString();
  const checked: PlaybookContext = { ...context, options: parseOptions(playbook, context.options) };
  const facts = await playbook.observe(checked);
  context.signal.throwIfAborted();
  const diagnosis = playbook.diagnose(facts, checked.options);
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

  if (await applyAll(checked, effects, hands, options, steps)) return finish('awaiting_approval', reports, diagnosis.criteria);
  const applied = steps.filter((s) => s.report.outcome === 'applied' || s.report.outcome === 'adopted');
  const { criteria, rollBack: failures } = await verifiedCriteria(playbook, checked, facts, diagnosis, applied);
  await markVerified(effects, hands, applied, failures);
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

/**
 * Reads each target once, so that every planned change has the digest of what was observed, and a diff for people. What
 * earlier attempts left in effect comes first, whether it is planned again or not.
 */
async function prepare(context: PlaybookContext, planned: PlannedChange[], earlier: readonly EarlierChange[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const { intent, matters, ...rest } of earlier) {
    if (!matters || planned.some((p) => changeId(context.run, context.task, p.step) === intent.id)) continue;
    steps.push({ change: intent.change, report: reportOf(intent.id, intent.change, intent.digest, undefined), earlier: { intent, matters, ...rest } });
  }
  for (const change of planned) {
    const id = changeId(context.run, context.task, change.step);
    const before = earlier.find((e) => e.intent.id === id);
    const live = await context.cluster.get(change.target, context.signal);
    const digest = before?.matters ? before.intent.digest : changeDigest(change, live);
    steps.push({ change, report: reportOf(id, change, digest, live), ...(before ? { earlier: before } : {}) });
  }
  return steps;
}

function reportOf(id: string, change: PlannedChange, digest: string, live: unknown): AppliedChange {
  return { id, summary: change.summary, target: change.target, outcome: 'proposed', digest, diff: diffText(change, live) };
}

function diffText(change: PlannedChange, live: unknown): string {
  if (change.verb === 'delete') return `delete ${describeRef(change.target)}`;
  if (change.verb === 'create') return redact(`create ${describeRef(change.target)}${change.object ? `\n${canonicalJson(change.object)}` : ''}`).slice(0, 8000);
  const lines = ((change.patch ?? []) as PatchOperation[]).flatMap(({ op, path, value }) => [
    path,
    ...(op === 'add' ? [] : [`- ${canonicalJson(redact(valueAt(live, path)) ?? null)}`]),
    ...(op === 'remove' ? [] : [`+ ${canonicalJson(redact(value) ?? null)}`]),
  ]);
  return stripControl(lines.join('\n')).slice(0, 8000);
}

/** Applies each step in order; returns true when one waits for a person, and stops at the first that did not succeed. */
async function applyAll(context: PlaybookContext, effects: EffectContext, hands: Hands, options: RunOptions, steps: Step[]): Promise<boolean> {
  let blocked = false;
  for (const step of steps) {
    if (step.earlier?.matters) {
      blocked = !(await takeUp(effects, hands, step, step.earlier)) || blocked;
      continue;
    }
    if (blocked) {
      Object.assign(step.report, { outcome: 'proposed', reason: 'an earlier step of this plan did not succeed' });
      continue;
    }
    const verdict = await decide(context, hands, options, step);
    if (verdict === 'wait') return true;
    if (verdict === 'no') {
      blocked = true;
      continue;
    }
    await hands.audit.append({ ...auditOf(context, step, 'change_intended'), actor: verdict.who });
    const became = await applyChange(effects, step.change, step.report.digest, step.earlier?.intent);
    Object.assign(step.report, { outcome: became.outcome, ...('reason' in became ? { reason: became.reason } : {}) });
    await hands.audit.append({ ...auditOf(context, step, `change_${became.outcome.replaceAll('-', '_')}`), actor: verdict.who });
    step.failed = became.outcome === 'outcome-unknown';
    blocked = became.outcome !== 'applied' && became.outcome !== 'adopted';
  }
  return false;
}

/** Goes on where an earlier attempt ended; returns true when the change is in effect. Nothing is applied twice. */
async function takeUp(effects: EffectContext, hands: Hands, step: Step, earlier: EarlierChange): Promise<boolean> {
  switch (earlier.state) {
    case 'in-effect':
      step.report.outcome = 'adopted';
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

async function markVerified(effects: EffectContext, hands: Hands, applied: Step[], failures: { step: string; reason: string }[]): Promise<void> {
  for (const step of [...applied].reverse()) {
    const failure = failures.find((f) => f.step === step.change.step);
    if (failure) await takeBack(effects, hands, step, failure.reason);
    else step.report.outcome = 'verified';
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
  return { criteria: mergeCriteria(diagnosis.criteria, seen.criteria), rollBack: seen.rollBack };
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
  return { action, run, task, step: step.change.step, digest: step.report.digest, details: { target: describeRef(step.report.target), diff: step.report.diff } };
}

function effectContext(context: PlaybookContext, hands: Hands): EffectContext {
  const { run, task, cluster, signal } = context;
  return { run, task, cluster, signal, writer: hands.writer, journal: hands.journal, guard: () => hands.guard() };
}
