import { endedStatuses, hasEnded, parseEvent, type LarryEvent } from '@larry/contracts';
import { eventually, testTopologies } from '@larry/redis/testing';
import fc from 'fast-check';
import { Coordination } from './coordination';
import type { TaskLease } from './lease';
import { LeaseLostError } from './errors';
import type { RunTask } from './run-spec';
import { aRunSpec, aRunTask } from './testing';

const LARRYS = ['larry-01', 'larry-02'] as const;
const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

/** What anybody may do at any time. `who` picks one of the actors, or one of the claims and leases made so far. */
const action = fc.record({
  kind: fc.constantFrom('claim', 'claim', 'claim', 'start', 'start', 'renew', 'complete', 'error', 'return', 'fail', 'park', 'decide', 'lapse', 'delete-lock', 'foreign-lock', 'expire', 'back-in-time', 'abort' as const),
  task: fc.nat({ max: NAMES.length - 1 }),
  who: fc.nat({ max: 5 }),
});
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** A plan without circles: each task may wait for those before it. */
const plan = fc.array(fc.record({ larry: fc.constantFrom(...LARRYS), needs: fc.subarray([0, 1, 2, 3]), after: fc.subarray([0, 1, 2, 3]) }), { minLength: 1, maxLength: 5 }).map((tasks) =>
  tasks.map(({ larry, needs, after }, i) => {
    const earlier = (list: number[]) => list.filter((n) => n < i).map((n) => NAMES[n] as string);
    return aRunTask({ id: NAMES[i] as string, larry, needs: earlier(needs).slice(0, 1), after: earlier(after), attempts: 2 });
  }),
);

/** Plays actions and remembers every claim and lease that was ever granted. */
class Players {
  readonly claims: { run: string; task: string; larry: string; claim: string }[] = [];
  readonly leases: TaskLease[] = [];
  readonly fences = new Map<string, string[]>();
  /** Tasks whose claim was or may have been given up, with the batch in which that was. Lenient within one batch: its order is unknown. */
  private readonly freed = new Map<string, number>();
  private batch = 0;
  private made = 0;

  constructor(
    private readonly coordination: Coordination,
    private readonly run: string,
    private readonly tasks: readonly RunTask[],
  ) {}

  async playAll(actions: readonly Action[]): Promise<void> {
    this.batch += 1;
    await Promise.all(actions.map((one) => this.play(one)));
  }

  private async play({ kind, task: index, who }: Action): Promise<void> {
    const task = this.tasks[index % this.tasks.length] as RunTask;
    const { coordination: c, run } = this;
    const { commands } = c.redis;
    const lease = this.leases[this.leases.length - 1 - who];
    if (kind === 'lapse') this.freed.set(task.id, this.batch);
    if (lease && ['error', 'return', 'park'].includes(kind)) this.freed.set(lease.task, this.batch);
    if (kind === 'back-in-time') this.tasks.forEach(({ id }) => this.freed.set(id, this.batch)); // thrice is a lease
    if (kind === 'claim') await this.claim(task);
    else if (kind === 'start') await this.start(who);
    else if (kind === 'renew' && lease) await c.renew(lease);
    else if (kind === 'complete' && lease) await c.settle(lease, { outcome: 'completed', result: who });
    else if (kind === 'error' && lease) await c.settle(lease, { outcome: 'error', reason: 'x' });
    else if (kind === 'return' && lease) await c.settle(lease, { outcome: 'returned', reason: 'x' });
    else if (kind === 'fail' && lease) await c.settle(lease, { outcome: 'failed', reason: 'x' });
    else if (kind === 'park' && lease) await c.settle(lease, { outcome: 'parked', digest: 'd', request: null });
    else if (kind === 'decide') await c.decide({ run, task: task.id, digest: 'd', decision: who > 1 ? 'granted' : 'denied', who: 'ann', proof: '' });
    else if (kind === 'lapse') await commands.zadd(c.keys.due, 'XX', 1, task.id);
    else if (kind === 'delete-lock') await commands.del(c.keys.view.lock(task.id));
    else if (kind === 'foreign-lock') await commands.set(c.keys.view.lock(task.id), 'larry-09', 'PX', 50);
    else if (kind === 'back-in-time') await commands.hincrby(c.keys.run, 'clock', 10_000);
    else if (kind === 'expire') await this.expire(who === 0 ? task : undefined);
    else if (kind === 'abort' && who === 0 && index === 0) await c.abort(run, 'ann');
  }

  private async claim(task: RunTask): Promise<void> {
    const made = { run: this.run, task: task.id, larry: task.larry, claim: `c${(this.made += 1)}` };
    const claimed = await this.coordination.claim(made);
    if (claimed.outcome !== 'claimed') return;
    const before = this.claims.find((claim) => claim.task === task.id);
    const freed = this.freed.get(task.id);
    if (before && freed === undefined) throw new Error(`${task.id} was claimed while another claim lived`);
    if (freed !== undefined && freed < this.batch) this.freed.delete(task.id);
    this.claims.push(made);
    this.note(task.id, claimed.fence);
  }

  private async start(who: number): Promise<void> {
    const claim = this.claims[this.claims.length - 1 - who];
    if (!claim) return;
    const started = await this.coordination.start({ ...claim, holder: `h${(this.made += 1)}` });
    if (started.outcome !== 'started') return;
    this.leases.push(started.lease);
    this.note(claim.task, started.lease.fence);
  }

  private async expire(task: RunTask | undefined): Promise<void> {
    if (task) await this.coordination.redis.commands.zadd(this.coordination.keys.deadlines, 'XX', 1, task.id);
    await this.coordination.expire(this.run);
  }

