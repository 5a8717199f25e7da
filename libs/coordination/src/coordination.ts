import type { TaskStatus } from '@larry/contracts';
import { RedisFullError, RedisReadOnlyError, type RedisClient } from '@larry/redis';
import { Journal } from './journal';
import { coordinationKeys, type CoordinationKeys } from './keys';
import { Leases } from './leases';
import {
  defaultTtlMs,
  type Approval,
  type ChangeVerdict,
  type ClaimOutcome,
  type CreateOutcome,
  type DecideOutcome,
  type RenewOutcome,
  type SettleOutcome,
  type StartOutcome,
  type TaskClaim,
  type TaskLease,
  type TaskRecord,
} from './lease';
import { refused, type Refusal, type Refused } from './outcomes';
import { resetRun, type ResetOptions, type ResetReport } from './reset';
import { compileSpec, type GraphEntry, type RunSpec } from './run-spec';
import { maxInlineResultBytes, maxReasonLength, type Settlement } from './settlement';
import { pairs, readSnapshot, type RunSnapshot, type TaskState } from './snapshot';
import { lockValue, ownerOf, TaskLocks } from './task-lock';
import { Transitions } from './transitions';
import { recordedKeys, Views } from './views';

/**
 * Runs, tasks and leases in one Redis, under one prefix. Every call may be repeated with the same ids: a lost reply
 * changes nothing. Failures of Redis itself are the errors of `@larry/redis`; a refusal is an outcome, never an error.
 */
export class Coordination {
  readonly keys: CoordinationKeys;
  readonly leases: Leases;
  readonly journal: Journal;
  readonly views: Views;
  private readonly transitions: Transitions;
  private readonly locks: TaskLocks;
  private graph?: { readonly run: string; readonly entries: ReadonlyMap<string, GraphEntry> };

  constructor(readonly redis: RedisClient) {
    this.keys = coordinationKeys(redis.prefix);
    this.transitions = new Transitions(redis, this.keys);
    this.locks = new TaskLocks(redis, this.transitions.scripts, this.keys);
    this.leases = new Leases(this);
    this.journal = new Journal(this.redis, this.transitions, this.keys);
    this.views = new Views(this, this.transitions.scripts);
  }

  /** Begins a run. `refused/other-run` while another has not ended under this prefix. @throws RunSpecError */
  async createRun(spec: RunSpec): Promise<CreateOutcome> {
    const compiled = compileSpec(spec);
    await this.recordKeys(recordedKeys(this.keys, spec));
    const reply = await this.transitions.onRun('create', spec.run, [compiled], [this.keys.recorded]);
    if (!reply.ok) return refused(reply);
    return { outcome: reply.repeated ? 'exists' : 'created' };
  }

  /** Everything about the current run in one read, tasks in the plan's order, or undefined where there is none. */
  async snapshot(): Promise<RunSnapshot | undefined> {
    const { run, status, due, deadlines } = this.keys;
    const reply = await this.transitions.call('snapshot', [run, status, due, deadlines], []);
    if (!reply.ok) return undefined;
    const [now, ...lists] = reply.values;
    const [runMap, statusMap, dueMap, deadlineMap] = lists.map(pairs) as [Map<string, string>, Map<string, string>, Map<string, string>, Map<string, string>];
    const entries = await this.graphOf(runMap.get('id') ?? '');
    return readSnapshot({ now: Number(now), run: runMap, status: statusMap, due: dueMap, deadlines: deadlineMap }, entries);
  }

  /** Tasks that this Larry may claim now. A guess, the script decides. */
  async ready(larry: string): Promise<readonly TaskState[]> {
    const tasks = (await this.snapshot())?.tasks ?? [];
    return tasks.filter((task) => task.larry === larry && task.claimable);
  }

  /** One task with its result, or undefined where the current run has no such task. */
  async task(task: string): Promise<TaskRecord | undefined> {
    const snapshot = await this.snapshot();
    const state = snapshot?.tasks.find((entry) => entry.task === task);
    return snapshot && state && this.record(snapshot.run.run, state);
  }

