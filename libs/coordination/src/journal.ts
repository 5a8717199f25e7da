import type { RedisClient } from '@larry/redis';
import type { TaskLease } from './lease';
import { JournalError, LeaseLostError } from './errors';
import type { CoordinationKeys } from './keys';
import { readReply, type Reply } from './outcomes';
import type { Transitions } from './transitions';

/** One change to the outside: what was intended, and what became of it once that is known. JSON both. */
export interface JournalEntry {
  /** `<run>/<task>/<step>`, the same in every attempt. */
  readonly change: string;
  readonly intent: unknown;
  readonly outcome?: unknown;
}

/** The effects of tasks, kept so that a successor can resolve what its predecessor left open. */
export class Journal {
  constructor(
    private readonly redis: RedisClient,
    private readonly transitions: Transitions,
    private readonly keys: CoordinationKeys,
  ) {}

  /**
   * Says, before the effect, what will be done; durable on a replica where one is connected. Returns undefined for a new
   * intent (or one in the place of a repeatable one), or the entry that an earlier attempt left: then look at the target first.
   * @throws LeaseLostError when the lease is somebody else's; JournalError when no replica confirmed: no effect then
   */
  async intend(lease: TaskLease, change: string, intent: unknown): Promise<JournalEntry | undefined> {
    const keys = [...this.guardKeys(lease), this.keys.recorded];
    const { reply, acknowledged } = await this.write(lease, 'intent', keys, change, intent);
    if (!acknowledged) throw new JournalError(`No replica confirmed the intent of ${change} within a second: it is not begun.`);
    if (!reply.repeated) return undefined;
    const [before, outcome] = reply.values.map(String);
    return entryOf(change, before ?? 'null', outcome);
  }

  /**
   * Says what became of the change. A later outcome of the same change replaces it. With `repeatable: true` in it the
   * change is not in effect, and the next intent of the same change takes its place. @throws LeaseLostError, JournalError
   */
  async conclude(lease: TaskLease, change: string, outcome: unknown): Promise<void> {
    await this.write(lease, 'outcome', this.guardKeys(lease), change, outcome);
  }

  /** Every change of a task, in no order. */
  async entries(run: string, task: string): Promise<JournalEntry[]> {
    const hash = await this.redis.named(this.redis.commands.hgetall(this.keys.journal(run, task)));
    return Object.entries(hash)
      .filter(([field]) => !field.endsWith('#outcome'))
      .map(([change, intent]) => entryOf(change, intent, hash[`${change}#outcome`]));
  }

  /** The changes whose outcome is not known: a successor resolves each before it goes on. */
  async open(run: string, task: string): Promise<JournalEntry[]> {
    return (await this.entries(run, task)).filter((entry) => entry.outcome === undefined);
  }

  private guardKeys({ run, task }: TaskLease): string[] {
    return [this.keys.run, this.keys.status, this.keys.task(task), this.keys.journal(run, task)];
  }

  private async write(
    { run, task, holder, fence }: TaskLease,
    script: 'intent' | 'outcome',
    keys: readonly string[],
    change: string,
    value: unknown,
  ): Promise<{ reply: Extract<Reply, { ok: true }>; acknowledged: boolean }> {
    if (change.endsWith('#outcome')) throw new JournalError(`A change may not be called "${change}".`);
    const args = [run, task, holder, fence, change, JSON.stringify(value)];
    const { reply: raw, acknowledged } = await this.transitions.scripts.runAcknowledged(script, keys, args);
    const reply = readReply(script, raw);
    if (reply.ok) return { reply, acknowledged };
    if (reply.refusal === 'no-intent') throw new JournalError(`Change ${change} has an outcome and no intent: write the intent first.`);
    throw new LeaseLostError(task, `a guarded write was refused (${reply.refusal})`);
  }
}

function entryOf(change: string, intent: string, outcome: string | undefined): JournalEntry {
  return { change, intent: JSON.parse(intent) as unknown, ...(outcome ? { outcome: JSON.parse(outcome) as unknown } : {}) };
}
