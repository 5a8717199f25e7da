import { randomInt } from 'node:crypto';
import { testRedis, type TestRedis } from '@larry/redis/testing';
import { Coordination } from './coordination';
import { aLease, aRunSpec, aRunTask } from './testing';

/** The worker after a decision: applies only what was allowed, and only if the object still is what was looked at. */
async function applyIfAllowed(coordination: Coordination, run: string, object: { version: number }): Promise<string | undefined> {
  const claim = { run, task: 'a', larry: 'larry-01', claim: 'second' };
  if ((await coordination.claim(claim)).outcome !== 'claimed') return undefined;
  const started = await coordination.start({ ...claim, holder: 'second' });
  if (started.outcome !== 'started' || !started.approval) return undefined;
  if (started.approval.digest !== `v${object.version}`) return undefined;
  return started.approval.digest;
}

describe('approve, deny and kill at the same moment', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('never applies what was denied or has changed since, in 500 races', async () => {
    const coordination = new Coordination(await redis.client());
    const seen = { applied: 0, denied: 0, killed: 0, stale: 0 };
    for (let i = 0; i < 500; i += 1) {
      const spec = aRunSpec([aRunTask({ id: 'a' })]);
      await coordination.createRun(spec);
      const { run } = spec;
      const object = { version: randomInt(1000) };
      const digest = `v${object.version}`;
      await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'parked', digest, request: null });
      const decide = (decision: 'granted' | 'denied') => coordination.decide({ run, task: 'a', digest, decision, who: 'ann', proof: '' });
      const changed = randomInt(4) === 0;
      if (changed) object.version += 1;
      const [deciding, killing] = [randomInt(2) === 0, randomInt(3) === 0];
      const calls = [
        () => decide(deciding ? 'granted' : 'denied'),
        () => decide(deciding ? 'denied' : 'granted'),
        () => (killing ? coordination.abort(run, 'bob') : coordination.expire(run)),
      ].sort(() => randomInt(3) - 1);
      const outcomes = await Promise.all(calls.map((call) => call()));
      const [winner] = [await coordination.redis.commands.hget(coordination.keys.task('a'), 'decided')];
      expect(outcomes.filter((outcome) => typeof outcome === 'object' && outcome.outcome === 'decided').length).toBeLessThanOrEqual(1);
      const applied = await applyIfAllowed(coordination, run, object);
      const status = (await coordination.snapshot())?.run.status;
      if (applied !== undefined) {
        expect({ applied, winner, status }).toEqual({ applied: digest, winner: 'granted', status: 'running' });
        expect(changed).toBe(false);
        seen.applied += 1;
      }
      if (winner === 'denied') seen.denied += 1;
      if (winner === 'granted' && changed && status === 'running') seen.stale += 1;
      if (status === 'aborted') seen.killed += 1;
      await coordination.abort(run, 'test');
      await coordination.redis.commands.del(coordination.keys.view.lock('a')); // of the worker that was cut off here
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
  }, 60_000);

  it('does not apply an old approval to a new plan: parking again takes it back', async () => {
    const coordination = new Coordination(await redis.client());
    const spec = aRunSpec([aRunTask({ id: 'a' })]);
    await coordination.createRun(spec);
    const { run } = spec;
    const decide = (digest: string) => coordination.decide({ run, task: 'a', digest, decision: 'granted', who: 'ann', proof: '' });
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'parked', digest: 'v1', request: null });
    await decide('v1');
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'parked', digest: 'v2', request: null });
    expect(await decide('v1')).toEqual({ outcome: 'refused', why: 'not-parked' });
    expect((await coordination.task('a'))?.approval).toBeUndefined();
    expect(await decide('v2')).toEqual({ outcome: 'decided' });
  });

  it('waits for a person as long as the run allows, and then no longer', async () => {
    const coordination = new Coordination(await redis.client());
    const spec = aRunSpec([aRunTask({ id: 'a', limitMs: 1000 })], { approvalLimitMs: 60_000 });
    await coordination.createRun(spec);
    await coordination.settle(await aLease(coordination, spec.run, 'a'), { outcome: 'parked', digest: 'd', request: null });
    const parked = await coordination.snapshot();
    expect(parked?.tasks[0]?.deadline).toBeGreaterThan((parked?.now ?? 0) + 50_000);
    await coordination.redis.commands.zadd(coordination.keys.deadlines, 1, 'a');
    expect(await coordination.expire(spec.run)).toBe(1);
    expect(await coordination.task('a')).toMatchObject({ status: 'skipped', skipReason: 'timed-out' });
    expect(await coordination.redis.commands.hget(coordination.keys.run, 'waiting')).toBe('0');
  });
});