  private note(task: string, fence: string): void {
    this.fences.set(task, [...(this.fences.get(task) ?? []), fence]);
  }
}

/** Which of all leases ever granted still pass a guarded write. */
async function writers(coordination: Coordination, leases: readonly TaskLease[]): Promise<string[]> {
  const passed = await Promise.all(
    leases.map((lease) =>
      coordination.journal.intend(lease, `probe-${lease.holder}`, null).then(
        () => [lease.task],
        (error: unknown) => {
          if (error instanceof LeaseLostError) return [];
          throw error;
        },
      ),
    ),
  );
  return passed.flat();
}

async function streamed(coordination: Coordination): Promise<string[]> {
  return (await coordination.redis.commands.xrange(coordination.keys.events, '-', '+')).map(([, fields]) => fields[3] ?? '');
}

function parsed(json: string): LarryEvent {
  const result = parseEvent(JSON.parse(json));
  if ('problem' in result) throw new Error(`${result.problem}: ${json}`);
  return result.event;
}

/** Ends what is left as time would. */
async function runOut(coordination: Coordination, run: string): Promise<void> {
  const { commands } = coordination.redis;
  await commands.hset(coordination.keys.run, 'deadline', 1);
  for (let round = 0; (await coordination.snapshot())?.run.status === 'running'; round += 1) {
    if (round > 20) throw new Error('the run does not end');
    for (const task of await commands.zrange(coordination.keys.deadlines, 0, -1)) await commands.zadd(coordination.keys.deadlines, 1, task);
    await coordination.expire(run);
  }
}

testTopologies('whatever the order in which claims, starts, renewals, ends, operators and clocks come', (redis, topology) => {
  it('there is one holder, fences grow, what ended stays ended, no event is lost, and the run ends', async () => {
    const property = fc.asyncProperty(plan, fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { maxLength: 30 }), async (tasks, batches) => {
      const coordination = new Coordination(await redis().client());
      const heard: string[] = [];
      await coordination.redis.subscriber().subscribe(['larry:coordination', 'larry:alerts'], (_, message) => heard.push(message));
      const spec = aRunSpec(tasks);
      await coordination.createRun(spec);
      const players = new Players(coordination, spec.run, [...tasks, spec.converge]);
      const ended = new Map<string, string>();
      for (const batch of batches) {
        const highest = new Map([...players.fences].map(([task, fences]) => [task, { max: Math.max(...fences.map(Number)), count: fences.length }]));
        await players.playAll(batch);
        checkFences(players.fences, highest);
        checkOneWriter(await writers(coordination, players.leases));
        await checkEnded(coordination, ended);
      }
      await runOut(coordination, spec.run);
      await checkEnded(coordination, ended);
      expect(ended.size).toBe(tasks.length + 1);
      const events = (await streamed(coordination)).map(parsed);
      checkEvents(events, tasks, ended);
      await eventually(async () => expect(heard).toEqual(await streamed(coordination)));
      await coordination.redis.close();
    });
    await fc.assert(property, { numRuns: topology === 'single' ? 150 : 25 });
  }, 120_000);
});

function checkFences(fences: ReadonlyMap<string, readonly string[]>, before: ReadonlyMap<string, { max: number; count: number }>): void {
  for (const [task, all] of fences) {
    expect(new Set(all).size).toBe(all.length);
    const { max, count } = before.get(task) ?? { max: 0, count: 0 };
    for (const fence of all.slice(count)) expect(Number(fence)).toBeGreaterThan(max);
  }
}

function checkOneWriter(tasks: readonly string[]): void {
  expect(tasks).toEqual([...new Set(tasks)]);
}

/** Ended is final, and the phases' counters say what the tasks say. */
async function checkEnded(coordination: Coordination, ended: Map<string, string>): Promise<void> {
  const snapshot = await coordination.snapshot();
  for (const task of snapshot?.tasks ?? []) {
    const state = `${task.status} ${task.skipReason ?? ''}`;
    const before = ended.get(task.task);
    if (before !== undefined) expect(`${task.task} ${state}`).toBe(`${task.task} ${before}`);
    if (hasEnded(task.status)) ended.set(task.task, state);
  }
  const hash = await coordination.redis.commands.hgetall(coordination.keys.run);
  for (const phase of snapshot?.run.phases ?? []) {
    const open = phase.total - phase.completed - phase.failed - phase.skipped;
    if (snapshot?.run.status !== 'running') expect(open).toBe(0);
    expect([phase.larry, hash[`open:${phase.larry}`], hash[`failed:${phase.larry}`] ?? '0']).toEqual([phase.larry, String(open), String(phase.failed)]);
  }
}

function checkEvents(events: readonly LarryEvent[], tasks: readonly RunTask[], ended: ReadonlyMap<string, string>): void {
  const ids = events.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  const names = { completed: 'task_complete', failed: 'task_failed', skipped: 'task_skipped' } as const;
  for (const [task, state] of ended) {
    const ends = events.filter((event) => Object.values<string>(names).includes(event.event) && event['task_id'] === task);
    const status = endedStatuses.find((word) => state.startsWith(word)) ?? 'completed';
    expect(ends.map(({ event }) => event)).toEqual([names[status]]);
  }
  for (const larry of new Set(tasks.map((task) => task.larry))) {
    expect(events.filter(({ event, from }) => (event === 'phase_complete' || event === 'phase_failed') && from === larry)).toHaveLength(1);
  }
  expect(events.filter(({ event }) => event === 'run_complete')).toHaveLength(1);
}
