import { randomBytes } from 'node:crypto';
import type { Coordination } from './coordination';
import type { TaskLease } from './lease';
import type { RunSpec, RunTask } from './run-spec';

/** A task for tests: larry-01's, ready at once, a minute's time, three attempts. */
export function aRunTask(task: Partial<RunTask> & { readonly id: string }): RunTask {
  return { larry: 'larry-01', worker: `${task.id}-worker`, needs: [], after: [], limitMs: 60_000, attempts: 3, ...task };
}

/** A run for tests with these tasks and a `converge`; its id is random. */
export function aRunSpec(tasks: readonly RunTask[], spec: Partial<RunSpec> = {}): RunSpec {
  return {
    run: `run-${randomBytes(4).toString('hex')}`,
    mode: 'auto',
    planHash: 'test',
    deadlineMs: 600_000,
    converge: aRunTask({ id: 'converge', larry: 'meta-coordinator', worker: 'converge' }),
    tasks,
    ...spec,
  };
}

/** Claims and starts a task as a coordinator and its worker would; throws when either is refused. */
export async function aLease(
  coordination: Coordination,
  run: string,
  task: string,
  { larry = 'larry-01', ttlMs = 30_000 }: { readonly larry?: string; readonly ttlMs?: number } = {},
): Promise<TaskLease> {
  const claim = randomBytes(6).toString('hex');
  const claimed = await coordination.claim({ run, task, larry, claim }, ttlMs);
  if (claimed.outcome !== 'claimed') throw new Error(`claim of ${task}: ${JSON.stringify(claimed)}`);
  const started = await coordination.start({ run, task, claim, holder: `h-${claim}` }, ttlMs);
  if (started.outcome !== 'started') throw new Error(`start of ${task}: ${JSON.stringify(started)}`);
  return started.lease;
}
