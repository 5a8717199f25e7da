import type { SkipReason, TaskStatus } from '@larry/contracts';
import type { GraphEntry } from './run-spec';

/** A run's own state. Moments are milliseconds of the Redis server's clock. */
export interface RunState {
  readonly run: string;
  readonly mode: string;
  readonly planHash: string;
  /** `resetting`: its keys are about to be removed. */
  readonly status: 'running' | 'completed' | 'failed' | 'aborted' | 'resetting';
  readonly createdAt: number;
  readonly deadline: number;
  readonly endedAt?: number;
  readonly abortedBy?: string;
  readonly phases: readonly PhaseState[];
}

/** One Larry's phase, computed from its tasks. */
export interface PhaseState {
  readonly larry: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed';
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Whole percent of the tasks that completed: skipped work is no progress. */
  readonly progress: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** One task's state. */
export interface TaskState {
  readonly task: string;
  readonly larry: string;
  readonly worker: string;
  /** Where its worker runs: the node that the worker named at its start, before that the plan's. */
  readonly node?: string;
  readonly status: TaskStatus;
  readonly skipReason?: SkipReason;
  /** Claims so far: the number of the current or next-to-last try. */
  readonly attempt: number;
  /** The end of its lease, or the moment before which it is not tried again. */
  readonly due?: number;
  readonly deadline?: number;
  /** Somebody may claim it now: it is ready and need not wait, or its lease has lapsed. */
  readonly claimable: boolean;
  readonly converge: boolean;
}

/** Everything about the run at one moment. */
export interface RunSnapshot {
  /** The server's clock, milliseconds. */
  readonly now: number;
  readonly run: RunState;
  readonly tasks: readonly TaskState[];
}

/** @internal The flat lists of the script `snapshot`, as Redis gives them. */
export interface RawSnapshot {
  readonly now: number;
  readonly run: ReadonlyMap<string, string>;
  readonly status: ReadonlyMap<string, string>;
  readonly due: ReadonlyMap<string, string>;
  readonly deadlines: ReadonlyMap<string, string>;
}

/** `['a', '1', 'b', '2']` as a map. */
export function pairs(flat: unknown): ReadonlyMap<string, string> {
  const list = flat as readonly string[];
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < list.length; i += 2) map.set(list[i] as string, list[i + 1] as string);
  return map;
}

export function readSnapshot(raw: RawSnapshot, graph: ReadonlyMap<string, GraphEntry>): RunSnapshot {
  const tasks = [...graph.values()].map((entry) => readTask(entry, raw));
  return { now: raw.now, run: readRun(raw.run, tasks), tasks };
}

function readTask(entry: GraphEntry, raw: RawSnapshot): TaskState {
  const [word = 'pending', reason] = (raw.status.get(entry.id) ?? 'pending').split(':');
  const status = word as TaskStatus;
  const due = numberOf(raw.due.get(entry.id));
  const leased = status === 'ready' || status === 'claimed' || status === 'in_progress';
  return {
    task: entry.id,
    larry: entry.larry,
    worker: entry.worker,
    node: raw.status.get(`${entry.id}/node`) ?? entry.node,
    status,
    skipReason: reason as SkipReason | undefined,
    attempt: Number(raw.status.get(`${entry.id}/attempt`) ?? 0),
    due,
    deadline: numberOf(raw.deadlines.get(entry.id)),
    claimable: raw.run.get('status') === 'running' && leased && (due ?? 0) <= raw.now,
    converge: entry.converge === true,
  };
}

function readRun(run: ReadonlyMap<string, string>, tasks: readonly TaskState[]): RunState {
  const larrys = JSON.parse(run.get('phases') ?? '[]') as unknown;
  const byLarry = new Map<string, TaskState[]>();
  for (const task of tasks) {
    if (task.converge) continue;
    const own = byLarry.get(task.larry);
    if (own) own.push(task);
    else byLarry.set(task.larry, [task]);
  }
  return {
    run: run.get('id') ?? '',
    mode: run.get('mode') ?? '',
    planHash: run.get('planHash') ?? '',
    status: (run.get('status') ?? 'running') as RunState['status'],
    createdAt: Number(run.get('createdAt')),
    deadline: Number(run.get('deadline')),
    endedAt: numberOf(run.get('endedAt')),
    abortedBy: run.get('abortedBy'),
    phases: (Array.isArray(larrys) ? larrys : []).map((larry: string) => readPhase(larry, run, byLarry.get(larry) ?? [])),
  };
}

function readPhase(larry: string, run: ReadonlyMap<string, string>, own: readonly TaskState[]): PhaseState {
  const counted = (status: TaskStatus): number => own.filter((task) => task.status === status).length;
  const [completed, failed, skipped] = [counted('completed'), counted('failed'), counted('skipped')];
  const startedAt = numberOf(run.get(`started:${larry}`));
  const ended = completed + failed + skipped === own.length;
  const begun = startedAt === undefined ? 'pending' : 'in_progress';
  return {
    larry,
    status: ended ? (failed > 0 ? 'failed' : 'completed') : begun,
    total: own.length,
    completed,
    failed,
    skipped,
    progress: own.length === 0 ? 0 : Math.floor((completed * 100) / own.length),
    startedAt,
    endedAt: numberOf(run.get(`ended:${larry}`)),
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
