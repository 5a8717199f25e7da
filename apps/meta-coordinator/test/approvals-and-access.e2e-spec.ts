import { readApprovalKey, verifyApproval, verifyAudit } from '@larry/audit';
import { memoryCluster } from '@larry/kube/testing';
import type { ApprovalView } from '@larry/contracts';
import { digestOfRequest, singleChanges } from '@larry/playbook';
import { readFileSync } from 'node:fs';
import { aRequest, planDocument } from './builders';
import { api, change, MetaUnderTest } from './meta-under-test';

const t = MetaUnderTest.forFile();

describe('approvals', () => {
  const asked = aRequest();
  const digest = digestOfRequest(asked);
  const park = (run: string, task: string, larry: string, of = digest, what: unknown = asked) => t.doTask(run, task, larry, { outcome: 'parked', digest: of, request: what });
  const logged = () =>
    readFileSync(t.auditLog, 'utf8').trim().split('\n').map((l) => JSON.parse(l) as { action: string; actor: string; details: { diff?: string } });

  it('are listed, and granted with a signature that Redis cannot make, by whoever the token names', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta, { mode: 'ask' });
    await park(run, 'repair', 'larry-01');
    const { body } = await api(meta).get('/approvals').expect(200);
    const asks = { summary: 'Set the e-mail address', objects: ['Deployment database/pgadmin'], diff: 'patch Deployment database/pgadmin: Set the e-mail address\n/spec/email\n- "a"\n+ "b"' };
    expect(body.approvals).toEqual([expect.objectContaining({ task: 'repair', larry: 'larry-01', digest, asks })]);
    expect(body.approvals[0]).not.toHaveProperty('problem');
    expect((await api(meta).get('/runs/current')).body.approvals).toHaveLength(1);

    await change(meta, `/approvals/${digest.slice(0, 8)}`, { decision: 'granted' }).expect(200, { run, task: 'repair', digest, decision: 'granted', who: 'ada' });
    expect(logged().find((l) => l.action === 'approval_granted')?.details.diff).toBe(asks.diff);
    const approval = (await t.coordination.task('repair'))?.approval;
    const verified = verifyApproval(JSON.parse(approval?.proof ?? 'null'), readApprovalKey(t.keys.publicKey, 'public'));
    expect(verified).toMatchObject({ run, task: 'repair', digest, granted: true, who: 'ada' });
    expect((await api(meta).get('/approvals')).body).toEqual({ approvals: [] });
  });

  it('are denied: the task is skipped, and the log outside Redis tells who', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta, { mode: 'ask' });
    await park(run, 'repair', 'larry-01');
    await change(meta, `/approvals/${digest}`, { decision: 'denied' }).expect(200);
    expect(await t.coordination.task('repair')).toMatchObject({ status: 'skipped', skipReason: 'denied' });
    const reported = async () => ((await api(meta).get('/runs/current/reports/larry-01').expect(200)).body as { tasks: { reason?: string }[] }).tasks[0]?.reason;
    expect(await reported()).toMatch(/^denied by ada at 20\S+: Set the e-mail address \(Deployment database\/pgadmin\)$/);
    // What Redis says of the who is nobody's word.
    const approval = JSON.parse((await t.client.commands.hget(t.coordination.keys.task('repair'), 'approval')) ?? '{}') as { proof: string };
    await t.client.commands.hset(t.coordination.keys.task('repair'), 'approval', JSON.stringify({ ...approval, who: 'eve', proof: approval.proof.replace('"ada"', '"eve"') }));
    expect(await reported()).toMatch(/^denied by somebody whose signature is missing or does not fit; the audit log says who: Set the e-mail/);
    expect(await verifyAudit(t.auditLog)).toMatchObject({ state: 'intact' });
    expect(logged().map((a) => `${a.actor} ${a.action}`)).toEqual(['user:ada run_begun', 'user:ada approval_denied']);
  });

  it('of changes that do not build on each other are given one by one: each signed, the task goes on after the last, and what Redis alone says counts for nothing', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta, { mode: 'ask' });
    const [first] = asked.changes as [typeof asked.changes[0]];
    const several = { ...asked, apart: true as const, changes: [first, ...['two', 'three'].map((step) => ({ ...first, change: { ...first.change, step, summary: `Do ${step}` } }))] };
    const [one, two, three] = singleChanges(several).map((c) => c.digest) as [string, string, string];
    const whole = digestOfRequest(several);
    await t.doTask(run, 'repair', 'larry-01', { outcome: 'parked', digest: whole, request: several, changes: [one, two, three] });
    const shown = async () => ((await api(meta).get('/approvals')).body as { approvals: ApprovalView[] }).approvals[0]?.asks;
    expect(await shown()).toMatchObject({ changes: [{ digest: one, summary: 'Set the e-mail address' }, { digest: two, summary: 'Do two' }, { digest: three }], diff: expect.stringContaining(`change 2 of 3, ${two.slice(0, 12)}:`) as string });

    await change(meta, `/approvals/${two.slice(0, 12)}`, { decision: 'denied' }).expect(200, { run, task: 'repair', digest: two, decision: 'denied', who: 'ada', changes: [two], open: 2 });
    await change(meta, `/approvals/${two}`, { decision: 'granted' }).expect(409);
    expect((await shown())?.changes?.map((c) => c.verdict)).toEqual([undefined, { granted: false, who: 'ada' }, undefined]);
    // A verdict that somebody else has written is none.
    const key = t.coordination.keys.task('repair');
    const verdicts = JSON.parse((await t.client.commands.hget(key, 'verdicts')) ?? '{}') as Record<string, { proof: string }>;
    await t.client.commands.hset(key, 'verdicts', JSON.stringify({ ...verdicts, [one]: { ...verdicts[two], decision: 'granted' } }));
    expect((await shown())?.changes?.[0]?.verdict).toBeUndefined();
    await t.client.commands.hset(key, 'verdicts', JSON.stringify(verdicts));

    await change(meta, `/approvals/${whole}`, { decision: 'granted' }).expect(200, { run, task: 'repair', digest: whole, decision: 'granted', who: 'ada', changes: [one, three], open: 0 });
    const { status, verdicts: kept = [] } = (await t.coordination.task('repair')) ?? {};
    expect(status).toBe('ready');
    const signed = kept.map((v) => verifyApproval(JSON.parse(v.proof), readApprovalKey(t.keys.publicKey, 'public')));
    expect(Object.fromEntries(signed.map((v) => [v?.digest, v?.granted]))).toEqual({ [one]: true, [two]: false, [three]: true });
    expect(logged().filter((l) => l.action.startsWith('approval')).map((l) => l.action)).toEqual(['approval_denied', 'approval_granted', 'approval_granted']);
  });

  it('are denied one by one as well: the report names who refused each', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta, { mode: 'ask' });
    const several = { ...asked, apart: true as const, changes: [...asked.changes, ...asked.changes.map((c) => ({ ...c, change: { ...c.change, step: 'two', summary: 'Do two' } }))] };
    const singles = singleChanges(several).map((c) => c.digest);
    await t.doTask(run, 'repair', 'larry-01', { outcome: 'parked', digest: digestOfRequest(several), request: several, changes: singles });
    for (const single of singles) await change(meta, `/approvals/${single}`, { decision: 'denied' }).expect(200);
    expect(await t.coordination.task('repair')).toMatchObject({ status: 'skipped', skipReason: 'denied' });
    const report = (await api(meta).get('/runs/current/reports/larry-01').expect(200)).body as { tasks: { reason?: string }[] };
    expect(report.tasks[0]?.reason).toMatch(/^denied by ada at \S+: Set the e-mail address \(Deployment database\/pgadmin\); ada at \S+: Do two \(/);
  });

  it('need a prefix that means one', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta, { mode: 'ask' });
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
    const meta = await t.start();
    const run = await t.beginRun(meta, { mode: 'ask' });
    await park(run, 'repair', 'larry-01');
    const harmless = aRequest({ summary: 'Add a label', patch: [{ op: 'add', path: '/metadata/labels/a', value: 'b' }] });
    await t.client.commands.hset(t.coordination.keys.task('repair'), 'request', JSON.stringify(harmless));
    const problem = 'what stands in Redis does not fit its digest: it cannot be approved, and nothing of it is shown';
    for (const { approvals } of [(await api(meta).get('/approvals')).body, (await api(meta).get('/runs/current')).body]) {
      expect(approvals).toEqual([expect.objectContaining({ digest, problem })]);
      expect(JSON.stringify(approvals)).not.toContain('label');
    }
    expect((await api(meta).get('/runs/current/tasks/repair')).body.parked).toEqual({ digest, request: { problem } });
    await change(meta, `/approvals/${digest}`, { decision }).expect(409, { error: `task repair: ${problem}` });
    expect((await t.coordination.task('repair'))?.status).toBe('awaiting_approval');
    expect(logged().map((l) => l.action)).toEqual(['run_begun']);
  });

  it('cannot be given without the key', async () => {
    const meta = await t.start({ LARRY_APPROVAL_PRIVATE_KEY: undefined });
    expect((await change(meta, '/approvals/aaaabbbb', { decision: 'granted' }).expect(503)).body.error).toContain('LARRY_APPROVAL_PRIVATE_KEY');
  });
});

