import { ensureApprovalKeys, readApprovalKey, verifyApproval, verifyAudit } from '@larry/audit';
import { runSummarySchema, type TaskResult, type Validation } from '@larry/contracts';
import { Coordination } from '@larry/coordination';
import { ensureJournalKey, readJournalKey, sealResult, turnedCriteria } from '@larry/coordinator';
import { memoryCluster } from '@larry/kube/testing';
import { digestOfRequest } from '@larry/playbook';
import type { RedisClient } from '@larry/redis';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import request from 'supertest';
import type { Validator } from '../src/converge/validator';
import { metaEnvironmentSchema } from '../src/environment';
import { openApiDocument } from '../src/docs/openapi';
import { operationNotes } from '../src/docs/operations';
import { PARTS, type MetaParts } from '../src/parts';
import { startMetaCoordinator, type RunningMeta } from '../src/start';
import { aFinding, aRequest, aResult, planDocument } from './builders';

const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-meta-'));
const keys = ensureApprovalKeys(path.join(folder, 'keys'));
const tokens = path.join(folder, 'tokens');
writeFileSync(tokens, `ada:${createHash('sha256').update('ada-token').digest('hex')}\n`);

const simulated = () => memoryCluster([], { source: { simulated: true, name: 'sim' } });
/** Says that everything is as it was claimed. */
const agreeing: Validator = {
  validate: async (larry, _, claims) => claims.map(({ task, result }) => ({ task, larry, at: new Date().toISOString(), criteria: result.criteria, turned: [] })),
};

let redis: TestRedis;
let client: RedisClient;
let coordination: Coordination;
const running: RunningMeta[] = [];

beforeAll(async () => (redis = await testRedis()));
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  client = await redis.client();
  coordination = new Coordination(client);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((meta) => meta.stop()));
});

async function start(env: Record<string, string> = {}, replace: Partial<MetaParts> = {}): Promise<RunningMeta> {
  const environment = metaEnvironmentSchema.parse({
    REDIS_URL: redis.url,
    LARRY_PREFIX: client.prefix,
    PORT: '0',
    LOG_LEVEL: 'silent',
    LARRY_TOKENS_FILE: tokens,
    LARRY_APPROVAL_PRIVATE_KEY: keys.privateKey,
    LARRY_AUDIT_LOG: path.join(folder, `${client.prefix.replace(':', '')}.jsonl`),
    LARRY_STATE_DIR: path.join(folder, client.prefix.replace(':', '')),
    LARRY_LEASE_TTL_MS: '2000',
    LARRY_MODES_ALLOWED: 'observe,ask,auto',
    ...env,
  });
  const meta = await startMetaCoordinator(environment, { openCluster: async () => simulated(), validator: agreeing, ...replace });
  running.push(meta);
  return meta;
}

const api = (meta: RunningMeta) => request(`http://127.0.0.1:${meta.port}`);
const change = (meta: RunningMeta, route: string, body: object = {}) => api(meta).post(route).set('Authorization', 'Bearer ada-token').send(body);
const beginRun = async (meta: RunningMeta, body: object = {}): Promise<string> => {
  const answer = await change(meta, '/runs', { plan: planDocument, ...body }).expect(201);
  return (answer.body as { run: string }).run;
};

/** Does a task as a coordinator and its worker would, and settles it. */
async function doTask(run: string, task: string, larry: string, settlement: Parameters<Coordination['settle']>[1]): Promise<void> {
  const claim = { run, task, larry, claim: randomUUID() };
  await eventually(async () => expect(await coordination.claim(claim)).toMatchObject({ outcome: 'claimed' }));
  const started = await coordination.start({ ...claim, holder: randomUUID() });
  if (started.outcome !== 'started') throw new Error(started.why);
  expect(await coordination.settle(started.lease, settlement)).toMatchObject({ outcome: 'settled' });
}

const complete = (run: string, task: string, larry: string, result: Partial<TaskResult> = {}): Promise<void> =>
  doTask(run, task, larry, { outcome: 'completed', result: aResult(task, result) });

async function completeAll(run: string, repaired: Partial<TaskResult> = {}): Promise<void> {
  await complete(run, 'repair', 'larry-01', repaired);
  await complete(run, 'count', 'larry-02');
  await complete(run, 'draw', 'larry-02');
}

async function summaryOf(meta: RunningMeta) {
  return eventually(async () => runSummarySchema.parse((await api(meta).get('/runs/current/report').expect(200)).body));
}

