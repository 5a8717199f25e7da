import { ensureApprovalKeys } from '@larry/audit';
import { runSummarySchema, type RunSummary, type TaskResult } from '@larry/contracts';
import { Coordination } from '@larry/coordination';
import { memoryCluster } from '@larry/kube/testing';
import type { RedisClient } from '@larry/redis';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import request from 'supertest';
import type { Validator } from '../src/converge/validator';
import { metaEnvironmentSchema } from '../src/environment';
import type { MetaParts } from '../src/parts';
import { startMetaCoordinator, type RunningMeta } from '../src/start';
import { aResult, planDocument } from './builders';

const simulated = () => memoryCluster([], { source: { simulated: true, name: 'sim' } });
/** Says that everything is as it was claimed. */
const agreeing: Validator = {
  validate: async (larry, _, claims) => claims.map(({ task, result }) => ({ task, larry, at: new Date().toISOString(), criteria: result.criteria, turned: [] })),
};

/** Meta-coordinators for the tests of one file: one Redis, and a prefix for each test. Ends what it started. */
export class MetaUnderTest {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'larry-meta-'));
  readonly keys = ensureApprovalKeys(path.join(this.folder, 'keys'));
  readonly tokens = path.join(this.folder, 'tokens');
  readonly running: RunningMeta[] = [];
  redis!: TestRedis;
  client!: RedisClient;
  coordination!: Coordination;

  /** Call it once in a file, outside of tests. */
  static forFile(): MetaUnderTest {
    const made = new MetaUnderTest();
    beforeAll(async () => (made.redis = await testRedis()));
    beforeEach(async () => made.use(await made.redis.client()));
    afterEach(() => made.stop());
    afterAll(async () => {
      await made.redis.stop();
      rmSync(made.folder, { recursive: true });
    });
    return made;
  }

  private constructor() {
    writeFileSync(this.tokens, `ada:${createHash('sha256').update('ada-token').digest('hex')}\n`);
  }

  /** What is started from now on works with this Redis and prefix. */
  use(client: RedisClient): void {
    this.client = client;
    this.coordination = new Coordination(client);
  }

  get auditLog(): string {
    return path.join(this.folder, `${this.client.prefix.replace(':', '')}.jsonl`);
  }

  async start(env: Record<string, string | undefined> = {}, replace: Partial<MetaParts> = {}): Promise<RunningMeta> {
    const environment = metaEnvironmentSchema.parse({
      REDIS_URL: this.redis.url,
      LARRY_PREFIX: this.client.prefix,
      PORT: '0',
      LOG_LEVEL: 'silent',
      LARRY_TOKENS_FILE: this.tokens,
      LARRY_APPROVAL_PRIVATE_KEY: this.keys.privateKey,
      LARRY_AUDIT_LOG: this.auditLog,
      LARRY_STATE_DIR: path.join(this.folder, this.client.prefix.replace(':', '')),
      LARRY_LEASE_TTL_MS: '2000',
      LARRY_MODES_ALLOWED: 'observe,ask,auto',
      ...env,
    });
    const meta = await startMetaCoordinator(environment, { openCluster: async () => simulated(), validator: agreeing, ...replace });
    this.running.push(meta);
    return meta;
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((meta) => meta.stop()));
  }

  async beginRun(meta: RunningMeta, body: object = {}): Promise<string> {
    const answer = await change(meta, '/runs', { plan: planDocument, ...body }).expect(201);
    return (answer.body as { run: string }).run;
  }

  /** Does a task as a coordinator and its worker would, and settles it. */
  async doTask(run: string, task: string, larry: string, settlement: Parameters<Coordination['settle']>[1]): Promise<void> {
    const claim = { run, task, larry, claim: randomUUID() };
    await eventually(async () => expect(await this.coordination.claim(claim)).toMatchObject({ outcome: 'claimed' }));
    const started = await this.coordination.start({ ...claim, holder: randomUUID() });
    if (started.outcome !== 'started') throw new Error(started.why);
    expect(await this.coordination.settle(started.lease, settlement)).toMatchObject({ outcome: 'settled' });
  }

  complete(run: string, task: string, larry: string, result: Partial<TaskResult> = {}): Promise<void> {
    return this.doTask(run, task, larry, { outcome: 'completed', result: aResult(task, result) });
  }

  /** The whole plan of the builders. */
  async completeAll(run: string, repaired: Partial<TaskResult> = {}): Promise<void> {
    await this.complete(run, 'repair', 'larry-01', repaired);
    await this.complete(run, 'count', 'larry-02');
    await this.complete(run, 'draw', 'larry-02');
  }
}

export const api = (meta: RunningMeta) => request(`http://127.0.0.1:${meta.port}`);

/** Asks for a change as `ada`. */
export const change = (meta: RunningMeta, route: string, body: object = {}) => api(meta).post(route).set('Authorization', 'Bearer ada-token').send(body);

/** The summary, when there is one. */
export function summaryOf(meta: RunningMeta): Promise<RunSummary> {
  return eventually(async () => runSummarySchema.parse((await api(meta).get('/runs/current/report').expect(200)).body));
}
