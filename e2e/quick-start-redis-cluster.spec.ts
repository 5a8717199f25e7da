import { Coordination, type TaskLease } from '@larry/coordination';
import { aLease, aRunSpec, aRunTask } from '@larry/coordination/testing';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repository } from './src/helm';
import { runEnd, startConverger } from './src/run';
import { expectAnswer, Followed, printedLines, programOnPath, readersRedis, ReadersShell, type PrintedLine } from './src/typed-lines';

/** The quick start's redis-cli lines where Redis is a Redis Cluster: with `-c`, against three real servers. */
const redisCli = programOnPath('redis-cli');
const lines = printedLines(path.join(repository, 'e2e/quick-start/lines.yaml')).filter(({ line }) => line.startsWith('redis-cli'));

let redis: TestRedis;
let coordination: Coordination;
let shell: ReadersShell;
let folder: string;
const following = new Map<string, Followed>();

beforeAll(async () => {
  if (!redisCli) return;
  redis = await testRedis('cluster');
  coordination = new Coordination(await redis.client({ prefix: '' }));
  folder = mkdtempSync(path.join(tmpdir(), 'larry-reader-'));
  shell = new ReadersShell(folder, { 'redis-cli': redisCli }, { HOME: folder });
}, 60_000);
afterAll(async () => {
  await shell?.end();
  await redis?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Any node will do: `-c` goes on to the one that has the key. */
const typed = (line: string): string => readersRedis(line.replace('-h ...', '-h redis-cluster.redis-ha.svc.cluster.local').replace('<larry-id>', 'larry-01'), redis.servers[0]?.port ?? 0).replaceAll('redis-cli ', 'redis-cli -c ');

function type(when: string): void {
  for (const line of lines.filter((l) => l.when === when)) {
    const cannot = line.skip ?? line.cluster ?? (redisCli ? undefined : 'there is no redis-cli on PATH');
    if (cannot) it.skip(`${line.line} (${cannot})`, () => undefined);
    else it(`${when}: ${line.line}`, () => (line.follows ? begins(line) : answers(line)));
  }
}

async function begins(line: PrintedLine): Promise<void> {
  const followed = shell.follow(typed(line.line));
  following.set(line.line, followed);
  await eventually(() => expectAnswer({ answers: line.answers.slice(0, 1) }, followed.out), 10_000);
}

async function answers(line: PrintedLine): Promise<void> {
  const { code, out, err } = await shell.type(typed(line.line));
  expect([code, err]).toEqual([0, '']);
  expectAnswer(line, out);
}

type('before');

const tasks = [aRunTask({ id: 'fix-pgadmin-crashloop' }), aRunTask({ id: 'scan', larry: 'larry-02', attempts: 2 }), aRunTask({ id: 'catalog-deployments', larry: 'larry-03' })];
const { run, ...spec } = aRunSpec(tasks);
let held: TaskLease;
(redisCli ? it : it.skip)('a run goes on', async () => {
  await coordination.createRun({ run, ...spec });
  held = await aLease(coordination, run, 'fix-pgadmin-crashloop');
});

type('running');

(redisCli ? it : it.skip)('the run ends', async () => {
  await coordination.settle(held, { outcome: 'completed' });
  await coordination.settle(await aLease(coordination, run, 'scan', { larry: 'larry-02' }), { outcome: 'error', reason: 'it could not read' });
  await coordination.settle(await aLease(coordination, run, 'catalog-deployments', { larry: 'larry-03' }), { outcome: 'completed' });
  await eventually(async () => coordination.settle(await aLease(coordination, run, 'scan', { larry: 'larry-02' }), { outcome: 'completed' }), 10_000);
  const converger = await startConverger(coordination);
  await runEnd(coordination, run, 20_000);
  await converger.stop();
  const findings = { critical: '0', high: '2', medium: '1', low: '0' };
  await coordination.views.refresh({ tokensUsed: () => 0, extra: { 'phase:larry-02:findings': findings, 'phase:larry-03:inventory:assets_discovered': '860', 'tokens:larry-01:used': '0' } });
}, 30_000);

for (const line of lines.filter(({ follows }) => follows)) {
  (redisCli ? it : it.skip)(`what it has printed at the end of the run: ${line.line}`, async () => {
    const followed = following.get(line.line);
    await followed?.stop();
    expectAnswer(line, followed?.out ?? '');
  });
}

type('ended');
type('cleanup');
