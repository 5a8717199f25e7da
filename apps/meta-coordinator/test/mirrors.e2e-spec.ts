import { ensureApprovalKeys } from '@larry/audit';
import { memoryCluster } from '@larry/kube/testing';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import request from 'supertest';
import { metaEnvironmentSchema } from '../src/environment';
import { startMetaCoordinator, type RunningMeta } from '../src/start';
import { planDocument } from './builders';

const folder = mkdtempSync(path.join(os.tmpdir(), 'larry-mirrors-'));
const texts: string[] = [];
const hook = createServer((received, response) => {
  received.on('data', (chunk: Buffer) => texts.push((JSON.parse(chunk.toString()) as { text: string }).text));
  received.on('end', () => response.end());
});
let redis: TestRedis;
const running: RunningMeta[] = [];
beforeAll(async () => {
  redis = await testRedis();
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await Promise.all(running.map((meta) => meta.stop()));
  hook.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

it('a webhook is told of a run’s end, once, by one of two replicas', async () => {
  const { prefix } = await redis.client();
  writeFileSync(path.join(folder, 'tokens'), `ada:${createHash('sha256').update('ada-token').digest('hex')}\n`);
  const env = metaEnvironmentSchema.parse({
    REDIS_URL: redis.url, LARRY_PREFIX: prefix, PORT: '0', LOG_LEVEL: 'silent', LARRY_TOKENS_FILE: path.join(folder, 'tokens'),
    LARRY_APPROVAL_PRIVATE_KEY: ensureApprovalKeys(path.join(folder, 'keys')).privateKey, LARRY_AUDIT_LOG: path.join(folder, 'audit.jsonl'), LARRY_STATE_DIR: folder,
    LARRY_WEBHOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`, LARRY_WEBHOOK_FORMAT: 'slack',
  }); // prettier-ignore
  const openCluster = async () => memoryCluster([], { source: { simulated: true, name: 'sim' } });
  for (let replica = 0; replica < 2; replica += 1) running.push(await startMetaCoordinator(env, { openCluster }));
  const send = (route: string, body: object) => request(`http://127.0.0.1:${running[0]?.port}`).post(route).set('Authorization', 'Bearer ada-token').send(body);
  const { run } = (await send('/runs', { plan: planDocument }).expect(201)).body as { run: string };
  await send('/runs/current/abort', {});
  await eventually(() => expect(texts).toEqual([`meta-coordinator run complete: aborted · run ${run}`]), 15_000);
});
