import {
  canonicalJson,
  describeRef,
  printable,
  redact,
  stripControl,
  type AppliedChange,
  type Criterion,
  type PlannedChange,
  type TaskResult,
} from '@larry/contracts';
import type { ClusterWriter, WriteOutcome } from '@larry/kube';
import { applyChange, changeDigest, changeId, resolveIntent, rollBack, type EffectContext, type EffectJournal, type Intent } from './effects';
import { PlaybookOptionsError } from './errors';
import { conditionalPatch, type PatchOperation } from './json-patch';
import { valueAt } from './json-pointer';
import type { Diagnosis, Playbook, PlaybookContext } from './playbook';

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

interface Step {
  change: PlannedChange;
  report: AppliedChange;
}

/**
 * Runs one playbook once: observe, diagnose, plan, approve, apply, verify, roll back. Returns what an attempt came to;
 * throws what `observe` throws, {@link PlaybookOptionsError} for bad options, and what the guard or the journal throw
 * when the lease is lost.
 */
export async function runPlaybook(playbook: Playbook, context: PlaybookContext, options: RunOptions): Promise<TaskResult> {
  const startedAt = context.now().toISOString();
  const checked: PlaybookContext = { ...context, options: parseOptions(playbook, context.options) };
  const facts = await playbook.observe(checked);
  context.signal.throwIfAborted();
  const diagnosis = playbook.diagnose(facts, checked.options);
  const finish = (outcome: TaskResult['outcome'], changes: AppliedChange[], criteria: Criterion[], summary = diagnosis.summary): TaskResult => ({
    ...emptyResult(context.task, startedAt),
    outcome,
    summary,
    endedAt: context.now().toISOString(),
    figures: diagnosis.figures,
    criteria,
    findings: diagnosis.findings,
    changes,
    unknowns: diagnosis.unknowns,
    artifacts: diagnosis.artifacts ?? {},
  });
  if (diagnosis.skip) {
    return { ...finish('skipped', [], diagnosis.criteria, diagnosis.skip.summary), skipReason: diagnosis.skip.reason };
  }

  const planned = playbook.plan?.(facts, diagnosis, checked.options) ?? [];
  const steps = await prepare(checked, planned);
  if (options.mode === 'observe' || !options.hands) {
    for (const { report } of steps) report.reason = options.hands ? 'mode observe: nothing is changed' : 'read-only: nothing is changed';
    return finish('completed', steps.map((s) => s.report), await finalCriteria(playbook, checked, facts, diagnosis, []));
  }

  const effects = effectContext(checked, options.hands);
  const left = await settleOpenIntents(effects, options.hands, steps);
  const waiting = await applyAll(checked, effects, options, steps);
  if (waiting) return finish('awaiting_approval', steps.map((s) => s.report), diagnosis.criteria);
  const applied = steps.filter((s) => s.report.outcome === 'applied' || s.report.outcome === 'adopted');
  const verification = playbook.verify ? await playbook.verify(checked, facts, applied.map((s) => s.change)) : { criteria: [], rollBack: [] };
  await markVerified(effects, options.hands, applied, verification.rollBack);
  const criteria = mergeCriteria(diagnosis.criteria, verification.criteria);
  const changes = [...left, ...steps.map((s) => s.report)];
  return finish(outcomeOf(steps), changes, criteria, summaryWith(diagnosis, changes));
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

/** Reads each target once, so that every planned change has the digest of what was observed, and a diff for people. */
async function prepare(context: PlaybookContext, planned: PlannedChange[]): Promise<Step[]> {
  const steps: Step[] = [];
  for (const change of planned) {
    const live = await context.cluster.get(change.target, context.signal);
    const report: AppliedChange = {
      id: changeId(context.run, context.task, change.step),
      summary: change.summary,
      target: change.target,
      outcome: 'proposed',
      digest: changeDigest(change, live),
      diff: diffText(change, live),
    };
    steps.push({ change, report });
  }
  return steps;
}

function diffText(change: PlannedChange, live: unknown): string {
  if (change.verb === 'delete') return `delete ${describeRef(change.target)}`;
  if (change.verb === 'create') return redact(`create ${describeRef(change.target)}\n${canonicalJson(change.object)}`).slice(0, 8000);
  const lines = ((change.patch ?? []) as PatchOperation[]).flatMap(({ op, path, value }) => [
    path,
    ...(op === 'add' ? [] : [`- ${canonicalJson(redact(valueAt(live, path)) ?? null)}`]),
    ...(op === 'remove' ? [] : [`+ ${canonicalJson(redact(value) ?? null)}`]),
  ]);
  return stripControl(lines.join('\n')).slice(0, 8000);
}

/** Changes of earlier attempts whose outcome is not known: looked up at the target, never repeated blindly. */
async function settleOpenIntents(effects: EffectContext, hands: Hands, steps: Step[]): Promise<AppliedChange[]> {
  const left: AppliedChange[] = [];
  for (const intent of await hands.journal.open()) {
    const became = await resolveIntent(effects, intent);
    if (became !== 'outcome-unknown') {
      await hands.journal.outcome(intent.id, became);
      if (became === 'applied' && !steps.some((s) => s.report.id === intent.id)) left.push(leftBehind(intent, 'adopted'));
      continue;
    }
    left.push(leftBehind(intent, 'outcome-unknown', 'an earlier attempt ended in the middle of this change and the object no longer tells; look at it'));
  }
  return left;
}

function leftBehind(intent: Intent, outcome: AppliedChange['outcome'], reason?: string): AppliedChange {
  const summary = `${intent.verb} of an earlier attempt`;
  return { id: intent.id, summary, target: intent.target, outcome, digest: intent.digest, diff: '', ...(reason ? { reason } : {}) };
}

/** Applies each step in order; returns true when one waits for a person, and stops at the first that did not succeed. */
async function applyAll(context: PlaybookContext, effects: EffectContext, options: RunOptions, steps: Step[]): Promise<boolean> {
  const hands = options.hands as Hands;
  let blocked = false;
  for (const step of steps) {
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
    const became = await applyChange(effects, step.change, step.report.digest);
    Object.assign(step.report, { outcome: became.outcome, ...('reason' in became ? { reason: became.reason } : {}) });
    await hands.audit.append({ ...auditOf(context, step, `change_${became.outcome.replaceAll('-', '_')}`), actor: verdict.who });
    blocked = became.outcome !== 'applied' && became.outcome !== 'adopted';
  }
  return false;
}

type Verdict = 'wait' | 'no' | { who: string };

async function decide(context: PlaybookContext, hands: Hands, options: RunOptions, step: Step): Promise<Verdict> {
  const { change, report } = step;
  const live = await context.cluster.get(change.target, context.signal);
  if (live?.metadata.annotations?.['larry.dev/change'] === report.id) return { who: 'larry (earlier attempt)' };
  if (!(await hands.writer.may(change.verb, change.target))) {
    Object.assign(report, { outcome: 'unverified-no-patch-right', reason: `unverified: no ${change.verb} right on ${describeRef(change.target)}` });
    return 'no';
  }
  const dry = await dryRun(hands.writer, change, live, report.id, context.signal);
  if (dry.outcome !== 'done') {
    Object.assign(report, { outcome: dry.outcome === 'conflict' ? 'superseded' : 'refused', reason: `server dry run: ${printable(dry.message, 500)}` });
    return 'no';
  }
  if (options.mode === 'auto' && options.allow.includes(change.category) && !change.alwaysAsk) return { who: 'larry (auto)' };
  const approval = await hands.approval(report.digest);
  if (!approval) {
    Object.assign(report, { outcome: 'awaiting-approval', reason: `larry approve ${report.digest.slice(0, 12)}` });
    return 'wait';
  }
  if (!approval.granted) {
    Object.assign(report, { outcome: 'refused', reason: `denied by ${approval.who}` });
    return 'no';
  }
  report.approvedBy = approval.who;
  return { who: approval.who };
}

async function dryRun(
  writer: ClusterWriter,
  change: PlannedChange,
  live: Awaited<ReturnType<PlaybookContext['cluster']['get']>>,
  id: string,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const options = { dryRun: true, signal };
  if (change.verb === 'create') return writer.create(change.object as never, options);
  if (!live) return { outcome: 'refused', status: 404, message: `${describeRef(change.target)} is gone` };
  if (change.verb === 'delete') return writer.remove(change.target, { uid: live.metadata.uid ?? '' }, options);
  const patch = conditionalPatch(live, (change.patch ?? []) as PatchOperation[], change.depends, id);
  return writer.patch({ target: change.target, patch }, options);
}

async function markVerified(effects: EffectContext, hands: Hands, applied: Step[], failures: { step: string; reason: string }[]): Promise<void> {
  for (const step of [...applied].reverse()) {
    const failure = failures.find((f) => f.step === step.change.step);
    if (!failure) {
      step.report.outcome = 'verified';
      continue;
    }
    await hands.rollbackInitiated(failure.reason, { change: step.report.id, target: describeRef(step.change.target) });
    const intent = await hands.journal.find(step.report.id);
    const became = intent ? await rollBack(effects, intent) : ({ outcome: 'outcome-unknown', reason: 'no pre-image was kept' } as const);
    const back = became.outcome === 'applied' || became.outcome === 'adopted';
    Object.assign(step.report, {
      outcome: back ? 'rolled-back' : became.outcome,
      reason: back ? failure.reason : `${failure.reason}; and the rollback failed: ${'reason' in became ? became.reason : ''}`,
    });
    await hands.journal.outcome(step.report.id, step.report.outcome);
    await hands.audit.append({ ...auditOf(effects, step, `change_${step.report.outcome.replaceAll('-', '_')}`), actor: 'larry (rollback)' });
  }
}

async function finalCriteria(playbook: Playbook, context: PlaybookContext, facts: unknown, diagnosis: Diagnosis, applied: PlannedChange[]): Promise<Criterion[]> {
  if (!playbook.verify) return diagnosis.criteria;
  const seen = await playbook.verify(context, facts, applied);
  return mergeCriteria(diagnosis.criteria, seen.criteria);
}

function mergeCriteria(first: Criterion[], later: Criterion[]): Criterion[] {
  const byId = new Map([...first, ...later].map((c) => [c.id, c]));
  return [...byId.values()];
}

/** A task whose change failed has failed; one whose change was refused or not needed has still done its diagnosis. */
function outcomeOf(steps: Step[]): TaskResult['outcome'] {
  const failed = steps.some((s) => s.report.outcome === 'rolled-back' || s.report.outcome === 'outcome-unknown');
  return failed ? 'failed' : 'completed';
}

function summaryWith(diagnosis: Diagnosis, changes: AppliedChange[]): string {
  if (changes.length === 0) return diagnosis.summary;
  const counts = new Map<string, number>();
  for (const { outcome } of changes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return `${diagnosis.summary} Changes: ${[...counts].map(([outcome, n]) => `${n} ${outcome}`).join(', ')}.`;
}

function auditOf(context: { run: string; task: string }, step: Step, action: string) {
  const { run, task } = context;
  return { action, run, task, step: step.change.step, digest: step.report.digest, details: { target: describeRef(step.report.target), diff: step.report.diff } };
}

function effectContext(context: PlaybookContext, hands: Hands): EffectContext {
  const { run, task, cluster, signal } = context;
  return { run, task, cluster, signal, writer: hands.writer, journal: hands.journal, guard: () => hands.guard() };
}
