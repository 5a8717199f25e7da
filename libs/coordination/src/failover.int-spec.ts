import { RedisFullError } from '@larry/redis';
import { eventually, startServer, testRedis, type ServerProcess, type TestRedis } from '@larry/redis/testing';
import { Coordination } from './coordination';
import type { TaskLease } from './lease';
import { aLease, aRunSpec, aRunTask } from './testing';

const SYNC_AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** A target outside: keeps each change by its id with the fence that made it, and refuses an older fence. */
class Target {
  readonly applied = new Map<string, string>();
  private highest = 0;

  apply(change: string, fence: string): 'applied' | 'there already' | 'refused' {
    if (Number(fence) < this.highest) return 'refused';
    this.highest = Number(fence);
    if (this.applied.has(change)) return 'there already';
    this.applied.set(change, fence);
    return 'applied';
  }
}

/** Intent, look, effect, outcome, settlement: one task's work. */
async function effect(coordination: Coordination, target: Target, lease: TaskLease): Promise<void> {
  const change = `${lease.run}/${lease.task}/1`;
  await coordination.journal.intend(lease, change, { want: lease.task });
  await coordination.journal.conclude(lease, change, target.apply(change, lease.fence));
}

describe('a failover', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('that loses acknowledged writes loses no fence at the target and doubles no change, and the run ends', async () => {
    const master = await startServer(() => SYNC_AT_ONCE);
    const replica = await startServer(() => ['--replicaof', '127.0.0.1', String(master.port)]);
    const at = (server: ServerProcess) => `redis://127.0.0.1:${server.port}`;
    const before = new Coordination(await redis.client({ url: at(master) }));
    const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
    const spec = aRunSpec(ids.map((id) => aRunTask({ id })));
    await before.createRun(spec);
    const first = await aLease(before, spec.run, 't0');
    const side = await redis.client({ url: at(replica), check: false });
    await eventually(async () => expect(await side.commands.hget(before.keys.status, 't0')).toBe('in_progress'));
    await side.commands.replicaof('NO', 'ONE');

    const target = new Target();
    await effect(before, target, first);
    await before.settle(first, { outcome: 'completed' });
    const fences = [first.fence];
    for (const id of ids.slice(1)) {
      const lease = await aLease(before, spec.run, id);
      await effect(before, target, lease);
      await before.settle(lease, { outcome: 'completed' });
      fences.push(lease.fence);
    }
    expect(target.applied.size).toBe(20);
    await master.stop();

    const after = new Coordination(await redis.client({ url: at(replica), prefix: before.redis.prefix }));
    expect((await after.snapshot())?.run.phases[0]).toMatchObject({ completed: 0, total: 20 });
    await after.redis.commands.zadd(after.keys.due, 1, 't0');
    await after.redis.commands.del(after.keys.view.lock('t0'));
    for (const id of ids) {
      const lease = await aLease(after, spec.run, id);
      expect(Number(lease.fence)).toBeGreaterThan(Math.max(...fences.map(Number)));
      await effect(after, target, lease);
      await after.settle(lease, { outcome: 'completed' });
    }
    expect(await after.renew(first)).toMatchObject({ outcome: 'refused' });
    expect(target.applied.size).toBe(20);
    expect([...target.applied.values()]).toEqual(fences);
    await after.settle(await aLease(after, spec.run, 'converge', { larry: 'meta-coordinator' }), { outcome: 'completed' });
    expect((await after.snapshot())?.run.status).toBe('completed');
    await replica.stop();
  });

  it('done by the sentinels is followed by the same client, under the same lease', async () => {
    const sentinel = await testRedis('sentinel');
    const coordination = new Coordination(await sentinel.client());
    const spec = aRunSpec([aRunTask({ id: 'a' })]);
    await coordination.createRun(spec);
    const lease = await aLease(coordination, spec.run, 'a');
    expect(await coordination.journal.intend(lease, 'x', 1)).toBeUndefined(); // waits for the replica: all before it is there
    await sentinel.servers[0]?.stop();
    await eventually(async () => expect(await coordination.renew(lease)).toMatchObject({ outcome: expect.stringMatching(/renewed|lost/) as string }), 15_000);
    expect(await coordination.settle(lease, { outcome: 'completed' })).toMatchObject({ outcome: 'settled', status: 'completed' });
    await sentinel.stop();
  }, 40_000);

  it('without a replica that confirms refuses the effect', async () => {
    const master = await startServer(() => SYNC_AT_ONCE);
    const replica = await startServer(() => ['--replicaof', '127.0.0.1', String(master.port)]);
    const coordination = new Coordination(await redis.client({ url: `redis://127.0.0.1:${master.port}` }));
    const spec = aRunSpec([aRunTask({ id: 'a' })]);
    await coordination.createRun(spec);
    const lease = await aLease(coordination, spec.run, 'a');
    await eventually(async () => expect(await coordination.redis.commands.wait(1, 100)).toBe(1), 10_000);
    process.kill(replica.pid, 'SIGSTOP');
    await expect(coordination.journal.intend(lease, 'x', 1)).rejects.toThrow('No replica confirmed the intent of x');
    process.kill(replica.pid, 'SIGCONT');
    expect(await coordination.journal.intend(lease, 'x', 1)).toEqual({ change: 'x', intent: 1 });
    await Promise.all([master.stop(), replica.stop()]);
  }, 30_000);
});

describe('a full Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('begins nothing new and lets running work end', async () => {
    const server = await startServer();
    const coordination = new Coordination(await redis.client({ url: `redis://127.0.0.1:${server.port}` }));
    const spec = aRunSpec([aRunTask({ id: 'a' }), aRunTask({ id: 'b' })]);
    await coordination.createRun(spec);
    const lease = await aLease(coordination, spec.run, 'a');
    await coordination.redis.commands.config('SET', 'maxmemory', '1');
    const claim = { run: spec.run, task: 'b', larry: 'larry-01', claim: 'c' };
    await expect(coordination.claim(claim)).rejects.toThrow(RedisFullError);
    await expect(coordination.journal.intend(lease, 'x', 1)).rejects.toThrow(RedisFullError);
    expect(await coordination.renew(lease)).toMatchObject({ outcome: 'renewed' });
    expect(await coordination.settle(lease, { outcome: 'completed', result: 'x'.repeat(20_000) })).toMatchObject({ status: 'completed' });
    await coordination.redis.commands.config('SET', 'maxmemory', '0');
    expect(await coordination.claim(claim)).toMatchObject({ outcome: 'claimed' });
    await server.stop();
  });
});