describe('changes that are decided one by one', () => {
  let redis: TestRedis;
  let coordination: Coordination;
  beforeAll(async () => {
    redis = await testRedis();
    coordination = new Coordination(await redis.client());
  });
  afterAll(() => redis.stop());

  const change = (n: number): string => String(n).repeat(64);

  /** A task that waits with three changes, and how they are decided. */
  async function aParked(parts: { begun?: boolean } = {}) {
    const spec = aRunSpec([aRunTask({ id: 'a' })], { approvalLimitMs: 60_000 });
    await coordination.createRun(spec);
    const { run } = spec;
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'parked', digest: 'whole', request: null, changes: [change(1), change(2), change(3)], ...(parts.begun ? { begun: true } : {}) });
    const decide = (decision: 'granted' | 'denied', ...of: number[]) => coordination.decideChanges({ run, task: 'a', digest: 'whole', decision, who: 'ann', changes: of.map((n) => ({ digest: change(n), proof: `p${n}` })) });
    const status = async () => (await coordination.task('a'))?.status;
    const start = async () => {
      const claim = { run, task: 'a', larry: 'larry-01', claim: `c${randomInt(1e9)}` };
      await coordination.claim(claim);
      const started = await coordination.start({ ...claim, holder: claim.claim });
      if (started.outcome !== 'started') throw new Error(started.why);
      return started;
    };
    return { run, decide, status, start };
  }
  afterEach(async () => {
    const run = (await coordination.snapshot())?.run.run ?? '';
    await coordination.abort(run, 'test');
    await coordination.redis.commands.del(coordination.keys.view.lock('a'));
  });

  it('goes on once each has a verdict, and the worker is told every one', async () => {
    const { decide, status, start } = await aParked();
    expect(await decide('granted', 1)).toEqual({ outcome: 'decided' });
    expect(await decide('granted', 1)).toEqual({ outcome: 'decided' });
    expect(await decide('denied', 1)).toEqual({ outcome: 'refused', why: 'decided-otherwise', detail: 'granted' });
    expect(await decide('denied', 1, 2)).toEqual({ outcome: 'refused', why: 'decided-otherwise', detail: 'granted' });
    await decide('denied', 2);
    expect(await status()).toBe('awaiting_approval');
    await decide('granted', 3);
    expect(await status()).toBe('ready');
    expect(await decide('granted', 3)).toEqual({ outcome: 'decided' });
    const { verdicts, approval, unanswered } = await start();
    expect([approval, unanswered]).toEqual([undefined, false]);
    expect(verdicts.map((v) => [v.digest, v.decision, v.proof]).sort()).toEqual([[change(1), 'granted', 'p1'], [change(2), 'denied', 'p2'], [change(3), 'granted', 'p3']]);
  });

  it('tells of each under an id of its own, so that nobody takes two for one', async () => {
    const { decide } = await aParked();
    await decide('granted', 1, 2);
    const ids = (await coordination.redis.commands.xrevrange(coordination.keys.events, '+', '-', 'COUNT', 2)).map(([, fields]) => JSON.stringify(fields).replaceAll('\\', ''));
    for (const n of [1, 2]) expect(ids.some((text) => text.includes(`a/1/${change(n).slice(0, 12)}/approval_granted`))).toBe(true);
  });

  it.each([false, true])('ends as denied where every change was, unless something of it is in effect: %s', async (begun) => {
    const { decide } = await aParked({ begun });
    await decide('denied', 1, 2, 3);
    expect(await coordination.task('a')).toMatchObject(begun ? { status: 'ready' } : { status: 'skipped', skipReason: 'denied' });
  });

  it('is not decided as a whole once one was, and not for another request or change', async () => {
    const { decide, run } = await aParked();
    expect(await decide('granted', 4)).toEqual({ outcome: 'refused', why: 'not-parked' });
    await decide('denied', 2);
    const whole = (digest: string) => coordination.decide({ run, task: 'a', digest, decision: 'granted', who: 'ann', proof: '' });
    expect(await whole('whole')).toEqual({ outcome: 'refused', why: 'decided-otherwise', detail: 'denied' });
    expect(await whole('other')).toEqual({ outcome: 'refused', why: 'not-parked' });
  });

  it('keeps what was denied when it waits again, and nothing that was granted', async () => {
    const { decide, start, run } = await aParked();
    await decide('denied', 2);
    await decide('granted', 1, 3);
    const again = await start();
    await coordination.settle(again.lease, { outcome: 'parked', digest: 'next', request: null, changes: [change(5)], begun: true });
    await coordination.decideChanges({ run, task: 'a', digest: 'next', decision: 'granted', who: 'ann', changes: [{ digest: change(5), proof: 'p5' }] });
    expect((await start()).verdicts.map((v) => [v.digest, v.decision]).sort()).toEqual([[change(2), 'denied'], [change(5), 'granted']]);
  });

  it('comes back to a worker when nobody decides in time and something of it is in effect', async () => {
    const { start, run } = await aParked({ begun: true });
    await coordination.redis.commands.zadd(coordination.keys.deadlines, 1, 'a');
    expect(await coordination.expire(run)).toBe(0);
    expect(await coordination.task('a')).toMatchObject({ status: 'ready' });
    expect(await coordination.redis.commands.hget(coordination.keys.run, 'waiting')).toBe('0');
    expect((await start()).unanswered).toBe(true);
  });
});
