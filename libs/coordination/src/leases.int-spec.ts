import { randomUUID } from 'node:crypto';
import { cuttingProxy, eventually, testRedis, testTopologies, type TestRedis } from '@larry/redis/testing';
import { Coordination } from './coordination';
import { LeaseLostError } from './errors';
import type { HeldLease } from './leases';
import type { Settlement } from './settlement';
import { aLease, aRunSpec, aRunTask } from './testing';

const DONE: Settlement = { outcome: 'completed' };

async function claimed(coordination: Coordination, ttlMs: number): Promise<{ run: string; task: string; claim: string; larry: string }> {
  const spec = aRunSpec([aRunTask({ id: 'a' })]);
  await coordination.createRun(spec);
  const claim = { run: spec.run, task: 'a', larry: 'larry-01', claim: randomUUID() };
  expect(await coordination.claim(claim, ttlMs)).toMatchObject({ outcome: 'claimed' });
  return claim;
}

/** Resolves when the lease's signal is aborted. */
const lost = (lease: HeldLease): Promise<void> => new Promise((resolve) => lease.signal.addEventListener('abort', () => resolve()));

/** Blocks the whole process, timers and all, as a pause would. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

testTopologies('a scoped lease', (redis) => {
  const open = async (): Promise<Coordination> => new Coordination(await redis().client());

  it('is renewed for as long as the work runs, and settles as the work says', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 600);
    const began = await coordination.redis.time();
    const end = await coordination.leases.using(claim, { ttlMs: 600 }, async (lease) => {
      await eventually(async () => expect(await coordination.redis.time()).toBeGreaterThan(began + 1500));
      lease.guard();
      expect((await coordination.snapshot())?.tasks[0]).toMatchObject({ status: 'in_progress', claimable: false });
      return { outcome: 'completed', result: { n: 1 } };
    });
    expect(end).toEqual({ outcome: 'settled', status: 'completed' });
    expect(await coordination.redis.commands.exists(coordination.keys.view.lock('a'))).toBe(0);
  });

  it('is lost at once with its lock: the work stops and the task is given back without an attempt', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 600);
    const end = await coordination.leases.using(claim, { ttlMs: 600 }, async (lease) => {
      await coordination.redis.commands.del(coordination.keys.view.lock('a'));
      await lost(lease);
      expect(() => lease.guard()).toThrow(LeaseLostError);
      return DONE;
    });
    expect(end).toEqual({ outcome: 'settled', status: 'ready' });
    expect(await coordination.redis.commands.hget(coordination.keys.task('a'), 'errors')).toBeNull();
  });

  it('is refused to a second worker with the same claim, whose work is never called', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 5000);
    await coordination.leases.using(claim, { ttlMs: 5000 }, async () => {
      const work = jest.fn();
      expect(await coordination.leases.using(claim, { ttlMs: 5000 }, work)).toEqual({ outcome: 'not-started', why: 'other-worker' });
      expect(work).not.toHaveBeenCalled();
      return DONE;
    });
  });
});

describe('a scoped lease', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());
  const open = async (): Promise<Coordination> => new Coordination(await redis.client());

  it('does not pass guard() after a pause, even before its signal says anything, and its settlement is refused', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 900);
    const effects: string[] = [];
    const end = await coordination.leases.using(claim, { ttlMs: 900 }, async (lease) => {
      await coordination.redis.commands.zadd(coordination.keys.due, 1, 'a');
      await coordination.redis.commands.del(coordination.keys.view.lock('a'));
      await aLease(coordination, claim.run, 'a');
      block(1000);
      expect(lease.signal.aborted).toBe(false);
      lease.guard();
      effects.push('stale');
      return DONE;
    });
    expect(end).toEqual({ outcome: 'refused', why: 'stale' });
    expect(effects).toEqual([]);
  });

  it('does not pass guard() after a suspension, during which the monotonic clock stood still, and its task is given back', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 5000);
    const end = await coordination.leases.using(claim, { ttlMs: 5000 }, async (lease) => {
      lease.guard();
      const now = Date.now();
      const wall = jest.spyOn(Date, 'now').mockImplementation(() => now + 60_000);
      try {
        expect(() => lease.guard()).toThrow(LeaseLostError);
      } finally {
        wall.mockRestore();
      }
      lease.guard();
      return DONE;
    });
    expect(end).toMatchObject({ outcome: 'settled', status: 'ready' });
  });

  it('outlives a connection that is away for a while, and not one that stays away', async () => {
    const proxy = await cuttingProxy(redis.url);
    const direct = await open();
    const through = new Coordination(await redis.client({ url: proxy.url, prefix: direct.redis.prefix, commandTimeoutMs: 200 }));
    const claim = await claimed(direct, 1500);
    const end = await through.leases.using(claim, { ttlMs: 1500 }, async (lease) => {
      const before = Number(await direct.redis.commands.zscore(direct.keys.due, 'a'));
      proxy.pause();
      await eventually(async () => expect(await direct.redis.time()).toBeGreaterThan(before - 1500 + 800));
      lease.guard();
      proxy.resume();
      await eventually(async () => expect(Number(await direct.redis.commands.zscore(direct.keys.due, 'a'))).toBeGreaterThan(before));
      lease.guard();
      proxy.pause();
      const began = performance.now();
      await lost(lease);
      expect(performance.now() - began).toBeLessThan(1500 * 0.8 + 200);
      proxy.resume();
      return DONE;
    });
    expect(end).toEqual({ outcome: 'settled', status: 'ready' });
    await proxy.close();
  });

  it('ends at once when the run is aborted', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 600);
    const end = await coordination.leases.using(claim, { ttlMs: 600 }, async (lease) => {
      await coordination.abort(claim.run, 'ann');
      await lost(lease);
      return DONE;
    });
    expect(end).toEqual({ outcome: 'refused', why: 'ended' });
  });

  it('gives the task back when the process is told to stop, and uses an attempt when the work throws', async () => {
    const coordination = await open();
    const claim = await claimed(coordination, 5000);
    const stop = new AbortController();
    const stopped = await coordination.leases.using(claim, { ttlMs: 5000, stop: stop.signal }, async (lease) => {
      stop.abort();
      await Promise.resolve();
      lease.guard();
      return DONE;
    });
    expect(stopped).toEqual({ outcome: 'settled', status: 'ready' });
    const second = { ...claim, claim: randomUUID() };
    await coordination.claim(second, 5000);
    const thrown = await coordination.leases.using(second, { ttlMs: 5000 }, () => Promise.reject(new Error('no such table')));
    expect(thrown).toEqual({ outcome: 'settled', status: 'ready' });
    expect(await coordination.task('a')).toMatchObject({ reason: 'no such table', claimable: false });
  });

  it('refuses a length that cannot be renewed in time', async () => {
    const coordination = await open();
    await expect(coordination.leases.using({ run: 'r', task: 't', claim: 'c' }, { ttlMs: 10 }, () => Promise.resolve(DONE))).rejects.toThrow('LeaseOptions.ttlMs is 10');
  });
});
