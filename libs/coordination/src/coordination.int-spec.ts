import { parseEvent, type LarryEvent } from '@larry/contracts';
import { testTopologies } from '@larry/redis/testing';
import { Coordination } from './coordination';
import { aLease, aRunSpec, aRunTask } from './testing';

const claimOf = (run: string, task: string, claim: string, larry = 'larry-01') => ({ run, task, claim, larry });

async function events(coordination: Coordination): Promise<LarryEvent[]> {
  const entries = await coordination.redis.commands.xrange(coordination.keys.events, '-', '+');
  return entries.map(([, fields]) => {
    const parsed = parseEvent(JSON.parse(fields[3] ?? ''));
    if ('problem' in parsed) throw new Error(parsed.problem);
    return parsed.event;
  });
}

async function statuses(coordination: Coordination): Promise<Record<string, string>> {
  const snapshot = await coordination.snapshot();
  return Object.fromEntries((snapshot?.tasks ?? []).map((t) => [t.task, t.skipReason ? `${t.status}(${t.skipReason})` : t.status]));
}

testTopologies('a run', (redis) => {
  const open = async (): Promise<Coordination> => new Coordination(await redis().client());
  /** A new prefix with a run of these tasks. */
  const begin = async (tasks = [aRunTask({ id: 'a' })], spec = {}): Promise<{ run: string; coordination: Coordination }> => {
    const coordination = await open();
    const made = aRunSpec(tasks, spec);
    expect(await coordination.createRun(made)).toEqual({ outcome: 'created' });
    return { run: made.run, coordination };
  };

  it('begins once: the same id again is the same run, another waits for its end', async () => {
    const coordination = await open();
    const spec = aRunSpec([aRunTask({ id: 'a' })]);
    expect(await coordination.createRun(spec)).toEqual({ outcome: 'created' });
    expect(await coordination.createRun(spec)).toEqual({ outcome: 'exists' });
    expect(await coordination.createRun(aRunSpec([]))).toEqual({ outcome: 'refused', why: 'other-run', detail: spec.run });
    await coordination.abort(spec.run, 'test');
    expect(await coordination.createRun(aRunSpec([]))).toEqual({ outcome: 'created' });
  });

  it('goes from the first claim to its end, with every event once and in order', async () => {
    const { run, coordination } = await begin([aRunTask({ id: 'a' }), aRunTask({ id: 'b', larry: 'larry-02', needs: ['a'] })]);
    expect(await statuses(coordination)).toEqual({ a: 'ready', b: 'pending', converge: 'pending' });
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'completed', result: { figures: { n: 1 } } });
    await coordination.settle(await aLease(coordination, run, 'b', { larry: 'larry-02' }), { outcome: 'completed' });
    const converge = await aLease(coordination, run, 'converge', { larry: 'meta-coordinator' });
    await coordination.settle(converge, { outcome: 'completed' });
    expect((await coordination.snapshot())?.run.status).toBe('completed');
    expect((await coordination.task('a'))?.result).toEqual({ figures: { n: 1 } });
    expect((await events(coordination)).map(({ id, event }) => `${id} ${event}`)).toEqual([
      'larry-01/1/phase_started phase_started',
      'a/1/task_claimed task_claimed',
      'a/1/task_complete task_complete',
      'a/1/progress_update progress_update',
      'larry-01/1/phase_complete phase_complete',
      'larry-02/1/phase_started phase_started',
      'b/1/task_claimed task_claimed',
      'b/1/task_complete task_complete',
      'b/1/progress_update progress_update',
      'larry-02/1/phase_complete phase_complete',
      'converge/1/task_claimed task_claimed',
      `${run}/1/convergence_started convergence_started`,
      'converge/1/task_complete task_complete',
      `${run}/run_complete run_complete`,
    ]);
  });

  it('says with every end when it began: nobody needs an earlier event to tell how long it took', async () => {
    const { run, coordination } = await begin([aRunTask({ id: 'a' }), aRunTask({ id: 'b', needs: ['a'] })]);
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'error', reason: 'once' });
    const again = await aLease(coordination, run, 'a');
    await coordination.settle(again, { outcome: 'parked', digest: 'd', request: null });
    await coordination.decide({ run, task: 'a', digest: 'd', decision: 'granted', who: 'ada', proof: 'p' });
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'failed', reason: 'twice' });
    await coordination.settle(await aLease(coordination, run, 'converge', { larry: 'meta-coordinator' }), { outcome: 'completed' });
    const said = (await events(coordination)) as (LarryEvent & { [field: string]: unknown })[];
    const at = (id: string) => said.find((event) => event.id === id)?.timestamp;
    const [begun, failed, asked, granted, ended, phase, ending] = ['a/1/task_claimed', 'a/1/worker_failure', 'a/2/approval_requested', 'a/2/approval_granted', 'a/3/task_failed', 'larry-01/1/phase_failed', `${run}/run_complete`].map((id) => said.find((event) => event.id === id));
    expect(failed).toMatchObject({ attempt: 1, began_at: begun?.timestamp, claimed_at: begun?.timestamp, started_at: expect.stringMatching(/Z$/) });
    expect(asked).toMatchObject({ began_at: begun?.timestamp, claimed_at: at('a/2/task_claimed'), started_at: expect.stringMatching(/Z$/) });
    expect(granted).toMatchObject({ requested_at: asked?.timestamp });
    expect(ended).toMatchObject({ began_at: begun?.timestamp, claimed_at: at('a/3/task_claimed') });
    expect(said.find(({ id }) => id === 'b/0/task_skipped')).not.toHaveProperty('began_at');
    expect(phase).toMatchObject({ started_at: at('larry-01/1/phase_started') });
    expect(ending).toMatchObject({ started_at: new Date((await coordination.snapshot())?.run.createdAt ?? 0).toISOString() });
  });

  it('skips what needs a task that did not complete, transitively, and not what only comes after it', async () => {
    const { run, coordination } = await begin([
      aRunTask({ id: 'a' }),
      aRunTask({ id: 'b', needs: ['a'] }),
      aRunTask({ id: 'c', needs: ['b'], larry: 'larry-02' }),
      aRunTask({ id: 'd', after: ['c', 'a'] }),
    ]);
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'failed', reason: 'broken for good' });
    expect(await statuses(coordination)).toEqual({ a: 'failed', b: 'skipped(dependency)', c: 'skipped(dependency)', d: 'ready', converge: 'pending' });
    await coordination.settle(await aLease(coordination, run, 'd'), { outcome: 'skipped', reason: 'no-target' });
    expect((await statuses(coordination))['converge']).toBe('ready');
    const phases = (await coordination.snapshot())?.run.phases.map(({ larry, status, progress }) => [larry, status, progress]);
    expect(phases).toEqual([['larry-01', 'failed', 0], ['larry-02', 'completed', 0]]);
  });

  it('lets one claim win, and a repetition of it gets the same fence', async () => {
    const { run, coordination } = await begin();
    const [one, two] = await Promise.all([coordination.claim(claimOf(run, 'a', 'c1')), coordination.claim(claimOf(run, 'a', 'c2'))]);
    const [winner, loser] = one.outcome === 'claimed' ? [one, two] : [two, one];
    expect(winner).toMatchObject({ outcome: 'claimed', attempt: 1 });
    expect(loser).toMatchObject({ outcome: 'refused' });
    const again = await coordination.claim(claimOf(run, 'a', one === winner ? 'c1' : 'c2'));
    expect(again).toMatchObject({ outcome: 'claimed', fence: (winner as { fence: string }).fence });
  });

  it('refuses another Larry and says so once, while a person or another Larry has the lock', async () => {
    const { run, coordination } = await begin();
    const lock = coordination.keys.view.lock('a');
    await coordination.redis.commands.set(lock, 'larry-02', 'NX');
    expect(await coordination.claim(claimOf(run, 'a', 'c1'))).toEqual({ outcome: 'conflict', owner: 'larry-02' });
    expect(await coordination.claim(claimOf(run, 'a', 'c2'))).toEqual({ outcome: 'conflict', owner: 'larry-02' });
    expect((await events(coordination)).filter(({ event }) => event === 'task_conflict')).toHaveLength(1);
    await coordination.redis.commands.del(lock);
    expect(await coordination.claim(claimOf(run, 'a', 'c3'))).toMatchObject({ outcome: 'claimed' });
    expect(await coordination.redis.commands.get(lock)).toBe('larry-01#c3');
  });

  it('lets one worker start a claim; the coordinator then only watches', async () => {
    const { run, coordination } = await begin();
    await coordination.claim(claimOf(run, 'a', 'c1'));
    expect(await coordination.renewClaim(claimOf(run, 'a', 'c1'))).toMatchObject({ outcome: 'renewed' });
    const started = await coordination.start({ run, task: 'a', claim: 'c1', holder: 'h1' });
    expect(started).toMatchObject({ outcome: 'started', attempt: 1 });
    expect(await coordination.start({ run, task: 'a', claim: 'c1', holder: 'h2' })).toEqual({ outcome: 'refused', why: 'other-worker' });
    expect(await coordination.start({ run, task: 'a', claim: 'c1', holder: 'h1' })).toEqual(started);
    expect(await coordination.renewClaim(claimOf(run, 'a', 'c1'))).toEqual({ outcome: 'refused', why: 'started' });
    expect(await coordination.claim(claimOf(run, 'a', 'c1'))).toEqual({ outcome: 'refused', why: 'started' });
    expect(await coordination.redis.commands.get(coordination.keys.view.lock('a'))).toBe('larry-01#c1');
  });

  it('refuses every write of the old holder once another has taken its lapsed lease', async () => {
    const { run, coordination } = await begin();
    const old = await aLease(coordination, run, 'a');
    await coordination.redis.commands.zadd(coordination.keys.due, 1, 'a');
    await coordination.redis.commands.del(coordination.keys.view.lock('a'));
    const young = await aLease(coordination, run, 'a');
    expect(Number(young.fence)).toBeGreaterThan(Number(old.fence));
    expect(await coordination.renew(old)).toEqual({ outcome: 'refused', why: 'stale' });
    expect(await coordination.settle(old, { outcome: 'completed' })).toEqual({ outcome: 'refused', why: 'stale' });
    expect(await coordination.settle(old, { outcome: 'completed', result: 'x'.repeat(20_000) })).toEqual({ outcome: 'refused', why: 'stale' });
    await expect(coordination.journal.intend(old, 'c', {})).rejects.toThrow('lease of task "a" is lost');
    expect(await coordination.settle(young, { outcome: 'completed' })).toMatchObject({ outcome: 'settled', status: 'completed' });
    expect(await coordination.settle(young, { outcome: 'completed' })).toMatchObject({ outcome: 'settled', status: 'completed' });
    expect(await coordination.settle(old, { outcome: 'completed' })).toEqual({ outcome: 'refused', why: 'ended' });
  });

  it('wants run, holder and fence to be equal, all three', async () => {
    const { run, coordination } = await begin();
    const lease = await aLease(coordination, run, 'a');
    for (const wrong of [{ run: 'other' }, { holder: 'other' }, { fence: String(Number(lease.fence) - 1) }, { fence: String(Number(lease.fence) + 1) }]) {
      expect(await coordination.settle({ ...lease, ...wrong }, { outcome: 'completed' })).toMatchObject({ outcome: 'refused' });
      await expect(coordination.journal.intend({ ...lease, ...wrong }, 'x', 1)).rejects.toThrow('is lost');
    }
    expect(await coordination.settle(lease, { outcome: 'completed' })).toMatchObject({ outcome: 'settled' });
  });

  it('gives a fence above the stored one even when the clock is behind it', async () => {
    const { run, coordination } = await begin();
    const future = (await coordination.redis.time()) + 3_600_000;
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'returned', reason: 'x' });
    await coordination.redis.commands.hset(coordination.keys.task('a'), 'fence', future);
    const claimed = await coordination.claim(claimOf(run, 'a', 'c'));
    expect(claimed).toMatchObject({ fence: String(future + 1) });
    expect(await coordination.start({ run, task: 'a', claim: 'c', holder: 'h' })).toMatchObject({ lease: { fence: String(future + 2) } });
  });

  it('lets the holder renew a lapsed lease that nobody took', async () => {
    const { run, coordination } = await begin();
    const lease = await aLease(coordination, run, 'a');
    await coordination.redis.commands.zadd(coordination.keys.due, 1, 'a');
    expect(await coordination.renew(lease)).toMatchObject({ outcome: 'renewed' });
  });

  it('loses the lease with its lock, deleted or foreign', async () => {
    const { run, coordination } = await begin();
    const lease = await aLease(coordination, run, 'a');
    const lock = coordination.keys.view.lock('a');
    await coordination.redis.commands.set(lock, 'larry-02');
    expect(await coordination.renew(lease)).toMatchObject({ outcome: 'lost' });
    await coordination.settle({ ...lease, fence: '1' }, { outcome: 'returned', reason: 'x' });
    expect(await coordination.redis.commands.get(lock)).toBe('larry-02');
    await coordination.redis.commands.del(lock);
    expect(await coordination.renew(lease)).toMatchObject({ outcome: 'lost' });
    expect(await coordination.settle(lease, { outcome: 'returned', reason: 'lock deleted' })).toEqual({ outcome: 'settled', status: 'ready' });
  });

  it('uses up attempts by errors, with waits, and none by the first five returns', async () => {
    const { run, coordination } = await begin([aRunTask({ id: 'a', attempts: 2 })]);
    for (let i = 0; i < 5; i += 1) {
      const lease = await aLease(coordination, run, 'a');
      expect(await coordination.settle(lease, { outcome: 'returned', reason: 'stop' })).toMatchObject({ status: 'ready' });
    }
    const sixth = await aLease(coordination, run, 'a');
    expect(await coordination.settle(sixth, { outcome: 'error', reason: 'x', retryAfterMs: 60_000 })).toMatchObject({ status: 'ready' });
    expect(await coordination.claim(claimOf(run, 'a', 'c'))).toMatchObject({ outcome: 'refused', why: 'waiting' });
    await coordination.redis.commands.zrem(coordination.keys.due, 'a');
    const seventh = await aLease(coordination, run, 'a');
    expect(await coordination.settle(seventh, { outcome: 'returned', reason: 'stop' })).toMatchObject({ status: 'failed' });
    expect(await coordination.task('a')).toMatchObject({ status: 'failed', reason: 'stop', attempt: 7 });
  });

  it('gives back what nobody holds, and never what a worker that may live holds', async () => {
    const { run, coordination } = await begin();
    const pending = claimOf(run, 'a', 'unheld-1');
    expect(await coordination.claim(pending)).toMatchObject({ outcome: 'claimed' });
    expect(await coordination.settleUnheld(pending, { outcome: 'error', reason: 'its image could not be pulled' })).toEqual({ outcome: 'settled', status: 'ready' });
    expect(await coordination.start({ ...pending, holder: 'late' })).toMatchObject({ outcome: 'refused', why: 'stale' });
    const lease = await aLease(coordination, run, 'a');
    expect(await coordination.settleUnheld(lease, { outcome: 'returned', reason: 'its node is silent' })).toMatchObject({ outcome: 'refused', why: 'held' });
    expect(await coordination.renew(lease)).toMatchObject({ outcome: 'renewed' });
    await coordination.redis.commands.zadd(coordination.keys.due, 1, 'a');
    expect(await coordination.settleUnheld(lease, { outcome: 'returned', reason: 'its node is silent' })).toEqual({ outcome: 'settled', status: 'ready' });
    expect(await coordination.task('a')).toMatchObject({ status: 'ready', reason: 'its node is silent' });
    expect(await coordination.renew(lease)).toEqual({ outcome: 'refused', why: 'stale' });
  });

  it('shows the node that a worker named at its start, of this attempt alone', async () => {
    const { run, coordination } = await begin();
    const claim = claimOf(run, 'a', 'node-1');
    await coordination.claim(claim);
    await coordination.start({ ...claim, holder: 'h', node: 'k3s-worker02' });
    const node = async () => (await coordination.snapshot())?.tasks.find((t) => t.task === 'a')?.node;
    expect(await node()).toBe('k3s-worker02');
    await coordination.settleClaim(claim, { outcome: 'returned', reason: 'x' });
    await aLease(coordination, run, 'a');
    expect(await node()).not.toBe('k3s-worker02');
  });

  it('lets the coordinator give back what its dead worker held, at once', async () => {
    const { run, coordination } = await begin();
    const lease = await aLease(coordination, run, 'a');
    const settled = await coordination.settleClaim(lease, { outcome: 'error', reason: 'exit 137' });
    expect(settled).toEqual({ outcome: 'settled', status: 'ready' });
    expect(await coordination.renew(lease)).toEqual({ outcome: 'refused', why: 'stale' });
    await aLease(coordination, run, 'a');
    expect((await events(coordination)).filter(({ event }) => event === 'worker_failure')).toHaveLength(1);
  });

  it('keeps a large result beside the task', async () => {
    const { run, coordination } = await begin();
    const result = { text: 'é'.repeat(40_000) };
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'completed', result });
    expect((await coordination.task('a'))?.result).toEqual(result);
    expect(await coordination.redis.commands.hstrlen(coordination.keys.task('a'), 'result')).toBe(0);
  });

  it('parks for a person and goes on with exactly what was allowed', async () => {
    const { run, coordination } = await begin();
    const lease = await aLease(coordination, run, 'a');
    expect(await coordination.settle(lease, { outcome: 'parked', digest: 'd1', request: { step: 1 } })).toMatchObject({ status: 'awaiting_approval' });
    expect(await coordination.task('a')).toMatchObject({ parked: { digest: 'd1', request: { step: 1 } }, claimable: false });
    const decide = (digest: string, decision: 'granted' | 'denied') => coordination.decide({ run, task: 'a', digest, decision, who: 'ann', proof: 's' });
    expect(await decide('d0', 'granted')).toEqual({ outcome: 'refused', why: 'not-parked' });
    expect(await decide('d1', 'granted')).toEqual({ outcome: 'decided' });
    expect(await decide('d1', 'granted')).toEqual({ outcome: 'decided' });
    expect(await decide('d1', 'denied')).toEqual({ outcome: 'refused', why: 'decided-otherwise', detail: 'granted' });
    await coordination.claim(claimOf(run, 'a', 'c2'));
    const started = await coordination.start({ run, task: 'a', claim: 'c2', holder: 'h2' });
    expect(started).toMatchObject({ approval: { digest: 'd1', who: 'ann', proof: 's' } });
    if (started.outcome !== 'started') throw new Error('not started');
    await coordination.settle(started.lease, { outcome: 'parked', digest: 'd2', request: null });
    expect(await decide('d2', 'denied')).toEqual({ outcome: 'decided' });
    expect((await statuses(coordination))['a']).toBe('skipped(denied)');
  });

  it('ends what is past its deadline, names a foreign lock, and refuses the late worker', async () => {
    const { run, coordination } = await begin([aRunTask({ id: 'a' }), aRunTask({ id: 'b' }), aRunTask({ id: 'c', needs: ['a'] })]);
    const late = await aLease(coordination, run, 'a');
    await coordination.redis.commands.set(coordination.keys.view.lock('b'), 'larry-02');
    expect(await coordination.expire(run)).toBe(0);
    await coordination.redis.commands.zadd(coordination.keys.deadlines, 1, 'a', 1, 'b');
    expect(await coordination.expire(run)).toBe(2);
    expect(await statuses(coordination)).toEqual({ a: 'skipped(timed-out)', b: 'skipped(foreign-lock)', c: 'skipped(dependency)', converge: 'ready' });
    expect(await coordination.settle(late, { outcome: 'completed' })).toEqual({ outcome: 'refused', why: 'ended' });
    expect(await coordination.renew(late)).toEqual({ outcome: 'refused', why: 'ended' });
  });

  it('ends every phase at its own deadline, but not while a person is waited for', async () => {
    const { run, coordination } = await begin([aRunTask({ id: 'a' }), aRunTask({ id: 'b' })]);
    await coordination.settle(await aLease(coordination, run, 'a'), { outcome: 'parked', digest: 'd', request: null });
    await coordination.redis.commands.hset(coordination.keys.run, 'deadline', 1);
    expect(await coordination.expire(run)).toBe(0);
    await coordination.decide({ run, task: 'a', digest: 'd', decision: 'granted', who: 'ann', proof: '' });
    expect(await coordination.expire(run)).toBe(2);
    expect(await statuses(coordination)).toEqual({ a: 'skipped(timed-out)', b: 'skipped(timed-out)', converge: 'ready' });
  });

  it('shortens what a clock that was set back would have made too long', async () => {
    const { run, coordination } = await begin();
    const hour = 3_600_000;
    await aLease(coordination, run, 'a', { ttlMs: 30_000 });
    const { commands } = coordination.redis;
    const keys = coordination.keys;
    await commands.zincrby(keys.due, hour, 'a');
    await commands.zincrby(keys.deadlines, hour, 'a');
    await commands.hincrby(keys.run, 'deadline', hour);
    await commands.hincrby(keys.run, 'clock', hour);
    await coordination.expire(run);
    const snapshot = await coordination.snapshot();
    const task = snapshot?.tasks.find((t) => t.task === 'a');
    const soon = (snapshot?.now ?? 0) + 1000; // the run's clock is some milliseconds older than this moment
    expect(task?.due).toBeLessThanOrEqual(soon + 30_000);
    expect(task?.deadline).toBeLessThanOrEqual(soon + 60_000);
    expect(snapshot?.run.deadline).toBeLessThanOrEqual(soon + 600_000);
    await commands.zadd(keys.due, (snapshot?.now ?? 0) + hour, 'a');
    await commands.del(keys.view.lock('a'));
    const held = await coordination.claim(claimOf(run, 'a', 'other'));
    expect(held).toMatchObject({ outcome: 'refused', why: 'held' });
    expect(Number((held as { detail: string }).detail)).toBeLessThanOrEqual((await coordination.redis.time()) + 30_000);
  });

  it('aborts everything at once, and every holder is refused', async () => {
    const { run, coordination } = await begin([aRunTask({ id: 'a' }), aRunTask({ id: 'b', needs: ['a'] })]);
    const lease = await aLease(coordination, run, 'a');
    expect(await coordination.abort(run, 'ann')).toMatchObject({ outcome: 'aborted' });
    expect(await coordination.abort(run, 'ann')).toMatchObject({ outcome: 'had-ended' });
    expect(await statuses(coordination)).toEqual({ a: 'skipped(aborted)', b: expect.stringMatching(/skipped/) as string, converge: 'skipped(aborted)' });
    expect((await coordination.snapshot())?.run).toMatchObject({ status: 'aborted', abortedBy: 'ann' });
    expect(await coordination.renew(lease)).toEqual({ outcome: 'refused', why: 'ended' });
    expect(await coordination.claim(claimOf(run, 'b', 'c'))).toEqual({ outcome: 'refused', why: 'no-run' });
    expect((await events(coordination)).filter(({ event }) => event === 'run_complete')).toHaveLength(1);
  });

  it('keeps intents and outcomes for the successor', async () => {
    const { run, coordination } = await begin();
    const first = await aLease(coordination, run, 'a');
    expect(await coordination.journal.intend(first, `${run}/a/1`, { pre: 1 })).toBeUndefined();
    expect(await coordination.journal.intend(first, `${run}/a/2`, { pre: 2 })).toBeUndefined();
    await coordination.journal.conclude(first, `${run}/a/1`, { applied: true });
    await coordination.settle(first, { outcome: 'returned', reason: 'stop' });
    const second = await aLease(coordination, run, 'a');
    expect(await coordination.journal.open(run, 'a')).toEqual([{ change: `${run}/a/2`, intent: { pre: 2 } }]);
    expect(await coordination.journal.intend(second, `${run}/a/1`, { pre: 9 })).toEqual({ change: `${run}/a/1`, intent: { pre: 1 }, outcome: { applied: true } });
    await expect(coordination.journal.conclude(second, 'never-intended', {})).rejects.toThrow('has an outcome and no intent');
    await expect(coordination.journal.conclude(first, `${run}/a/2`, {})).rejects.toThrow('lease of task "a" is lost');
  });

  it('keeps an intent as it was first written until its outcome says that it may be repeated', async () => {
    const { run, coordination } = await begin();
    const lease = await aLease(coordination, run, 'a');
    const change = `${run}/a/1`;
    expect(await coordination.journal.intend(lease, change, { pre: 1 })).toBeUndefined();
    expect(await coordination.journal.intend(lease, change, { pre: 2 })).toEqual({ change, intent: { pre: 1 } });
    await coordination.journal.conclude(lease, change, { outcome: 'not-applied', repeatable: true });
    expect(await coordination.journal.open(run, 'a')).toEqual([]);
    expect(await coordination.journal.intend(lease, change, { pre: 3 })).toBeUndefined();
    expect(await coordination.journal.open(run, 'a')).toEqual([{ change, intent: { pre: 3 } }]);
    await coordination.journal.conclude(lease, change, { outcome: 'applied', repeatable: false });
    expect(await coordination.journal.intend(lease, change, { pre: 4 })).toEqual({ change, intent: { pre: 3 }, outcome: { outcome: 'applied', repeatable: false } });
  });
});
