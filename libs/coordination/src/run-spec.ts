import { RunSpecError } from './errors';

/** One task as coordination sees it. */
export interface RunTask {
  /** The playbook's id; unique in the run. */
  readonly id: string;
  /** Whose phase it belongs to, and who may claim it. */
  readonly larry: string;
  /** The worker's name, without the Larry's. */
  readonly worker: string;
  /** What `worker:<larry>-<worker>:node` shows: `local (planned k3s-worker01)`. */
  readonly node?: string;
  /** Tasks that must have completed; otherwise this one is skipped(dependency). */
  readonly needs: readonly string[];
  /** Tasks that must have ended, however. */
  readonly after: readonly string[];
  /**
   * From the moment it becomes ready, milliseconds: then it is skipped(timed-out). Includes waiting for a worker and
   * every attempt; begins anew after an approval.
   */
  readonly limitMs: number;
  /** Attempts in all that end by an error of the task. */
  readonly attempts: number;
}

/** A run to begin: the plan without what coordination need not know. */
export interface RunSpec {
  /** The caller's id; the same again is the same run. */
  readonly run: string;
  readonly mode: 'observe' | 'ask' | 'auto';
  readonly planHash: string;
  /** From the beginning, milliseconds; then every phase is ended. Waiting for a person is not counted. */
  readonly deadlineMs: number;
  /** How long a parked task waits for a person before it is skipped(timed-out). Milliseconds, default 24 hours. */
  readonly approvalLimitMs?: number;
  readonly tasks: readonly RunTask[];
  /** The meta-coordinator's task, ready when every phase has ended; its end is the run's. Its `needs` and `after` are empty. */
  readonly converge: RunTask;
}

/** @internal A task as `{larry}:graph` holds it. */
export interface GraphEntry {
  readonly id: string;
  readonly larry: string;
  readonly worker: string;
  readonly node?: string;
  readonly needs: readonly string[];
  readonly after: readonly string[];
  readonly next: readonly string[];
  readonly limit: number;
  readonly attempts: number;
  readonly converge?: true;
  /** Place in the plan: a hash keeps no order. */
  readonly order: number;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Checks what would let a run never end (unknown or circular dependencies) or break a key, and turns it into the
 * script's argument.
 * @throws RunSpecError naming the field
 */
export function compileSpec(spec: RunSpec): string {
  const all = [...spec.tasks, spec.converge];
  checkName('run', spec.run);
  checkSpan('deadlineMs', spec.deadlineMs);
  checkSpan('approvalLimitMs', spec.approvalLimitMs ?? 1);
  all.forEach((task) => checkTask(task));
  checkReferences(spec);
  checkCircles(spec.tasks);
  return JSON.stringify({
    mode: spec.mode,
    planHash: spec.planHash,
    deadlineMs: spec.deadlineMs,
    approvalLimitMs: spec.approvalLimitMs ?? 24 * 3600_000,
    phases: [...new Set(spec.tasks.map(({ larry }) => larry))],
    converge: spec.converge.id,
    convergeLarry: spec.converge.larry,
    tasks: entriesOf(spec),
  });
}

function entriesOf(spec: RunSpec): GraphEntry[] {
  const next = new Map<string, string[]>();
  for (const task of spec.tasks) {
    for (const other of new Set([...task.needs, ...task.after])) next.set(other, [...(next.get(other) ?? []), task.id]);
  }
  const entry = ({ limitMs, ...task }: RunTask, order: number): GraphEntry => ({
    ...task, limit: limitMs, next: next.get(task.id) ?? [], order,
  });
  return [...spec.tasks.map(entry), { ...entry(spec.converge, spec.tasks.length), converge: true }];
}

function checkName(field: string, value: string): void {
  if (!NAME.test(value)) throw new RunSpecError(`${field} "${value}" must be 1 to 100 letters, digits and . _ -, and begin with a letter or digit.`);
}

function checkSpan(field: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new RunSpecError(`${field} is ${value}: it must be a whole number of milliseconds above 0.`);
}

function checkTask(task: RunTask): void {
  checkName('task id', task.id);
  checkName(`larry of task ${task.id}`, task.larry);
  checkName(`worker of task ${task.id}`, task.worker);
  checkSpan(`limitMs of task ${task.id}`, task.limitMs);
  if (!Number.isInteger(task.attempts) || task.attempts < 1) {
    throw new RunSpecError(`attempts of task ${task.id} is ${task.attempts}: it must be 1 or more.`);
  }
}

function checkReferences(spec: RunSpec): void {
  const ids = new Set<string>();
  for (const { id } of [...spec.tasks, spec.converge]) {
    if (ids.has(id)) throw new RunSpecError(`task id "${id}" stands twice.`);
    ids.add(id);
  }
  ids.delete(spec.converge.id);
  for (const task of spec.tasks) {
    const unknown = [...task.needs, ...task.after].find((other) => !ids.has(other));
    if (unknown !== undefined) throw new RunSpecError(`task ${task.id} waits for "${unknown}", which is no task of this run.`);
  }
  if (spec.converge.needs.length + spec.converge.after.length > 0) {
    throw new RunSpecError(`task ${spec.converge.id} waits for every phase: leave its needs and after empty.`);
  }
}

/** Takes away what waits for nothing, again and again; what is left waits in a circle. */
function checkCircles(tasks: readonly RunTask[]): void {
  const open = new Map(tasks.map((task) => [task.id, task]));
  for (let size = -1; size !== open.size; ) {
    size = open.size;
    for (const task of open.values()) {
      if (![...task.needs, ...task.after].some((other) => open.has(other))) open.delete(task.id);
    }
  }
  if (open.size > 0) throw new RunSpecError(`these tasks wait for each other in a circle: ${[...open.keys()].join(', ')}.`);
}
