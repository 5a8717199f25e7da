import type { RedisClient, ScriptRunner } from '@larry/redis';
import type { CoordinationKeys } from './keys';
import { readReply } from './outcomes';

/** The quick start's `task:lock:<task>`: seen and set by operators, and their veto. The fence decides who may write. */
export class TaskLocks {
  constructor(
    private readonly redis: RedisClient,
    private readonly scripts: ScriptRunner,
    private readonly keys: CoordinationKeys,
  ) {}

  /** Takes the lock, or finds it taken with the same value before. Otherwise says what stands there. */
  async take(task: string, value: string, ttlMs: number): Promise<{ taken: true } | { taken: false; value: string }> {
    const key = this.keys.view.lock(task);
    for (;;) {
      const set = await this.redis.named(this.redis.commands.set(key, value, 'PX', ttlMs, 'NX'));
      if (set !== null) return { taken: true };
      const stands = await this.redis.named(this.redis.commands.get(key));
      if (stands === value) return { taken: true };
      if (stands !== null) return { taken: false, value: stands };
    }
  }

  /** `gone` and `foreign` mean: somebody else decided that this task is not ours any more. */
  async renew(task: string, value: string, ttlMs: number): Promise<'renewed' | 'gone' | 'foreign'> {
    const reply = readReply('relock', await this.scripts.run('relock', [this.keys.view.lock(task)], [value, ttlMs]));
    if (!reply.ok) return 'foreign';
    return reply.repeated ? 'gone' : 'renewed';
  }

  /** Removes the lock where it is ours. */
  async release(task: string, value: string): Promise<void> {
    await this.scripts.run('unlock', [this.keys.view.lock(task)], [value]);
  }

  /** Those of the tasks whose lock was not set by a claim of the task's own Larry. */
  async foreign(tasks: readonly { readonly task: string; readonly larry: string }[]): Promise<string[]> {
    const values = await Promise.all(tasks.map(({ task }) => this.redis.named(this.redis.commands.get(this.keys.view.lock(task)))));
    return tasks.filter(({ larry }, i) => values[i] != null && !isClaimOf(larry, values[i])).map(({ task }) => task);
  }
}

/** The value that a claim writes: starts with the owner's id, as the quick start's does. */
export function lockValue(larry: string, claim: string): string {
  return `${larry}#${claim}`;
}

/** Who holds it, as people read it: what stands before `#`. */
export function ownerOf(value: string): string {
  return value.split('#')[0] ?? value;
}

function isClaimOf(larry: string, value: string): boolean {
  return value.startsWith(`${larry}#`);
}
