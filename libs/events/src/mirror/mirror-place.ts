import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { RedisClient, ScriptRunner } from '@larry/redis';
import type { Cursor } from '../cursor';

/** Who sends for a mirror, and up to where it has sent: kept in Redis, so that any replica can go on from there. */
export class MirrorPlace {
  private readonly key: string;
  private readonly holder = randomUUID();
  private readonly scripts: ScriptRunner;

  constructor(
    redis: RedisClient,
    name: string,
    private readonly ttlMs: number,
  ) {
    this.key = redis.key(`{larry}:mirror:${name}`);
    this.scripts = redis.scripts(path.join(__dirname, '..', 'lua'));
  }

  /** Takes or renews the place: the cursor that was saved last, or how long another still holds it, in milliseconds. */
  async hold(): Promise<{ cursor: Cursor | undefined } | { heldForMs: number }> {
    const [ours, answer] = (await this.scripts.run('mirror-hold', [this.key], [this.holder, this.ttlMs])) as [number, string];
    return ours === 1 ? { cursor: answer || undefined } : { heldForMs: Number(answer) };
  }

  /** Saves how far it has sent. False where another has taken over. */
  async save(cursor: Cursor): Promise<boolean> {
    return (await this.scripts.run('mirror-save', [this.key], [this.holder, this.ttlMs, cursor])) === 1;
  }

  /** Lets another take over at once. */
  async release(): Promise<void> {
    await this.scripts.run('mirror-hold', [this.key], [this.holder, 0]);
  }
}
