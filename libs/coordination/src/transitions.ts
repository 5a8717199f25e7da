import { type RedisClient, type ScriptRunner } from '@larry/redis';
import path from 'node:path';
import type { CoordinationKeys } from './keys';
import { readReply, type Reply } from './outcomes';

/** @internal Calls this library's scripts with the keys that their headers name. */
export class Transitions {
  readonly scripts: ScriptRunner;

  constructor(
    private readonly redis: RedisClient,
    private readonly keys: CoordinationKeys,
  ) {
    this.scripts = redis.scripts(path.join(__dirname, 'lua'));
  }

  /** A script over the whole run: RUN STATUS DUE DEADLINES GRAPH EVENTS, then `more`. Prefix and run come first. */
  async onRun(name: 'create' | 'expire' | 'abort', run: string, args: readonly (string | number)[], more: readonly string[] = []): Promise<Reply> {
    return this.call(name, [...this.runKeys(), ...more], [this.redis.prefix, run, ...args]);
  }

  /** A script over one task: the run's keys, then TASK. Prefix, run and task come first. */
  async onTask(name: 'claim' | 'start' | 'settle' | 'park' | 'decide', run: string, task: string, args: readonly (string | number)[]): Promise<Reply> {
    return this.call(name, [...this.runKeys(), this.keys.task(task)], [this.redis.prefix, run, task, ...args]);
  }

  async call(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<Reply> {
    return readReply(name, await this.scripts.run(name, keys, args));
  }

  private runKeys(): string[] {
    const { run, status, due, deadlines, graph, events } = this.keys;
    return [run, status, due, deadlines, graph, events];
  }
}
