import { runSummarySchema, type TaskResult, type Validation } from '@larry/contracts';
import { ensureJournalKey, readJournalKey, sealResult, turnedCriteria } from '@larry/coordinator';
import { eventually } from '@larry/redis/testing';
import path from 'node:path';
import type { Validator } from '../src/converge/validator';
import { PARTS, type MetaParts } from '../src/parts';
import type { RunningMeta } from '../src/start';
import { aFinding, aResult } from './builders';
import { api, change, MetaUnderTest, summaryOf } from './meta-under-test';

const t = MetaUnderTest.forFile();

describe('a run', () => {
  it('goes from POST to the summary, and the status follows', async () => {
    const meta = await t.start();
    await api(meta).get('/runs/current').expect(404, { error: 'there is no run: larry run begins one (POST /runs)' });
    const run = await t.beginRun(meta, { mode: 'auto', allow: ['workload-env'] });
    const { body: before } = await api(meta).get('/runs/current').expect(200);
    expect(before).toMatchObject({ run, mode: 'auto', status: 'running', didWork: '0 of 3 tasks did work', reportReady: false });
    expect(before.tasks.map((t: { task: string; status: string; node: string }) => [t.task, t.status, t.node])).toEqual([
      ['repair', 'ready', 'local (planned w1)'],
      ['count', 'ready', 'local (planned w2)'],
      ['draw', 'pending', 'local (planned w2)'],
    ]);
    expect(before.budget.find((b: { node: string }) => b.node === 'larry-01')).toMatchObject({ limit: 20, reserve: 5, used: 0 });
    await api(meta).get('/runs/current/report').expect(404, { error: `run ${run} has not converged: 3 of 3 tasks have not ended`, run, status: 'running' });

    await t.completeAll(run, { findings: [aFinding()] });
    const summary = await summaryOf(meta);
    expect(summary).toMatchObject({ run, mode: 'auto', status: 'completed', didWork: { done: 3, of: 3 }, source: { simulated: true } });
    expect(summary.validations.map((v) => v.task)).toEqual(['repair', 'count', 'draw']);
    expect(summary.nextSteps[0]).toMatch(/^HIGH PgAdmin does not run/);
    const { body: after } = await api(meta).get('/runs/current').expect(200);
    expect(after).toMatchObject({ status: 'completed', didWork: '3 of 3 tasks did work', reportReady: true, converge: { status: 'completed' } });
    const { body: report } = await api(meta).get('/runs/current/reports/larry-02').expect(200);
    expect(report).toMatchObject({ kind: 'LarryReport', status: 'completed', didWork: 2 });
    await api(meta).get('/runs/current/reports/larry-09').expect(404);
    expect((await api(meta).get('/runs/current/tasks/repair').expect(200)).body).toMatchObject({ task: 'repair', result: { summary: 'repair is done' } });
    await api(meta).get('/runs/current/tasks/nothing').expect(404, { error: 'the current run has no task "nothing"' });
  });

  it('compares its findings with the last run over the same source', async () => {
    const meta = await t.start();
    const first = await t.beginRun(meta);
    await t.completeAll(first, { findings: [aFinding({ id: 'old', title: 'Old' }), aFinding({ id: 'both', title: 'Both' })] });
    expect((await summaryOf(meta)).sinceLast).toBeUndefined();
    const second = await t.beginRun(meta);
    await t.completeAll(second, { findings: [aFinding({ id: 'both', title: 'Both' }), aFinding({ id: 'new', title: 'New' })] });
    const summary = await eventually(async () => {
      const read = await summaryOf(meta);
      expect(read.run).toBe(second);
      return read;
    });
    expect(summary.sinceLast).toEqual({ previousRun: first, new: ['New'], gone: ['Old'] });
  });

  it('has one convergence whichever of three replicas does it, and says each event once', async () => {
    const metas = await Promise.all([t.start(), t.start(), t.start()]);
    const run = await t.beginRun(metas[0] as RunningMeta);
    await t.completeAll(run);
    for (const meta of metas) expect((await summaryOf(meta)).run).toBe(run);
    const entries = await t.client.commands.xrange(t.client.key('{larry}:events'), '-', '+');
    const names = entries.map(([, fields]) => (JSON.parse(fields[fields.indexOf('json') + 1] as string) as { event: string }).event);
    for (const once of ['convergence_started', 'run_complete']) expect(names.filter((n) => n === once)).toHaveLength(1);
    expect(names.filter((n) => n === 'validation_result')).toHaveLength(3);
  });

  it('is converged by another replica when the first dies in the middle', async () => {
    const hanging: Validator = { validate: (_, __, ___, signal) => new Promise<Validation[]>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))) };
    const first = await t.start({ LARRY_LEASE_TTL_MS: '500' }, { validator: hanging });
    const run = await t.beginRun(first);
    await t.completeAll(run);
    await eventually(async () => expect((await t.coordination.task('converge'))?.status).toBe('in_progress'));
    // As after kill -9: its connection is gone, and with it the renewals.
    await first.app.get<MetaParts>(PARTS).redis.close();
    const second = await t.start();
    expect((await summaryOf(second)).run).toBe(run);
    expect((await t.coordination.task('converge'))?.attempt).toBeGreaterThan(1);
  });

  it('turns claims that do not hold any more, and says so', async () => {
    const observation = { subject: 's', value: 'v', at: new Date().toISOString() };
    const met = { id: 'ready', text: 'It is ready', verdict: 'met' as const, observation };
    const falsified: Validator = {
      validate: async (larry, _, claims) => claims.map(({ task, result }) => {
        const criteria = result.criteria.map((c) => ({ ...c, verdict: 'not-met' as const, observation }));
        return { task, larry, at: observation.at, criteria, turned: turnedCriteria(result.criteria, criteria) };
      }),
    };
    const meta = await t.start({}, { validator: falsified });
    const run = await t.beginRun(meta);
    await t.completeAll(run, { criteria: [met] });
    const summary = await summaryOf(meta);
    expect(summary.validations.flatMap((v) => v.turned)).toEqual(['ready']);
    expect(summary.lessons[0]).toBe('1 claim did not hold when looked at again: repair/ready');
  });

  it('keeps a summary that is too large for a hash', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta);
    await t.completeAll(run, { artifacts: { lineage: 'x'.repeat(200_000) } });
    expect((await summaryOf(meta)).larrys[0]?.tasks[0]?.result?.artifacts['lineage']).toHaveLength(200_000);
  });

  it('is aborted by name, once, and leaves no summary', async () => {
    const meta = await t.start();
    await change(meta, '/runs/current/abort').expect(404);
    const run = await t.beginRun(meta);
    await change(meta, '/runs/current/abort').expect(200);
    expect((await api(meta).get('/runs/current')).body).toMatchObject({ status: 'aborted', abortedBy: 'ada' });
    const { body: partial } = await api(meta).get('/runs/current/report').expect(200);
    expect(runSummarySchema.parse(partial)).toMatchObject({ run, status: 'aborted', validations: [], crossChecks: [] });
    await change(meta, '/runs/current/abort').expect(409);
  });

  it('is reset: no key of it is left but the events that tell of it', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta);
    await t.complete(run, 'repair', 'larry-01');
    expect((await change(meta, '/runs/reset').expect(200)).body).toMatchObject({ run });
    await api(meta).get('/runs/current').expect(404);
    await t.beginRun(meta);
  });
});

