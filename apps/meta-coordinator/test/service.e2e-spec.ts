import { memoryCluster } from '@larry/kube/testing';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { get, type IncomingMessage } from 'node:http';
import { openApiDocument } from '../src/docs/openapi';
import { operationNotes } from '../src/docs/operations';
import type { RunningMeta } from '../src/start';
import { api, MetaUnderTest } from './meta-under-test';

const t = MetaUnderTest.forFile();

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
    const meta = await t.start();
    const run = await t.beginRun(meta);
    const { lastEventId } = (await api(meta).get('/runs/current')).body as { lastEventId: string };
    const whole = readUntil(meta, 'run_complete', { 'Last-Event-ID': lastEventId });
    await t.complete(run, 'repair', 'larry-01');
    const begun = await readUntil(meta, 'phase_complete', {}, '?after=start');
    const rest = readUntil(meta, 'run_complete', { 'Last-Event-ID': begun.ids.at(-1) as string });
    await t.complete(run, 'count', 'larry-02');
    await t.complete(run, 'draw', 'larry-02');
    const { ids, names } = await whole;
    expect([...begun.ids, ...(await rest).ids]).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(names).toEqual(expect.arrayContaining(['task_claimed', 'task_complete', 'phase_complete', 'convergence_started', 'validation_result', 'run_complete']));
  });

  it('refuses a place that is none', async () => {
    const meta = await t.start();
    await api(meta).get('/events').set('Last-Event-ID', 'yesterday').expect(400);
  });

  it('keeps a place for whoever brings a token when those without one have taken all of theirs', async () => {
    const meta = await t.start();
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
    const meta = await t.start();
    const response = await new Promise<IncomingMessage>((resolve, reject) => get({ host: '127.0.0.1', port: meta.port, path: '/events' }, resolve).on('error', reject));
    response.resume();
    const ended = new Promise((resolve) => response.once('close', resolve));
    const began = performance.now();
    await meta.stop();
    t.running.splice(t.running.indexOf(meta), 1);
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
  describe('whose Redis is in trouble', () => {
    let own: TestRedis;
    beforeAll(async () => (own = await ownRedis()));
    afterAll(() => own.stop());

    it('says 503 with a sentence while Redis is away, and goes on when it is back', async () => {
      t.use(await own.client({ commandTimeoutMs: 500 }));
      const meta = await t.start({ REDIS_URL: own.url });
      await t.beginRun(meta);
      process.kill(own.servers[0]?.pid ?? NaN, 'SIGSTOP');
      // At once: each of them waits as long as a command may take.
      const [{ body }] = await Promise.all([
        api(meta).get('/runs/current').expect(503),
        api(meta).get('/events').expect(503),
        api(meta).get('/readyz').expect(503),
        api(meta).get('/healthz').expect(200),
      ]);
      expect(body.error).toMatch(/^Redis at .* cannot be reached/);
      expect(Object.keys(body)).toEqual(['error']);
      process.kill(own.servers[0]?.pid ?? NaN, 'SIGCONT');
      await eventually(async () => void (await api(meta).get('/runs/current').expect(200)));
    }, 60_000);

    it('shows the run as held up while Redis takes no writes, says why, and takes it back', async () => {
      t.use(await own.client());
      const meta = await t.start({ REDIS_URL: own.url });
      await t.beginRun(meta);
      const trouble = async () => ((await api(meta).get('/runs/current').expect(200)).body as { trouble?: string }).trouble;
      expect(await trouble()).toBeUndefined();
      await t.client.commands.config('SET', 'maxmemory', '100kb');
      expect(await trouble()).toMatch(/^Redis at .* has reached its maxmemory: raise it/);
      await t.client.commands.config('SET', 'maxmemory', '0');
      expect(await trouble()).toBeUndefined();
    });
  });

  it('asks the cluster once for many probes', async () => {
    let looks = 0;
    const meta = await t.start({}, { openCluster: async () => (looks++, memoryCluster([])) });
    for (let i = 0; i < 5; i++) await api(meta).get('/readyz').expect(200);
    expect(looks).toBe(1);
  });

  it('shows the run to Prometheus by Larry and node', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta);
    await t.complete(run, 'count', 'larry-02');
    await eventually(async () => {
      const { text } = await api(meta).get('/metrics').expect(200);
      expect(text).toContain('larry_phase_progress{larry_id="larry-02",node="all"} 50');
      expect(text).toContain('larry_tasks_completed{larry_id="larry-02",node="local (planned w2)"} 1');
      expect(text).toContain('larry_workers_active{larry_id="larry-01",node="local (planned w1)"} 0');
      expect(text).toContain('larry_tokens_used{larry_id="larry-01",node="all"} 0');
    });
  });

  it('draws the views of the quick start', async () => {
    const meta = await t.start();
    const run = await t.beginRun(meta);
    await t.complete(run, 'count', 'larry-02', { figures: { assets_discovered: 7 } });
    await eventually(async () => {
      expect(await t.client.commands.get(t.client.key('phase:larry-02:progress'))).toBe('50');
      expect(await t.client.commands.get(t.client.key('task:status:count'))).toBe('completed');
      expect(await t.client.commands.hget(t.client.key('task:result:count'), 'assets_discovered')).toBe('7');
      expect(await t.client.commands.get(t.client.key('tokens:larry-01:limit'))).toBe('20');
    });
    expect(meta.port).toBeGreaterThan(0);
  });

  it('describes every route that it serves', async () => {
    const meta = await t.start();
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
    await expect(t.start({ LARRY_TOKENS_FILE: '/nowhere' })).rejects.toThrow(/LARRY_TOKENS_FILE/);
    await expect(t.start({ LARRY_APPROVAL_PRIVATE_KEY: t.tokens })).rejects.toThrow(/LARRY_APPROVAL_PRIVATE_KEY/);
  });
});
