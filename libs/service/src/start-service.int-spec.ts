import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { childPrelude } from './testing-child';

const folder = mkdtempSync(path.join(tmpdir(), 'larry-service-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const service = `${childPrelude}
const { createMetrics, runService, ServiceModule, startService } = require(path.resolve('libs/service/src/nest.ts'));
const { createLogger } = require(path.resolve('libs/service/src/logging.ts'));
const { ConfigurationError } = require(path.resolve('libs/service/src/config.ts'));
class Closing { async onApplicationShutdown(signal) { await new Promise((r) => setTimeout(r, 50)); require('fs').writeSync(1, 'handed back\\n'); } }
class Root {}
runService(async () => {
  if (process.env.FAIL === 'configuration') throw new ConfigurationError('REDIS_URL: must name the Redis');
  if (process.env.FAIL === 'start') throw new Error('no Redis there');
  const imports = [ServiceModule.forRoot({ checks: [], metrics: createMetrics({}) })];
  const module = { module: Root, imports, providers: [{ provide: Closing, useValue: new Closing() }] };
  await startService({ module, log: createLogger({}, 'silent'), port: 0, listen: '127.0.0.1', readyFile: process.env.READY });
});`;

function run(env: Record<string, string>) {
  const ready = path.join(folder, `ready-${children.length}`);
  const child = spawn(process.execPath, ['-e', service], { cwd: path.resolve(__dirname, '../../..'), env: { ...process.env, READY: ready, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ready, ended, said: () => said };
}

async function listening(started: ReturnType<typeof run>): Promise<{ port: number; pid: number }> {
  for (let i = 0; i < 400; i++) {
    if (existsSync(started.ready)) return JSON.parse(readFileSync(started.ready, 'utf8')) as { port: number; pid: number };
    if (started.child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never listened: ${started.said()}`);
}

describe('a service as a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('says where it listens once it does, and hands back before %s ends it', async (signal) => {
    const started = run({});
    const { port, pid } = await listening(started);
    expect(pid).toBe(started.child.pid);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    started.child.kill(signal);
    expect(await started.ended).toEqual([null, signal]);
    expect(started.said()).toContain('handed back');
  });

  it('ends with the process that holds its leash', async () => {
    const started = run({ LARRY_LEASH: '1' });
    await listening(started);
    started.child.stdin?.end();
    expect((await started.ended)[0]).toBe(0);
    expect(started.said()).toContain('handed back');
  });

  it('outlives the end of its standard input where that is no leash', async () => {
    const started = run({ LARRY_LEASH: '' });
    const { port } = await listening(started);
    started.child.stdin?.end();
    for (let i = 0; i < 3; i++) expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    started.child.kill('SIGTERM');
    expect((await started.ended)[1]).toBe('SIGTERM');
  });

  it.each([
    ['configuration', 2, 'REDIS_URL: must name the Redis'],
    ['start', 1, 'no Redis there'],
  ])('that fails for its %s exits with %i and one JSON line', async (why, code, sentence) => {
    const started = run({ FAIL: why });
    expect((await started.ended)[0]).toBe(code);
    const lines = started.said().trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'fatal', msg: 'cannot start', error: sentence });
  });
});
