import { hasEnded, planTasks, printable, type TaskStatus } from '@larry/contracts';
import { Coordination } from '@larry/coordination';
import type { RedisClient } from '@larry/redis';
import { readPlan } from '../plan-file';
import { openRedis } from '../run/open-redis';
import { confirmed } from '../terminal/ask';
import { UserError } from '../user-error';

interface LockOptions {
  state: string;
  plan?: string;
}

/** A lock `task:lock:<task>` as it stands in Redis. */
export interface LockView {
  task: string;
  key: string;
  /** The value, as somebody set it. */
  value: string;
  /** Before the `#`: a Larry, or whatever a person wrote. */
  owner: string;
  claim?: string;
  /** Milliseconds until it expires; null where it never does. */
  ttlMs: number | null;
  /** Not the claim under which the run's own task is held: an operator's veto, or a rest of another run. */
  foreign: boolean;
  /** The task's status in the current run, if it has that task. */
  status?: TaskStatus;
}

/** Reads the locks of these tasks, each key by its name. */
export async function readLocks(redis: RedisClient, fallback: () => string[]): Promise<LockView[]> {
  const coordination = new Coordination(redis);
  const snapshot = await coordination.snapshot();
  const tasks = snapshot ? snapshot.tasks.map((t) => t.task) : fallback();
  const locks = await Promise.all(
    tasks.map(async (task): Promise<LockView[]> => {
      const key = coordination.keys.view.lock(task);
      const [value, ttlMs, claim, run] = await Promise.all([
        redis.named(redis.commands.get(key)),
        redis.named(redis.commands.pttl(key)),
        redis.named(redis.commands.hget(coordination.keys.task(task), 'claim')),
        redis.named(redis.commands.hget(coordination.keys.task(task), 'run')),
      ]);
      if (value === null) return [];
      const state = snapshot?.tasks.find((t) => t.task === task);
      const [owner = '', ...rest] = value.split('#');
      const ours = state !== undefined && run === snapshot?.run.run && value === `${state.larry}#${claim ?? ''}`;
      return [{ task, key, value, owner, ...(rest.length > 0 ? { claim: rest.join('#') } : {}), ttlMs: ttlMs < 0 ? null : ttlMs, foreign: !ours, ...(state ? { status: state.status } : {}) }];
    }),
  );
  return locks.flat();
}

/** `larry locks`. */
export async function listLocks(options: LockOptions & { json?: boolean }): Promise<void> {
  const redis = await openRedis(options.state);
  try {
    const locks = await readLocks(redis, () => planTasks(readPlan(options.plan)).map((t) => t.id));
    if (options.json) process.stdout.write(`${JSON.stringify(locks, null, 2)}\n`);
    else process.stdout.write(locks.length === 0 ? 'No task is locked.\n' : `${locks.map(lockLine).join('\n')}\n`);
  } finally {
    await redis.close();
  }
}

/** One lock on one line. */
export function lockLine({ task, owner, claim, ttlMs, foreign, status }: LockView): string {
  const until = ttlMs === null ? 'never expires' : `expires in ${(ttlMs / 1000).toFixed(1)} s`;
  const held = claim ? ` claim ${printable(claim, 40)}` : '';
  const waits = status !== undefined && !hasEnded(status);
  const whose = foreign ? ` · FOREIGN${waits ? `: the task waits for it; larry unlock ${task}` : ''}` : '';
  return `${task.padEnd(28)} ${printable(owner, 60)}${held} · ${until}${status ? ` · ${status}` : ''}${whose}`;
}

/** `larry unlock <task>`: what `DEL task:lock:<task>` does, said beforehand. */
export async function unlock(task: string, options: LockOptions & { yes?: boolean }): Promise<void> {
  const redis = await openRedis(options.state);
  try {
    const locks = await readLocks(redis, () => [task]);
    const lock = locks.find((l) => l.task === task);
    if (!lock) {
      const known = locks.map((l) => printable(l.task, 80)).join(', ');
      throw new UserError(`there is no lock of a task "${printable(task, 80)}"; ${known ? `locked are ${known}` : 'no task is locked'}`);
    }
    process.stderr.write(`${lockLine(lock)}\n${consequence(lock)}\n`);
    if (!(await confirmed(`Delete ${printable(lock.key, 120)}?`, options))) {
      process.stderr.write('larry: left as it is\n');
      return;
    }
    process.stdout.write((await deleteIfSame(redis, lock)) ? `Deleted ${printable(lock.key, 120)}.\n` : 'The lock has changed hands since it was shown, and was left as it is; look again with larry locks.\n');
  } finally {
    await redis.close();
  }
}

function consequence({ foreign, owner, status }: LockView): string {
  if (foreign && (status === undefined || hasEnded(status))) return 'Nothing of the current run waits for it.';
  if (foreign) return 'It belongs to no claim of this run. Without it the task can be claimed as soon as it is ready.';
  return `${printable(owner, 60)} holds the task by it. Without it the worker stops at its next renewal and gives the task back, without using up an attempt; it is then done again.`;
}

/** The lock that was shown, and no other that took its place while somebody was thinking. */
async function deleteIfSame(redis: RedisClient, { key, value }: LockView): Promise<boolean> {
  const script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
  return (await redis.named(redis.commands.eval(script, 1, key, value))) === 1;
}
