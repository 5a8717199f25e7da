import type { AppliedChange, Criterion, Finding, PlannedChange, TaskResult } from '@larry/contracts';
import type { HelmReleases } from '@larry/helm';
import type { ClusterWriter, GitBranches } from '@larry/kube';
import type { RequestedChange } from './approval-request';
import { lookAt, type Attempt } from './attempt';
import type { Asks } from './decision';
import { earlierChanges, type EarlierChange } from './earlier';
import { changeId, type EffectContext } from './effects';
import { PlaybookOptionsError } from './errors';
import type { EffectJournal } from './intent';
import type { Playbook, PlaybookContext } from './playbook';
import { prepare } from './prepare';
import { mergeCriteria, runRounds } from './rounds';

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
  /** Whether its last word on this change leaves it in effect or begun, so that a mark at an object is ours; absent where nobody can tell. */
  vouches?(change: { run: string; task: string; step: string }): Promise<boolean>;
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
  /** Nobody decided in time on what was asked: nothing more is asked for, and what needs a person is not made. */
  asksNoMore?: boolean;
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
 * Runs one playbook once: observe, diagnose, plan, approve, apply, verify, roll back; and in further rounds, where a change
 * has uncovered the next fault of its object. Changes that earlier attempts made are neither repeated nor forgotten: they
 * are looked up, verified and reported as if this attempt had made them. Every step is tried in a dry run first; a plan has
 * one approval, and nothing of it is applied while one step waits; steps that do not build on each other are each decided
 * by themselves. Returns what an attempt came to; throws what `observe` throws, {@link PlaybookOptionsError} for bad
 * options, and what the guard or the journal throw when the lease is lost.
 */
export async function runPlaybook(playbook: Playbook, context: PlaybookContext, options: RunOptions): Promise<PlaybookResult> {
  const startedAt = context.now().toISOString();
  const given: PlaybookContext = { ...context, options: parseOptions(playbook, context.options) };
  const hands = options.mode === 'observe' ? undefined : options.hands;
  const effects = hands && effectContext(given, hands);
  const checked: PlaybookContext = hands ? { ...given, isOurs: (step) => isOurs(hands, { run: given.run, task: given.task, step }) } : given;
  const first = await lookAt(playbook, checked);
  const { facts, diagnosis } = first;
  const summary = diagnosis.skip?.summary ?? diagnosis.summary;
  const finish = (outcome: TaskResult['outcome'], changes: AppliedChange[], criteria: Criterion[], findings: Finding[] = diagnosis.findings, said = summary): TaskResult => ({
    ...emptyResult(context.task, startedAt),
    outcome,
    summary: said,
    endedAt: context.now().toISOString(),
    figures: diagnosis.figures,
    criteria,
    findings,
    changes,
    unknowns: diagnosis.unknowns,
    artifacts: diagnosis.artifacts ?? {},
  });
  const earlier = effects ? await earlierChanges(effects) : [];
  // Where an earlier attempt has mended it there is nothing left to do, and all of that to verify and report.
  if (diagnosis.skip && !earlier.some((e) => e.matters)) {
    return { ...finish('skipped', [], diagnosis.criteria), skipReason: diagnosis.skip.reason };
  }
  if (!hands || !effects) {
    const planned = diagnosis.skip ? [] : (playbook.plan?.(facts, diagnosis, checked.options) ?? []);
    const reports = (await prepare(checked, planned, earlier)).map((s) => s.report);
    for (const report of reports) report.reason = options.hands ? 'mode observe: nothing is changed' : 'read-only: nothing is changed';
    const seen = await playbook.verify?.(checked, facts, []);
    return finish('completed', reports, mergeCriteria(diagnosis.criteria, seen?.criteria ?? []));
  }
  const attempt: Attempt = { playbook, context: checked, effects, hands, options, earlier };
  const { steps, criteria, findings, asks } = await runRounds(attempt, first);
  const reports = steps.map((s) => s.report);
  if (asks) return { ...finish('awaiting_approval', reports, criteria, findings), asks };
  return finish(steps.some((s) => s.failed) ? 'failed' : 'completed', reports, criteria, findings, summaryWith(summary, reports));
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

function summaryWith(summary: string, changes: AppliedChange[]): string {
  if (changes.length === 0) return summary;
  const counts = new Map<string, number>();
  for (const { outcome } of changes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return `${summary} Changes: ${[...counts].map(([outcome, n]) => `${n} ${outcome}`).join(', ')}.`;
}

/** The journal's word, or that of the audit log where the journal is lost. */
async function isOurs({ journal, audit }: Hands, change: { run: string; task: string; step: string }): Promise<boolean> {
  const id = changeId(change.run, change.task, change.step);
  return (await journal.entries()).some(({ intent }) => intent.id === id) || ((await audit.vouches?.(change)) ?? false);
}

function effectContext(context: PlaybookContext, hands: Hands): EffectContext {
  const { run, task, cluster, signal } = context;
  return { run, task, cluster, signal, writer: hands.writer, ...(hands.helm ? { helm: hands.helm } : {}), ...(hands.git ? { git: hands.git } : {}), journal: hands.journal, guard: () => hands.guard() };
}
