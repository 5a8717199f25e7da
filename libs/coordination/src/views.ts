import type { ScriptRunner } from '@larry/redis';
import type { Coordination } from './coordination';
import type { CoordinationKeys } from './keys';
import type { RunSpec } from './run-spec';
import type { PhaseState, RunSnapshot, TaskState } from './snapshot';

/** A view's value: a string, a hash, or undefined: it must not be there. */
export type ViewValue = string | Readonly<Record<string, string>> | undefined;

/** What to draw. */
export interface ViewOptions {
  /** Only these Larrys' keys. Default: all. */
  readonly larrys?: readonly string[];
  /** Tokens a task has used so far, for `worker:…:metrics`. */
  readonly tokensUsed?: (task: string) => number | undefined;
  /** More views by name, without the prefix: `phase:larry-02:findings` → `{ critical: '1', … }`. `reset` removes them as well. */
  readonly extra?: Readonly<Record<string, ViewValue>>;
  /** A key that this object found or left right so short a time ago is not read again. Milliseconds, default 0: every key is read. */
  readonly recheckMs?: number;
}

interface EndedTask {
  readonly success: boolean;
  readonly endedAt: number;
  readonly startedAt?: number;
  readonly figures: Readonly<Record<string, string>>;
}

/** The quick start's keys: drawn from the truth, rewritten when different, read by nobody of ours. */
export class Views {
  /** Ended tasks do not change: their results are read once. */
  private readonly ended = new Map<string, EndedTask>();
  private readonly recorded = new Set<string>();
  /** What was found or left at each key, and when, on the monotonic clock. */
  private readonly shown = new Map<string, { readonly value: string; readonly at: number }>();
  private endedOf = '';

  constructor(
    private readonly coordination: Coordination,
    private readonly scripts: ScriptRunner,
  ) {}

  /** Call it every second during a run and once after its end. Returns how many keys were different. */
  async refresh(options: ViewOptions = {}): Promise<number> {
    const snapshot = await this.coordination.snapshot();
    if (!snapshot || snapshot.run.status === 'resetting') return 0;
    await this.learnEnded(snapshot, options);
    const wanted = { ...this.drawTasks(snapshot, options), ...this.drawPhases(snapshot, options), ...(await this.extra(options)) };
    const changed = await Promise.all(Object.entries(wanted).map(([key, value]) => this.show(key, value, options, () => this.put(key, value))));
    const progress = await Promise.all(this.phases(snapshot, options).map((phase) => this.showProgress(snapshot, phase, options)));
    return [...changed, ...progress].filter(Boolean).length;
  }

  private get keys(): CoordinationKeys {
    return this.coordination.keys;
  }

  private phases({ run }: RunSnapshot, { larrys }: ViewOptions): readonly PhaseState[] {
    return run.phases.filter(({ larry }) => !larrys || larrys.includes(larry));
  }

  private drawPhases(snapshot: RunSnapshot, options: ViewOptions): Record<string, ViewValue> {
    const { view } = this.keys;
    const entries = this.phases(snapshot, options).flatMap((phase): [string, ViewValue][] => {
      const active = snapshot.tasks.filter(({ larry, status }) => larry === phase.larry && status === 'in_progress').length;
      return [
        [view.phase(phase.larry, 'status'), phase.status],
        [view.phase(phase.larry, 'started_at'), iso(phase.startedAt)],
        [view.phase(phase.larry, 'completed_at'), iso(phase.endedAt)],
        [view.metric(phase.larry, 'tasks_completed'), String(phase.completed)],
        [view.metric(phase.larry, 'tasks_failed'), String(phase.failed)],
        [view.metric(phase.larry, 'tasks_skipped'), String(phase.skipped)],
        [view.metric(phase.larry, 'workers_active'), String(active)],
      ];
    });
    return Object.fromEntries(entries);
  }

  private drawTasks(snapshot: RunSnapshot, options: ViewOptions): Record<string, ViewValue> {
    const { view } = this.keys;
    const tasks = snapshot.tasks.filter(({ larry }) => !options.larrys || options.larrys.includes(larry));
    const entries = tasks.flatMap((task): [string, ViewValue][] => {
      const ended = this.ended.get(task.task);
      const result = ended && { success: String(ended.success), timestamp: iso(ended.endedAt) ?? '', ...ended.figures };
      return [
        [view.taskStatus(task.task), task.status],
        [view.taskResult(task.task), result],
        [view.worker(task.larry, task.worker, 'master'), task.larry],
        [view.worker(task.larry, task.worker, 'node'), task.node ?? 'unknown'],
        [view.worker(task.larry, task.worker, 'status'), workerStatus(task)],
        [view.worker(task.larry, task.worker, 'metrics'), workerMetrics(task, ended, options)],
      ];
    });
    return Object.fromEntries(entries);
  }

  private async extra({ extra = {} }: ViewOptions): Promise<Record<string, ViewValue>> {
    const named = Object.entries(extra).map(([name, value]): [string, ViewValue] => [this.coordination.redis.key(name), value]);
    const unrecorded = named.map(([key]) => key).filter((key) => !this.recorded.has(key));
    await this.coordination.recordKeys(unrecorded);
    unrecorded.forEach((key) => this.recorded.add(key));
    return Object.fromEntries(named);
  }