describe('results that somebody wrote into Redis', () => {
  const journalKey = ensureJournalKey(path.join(folder, 'keys', 'journal.key'));
  const met = { id: 'ready', text: 'It is ready', verdict: 'met' as const, observation: { subject: 'Deployment x', value: '1 of 1', at: '2026-01-01T00:00:00.000Z' } };

  it('are shown as unverified and never as met, and a summary that is not ours is not shown', async () => {
    const meta = await start({ LARRY_JOURNAL_KEY: journalKey });
    const run = await beginRun(meta);
    const seal = (task: string): object => sealResult(aResult(task, { criteria: [met] }), { run, task }, readJournalKey(journalKey));
    await doTask(run, 'repair', 'larry-01', { outcome: 'completed', result: seal('repair') });
    await doTask(run, 'count', 'larry-02', { outcome: 'completed', result: { ...seal('count'), summary: 'all is well' } });
    await doTask(run, 'draw', 'larry-02', { outcome: 'completed', result: aResult('draw', { criteria: [met] }) });
    const summary = await summaryOf(meta);
    const results = summary.larrys.flatMap((l) => l.tasks).map((t) => [t.task, t.result?.summary, t.result?.criteria[0]?.verdict]);
    expect(results).toEqual([
      ['repair', 'repair is done', 'met'],
      ['count', 'unverified: all is well', 'unknown'],
      ['draw', 'unverified: draw is done', 'unknown'],
    ]);
    const key = client.key('{larry}:task:converge');
    const kept = (await client.commands.hget(key, 'result')) ?? '';
    const forged = kept.replace('unverified: all is well', 'all is well');
    expect(forged).not.toBe(kept);
    await client.commands.hset(key, 'result', forged);
    await api(meta).get('/runs/current/report').expect(500, /not sealed by a meta-coordinator/);
  });

  it('count for nothing in the status, and a mode that nobody signed is unknown', async () => {
    const meta = await start({ LARRY_JOURNAL_KEY: journalKey });
    const run = await beginRun(meta);
    const sealed = sealResult(aResult('repair', { figures: { repaired: 1 } }), { run, task: 'repair' }, readJournalKey(journalKey));
    await doTask(run, 'repair', 'larry-01', { outcome: 'completed', result: sealed });
    const figures = async () => ((await api(meta).get('/runs/current/tasks/repair').expect(200)).body as { result: TaskResult }).result.figures;
    expect(await figures()).toEqual({ repaired: 1 });
    await client.commands.hset(client.key('{larry}:task:repair'), 'result', JSON.stringify({ ...sealed, figures: { repaired: 999 } }));
    expect(await figures()).toEqual({});
    const mode = async () => ((await api(meta).get('/runs/current').expect(200)).body as { mode: string }).mode;
    await client.commands.hset(client.key('{larry}:run'), 'mode', 'auto');
    expect(await mode()).toBe('observe');
    const document = client.key(`{larry}:blob:plan:${run}`);
    const text = (await client.commands.get(document)) ?? '';
    await client.commands.set(document, text.replace('"mode":"observe"', '"mode":"auto"'));
    expect(await mode()).toBe('unknown');
  });
});