describe('who may', () => {
  it.each(['/runs', '/runs/reset', '/runs/current/abort', '/approvals/aaaabbbb', '/anything'])('nobody changes anything at %s without a token', async (route) => {
    const meta = await t.start();
    await api(meta).post(route).send({ plan: planDocument }).expect(401).expect('WWW-Authenticate', /Bearer/);
    await api(meta).post(route).set('Authorization', 'Bearer wrong').send({}).expect(401);
    expect(await t.coordination.snapshot()).toBeUndefined();
  });

  it('another name for this machine is refused, documents included', async () => {
    const meta = await t.start();
    await api(meta).get('/runs/current').set('Host', 'evil.example').expect(403);
    await api(meta).get('/docs-json').set('Host', 'evil.example').expect(403);
  });

  it('from elsewhere, reading needs a token as well; probes do not', async () => {
    const meta = await t.start({ LARRY_LISTEN: '0.0.0.0' });
    for (const route of ['/runs/current', '/approvals', '/events', '/docs-json']) await api(meta).get(route).expect(401);
    await api(meta).get('/healthz').expect(200);
    await api(meta).get('/readyz').expect(200);
    await api(meta).get('/metrics').expect(200);
    await api(meta).get('/approvals').set('Authorization', 'Bearer ada-token').expect(200);
  });
});

