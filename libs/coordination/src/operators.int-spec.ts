import { randomUUID } from 'node:crypto';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { Coordination } from './coordination';
import type { HeldLease } from './leases';
import { aRunSpec, aRunTask } from './testing';
import { onWake } from './wake';

const TTL_MS = 450;

/** Every lease that is being worked under, by task: to see whether two pass guard() at the same moment. */
class Watch {
  readonly effects: { task: string; fence: number }[] = [];
  private readonly held = new Map<string, Set<HeldLease>>();

  async work(lease: HeldLease): Promise<{ outcome: 'completed' }> {
    const others = this.held.get(lease.task) ?? new Set();
    this.held.set(lease.task, others.add(lease));
    try {
      for (let i = 0; i < 20; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        lease.guard();
        const live = [...others].filter(isLive);
        if (live.length > 1) throw new Error(`two live holders of ${lease.task}: ${live.map(({ fence }) => fence).join(', ')}`);
        this.effects.push({ task: lease.task, fence: Number(lease.fence) });
      }
      return { outcome: 'completed' };
    } finally {
      others.delete(lease);
    }
  }
}

function isLive(lease: HeldLease): boolean {
  try {
    lease.guard();
    return true;
  } catch {
    return false;
  }
}

/** One replica of a Larry: reconciles on every wake, works in its own process. */
async function replica(coordination: Coordination, larry: string, watch: Watch): Promise<() => Promise<void>> {
  const working = new Set<Promise<unknown>>();
  const reconcile = async (): Promise<void> => {
    const run = (await coordination.snapshot())?.run.run ?? '';
    await coordination.expire(run);
    for (const { task } of await coordination.ready(larry)) {
      const claim = { run, task, larry, claim: randomUUID() };
      if ((await coordination.claim(claim, TTL_MS)).outcome !== 'claimed') continue;
      const work = coordination.leases.using(claim, { ttlMs: TTL_MS }, (lease) => watch.work(lease));
      working.add(work);
      void work.finally(() => working.delete(work));
    }
    await coordination.views.refresh({ larrys: [larry] });
  };
  const waking = await onWake(coordination.redis, reconcile, { everyMs: 50 });
  return async () => {
    await waking.stop();
    await Promise.all(working);
  };
}

/** What a person with redis-cli may do, at the worst moment: the quick start's lines, and some that it does not print. */
async function meddle({ redis, keys }: Coordination, tasks: readonly string[], round: number): Promise<void> {
  const { commands, prefix } = redis;
  const task = tasks[round % tasks.length] ?? '';
  const forged = { id: `x${round}`, from: 'nobody', event: 'task_complete', timestamp: 'now', run: 'other', task_id: task, attempt: 1 };
  await commands.publish(redis.key('larry:coordination'), round % 2 === 0 ? JSON.stringify(forged) : 'not JSON');
  await commands.set(keys.view.phase('larry-01', 'progress'), '0');
  if (round % 3 === 0) await commands.del(keys.view.lock(task));
  if (round % 5 === 0) await commands.set(keys.view.lock(task), 'larry-02', 'PX', 100);
  if (round % 11 === 0) {
    for (const pattern of ['phase:larry-*', 'task:*', 'worker:*']) {
      const found = await commands.keys(prefix + pattern);
      if (found.length > 0) await commands.del(...found);
    }
  }
}

describe('an operator who deletes locks, sets foreign ones, forges messages and runs the cleanup lines', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('never makes two live holders, and the run ends, with three replicas of each Larry', async () => {
    const first = new Coordination(await redis.client());
    const another = async (): Promise<Coordination> => new Coordination(await redis.client({ prefix: first.redis.prefix }));
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const tasks = ids.map((id, i) => aRunTask({ id, larry: i % 2 ? 'larry-02' : 'larry-01', after: i > 1 ? [ids[i - 2] ?? ''] : [], attempts: 8 }));
    const spec = aRunSpec(tasks);
    await first.createRun(spec);
    const watch = new Watch();
    const larrys = ['larry-01', 'larry-02', 'meta-coordinator'].flatMap((larry) => [larry, larry, larry]);
    const stops = await Promise.all(larrys.map(async (larry) => replica(await another(), larry, watch)));
    let round = 0;
    const ended = eventually(async () => expect((await first.snapshot())?.run.status).not.toBe('running'), 25_000);
    let over = false;
    void ended.finally(() => (over = true)).catch(() => undefined);
    while (!over) {
      await meddle(first, ids, round);
      round += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await ended;
    await Promise.all(stops.map((stop) => stop()));
    const all = (await first.snapshot())?.tasks ?? [];
    const states = all.map(({ task, status }) => `${task} ${status}`);
    expect(states).toEqual([...ids, 'converge'].map((id) => `${id} completed`));
    for (const id of ids) {
      const fences = watch.effects.filter(({ task }) => task === id).map(({ fence }) => fence);
      expect(fences).toEqual([...fences].sort((a, b) => a - b));
    }
    const attempts = all.reduce((sum, { attempt }) => sum + attempt, 0);
    expect(attempts).toBeGreaterThan(all.length); // the operator did take leases away
  }, 40_000);

  it('finds the views right again a moment after whatever it did to them', async () => {
    const coordination = new Coordination(await redis.client());
    const { commands, prefix } = coordination.redis;
    await coordination.createRun(aRunSpec([aRunTask({ id: 'a' })]));
    await coordination.views.refresh();
    const found = (await commands.keys(`${prefix}[ptwm]*`)).sort();
    for (const key of found) await commands.hset(await commands.del(key).then(() => key), 'wrong', 'type');
    await commands.del(coordination.keys.view.taskStatus('a'));
    await coordination.views.refresh();
    expect(await commands.get(coordination.keys.view.taskStatus('a'))).toBe('ready');
    expect(await commands.get(coordination.keys.view.phase('larry-01', 'status'))).toBe('pending');
    expect(await commands.get(coordination.keys.view.phase('larry-01', 'progress'))).toBe('0');
    expect(await coordination.views.refresh()).toBe(0);
  });
});