describe('results that somebody wrote into Redis', () => {
  const journalKey = ensureJournalKey(path.join(t.folder, 'keys', 'journal.key'));
  const met = { id: 'ready', text: 'It is ready', verdict: 'met' as const, observation: { subject: 'Deployment x', value: '1 of 1', at: '2026-01-01T00:00:00.000Z' } };

  it('are shown as unverified and never as met, and a summary that is not ours is not shown', async () => {
    const meta = await t.start({ LARRY_JOURNAL_KEY: journalKey });
    const run = await t.beginRun(meta);
    const seal = (task: string): object => sealResult(aResult(task, { criteria: [met] }), { run, task }, readJournalKey(journalKey));
    await t.doTask(run, 'repair', 'larry-01', { outcome: 'completed', result: seal('repair') });
    await t.doTask(run, 'count', 'larry-02', { outcome: 'completed', result: { ...seal('count'), summary: 'all is well' } });
    await t.doTask(run, 'draw', 'larry-02', { outcome: 'completed', result: aResult('draw', { criteria: [met] }) });
    const summary = await summaryOf(meta);
    const results = summary.larrys.flatMap((l) => l.tasks).map((t) => [t.task, t.result?.summary, t.result?.criteria[0]?.verdict]);
    expect(results).toEqual([
      ['repair', 'repair is done', 'met'],
      ['count', 'unverified: all is well', 'unknown'],
      ['draw', 'unverified: draw is done', 'unknown'],
    ]);
    const key = t.client.key('{larry}:task:converge');
    const kept = (await t.client.commands.hget(key, 'result')) ?? '';
    const forged = kept.replace('unverified: all is well', 'all is well');
    expect(forged).not.toBe(kept);
    await t.client.commands.hset(key, 'result', forged);
    await api(meta).get('/runs/current/report').expect(500, /not sealed by a meta-coordinator/);
  });

  it('count for nothing in the status, and a mode that nobody signed is unknown', async () => {
    const meta = await t.start({ LARRY_JOURNAL_KEY: journalKey });
    const run = await t.beginRun(meta);
    const sealed = sealResult(aResult('repair', { figures: { repaired: 1 } }), { run, task: 'repair' }, readJournalKey(journalKey));
    await t.doTask(run, 'repair', 'larry-01', { outcome: 'completed', result: sealed });
    const figures = async () => ((await api(meta).get('/runs/current/tasks/repair').expect(200)).body as { result: TaskResult }).result.figures;
    expect(await figures()).toEqual({ repaired: 1 });
    await t.client.commands.hset(t.client.key('{larry}:task:repair'), 'result', JSON.stringify({ ...sealed, figures: { repaired: 999 } }));
    expect(await figures()).toEqual({});
    const mode = async () => ((await api(meta).get('/runs/current').expect(200)).body as { mode: string }).mode;
    await t.client.commands.hset(t.client.key('{larry}:run'), 'mode', 'auto');
    expect(await mode()).toBe('observe');
    const document = t.client.key(`{larry}:blob:plan:${run}`);
    const text = (await t.client.commands.get(document)) ?? '';
    await t.client.commands.set(document, text.replace('"mode":"observe"', '"mode":"auto"'));
    expect(await mode()).toBe('unknown');
  });
});
