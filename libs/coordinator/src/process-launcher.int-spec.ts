import { eventually } from '@larry/redis/testing';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LaunchedWorker } from './launcher';
import { anOrder, launcherConformance } from './launcher.conformance';
import { ProcessLauncher } from './process-launcher';

const folder = mkdtempSync(path.join(tmpdir(), 'larry-launcher-'));
const logFolder = path.join(folder, 'logs');
const program = path.join(folder, 'worker.js');
const started = path.join(folder, 'started');
const expected = { LARRY_RUN: 'run-1', LARRY_TASK: 'tells', LARRY_CLAIM: 'c1', LARRY_ID: 'larry-01', LARRY_WORKER: 'tells-worker', LARRY_PLANNED_NODE: 'k3s-worker01', LARRY_ATTEMPT: '1', LARRY_LEASH: '1', ADDED: 'yes' };

beforeAll(() => {
  mkdirSync(started);
  writeFileSync(
    program,
    `const fs = require('fs'), task = process.env.LARRY_TASK, expected = ${JSON.stringify(expected)};
    const say = () => fs.writeFileSync(${JSON.stringify(started)} + '/' + process.pid, '');
    console.log('task ' + task); console.error('attempt ' + process.env.LARRY_ATTEMPT);
    if (task === 'killed') process.kill(process.pid, 'SIGKILL');
    else if (task === 'tells') process.exit(Object.entries(expected).every(([k, v]) => process.env[k] === v) ? 0 : 1);
    else if (task === 'talks') process.stdout.write('x'.repeat(2e6) + 'the end', () => process.exit(0));
    else if (task === 'leashed') { process.stdin.on('end', () => process.exit(0)).resume(); say(); }
    else if (task === 'waits') { process.on('SIGTERM', () => process.exit(0)); setInterval(() => 0, 1000); say(); }
    else if (task === 'deaf') { process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); say(); }
    else process.exit(Number(task.split('-')[1]));`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pidOf = (worker: LaunchedWorker): string => worker.id.replace('pid ', '');
const running = (worker: LaunchedWorker): Promise<void> => eventually(() => expect(existsSync(path.join(started, pidOf(worker)))).toBe(true));
const launcher = (options: Partial<ConstructorParameters<typeof ProcessLauncher>[0]> = {}) => new ProcessLauncher({ program, env: { ADDED: 'yes' }, logFolder, ...options });

function gone(worker: LaunchedWorker): boolean {
  try {
    process.kill(Number(pidOf(worker)), 0);
    return false;
  } catch {
    return true;
  }
}

launcherConformance('ProcessLauncher', async () => ({ launcher: launcher(), broken: launcher({ program: path.join(folder, 'none.js') }), running, gone }));

describe('ProcessLauncher', () => {
  it('rejects in one sentence when its program does not exist', async () => {
    await expect(launcher({ program: path.join(folder, 'none.js') }).launch(anOrder('exit-0'))).rejects.toThrow(/^the worker program .*none\.js cannot be read/);
  });

  it('keeps what a worker says, a log for each attempt, to the last byte', async () => {
    await (await launcher().launch(anOrder('talks', { attempt: 2 }))).exited;
    const log = path.join(logFolder, 'larry-01-talks-worker-2.log');
    await eventually(() => expect(readFileSync(log, 'utf8')).toMatch(/x{2000000}the end$/));
    expect(readFileSync(log, 'utf8')).toMatch(/^(task talks\n|attempt 2\n){2}/);
  });

  it('lets a worker work whose log cannot be written', async () => {
    const bad = path.join(folder, 'bad-logs');
    mkdirSync(path.join(bad, 'larry-01-talks-worker.log'), { recursive: true });
    const worker = await launcher({ logFolder: bad }).launch(anOrder('talks'));
    expect(await worker.exited).toMatchObject({ code: 0 });
  });

  it('says that the planned node is only a plan', async () => {
    const worker = await launcher().launch(anOrder('exit-0'));
    expect(worker.node).toBe('local (planned k3s-worker01)');
    await worker.exited;
  });
});
