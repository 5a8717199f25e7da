import { eventually, testTopologies } from '@larry/redis/testing';
import { Coordination } from './coordination';
import { aLease, aRunSpec, aRunTask } from './testing';
import { onWake } from './wake';

testTopologies("the quick start's keys", (redis) => {
  const open = async (): Promise<Coordination> => new Coordination(await redis().client());

  it('show a run as it goes', async () => {
    const c = await open();
    const { commands } = c.redis;
    const key = (name: string): string => c.redis.key(name);
    const node = 'local (planned k3s-worker01)';
    const spec = aRunSpec([aRunTask({ id: 'a', worker: 'cleanup-worker', node }), aRunTask({ id: 'b', worker: 'other-worker' })]);
    await c.createRun(spec);
    await c.views.refresh();
    expect(await commands.get(key('phase:larry-01:status'))).toBe('pending');
    expect(await commands.exists(key('phase:larry-01:started_at'))).toBe(0);
    const lease = await aLease(c, spec.run, 'a');
    await c.views.refresh({ tokensUsed: () => 120, extra: { 'phase:larry-02:findings': { critical: '1' }, 'phase:larry-03:testing:coverage_increase': '10' } });
    expect(await commands.get(key('phase:larry-01:status'))).toBe('in_progress');
    expect(await commands.get(key('phase:larry-01:started_at'))).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await commands.get(key('worker:larry-01-cleanup-worker:status'))).toBe('busy');
    expect(await commands.get(key('worker:larry-01-cleanup-worker:node'))).toBe(node);
    expect(await commands.get(key('worker:larry-01-cleanup-worker:master'))).toBe('larry-01');
    expect(await commands.hgetall(key('phase:larry-02:findings'))).toEqual({ critical: '1' });
    expect(await commands.get(key('phase:larry-03:testing:coverage_increase'))).toBe('10');
    await c.settle(lease, { outcome: 'completed', result: { figures: { restarts: 0 } } });
    await c.settle(await aLease(c, spec.run, 'b'), { outcome: 'skipped', reason: 'not-built' });
    await c.views.refresh({ tokensUsed: () => 150 });
    expect(await commands.get(key('phase:larry-01:status'))).toBe('completed');
    expect(await commands.get(key('phase:larry-01:progress'))).toBe('50');
    expect(await commands.get(key('task:status:b'))).toBe('skipped');
    expect(await commands.hgetall(key('task:result:a'))).toMatchObject({ success: 'true', restarts: '0', timestamp: expect.stringMatching(/Z$/) as string });
    expect(await commands.exists(key('task:result:b'))).toBe(0);
    expect(await commands.hgetall(key('worker:larry-01-cleanup-worker:metrics'))).toEqual({ tokens_used: '150', duration_seconds: '0' });
    expect(await c.views.refresh({ tokensUsed: () => 150 })).toBe(0);
  });

  it('begin again with the next run, progress too', async () => {
    const c = await open();
    const first = aRunSpec([aRunTask({ id: 'a' })]);
    await c.createRun(first);
    await c.settle(await aLease(c, first.run, 'a'), { outcome: 'completed' });
    await c.views.refresh();
    await c.abort(first.run, 'test');
    await c.createRun(aRunSpec([aRunTask({ id: 'a' }), aRunTask({ id: 'b' })]));
    await c.views.refresh();
    const values = await Promise.all(['phase:larry-01:progress', 'phase:larry-01:status', 'task:status:a'].map((name) => c.redis.commands.get(c.redis.key(name))));
    expect(values).toEqual(['0', 'pending', 'ready']);
    expect(await c.redis.commands.exists(c.redis.key('phase:larry-01:completed_at'))).toBe(0);
    expect(await c.redis.commands.exists(c.redis.key('task:result:a'))).toBe(0);
  });

  it('are read again after a while only, and written at once when they change', async () => {
    const c = await open();
    const spec = aRunSpec([aRunTask({ id: 'a' }), aRunTask({ id: 'b' })]);
    await c.createRun(spec);
    await c.views.refresh({ recheckMs: 600_000 });
    const [phase, task] = ['phase:larry-01:status', 'task:status:a'].map((name) => c.redis.key(name)) as [string, string];
    await c.redis.commands.set(phase, 'an operator was here');
    await aLease(c, spec.run, 'b');
    await c.settle(await aLease(c, spec.run, 'a'), { outcome: 'completed' });
    await c.views.refresh({ recheckMs: 600_000 });
    expect(await c.redis.commands.get(task)).toBe('completed');
    expect(await c.redis.commands.get(phase)).toBe('in_progress');
    await c.redis.commands.set(task, 'an operator was here');
    expect(await c.views.refresh({ recheckMs: 600_000 })).toBe(0);
    expect(await c.views.refresh({ recheckMs: 0 })).toBe(1);
    expect(await c.redis.commands.get(task)).toBe('completed');
  });

  it('may be of the Larrys asked for alone', async () => {
    const c = await open();
    await c.createRun(aRunSpec([aRunTask({ id: 'a' }), aRunTask({ id: 'b', larry: 'larry-02' })]));
    await c.views.refresh({ larrys: ['larry-02'] });
    expect(await c.redis.commands.get(c.redis.key('task:status:b'))).toBe('ready');
    expect(await c.redis.commands.exists(c.redis.key('task:status:a'))).toBe(0);
  });

  it('wakes who listens by a transition, at once, and by time where a message is lost', async () => {
    const c = await open();
    let woken = 0;
    const slow = await onWake(c.redis, async () => void (woken += 1), { everyMs: 60_000 });
    await eventually(() => expect(woken).toBeGreaterThanOrEqual(2)); // at start, and when subscribed
    const before = woken;
    const spec = aRunSpec([aRunTask({ id: 'a' })]);
    await c.createRun(spec);
    await c.claim({ run: spec.run, task: 'a', larry: 'larry-01', claim: 'c' });
    await eventually(() => expect(woken).toBeGreaterThan(before), 1000);
    await slow.stop();
    let ticks = 0;
    const errors: unknown[] = [];
    const fast = await onWake(c.redis, () => Promise.reject(new Error(`tick ${(ticks += 1)}`)), { everyMs: 20, onError: (error) => errors.push(error) });
    await eventually(() => expect(errors.length).toBeGreaterThan(3));
    await fast.stop();
  });
});