  private async learnEnded({ run, tasks }: RunSnapshot, { larrys }: ViewOptions): Promise<void> {
    if (this.endedOf !== run.run) {
      this.ended.clear();
      this.recorded.clear();
      this.shown.clear();
      this.endedOf = run.run;
    }
    const drawn = larrys ? tasks.filter(({ larry }) => larrys.includes(larry)) : tasks;
    const news = drawn.filter(({ task, status }) => (status === 'completed' || status === 'failed') && !this.ended.has(task));
    await Promise.all(
      news.map(async (state) => {
        const { endedAt, startedAt, result } = await this.coordination.record(run.run, state);
        if (endedAt === undefined) return;
        this.ended.set(state.task, { success: state.status === 'completed', endedAt, startedAt, figures: figuresOf(result) });
      }),
    );
  }

  /** Puts a value unless it is known to stand there. */
  private async show(key: string, value: ViewValue, { recheckMs = 0 }: ViewOptions, put: () => Promise<boolean>): Promise<boolean> {
    const at = performance.now();
    const text = JSON.stringify(value ?? null);
    const known = this.shown.get(key);
    if (known && known.value === text && at - known.at < recheckMs) return false;
    const changed = await put();
    this.shown.set(key, { value: text, at });
    return changed;
  }

  private async showProgress(snapshot: RunSnapshot, phase: PhaseState, options: ViewOptions): Promise<boolean> {
    const key = this.keys.view.phase(phase.larry, 'progress');
    return this.show(key, String(phase.progress), options, () => this.putProgress(snapshot, key, phase));
  }

  /** True when something else stood there, whatever its type. */
  private async put(key: string, value: ViewValue): Promise<boolean> {
    const { commands } = this.coordination.redis;
    if (value === undefined) return (await commands.unlink(key)) > 0;
    if (typeof value === 'string') {
      if ((await commands.get(key).catch(() => null)) === value) return false;
      await commands.set(key, value);
      return true;
    }
    const stands = await commands.hgetall(key).catch(() => undefined);
    if (stands && sameHash(stands, value)) return false;
    await commands.unlink(key);
    if (Object.keys(value).length > 0) await commands.hset(key, value);
    return true;
  }

  /** Only ever more within a run; the first refresh of a run begins it at 0. */
  private async putProgress(snapshot: RunSnapshot, key: string, { larry, progress }: PhaseState): Promise<boolean> {
    const { redis, keys } = this.coordination;
    const begun = `progressOf:${larry}`;
    if ((await redis.commands.hget(keys.run, begun)) === null) {
      await redis.commands.set(key, '0');
      await this.noteBegun(snapshot.run.run, begun);
    }
    const [written] = (await this.scripts.run('progress', [key], [progress])) as [number];
    return written === 1;
  }

  /** Marks it in the run's own hash, if that is still the run's. */
  private async noteBegun(run: string, field: string): Promise<void> {
    await this.scripts.run('note', [this.keys.run], [run, field]);
  }
}

/** Every key that a run of this plan may write. */
export function recordedKeys(keys: CoordinationKeys, spec: RunSpec): string[] {
  const { view } = keys;
  const all = [...spec.tasks, spec.converge];
  const ofTasks = all.flatMap(({ id, larry, worker }) => [
    keys.task(id),
    keys.journal(spec.run, id),
    view.lock(id),
    view.taskStatus(id),
    view.taskResult(id),
    ...(['master', 'node', 'status', 'metrics'] as const).map((name) => view.worker(larry, worker, name)),
  ]);
  const ofPhases = [...new Set(all.map(({ larry }) => larry))].flatMap((larry) => [
    ...(['status', 'progress', 'started_at', 'completed_at'] as const).map((name) => view.phase(larry, name)),
    ...['tasks_completed', 'tasks_failed', 'tasks_skipped', 'workers_active'].map((name) => view.metric(larry, name)),
  ]);
  return [...ofTasks, ...ofPhases];
}

function workerStatus({ status }: TaskState): string {
  if (status === 'in_progress') return 'busy';
  return status === 'completed' || status === 'failed' ? status : 'idle';
}

function workerMetrics({ task }: TaskState, ended: EndedTask | undefined, { tokensUsed }: ViewOptions): ViewValue {
  const tokens = tokensUsed?.(task);
  if (!ended && tokens === undefined) return undefined;
  const seconds = ended?.startedAt === undefined ? undefined : Math.round((ended.endedAt - ended.startedAt) / 1000);
  return {
    ...(tokens === undefined ? {} : { tokens_used: String(tokens) }),
    ...(seconds === undefined ? {} : { duration_seconds: String(seconds) }),
  };
}

/** The task's own figures, from a result shaped like `TaskResult`. */
function figuresOf(result: unknown): Readonly<Record<string, string>> {
  const figures = (result as { figures?: unknown } | null | undefined)?.figures;
  if (typeof figures !== 'object' || figures === null) return {};
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, String(value)]));
}

function sameHash(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