describe('POST /runs', () => {
  it('refuses a second run and names the first; the same id again is the same run', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta, { run: 'mine' });
    const { body } = await change(meta, '/runs', { plan: planDocument }).expect(409);
    expect(body).toMatchObject({ run, error: expect.stringContaining('run mine is active') as string });
    expect(await t.beginRun(meta, { run: 'mine' })).toBe('mine');
    await change(meta, '/runs', { plan: planDocument, run: 'mine', mode: 'auto' }).expect(409);
  });

  it('names every problem of a plan at once', async () => {
    const meta = await t.start();
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
    const meta = await t.start();
    const answer = await change(meta, '/runs', body).expect(400);
    expect(answer.body.error).toMatch(sentence);
  });

  it('refuses what is no JSON or too large, without a stack', async () => {
    const meta = await t.start();
    const post = (text: string) => api(meta).post('/runs').set('Authorization', 'Bearer ada-token').set('Content-Type', 'application/json').send(text);
    expect((await post('{"plan":').expect(400)).body.error).toEqual(expect.any(String));
    expect((await post(JSON.stringify({ plan: 'x'.repeat(1_100_000) })).expect(413)).body).toEqual({ error: 'the request is larger than 1 MB' });
    expect(JSON.stringify((await post('{').expect(400)).body)).not.toMatch(/node_modules|at \w+ ?\(/);
  });

  it('changes a real cluster only in modes that its start allowed', async () => {
    const real = async () => memoryCluster([], { source: { name: 'prod', simulated: false } });
    const careful = await t.start({ LARRY_MODES_ALLOWED: 'observe' }, { openCluster: real });
    expect((await change(careful, '/runs', { plan: planDocument, mode: 'ask' }).expect(403)).body.error).toContain('prod');
    const allowed = await t.start({ LARRY_MODES_ALLOWED: 'observe, ask' }, { openCluster: real });
    await change(allowed, '/runs', { plan: planDocument, mode: 'auto' }).expect(403);
    await t.beginRun(allowed, { mode: 'ask' });
  });

  it('warns of nodes that the cluster does not have, and refuses them when asked to', async () => {
    const nodes = ['m1', 'w1'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
    const meta = await t.start({}, { openCluster: async () => memoryCluster(nodes) });
    expect((await change(meta, '/runs', { plan: planDocument, strictNodes: true }).expect(400)).body.error).toContain('w2');
    const { body } = await change(meta, '/runs', { plan: planDocument }).expect(201);
    expect(body.warnings).toEqual([expect.stringMatching(/plan's nodes w2 are not among the nodes of memory/)]);
  });

  it('says so when the cluster cannot be read', async () => {
    const gone = async () => {
      throw Object.assign(new Error('https://10.0.0.1 refuses the connection'), { name: 'ClusterUnavailableError' });
    };
    const meta = await t.start({}, { openCluster: gone });
    expect((await change(meta, '/runs', { plan: planDocument }).expect(503)).body.error).toContain('refuses the connection');
    await api(meta).get('/runs/current').expect(404);
  });
});