  /** A task's state with what its hash holds; the state alone where the hash is another run's. */
  async record(run: string, state: TaskState): Promise<TaskRecord> {
    const hash = await this.redis.named(this.redis.commands.hgetall(this.keys.task(state.task)));
    if (hash['run'] !== run) return state;
    const text = hash['blob'] ? await this.redis.named(this.redis.commands.get(hash['blob'])) : hash['result'];
    return {
      ...state,
      reason: hash['reason'] || undefined,
      result: text ? (JSON.parse(text) as unknown) : undefined,
      parked: state.status === 'awaiting_approval' || state.skipReason === 'denied' ? { digest: hash['digest'] ?? '', request: JSON.parse(hash['request'] ?? 'null') as unknown } : undefined,
      approval: hash['approval'] ? (JSON.parse(hash['approval']) as Approval) : undefined,
      verdicts: hash['verdicts'] ? verdictsOf(hash['verdicts']) : undefined,
      startedAt: hash['startedAt'] ? Number(hash['startedAt']) : undefined,
      endedAt: hash['endedAt'] ? Number(hash['endedAt']) : undefined,
    };
  }

  /** Takes a task in two steps: the lock that operators see, then the script. `conflict`: another has the lock, and that was said once. */
  async claim({ run, task, larry, claim }: TaskClaim, ttlMs = defaultTtlMs): Promise<ClaimOutcome> {
    const value = lockValue(larry, claim);
    const lock = await this.locks.take(task, value, ttlMs);
    if (!lock.taken) {
      const owner = ownerOf(lock.value);
      if (owner === larry && lock.value !== larry) return { outcome: 'refused', why: 'held' };
      const { run: runKey, status, events } = this.keys;
      await this.transitions.call('conflict', [runKey, status, events], [this.redis.prefix, run, task, larry, owner]);
      return { outcome: 'conflict', owner };
    }
    const reply = await this.transitions.onTask('claim', run, task, [larry, claim, ttlMs]);
    if (reply.ok) {
      const [fence, until, attempt] = reply.values;
      return { outcome: 'claimed', fence: String(fence), until: Number(until), attempt: Number(attempt) };
    }
    if (reply.refusal !== 'started') await this.locks.release(task, value);
    return refused(reply);
  }

  /** The coordinator's renewal while its launch is pending. `refused/started`: its worker renews from now on. */
  async renewClaim({ run, task, larry, claim }: TaskClaim, ttlMs = defaultTtlMs): Promise<RenewOutcome> {
    return this.renewAs({ run, task }, ['claim', claim, ''], lockValue(larry, claim), ttlMs);
  }

  /** The worker's first act. `holder` is its own random id, `node` where it runs. Refused: it exits before touching anything. */
  async start({ run, task, claim, holder, node = '' }: Omit<TaskLease, 'fence' | 'larry'> & { readonly node?: string }, ttlMs = defaultTtlMs): Promise<StartOutcome> {
    const reply = await this.transitions.onTask('start', run, task, [claim, holder, ttlMs, node]);
    if (!reply.ok) return refused(reply);
    const [fence, until, attempt, larry, approval, verdicts, begun] = reply.values.map(String);
    return {
      outcome: 'started',
      lease: { run, task, larry: larry ?? '', claim, holder, fence: fence ?? '' },
      until: Number(until),
      attempt: Number(attempt),
      approval: approval ? (JSON.parse(approval) as Approval) : undefined,
      verdicts: verdictsOf(verdicts),
      unanswered: begun === 'unanswered',
    };
  }

  /** The worker's renewal: the task first, then its lock. */
  async renew(lease: TaskLease, ttlMs = defaultTtlMs): Promise<RenewOutcome> {
    return this.renewAs(lease, ['holder', lease.holder, lease.fence], lockValue(lease.larry, lease.claim), ttlMs);
  }

  /** Ends the worker's attempt, and then releases its lock; the lock also where it is refused, so that nobody waits for it. */
  async settle(lease: TaskLease, settlement: Settlement): Promise<SettleOutcome> {
    if (settlement.outcome === 'parked') return this.park(lease, settlement);
    const result = 'result' in settlement && settlement.result !== undefined ? JSON.stringify(settlement.result) : '';
    const blob = Buffer.byteLength(result) > maxInlineResultBytes ? await this.keepBlob(lease, result) : '';
    if (typeof blob !== 'string') return blob;
    return this.settleAs(lease, ['holder', lease.holder, lease.fence], settlement, blob ? '' : result, blob);
  }

