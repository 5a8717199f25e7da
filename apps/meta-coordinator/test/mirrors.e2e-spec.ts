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
/** A collector: the names of the spans that it was sent, by trace. */
const traces = new Map<string, string[]>();
const collector = createServer((received, response) => {
  const chunks: Buffer[] = [];
  received.on('data', (chunk: Buffer) => chunks.push(chunk));
  received.on('end', () => {
    const sent = JSON.parse(Buffer.concat(chunks).toString()) as { resourceSpans: { scopeSpans: { spans: { traceId: string; name: string }[] }[] }[] };
    for (const { traceId, name } of sent.resourceSpans.flatMap((each) => each.scopeSpans).flatMap((each) => each.spans)) traces.set(traceId, [...(traces.get(traceId) ?? []), name]);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
let redis: TestRedis;
const running: RunningMeta[] = [];
beforeAll(async () => {
  redis = await testRedis();
  for (const server of [hook, collector]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await Promise.all(running.map((meta) => meta.stop()));
  hook.close();
  collector.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

it('a webhook is told of a run’s end, and a collector gets its trace, once, by one of two replicas', async () => {
  const { prefix } = await redis.client();
  writeFileSync(path.join(folder, 'tokens'), `ada:${createHash('sha256').update('ada-token').digest('hex')}\n`);
  const env = metaEnvironmentSchema.parse({
    REDIS_URL: redis.url, LARRY_PREFIX: prefix, PORT: '0', LOG_LEVEL: 'silent', LARRY_TOKENS_FILE: path.join(folder, 'tokens'),
    LARRY_APPROVAL_PRIVATE_KEY: ensureApprovalKeys(path.join(folder, 'keys')).privateKey, LARRY_AUDIT_LOG: path.join(folder, 'audit.jsonl'), LARRY_STATE_DIR: folder,
    LARRY_WEBHOOK_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`, LARRY_WEBHOOK_FORMAT: 'slack',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  }); // prettier-ignore
  const openCluster = async () => memoryCluster([], { source: { simulated: true, name: 'sim' } });
  for (let replica = 0; replica < 2; replica += 1) running.push(await startMetaCoordinator(env, { openCluster }));
  const send = (route: string, body: object) => request(`http://127.0.0.1:${running[0]?.port}`).post(route).set('Authorization', 'Bearer ada-token').send(body);
  const { run } = (await send('/runs', { plan: planDocument }).expect(201)).body as { run: string };
  await send('/runs/current/abort', {});
  await eventually(() => expect(texts).toEqual([`meta-coordinator run complete: aborted · run ${run}`]), 15_000);
  const names = () => traces.get(createHash('sha256').update(run).digest('hex').slice(0, 32)) ?? [];
  await eventually(() => expect(names()).toContain('run'), 15_000);
  expect([traces.size, new Set(names()).size]).toEqual([1, names().length]);
  expect(names()).toEqual(expect.arrayContaining(['phase larry-01', 'task converge']));
});
