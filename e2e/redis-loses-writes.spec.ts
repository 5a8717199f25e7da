import { connectRedis, type RedisClient } from '@larry/redis';
import { eventually, startServer, type ServerProcess, type TestRedis } from '@larry/redis/testing';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { aPlan, aTask } from './src/plan';
import { beginRun, resultOf, runEnd, statuses } from './src/run';
import { Switchboard } from './src/switchboard';
import { appended } from './src/target';
import { aScene, type Scene } from './scene';

const effects = 60;
const plan = aPlan({ 'larry-01': [1, 2, 3].map((n) => aTask(`effects-${n}`, { attempts: 10, with: { effects } })) });
const all = 3 * effects;

let scene: Scene;
let board: Switchboard;
const servers: ServerProcess[] = [];
const clients: RedisClient[] = [];
afterEach(async () => {
  await scene.end();
  await Promise.all(clients.splice(0).map((c) => c.close()));
  await board.close();
  await Promise.all(servers.splice(0).map((s) => s.stop()));
});

/** What `aScene` needs of a Redis, at the switchboard's address. */
const at = (url: string): Pick<TestRedis, 'url' | 'client'> => ({ url, client: (options) => connectRedis({ url, prefix: 'lost:', ...options }) });

async function server(...args: Parameters<typeof startServer>): Promise<ServerProcess> {
  const started = await startServer(...args);
  servers.push(started);
  return started;
}

/** An API server that takes its time: what is cut off in the middle must find a middle. */
async function slowScene(): Promise<Scene> {
  const made = await aScene(at(board.url), plan);
  made.server.faults.add({ path: /deployments|configmaps/, times: 1_000_000, fault: { kind: 'delay', ms: 5 } });
  return made;
}

const accepted = (): number => scene.server.journal().filter((e) => e.manager === 'larry' && e.changed).length;
const acceptedAtLeast = (n: number): Promise<void> => eventually(() => expect(accepted()).toBeGreaterThanOrEqual(n), 30_000);

async function expectOnce(run: string): Promise<number> {
  let restarts = 0;
  const snapshot = await runEnd(scene.coordination, run, 60_000);
  expect(statuses(snapshot)).toEqual({ 'effects-1': 'completed', 'effects-2': 'completed', 'effects-3': 'completed', converge: 'completed' });
  for (const { id } of scene.tasks) expect((await resultOf(scene.coordination, id)).changes.filter((c) => c.outcome !== 'verified').map((c) => [c.id, c.outcome, c.reason])).toEqual([]);
  expect(scene.counts(run)).toEqual({ expected: all, once: all, doubled: [], missing: [] });
  expect(new Set(appended(scene.server)).size).toBe(appended(scene.server).length);
  for (const { id } of scene.tasks) {
    const fences = scene.crew.workerLog('larry-01', id).filter((l) => l['msg'] === 'started').sort((a, b) => String(a['time']).localeCompare(String(b['time']))).map((l) => Number(l['fence']));
    restarts += fences.length - 1;
    expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
  }
  return restarts;
}

it('a replica that was detached while effects were made is promoted: fences grow, each change is there once, the run ends', async () => {
  const master = await server();
  const replica = await server(() => ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0']);
  const side = await connectRedis({ url: `redis://127.0.0.1:${replica.port}`, check: false });
  clients.push(side);
  board = await Switchboard.before(master.port);
  scene = await slowScene();
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  await replicated(side, scene.coordination.keys.run);
  await acceptedAtLeast(10);
  await side.commands.replicaof('NO', 'ONE');
  await acceptedAtLeast(accepted() + 20);
  await master.stop();
  // What the replica knows of the leases lapses; while they hold there, the workers could just go on.
  await eventually(async () => expect(await side.commands.keys(scene.coordination.keys.view.lock('effects-*'))).toEqual([]), 10_000);
  board.switchTo(replica.port);
  expect(await expectOnce(run)).toBeGreaterThan(0);
});

it('an append-only file whose tail is gone: fences grow, each change is there once, the run ends', async () => {
  const kept = mkdtempSync(path.join(tmpdir(), 'larry-e2e-aof-'));
  let folder = '';
  const always = ['--appendonly', 'yes', '--appendfsync', 'always', '--aof-load-truncated', 'yes'];
  const first = await server((_, own) => {
    folder = own;
    return always;
  });
  board = await Switchboard.before(first.port);
  scene = await slowScene();
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  await acceptedAtLeast(40);
  process.kill(first.pid, 'SIGKILL');
  cpSync(folder, kept, { recursive: true });
  cutTail(path.join(kept, 'appendonlydir'));
  const second = await server((_, own) => {
    cpSync(path.join(kept, 'appendonlydir'), path.join(own, 'appendonlydir'), { recursive: true });
    return always;
  });
  board.switchTo(second.port);
  await expectOnce(run);
  rmSync(kept, { recursive: true, force: true });
});

async function replicated(side: RedisClient, key: string): Promise<void> {
  await eventually(async () => expect(await side.commands.exists(key)).toBe(1), 10_000);
}

/** Takes the last third away: claims, intents and outcomes with it. */
function cutTail(folder: string): void {
  const name = readdirSync(folder).find((n) => n.endsWith('.incr.aof'));
  if (!name) throw new Error(`no append-only file in ${folder}`);
  const file = path.join(folder, name);
  truncateSync(file, Math.floor((statSync(file).size * 2) / 3));
}