  /**
   * The coordinator's settlement of its own claim: it could not launch, or saw its worker's process end. Only for a
   * worker that is certainly dead: this takes the lease from it.
   */
  async settleClaim(claim: TaskClaim, settlement: Extract<Settlement, { outcome: 'error' | 'returned' | 'failed' | 'skipped' }>): Promise<SettleOutcome> {
    return this.settleAs(claim, ['claim', claim.claim, ''], settlement, '', '');
  }

  /**
   * The same for a worker of which nobody can tell whether it lives (its node does not answer, its pod is gone): settled only
   * while nobody holds the lease. `refused/held`: its worker has started and renews; `detail` is the moment (ms) to wait for.
   */
  async settleUnheld(claim: TaskClaim, settlement: Extract<Settlement, { outcome: 'error' | 'returned' }>): Promise<SettleOutcome> {
    return this.settleAs(claim, ['unheld', claim.claim, ''], settlement, '', '');
  }

  /** A person's decision about a parked task. `proof` is opaque here: whoever applies the change verifies it. */
  async decide(decision: { run: string; task: string; digest: string; decision: 'granted' | 'denied'; who: string; proof: string }): Promise<DecideOutcome> {
    const { run, task, digest, decision: word, who, proof } = decision;
    const reply = await this.transitions.onTask('decide', run, task, [digest, word, who, proof, '']);
    return reply.ok ? { outcome: 'decided' } : refused(reply);
  }

  /** The same about single changes of what a task is parked for with `digest`. The task goes on once each change has a verdict. */
  async decideChanges(decision: { run: string; task: string; digest: string; decision: 'granted' | 'denied'; who: string; changes: readonly { digest: string; proof: string }[] }): Promise<DecideOutcome> {
    const { run, task, digest, decision: word, who, changes } = decision;
    const reply = await this.transitions.onTask('decide', run, task, [digest, word, who, '', JSON.stringify(changes)]);
    return reply.ok ? { outcome: 'decided' } : refused(reply);
  }

  /** Ends what is past its deadline. Every replica, every second. Returns how many tasks it ended. */
  async expire(run: string): Promise<number> {
    let total = 0;
    for (;;) {
      const reply = await this.transitions.onRun('expire', run, [JSON.stringify(await this.overdueUnderForeignLock(run))]);
      const ended = reply.ok ? Number(reply.values[0]) : 0;
      total += ended;
      if (ended < 200) return total;
    }
  }

  /** Ends every task as skipped(aborted) and the run. Workers learn it at their next renewal or guarded write. */
  async abort(run: string, who: string): Promise<{ outcome: 'aborted' | 'had-ended'; leasedUntil: number } | Refused> {
    const reply = await this.transitions.onRun('abort', run, [who, '']);
    if (!reply.ok) return refused(reply);
    return { outcome: reply.repeated ? 'had-ended' : 'aborted', leasedUntil: Number(reply.values[0]) };
  }

  /** Aborts, waits until no lease lives, and removes every recorded key, one by one. May take one lease and a second. */
  async reset(options: ResetOptions): Promise<ResetReport> {
    const markResetting = async (run: string): Promise<number> => {
      const reply = await this.transitions.onRun('abort', run, [options.who, '1']);
      return reply.ok ? Number(reply.values[0]) : 0;
    };
    return resetRun(this.redis, this.keys, markResetting, options);
  }

  /** Why Redis takes no writes now (full, a full disk, a replica), in a sentence; undefined where it does. Writes nothing. */
  async refusesWrites(): Promise<string | undefined> {
    try {
      // A write in the server's eyes, which refuses before it looks; of a key that is never there.
      await this.redis.named(this.redis.commands.set(this.keys.probe, '', 'XX'));
      return undefined;
    } catch (error) {
      if (error instanceof RedisReadOnlyError || error instanceof RedisFullError) return error.message;
      throw error;
    }
  }

  /** Names keys that `reset` removes. Call it before writing them. */
  async recordKeys(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.redis.named(this.redis.commands.sadd(this.keys.recorded, ...keys));
  }