describe('a run', () => {
  it('goes from POST to the summary, and the status follows', async () => {
    const meta = await start();
    await api(meta).get('/runs/current').expect(404, { error: 'there is no run: larry run begins one (POST /runs)' });
    const run = await beginRun(meta, { mode: 'auto', allow: ['workload-env'] });
    const { body: before } = await api(meta).get('/runs/current').expect(200);
    expect(before).toMatchObject({ run, mode: 'auto', status: 'running', didWork: '0 of 3 tasks did work', reportReady: false });
    expect(before.tasks.map((t: { task: string; status: string; node: string }) => [t.task, t.status, t.node])).toEqual([
      ['repair', 'ready', 'local (planned w1)'],
      ['count', 'ready', 'local (planned w2)'],
      ['draw', 'pending', 'local (planned w2)'],
    ]);
    expect(before.budget.find((b: { node: string }) => b.node === 'larry-01')).toMatchObject({ limit: 20, reserve: 5, used: 0 });
    await api(meta).get('/runs/current/report').expect(404, { error: `run ${run} has not converged: 3 of 3 tasks have not ended`, run, status: 'running' });

    await completeAll(run, { findings: [aFinding()] });
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
    const meta = await start();
    const first = await beginRun(meta);
    await completeAll(first, { findings: [aFinding({ id: 'old', title: 'Old' }), aFinding({ id: 'both', title: 'Both' })] });
    expect((await summaryOf(meta)).sinceLast).toBeUndefined();
    const second = await beginRun(meta);
    await completeAll(second, { findings: [aFinding({ id: 'both', title: 'Both' }), aFinding({ id: 'new', title: 'New' })] });
    const summary = await eventually(async () => {
      const read = await summaryOf(meta);
      expect(read.run).toBe(second);
      return read;
    });
    expect(summary.sinceLast).toEqual({ previousRun: first, new: ['New'], gone: ['Old'] });
  });

  it('has one convergence whichever of three replicas does it, and says each event once', async () => {
    const metas = await Promise.all([start(), start(), start()]);
    const run = await beginRun(metas[0] as RunningMeta);
    await completeAll(run);
    for (const meta of metas) expect((await summaryOf(meta)).run).toBe(run);
    const entries = await client.commands.xrange(client.key('{larry}:events'), '-', '+');
    const names = entries.map(([, fields]) => (JSON.parse(fields[fields.indexOf('json') + 1] as string) as { event: string }).event);
    for (const once of ['convergence_started', 'run_complete']) expect(names.filter((n) => n === once)).toHaveLength(1);
    expect(names.filter((n) => n === 'validation_result')).toHaveLength(3);
  });

  it('is converged by another replica when the first dies in the middle', async () => {
    const hanging: Validator = { validate: (_, __, ___, signal) => new Promise<Validation[]>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))) };
    const first = await start({ LARRY_LEASE_TTL_MS: '500' }, { validator: hanging });
    const run = await beginRun(first);
    await completeAll(run);
    await eventually(async () => expect((await coordination.task('converge'))?.status).toBe('in_progress'));
    // As after kill -9: its connection is gone, and with it the renewals.
    await first.app.get<MetaParts>(PARTS).redis.close();
    const second = await start();
    expect((await summaryOf(second)).run).toBe(run);
    expect((await coordination.task('converge'))?.attempt).toBeGreaterThan(1);
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
    const meta = await start({}, { validator: falsified });
    const run = await beginRun(meta);
    await completeAll(run, { criteria: [met] });
    const summary = await summaryOf(meta);
    expect(summary.validations.flatMap((v) => v.turned)).toEqual(['ready']);
    expect(summary.lessons[0]).toBe('1 claim did not hold when looked at again: repair/ready');
  });

  it('keeps a summary that is too large for a hash', async () => {
    const meta = await start();
    const run = await beginRun(meta);
    await completeAll(run, { artifacts: { lineage: 'x'.repeat(200_000) } });
    expect((await summaryOf(meta)).larrys[0]?.tasks[0]?.result?.artifacts['lineage']).toHaveLength(200_000);
  });

  it('is aborted by name, once, and leaves no summary', async () => {
    const meta = await start();
    await change(meta, '/runs/current/abort').expect(404);
    const run = await beginRun(meta);
    await change(meta, '/runs/current/abort').expect(200);
    expect((await api(meta).get('/runs/current')).body).toMatchObject({ status: 'aborted', abortedBy: 'ada' });
    const { body: partial } = await api(meta).get('/runs/current/report').expect(200);
    expect(runSummarySchema.parse(partial)).toMatchObject({ run, status: 'aborted', validations: [], crossChecks: [] });
    await change(meta, '/runs/current/abort').expect(409);
  });

  it('is reset: no key of it is left but the events that tell of it', async () => {
    const meta = await start();
    const run = await beginRun(meta);
    await complete(run, 'repair', 'larry-01');
    expect((await change(meta, '/runs/reset').expect(200)).body).toMatchObject({ run });
    await api(meta).get('/runs/current').expect(404);
    await beginRun(meta);
  });
});

