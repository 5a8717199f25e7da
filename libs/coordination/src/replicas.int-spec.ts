import { randomUUID } from 'node:crypto';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { Coordination } from './coordination';
import type { TaskClaim } from './lease';
import { aRunSpec, aRunTask } from './testing';

const TTL_MS = 600;

describe('three replicas of a Larry', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  const crew = async (): Promise<{ run: string; replicas: [Coordination, Coordination, Coordination] }> => {
    const first = new Coordination(await redis.client());
    const another = async (): Promise<Coordination> => new Coordination(await redis.client({ prefix: first.redis.prefix }));
    const spec = aRunSpec([aRunTask({ id: 'a' })]);
    await first.createRun(spec);
    return { run: spec.run, replicas: [first, await another(), await another()] };
  };
  const aClaim = (run: string): TaskClaim => ({ run, task: 'a', larry: 'larry-01', claim: randomUUID() });

  it.each(['lock', 'claim', 'launch', 'start'] as const)('put one worker through within a lease and two seconds after a coordinator died behind its %s', async (step) => {
    const { run, replicas } = await crew();
    const [dead, ...alive] = replicas;
    const began = performance.now();
    const lost = aClaim(run);
    if (step === 'lock') await dead.redis.commands.set(dead.keys.view.lock('a'), `larry-01#${lost.claim}`, 'PX', TTL_MS, 'NX');
    else await dead.claim(lost, TTL_MS);
    const started = step === 'start' ? await dead.start({ ...lost, holder: 'dead' }, TTL_MS) : undefined;
    const won = await eventually(async () => {
      const tries = alive.map(async (coordination) => {
        const claim = aClaim(run);
        const claimed = await coordination.claim(claim, TTL_MS);
        return claimed.outcome === 'claimed' ? { coordination, claim } : undefined;
      });
      const winners = (await Promise.all(tries)).filter((winner) => winner !== undefined);
      expect(winners).toHaveLength(1);
      return winners[0];
    });
    const orphan = step === 'launch' ? await alive[0]?.start({ ...lost, holder: 'orphan' }, TTL_MS) : undefined;
    const starts = await Promise.all(['w1', 'w2'].map((holder) => won?.coordination.start({ ...(won?.claim ?? lost), holder }, TTL_MS)));
    expect(performance.now() - began).toBeLessThan(TTL_MS + 2000);
    expect(starts.filter((start) => start?.outcome === 'started')).toHaveLength(1);
    if (orphan) expect(orphan).toEqual({ outcome: 'refused', why: 'stale' });
    if (started?.outcome === 'started') expect(await dead.renew(started.lease, TTL_MS)).toMatchObject({ outcome: 'refused' });
  });

  it('launch once while a start-up takes three leases', async () => {
    const { run, replicas } = await crew();
    const [launching, ...others] = replicas;
    const claim = aClaim(run);
    await launching.claim(claim, TTL_MS);
    const until = (await launching.redis.time()) + 3 * TTL_MS;
    await eventually(async () => {
      expect(await launching.renewClaim(claim, TTL_MS)).toMatchObject({ outcome: 'renewed' });
      for (const other of others) {
        expect(await other.ready('larry-01')).toEqual([]);
        const tried = await other.claim(aClaim(run), TTL_MS);
        if (tried.outcome === 'claimed') throw new Error('launched twice');
      }
      expect(await launching.redis.time()).toBeGreaterThan(until);
    });
    expect(await launching.start({ ...claim, holder: 'w' }, TTL_MS)).toMatchObject({ outcome: 'started', attempt: 1 });
  });
});

describe('reset', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('with live workers leaves no key of the run, waits for their leases, and spares what is not ours', async () => {
    const coordination = new Coordination(await redis.client());
    const { commands, prefix } = coordination.redis;
    const spec = aRunSpec([aRunTask({ id: 'a' }), aRunTask({ id: 'b', larry: 'larry-02' })]);
    await coordination.createRun(spec);
    const claim = { run: spec.run, task: 'a', larry: 'larry-01', claim: 'c' };
    await coordination.claim(claim, TTL_MS);
    let working = true;
    const worker = coordination.leases.using(claim, { ttlMs: TTL_MS }, async (lease) => {
      await coordination.journal.intend(lease, 'x', 1);
      await new Promise((resolve) => lease.signal.addEventListener('abort', resolve));
      working = false;
      return { outcome: 'completed' };
    });
    const other = new Coordination(await redis.client({ prefix }));
    await eventually(async () => expect(await coordination.journal.entries(spec.run, 'a')).toHaveLength(1));
    const draw = (): Promise<number> => other.views.refresh({ extra: { 'phase:larry-02:findings': { high: '1' } } });
    expect(await draw()).toBeGreaterThan(10);
    const drawing = setInterval(() => void draw(), 20);
    await commands.mset(`${prefix}task:somebody-elses`, '1', coordination.keys.view.lock('b'), 'larry-03');
    const waits: number[] = [];
    const report = await coordination.reset({ who: 'ann', onWait: (left) => waits.push(left) });
    expect(working).toBe(false);
    expect(await worker).toMatchObject({ outcome: 'refused' });
    expect(report).toMatchObject({ run: spec.run });
    expect(report.keysRemoved).toBeGreaterThan(10);
    expect(Math.max(...waits)).toBeGreaterThan(500);
    const until = (await other.redis.time()) + 2 * TTL_MS;
    await eventually(async () => expect(await other.redis.time()).toBeGreaterThan(until));
    clearInterval(drawing);
    expect((await commands.keys(`${prefix}*`)).sort()).toEqual([coordination.keys.view.lock('b'), `${prefix}task:somebody-elses`]);
  });

  it('lets no other run begin before it is through, and can be repeated', async () => {
    const coordination = new Coordination(await redis.client());
    await coordination.createRun(aRunSpec([aRunTask({ id: 'a' })]));
    const resetting = coordination.reset({ who: 'ann' });
    await eventually(async () => expect((await coordination.snapshot())?.run.status).toBe('resetting'));
    expect(await coordination.createRun(aRunSpec([]))).toMatchObject({ outcome: 'refused', why: 'other-run' });
    await resetting;
    expect(await coordination.reset({ who: 'ann' })).toMatchObject({ run: undefined });
    expect(await coordination.createRun(aRunSpec([]))).toEqual({ outcome: 'created' });
  });
});