  private async renewAs(at: { run: string; task: string }, who: readonly string[], lock: string, ttlMs: number): Promise<RenewOutcome> {
    const { run, status, due, task } = this.keys;
    const reply = await this.transitions.call('renew', [run, status, due, task(at.task)], [at.run, at.task, ...who, ttlMs]);
    if (!reply.ok) {
      if (reply.refusal !== 'started') await this.locks.release(at.task, lock);
      return refused(reply);
    }
    const held = await this.locks.renew(at.task, lock, ttlMs);
    if (held !== 'renewed') return { outcome: 'lost', why: held === 'gone' ? 'its lock was deleted' : "its lock is somebody else's" };
    return { outcome: 'renewed', until: Number(reply.values[0]) };
  }

  private async settleAs(
    at: { run: string; task: string; larry: string; claim: string },
    who: readonly string[],
    settlement: Exclude<Settlement, { outcome: 'parked' }>,
    result: string,
    blob: string,
  ): Promise<SettleOutcome> {
    const reason = 'reason' in settlement ? settlement.reason.slice(0, maxReasonLength) : '';
    const wait = settlement.outcome === 'error' ? (settlement.retryAfterMs ?? 0) : 0;
    const reply = await this.transitions.onTask('settle', at.run, at.task, [...who, settlement.outcome, reason, wait, result, blob]);
    if (reply.ok || reply.refusal !== 'held') await this.locks.release(at.task, lockValue(at.larry, at.claim));
    if (!reply.ok) return refused(reply);
    return { outcome: 'settled', status: String(reply.values[0]) as TaskStatus };
  }

  private async park(lease: TaskLease, { digest, request, changes = [], begun = false }: Extract<Settlement, { outcome: 'parked' }>): Promise<SettleOutcome> {
    const args = [lease.holder, lease.fence, digest, JSON.stringify(request), changes.length > 0 ? JSON.stringify(changes) : '', begun ? '1' : ''];
    const reply = await this.transitions.onTask('park', lease.run, lease.task, args);
    await this.locks.release(lease.task, lockValue(lease.larry, lease.claim));
    if (!reply.ok) return refused(reply);
    return { outcome: 'settled', status: 'awaiting_approval' };
  }

  private async keepBlob({ run, task, holder, fence }: TaskLease, value: string): Promise<string | Refused<Refusal>> {
    const blob = this.keys.blob(run, task, holder);
    const keys = [this.keys.run, this.keys.status, this.keys.task(task), blob, this.keys.recorded];
    const reply = await this.transitions.call('blob', keys, [run, task, holder, fence, value]);
    return reply.ok ? blob : refused(reply);
  }

  private async overdueUnderForeignLock(run: string): Promise<string[]> {
    const overdue = await this.redis.named(this.redis.commands.zrangebyscore(this.keys.deadlines, '-inf', await this.redis.time(), 'LIMIT', 0, 200));
    if (overdue.length === 0) return [];
    const known = await this.graphOf(run);
    return this.locks.foreign(overdue.map((task) => ({ task, larry: known.get(task)?.larry ?? '' })));
  }

  /** The plan's part of a run never changes: it is read once. */
  private async graphOf(run: string): Promise<ReadonlyMap<string, GraphEntry>> {
    if (this.graph?.run === run) return this.graph.entries;
    const hash = await this.redis.named(this.redis.commands.hgetall(this.keys.graph));
    const ordered = Object.values(hash).map((json) => JSON.parse(json) as GraphEntry).sort((a, b) => a.order - b.order);
    const entries = new Map(ordered.map((entry) => [entry.id, entry]));
    // A run that began since the snapshot has other tasks: the next read will see both alike.
    if (entries.size > 0 && (await this.redis.named(this.redis.commands.hget(this.keys.run, 'id'))) === run) this.graph = { run, entries };
    return entries;
  }
}

function verdictsOf(text: string | undefined): ChangeVerdict[] {
  return Object.entries(JSON.parse(text || '{}') as Record<string, Omit<ChangeVerdict, 'digest'>>).map(([digest, verdict]) => ({ digest, ...verdict }));
}