describe('POST /runs', () => {
  it('refuses a second run and names the first; the same id again is the same run', async () => {
    const meta = await start();
    const run = await beginRun(meta, { run: 'mine' });
    const { body } = await change(meta, '/runs', { plan: planDocument }).expect(409);
    expect(body).toMatchObject({ run, error: expect.stringContaining('run mine is active') as string });
    expect(await beginRun(meta, { run: 'mine' })).toBe('mine');
    await change(meta, '/runs', { plan: planDocument, run: 'mine', mode: 'auto' }).expect(409);
  });

  it('names every problem of a plan at once', async () => {
    const meta = await start();
    const plan = { ...planDocument, totalTokens: 99, larrys: planDocument.larrys.map((l) => ({ ...l, node: 'nowhere' })) };
    const { body } = await change(meta, '/runs', { plan }).expect(400);
    expect(body.problems.map((p: { path: string }) => p.path).sort()).toEqual(['larrys[0].node', 'larrys[1].node', 'totalTokens']);
    expect(body.error).toContain('totalTokens: says 99');
  });

  it.each([
    ['no plan', {}, /plan/],
    ['an unknown field', { plan: planDocument, modus: 'auto' }, /modus/],
    ['an unknown mode', { plan: planDocument, mode: 'yolo' }, /mode/],
    ["an id that is none", { plan: planDocument, run: '../x' }, /run: must be/],
    ["the meta-coordinator's own id for a Larry", { plan: { ...planDocument, larrys: planDocument.larrys.map((l, i) => ({ ...l, id: i === 0 ? 'meta-coordinator' : l.id })) } }, /meta-coordinator's own id/],
  ])('refuses %s with one sentence', async (_, body, sentence) => {
    const meta = await start();
    const answer = await change(meta, '/runs', body).expect(400);
    expect(answer.body.error).toMatch(sentence);
  });

  it('refuses what is no JSON or too large, without a stack', async () => {
    const meta = await start();
    const post = (text: string) => api(meta).post('/runs').set('Authorization', 'Bearer ada-token').set('Content-Type', 'application/json').send(text);
    expect((await post('{"plan":').expect(400)).body.error).toEqual(expect.any(String));
    expect((await post(JSON.stringify({ plan: 'x'.repeat(1_100_000) })).expect(413)).body).toEqual({ error: 'the request is larger than 1 MB' });
    expect(JSON.stringify((await post('{').expect(400)).body)).not.toMatch(/node_modules|at \w+ ?\(/);
  });

  it('changes a real cluster only in modes that its start allowed', async () => {
    const real = async () => memoryCluster([], { source: { name: 'prod', simulated: false } });
    const careful = await start({ LARRY_MODES_ALLOWED: 'observe' }, { openCluster: real });
    expect((await change(careful, '/runs', { plan: planDocument, mode: 'ask' }).expect(403)).body.error).toContain('prod');
    const allowed = await start({ LARRY_MODES_ALLOWED: 'observe, ask' }, { openCluster: real });
    await change(allowed, '/runs', { plan: planDocument, mode: 'auto' }).expect(403);
    await beginRun(allowed, { mode: 'ask' });
  });

  it('warns of nodes that the cluster does not have, and refuses them when asked to', async () => {
    const nodes = ['m1', 'w1'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
    const meta = await start({}, { openCluster: async () => memoryCluster(nodes) });
    expect((await change(meta, '/runs', { plan: planDocument, strictNodes: true }).expect(400)).body.error).toContain('w2');
    const { body } = await change(meta, '/runs', { plan: planDocument }).expect(201);
    expect(body.warnings).toEqual([expect.stringMatching(/plan's nodes w2 are not among the nodes of memory/)]);
  });

  it('says so when the cluster cannot be read', async () => {
    const gone = async () => {
      throw Object.assign(new Error('https://10.0.0.1 refuses the connection'), { name: 'ClusterUnavailableError' });
    };
    const meta = await start({}, { openCluster: gone });
    expect((await change(meta, '/runs', { plan: planDocument }).expect(503)).body.error).toContain('refuses the connection');
    await api(meta).get('/runs/current').expect(404);
  });
});

describe('approvals', () => {
  const asked = aRequest();
  const digest = digestOfRequest(asked);
  const park = (run: string, task: string, larry: string, of = digest, what: unknown = asked) => doTask(run, task, larry, { outcome: 'parked', digest: of, request: what });
  const logged = () =>
    readFileSync(path.join(folder, `${client.prefix.replace(':', '')}.jsonl`), 'utf8').trim().split('\n').map((l) => JSON.parse(l) as { action: string; actor: string; details: { diff?: string } });

  it('are listed, and granted with a signature that Redis cannot make, by whoever the token names', async () => {
    const meta = await start();
    const run = await beginRun(meta, { mode: 'ask' });
    await park(run, 'repair', 'larry-01');
    const { body } = await api(meta).get('/approvals').expect(200);
    const asks = { summary: 'Set the e-mail address', objects: ['Deployment database/pgadmin'], diff: 'patch Deployment database/pgadmin: Set the e-mail address\n/spec/email\n- "a"\n+ "b"' };
    expect(body.approvals).toEqual([expect.objectContaining({ task: 'repair', larry: 'larry-01', digest, asks })]);
    expect(body.approvals[0]).not.toHaveProperty('problem');
    expect((await api(meta).get('/runs/current')).body.approvals).toHaveLength(1);

    await change(meta, `/approvals/${digest.slice(0, 8)}`, { decision: 'granted' }).expect(200, { run, task: 'repair', digest, decision: 'granted', who: 'ada' });
    expect(logged().find((l) => l.action === 'approval_granted')?.details.diff).toBe(asks.diff);
    const approval = (await coordination.task('repair'))?.approval;
    const verified = verifyApproval(JSON.parse(approval?.proof ?? 'null'), readApprovalKey(keys.publicKey, 'public'));
    expect(verified).toMatchObject({ run, task: 'repair', digest, granted: true, who: 'ada' });
    expect((await api(meta).get('/approvals')).body).toEqual({ approvals: [] });
  });

  it('are denied: the task is skipped, and the log outside Redis tells who', async () => {
    const meta = await start();
    const run = await beginRun(meta, { mode: 'ask' });
    await park(run, 'repair', 'larry-01');
    await change(meta, `/approvals/${digest}`, { decision: 'denied' }).expect(200);
    expect(await coordination.task('repair')).toMatchObject({ status: 'skipped', skipReason: 'denied' });
    const log = path.join(folder, `${client.prefix.replace(':', '')}.jsonl`);
    expect(await verifyAudit(log)).toMatchObject({ state: 'intact' });
    expect(logged().map((a) => `${a.actor} ${a.action}`)).toEqual(['user:ada run_begun', 'user:ada approval_denied']);
  });

  it('need a prefix that means one', async () => {
    const meta = await start();
    const run = await beginRun(meta, { mode: 'ask' });
    const [one, begin] = [`/approvals/${digest}`, digest.slice(0, 8)];
    await park(run, 'repair', 'larry-01');
    await park(run, 'count', 'larry-02', begin.padEnd(64, '0'));
    await change(meta, `/approvals/${digest.slice(0, 7)}`, { decision: 'granted' }).expect(400);
    expect((await change(meta, `/approvals/${begin}`, { decision: 'granted' }).expect(409)).body.open).toHaveLength(2);
    await change(meta, `/approvals/${begin.startsWith('f') ? '0' : 'f'}fffffff`, { decision: 'granted' }).expect(404);
    await change(meta, one, { decision: 'maybe' }).expect(400);
    await change(meta, one, { decision: 'granted' }).expect(200);
    await change(meta, one, { decision: 'denied' }).expect(404);
  });

  it.each(['granted', 'denied'])('are neither shown nor %s when somebody has rewritten the request in Redis', async (decision) => {
    const meta = await start();
    const run = await beginRun(meta, { mode: 'ask' });
    await park(run, 'repair', 'larry-01');
    const harmless = aRequest({ summary: 'Add a label', patch: [{ op: 'add', path: '/metadata/labels/a', value: 'b' }] });
    await client.commands.hset(coordination.keys.task('repair'), 'request', JSON.stringify(harmless));
    const problem = 'what stands in Redis does not fit its digest: it cannot be approved, and nothing of it is shown';
    for (const { approvals } of [(await api(meta).get('/approvals')).body, (await api(meta).get('/runs/current')).body]) {
      expect(approvals).toEqual([expect.objectContaining({ digest, problem })]);
      expect(JSON.stringify(approvals)).not.toContain('label');
    }
    expect((await api(meta).get('/runs/current/tasks/repair')).body.parked).toEqual({ digest, request: { problem } });
    await change(meta, `/approvals/${digest}`, { decision }).expect(409, { error: `task repair: ${problem}` });
    expect((await coordination.task('repair'))?.status).toBe('awaiting_approval');
    expect(logged().map((l) => l.action)).toEqual(['run_begun']);
  });

  it('cannot be given without the key', async () => {
    const meta = await start({ LARRY_APPROVAL_PRIVATE_KEY: undefined as unknown as string });
    expect((await change(meta, '/approvals/aaaabbbb', { decision: 'granted' }).expect(503)).body.error).toContain('LARRY_APPROVAL_PRIVATE_KEY');
  });
});

describe('who may', () => {
  it.each(['/runs', '/runs/reset', '/runs/current/abort', '/approvals/aaaabbbb', '/anything'])('nobody changes anything at %s without a token', async (route) => {
    const meta = await start();
    await api(meta).post(route).send({ plan: planDocument }).expect(401).expect('WWW-Authenticate', /Bearer/);
    await api(meta).post(route).set('Authorization', 'Bearer wrong').send({}).expect(401);
    expect(await coordination.snapshot()).toBeUndefined();
  });

  it('another name for this machine is refused, documents included', async () => {
    const meta = await start();
    await api(meta).get('/runs/current').set('Host', 'evil.example').expect(403);
    await api(meta).get('/docs-json').set('Host', 'evil.example').expect(403);
  });

  it('from elsewhere, reading needs a token as well; probes do not', async () => {
    const meta = await start({ LARRY_LISTEN: '0.0.0.0' });
    for (const route of ['/runs/current', '/approvals', '/events', '/docs-json']) await api(meta).get(route).expect(401);
    await api(meta).get('/healthz').expect(200);
    await api(meta).get('/readyz').expect(200);
    await api(meta).get('/metrics').expect(200);
    await api(meta).get('/approvals').set('Authorization', 'Bearer ada-token').expect(200);
  });
});

describe('GET /events', () => {
  /** Reads a stream until `until` is in it. */
  async function readUntil(meta: RunningMeta, until: string, headers: Record<string, string> = {}, query = ''): Promise<{ ids: string[]; names: string[] }> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => get({ host: '127.0.0.1', port: meta.port, path: `/events${query}`, headers }, resolve).on('error', reject));
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (text.includes(`event: ${until}\n`) && text.endsWith('\n\n')) break;
    }
    response.destroy();
    return { ids: [...text.matchAll(/^id: (.+)$/gm)].map((m) => m[1] as string), names: [...text.matchAll(/^event: (.+)$/gm)].map((m) => m[1] as string) };
  }

  it('replays after the last id and goes on live, nothing lost and nothing twice', async () => {
    const meta = await start();
    const run = await beginRun(meta);
    const { lastEventId } = (await api(meta).get('/runs/current')).body as { lastEventId: string };
    const whole = readUntil(meta, 'run_complete', { 'Last-Event-ID': lastEventId });
    await complete(run, 'repair', 'larry-01');
    const begun = await readUntil(meta, 'phase_complete', {}, '?after=start');
    const rest = readUntil(meta, 'run_complete', { 'Last-Event-ID': begun.ids.at(-1) as string });
    await complete(run, 'count', 'larry-02');
    await complete(run, 'draw', 'larry-02');
    const { ids, names } = await whole;
    expect([...begun.ids, ...(await rest).ids]).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(names).toEqual(expect.arrayContaining(['task_claimed', 'task_complete', 'phase_complete', 'convergence_started', 'validation_result', 'run_complete']));
  });

  it('refuses a place that is none', async () => {
    const meta = await start();
    await api(meta).get('/events').set('Last-Event-ID', 'yesterday').expect(400);
  });

  it('keeps a place for whoever brings a token when those without one have taken all of theirs', async () => {
    const meta = await start();
    const open = (headers = {}) =>
      new Promise<IncomingMessage>((resolve, reject) => get({ host: '127.0.0.1', port: meta.port, path: '/events', agent: false, headers }, resolve).on('error', reject));
    const hog = await Promise.all(Array.from({ length: 100 }, () => open()));
    expect(hog.map((response) => response.statusCode)).toEqual(hog.map(() => 200));
    expect((await api(meta).get('/events').expect(503)).body.error).toBe('100 readers without a token follow the events already: send a token, or try again later');
    await api(meta).get('/events').set('Authorization', 'Bearer wrong').expect(503);
    const named = await open({ authorization: 'Bearer ada-token' });
    expect(named.statusCode).toBe(200);
    for (const response of [...hog, named]) response.destroy();
    await eventually(async () => {
      const again = await open();
      again.destroy();
      expect(again.statusCode).toBe(200);
    });
  });

  it('lets readers go when the service stops', async () => {
    const meta = await start();
    const response = await new Promise<IncomingMessage>((resolve, reject) => get({ host: '127.0.0.1', port: meta.port, path: '/events' }, resolve).on('error', reject));
    response.resume();
    const ended = new Promise((resolve) => response.once('close', resolve));
    const began = performance.now();
    await meta.stop();
    running.splice(running.indexOf(meta), 1);
    await ended;
    // Not the five seconds that an idle connection is kept for.
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

/** A server that may be stopped, also where `REDIS_URL` names one for the other tests. */
async function ownRedis(): Promise<TestRedis> {
  const given = process.env['REDIS_URL'];
  delete process.env['REDIS_URL'];
  try {
    return await testRedis();
  } finally {
    if (given !== undefined) process.env['REDIS_URL'] = given;
  }
}

describe('the service', () => {
  it('says 503 with a sentence while Redis is away, and goes on when it is back', async () => {
    const own = await ownRedis();
    const previous = { client, coordination };
    try {
      client = await own.client({ commandTimeoutMs: 500 });
      coordination = new Coordination(client);
      const meta = await start({ REDIS_URL: own.url });
      await beginRun(meta);
      process.kill(own.servers[0]?.pid ?? NaN, 'SIGSTOP');
      const { body } = await api(meta).get('/runs/current').expect(503);
      expect(body.error).toMatch(/^Redis at .* cannot be reached/);
      expect(Object.keys(body)).toEqual(['error']);
      await api(meta).get('/events').expect(503);
      await api(meta).get('/readyz').expect(503);
      await api(meta).get('/healthz').expect(200);
      process.kill(own.servers[0]?.pid ?? NaN, 'SIGCONT');
      await eventually(async () => void (await api(meta).get('/runs/current').expect(200)));
      await Promise.all(running.splice(0).map((m) => m.stop()));
    } finally {
      ({ client, coordination } = previous);
      await own.stop();
    }
  }, 60_000);

  it('shows the run to Prometheus by Larry and node', async () => {
    const meta = await start();
    const run = await beginRun(meta);
    await complete(run, 'count', 'larry-02');
    await eventually(async () => {
      const { text } = await api(meta).get('/metrics').expect(200);
      expect(text).toContain('larry_phase_progress{larry_id="larry-02",node="all"} 50');
      expect(text).toContain('larry_tasks_completed{larry_id="larry-02",node="local (planned w2)"} 1');
      expect(text).toContain('larry_workers_active{larry_id="larry-01",node="local (planned w1)"} 0');
      expect(text).toContain('larry_tokens_used{larry_id="larry-01",node="all"} 0');
    });
  });

  it('draws the views of the quick start', async () => {
    const meta = await start();
    const run = await beginRun(meta);
    await complete(run, 'count', 'larry-02', { figures: { assets_discovered: 7 } });
    await eventually(async () => {
      expect(await client.commands.get(client.key('phase:larry-02:progress'))).toBe('50');
      expect(await client.commands.get(client.key('task:status:count'))).toBe('completed');
      expect(await client.commands.hget(client.key('task:result:count'), 'assets_discovered')).toBe('7');
      expect(await client.commands.get(client.key('tokens:larry-01:limit'))).toBe('20');
    });
    expect(meta.port).toBeGreaterThan(0);
  });

  it('describes every route that it serves', async () => {
    const meta = await start();
    const document = await openApiDocument(meta.app);
    const served = Object.values(document.paths).flatMap((p) => Object.values(p as Record<string, { operationId: string }>).map((o) => o.operationId));
    expect(served.sort()).toEqual(Object.keys(operationNotes).sort());
    const { body } = await api(meta).get('/docs-json').expect(200);
    expect(body.paths['/runs'].post.requestBody.content['application/json'].schema.properties.mode).toMatchObject({ enum: ['observe', 'ask', 'auto'] });
    await api(meta).get('/docs').expect(200).expect('Content-Type', /html/);
    await api(meta).get('/docs/swagger-ui-bundle.js').expect(200);
    await api(meta).get('/docs/../package.json').expect(404);
    await api(meta).get('/docs/index.html').expect(404);
  });

  it('does not start with a tokens file or key that it cannot read, and says which variable', async () => {
    await expect(start({ LARRY_TOKENS_FILE: '/nowhere' })).rejects.toThrow(/LARRY_TOKENS_FILE/);
    await expect(start({ LARRY_APPROVAL_PRIVATE_KEY: tokens })).rejects.toThrow(/LARRY_APPROVAL_PRIVATE_KEY/);
  });
});
