import type { Criterion, Finding, PlannedChange, SkipReason, TaskResult } from '@larry/contracts';
import type { HelmLocation } from '@larry/helm';
import type { ClusterReader } from '@larry/kube';
import type { z } from 'zod';

/** A right on the cluster that a playbook needs; RBAC roles are generated from these declarations. */
export interface AccessRule {
  apiGroups: string[];
  /** Plurals, subresources as `pods/log`. `*` is not allowed, but for `get`, `list`, `watch` of catalogs. */
  resources: string[];
  verbs: ('get' | 'list' | 'watch' | 'create' | 'patch' | 'delete')[];
  /** Fields that a write may touch, as JSON pointers; required for writing verbs. */
  fields?: string[];
}

/** What a playbook sees of the world. The narrowest interface that works: no Redis, no Nest. */
export interface PlaybookContext<Options = unknown> {
  readonly run: string;
  readonly task: string;
  readonly cluster: ClusterReader;
  /** Checked by the playbook's own `options` schema. */
  readonly options: Options;
  /** Aborted when the lease is lost or the time is up: stop at once. */
  readonly signal: AbortSignal;
  /** Results of the tasks named in `needs` and `after` that have ended, by task id; same-run only. */
  readonly results: ReadonlyMap<string, TaskResult>;
  /** Renders charts of releases, to find the values that decide a field; absent where nobody has looked for it. */
  readonly helm?: HelmLocation;
  /** A working clone of the Git repository that manifests come from, to find the files behind fields; absent where none is configured. */
  readonly git?: string;
  /** Whether an earlier attempt of this run made or began this step, by records that nobody at the cluster can write; absent where nothing is changed. */
  isOurs?(step: string): Promise<boolean>;
  /** Time, injected: tests use their own. */
  now(): Date;
  /** Says how far it is, 0–100, and what it is doing; at most a few times a second. */
  progress(percent: number, message: string): void;
  /** Waits until the cluster has something new to say or the time is over; for verification. */
  wait(ms: number): Promise<void>;
  readonly log: PlaybookLog;
}

/** Static messages, data as fields. */
export interface PlaybookLog {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** What `diagnose` makes of the facts. Pure: the same facts give the same diagnosis. */
export interface Diagnosis {
  summary: string;
  findings: Finding[];
  figures: Record<string, number | string>;
  /** Criteria that the facts alone decide; `verify` may add or replace by id. */
  criteria: Criterion[];
  /** What could not be read, and why. */
  unknowns: { subject: string; reason: string }[];
  artifacts?: Record<string, unknown>;
  /** Set when there was nothing to do; the task is then `skipped` with this reason and counts as no work done. */
  skip?: { reason: SkipReason; summary: string };
}

/** What `verify` saw after the changes, by observing anew. */
export interface Verification {
  criteria: Criterion[];
  /** Steps whose change did not help: the engine rolls them back. */
  rollBack: { step: string; reason: string }[];
  /**
   * Steps that are all in effect on one object, in order: what each was to mend is mended, and the object shows another
   * fault that was hidden by it. The engine goes another round, by `next`, or takes them all back; steps of which nothing
   * is said here are verified again then.
   */
  uncovered?: { steps: string[]; reason: string }[];
  /** Steps whose object is well so far, and has not been seen well for long enough. */
  provisional?: { step: string; reason: string }[];
}

/**
 * A playbook: one task's domain work. `observe` reads and decides nothing; `diagnose` and `plan` are pure;
 * the engine alone applies changes; `verify` looks again.
 */
export interface Playbook<Facts = unknown, Options = unknown> {
  /** The task's id, and the folder's name. */
  id: string;
  title: string;
  /** Shown in `--help` and the report: what it reads, what it may change. */
  description: string;
  options: z.ZodType<Options>;
  /** What it reads and writes; RBAC is generated from it. */
  access: AccessRule[];
  /** The categories of change that `plan` makes, as `larry run --allow` names them; absent for one that only reads. */
  categories?: readonly string[];
  observe(context: PlaybookContext<Options>): Promise<Facts>;
  diagnose(facts: Facts, options: Options): Diagnosis;
  /** Looks up what the facts do not hold, before anything is planned: the chart values behind a field. Changes remedies alone. */
  refine?(context: PlaybookContext<Options>, facts: Facts, diagnosis: Diagnosis): Promise<Diagnosis>;
  /** Ordered, reversible steps; absent for a playbook that only reads. */
  plan?(facts: Facts, diagnosis: Diagnosis, options: Options): PlannedChange[];
  /**
   * Its steps do not build on each other: each may be approved by itself, and one that fails or is denied keeps no other
   * from being made. Where `auto` can make one without a person, the rest is left for another run.
   */
  independentSteps?: true;
  /**
   * The next change of an object whose changes so far (`made`, in order) mended what they were made for and uncovered
   * another fault; or why there is none. Pure.
   */
  next?(facts: Facts, diagnosis: Diagnosis, options: Options, made: readonly PlannedChange[]): { change: PlannedChange } | { none: string };
  /** Looks again after the changes (or, without changes, for the criteria that need a second look). */
  verify?(context: PlaybookContext<Options>, facts: Facts, applied: PlannedChange[]): Promise<Verification>;
  /**
   * Looks anew at what this task claimed, for the convergence and `larry verify`: returns the criteria as they are now.
   * Falsified facts must turn the verdict.
   */
  validate(context: PlaybookContext<Options>, result: TaskResult): Promise<Criterion[]>;
}

/** Types a playbook's parts against each other and gives it to the registry. */
export function definePlaybook<Facts, Options>(playbook: Playbook<Facts, Options>): Playbook {
  return playbook as unknown as Playbook;
}
