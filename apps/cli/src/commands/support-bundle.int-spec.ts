import { Coordination } from '@larry/coordination';
import { aLease, aRunSpec, aRunTask } from '@larry/coordination/testing';
import { EventPublisher } from '@larry/events';
import { startServer, type ServerProcess } from '@larry/redis/testing';
import { connectRedis, type RedisClient } from '@larry/redis';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { supportBundle } from './support-bundle';

/** Plain words, which nothing but their place gives away as secrets. */
const words = { redis: 'marmalade', token: 'petticoat', key: 'gooseberry' };
/** Secrets by their name or shape. */
const shaped = { url: 'Quince7', bearer: `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiIxMjM0NTY3ODkwIn0'}.c2ln`, variable: 'Medlar9x' };

let server: ServerProcess;
let redis: RedisClient;
let state: string;
let run: string;
let said = '';
const environment = { ...process.env };

beforeAll(async () => {
  server = await startServer(() => ['--requirepass', words.redis]);
  redis = await connectRedis({ url: `redis://:${words.redis}@127.0.0.1:${server.port}` });
}, 30_000);
afterAll(async () => {
  await redis.close();
  await server.stop();
});
beforeEach(async () => {
  state = mkdtempSync(path.join(tmpdir(), 'larry-bundle-'));
  process.env['REDIS_URL'] = `redis://:${words.redis}@127.0.0.1:${server.port}`;
  process.env['LARRY_TOKEN'] = words.token;
  process.env['KUBECONFIG'] = path.join(state, 'none');
  said = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  const coordination = new Coordination(redis);
  await redis.commands.flushall();
  const spec = aRunSpec([aRunTask({ id: 'held' }), aRunTask({ id: 'free' })]);
  run = spec.run;
  await coordination.createRun(spec);
  const lease = await aLease(coordination, run, 'held');
  await coordination.settle(lease, { outcome: 'returned', reason: `postgres://app:${shaped.url}@db refused` });
  await aLease(coordination, run, 'free');
  await new EventPublisher(redis).publish({ id: 'x', from: 'larry-01', run, event: 'rollback_initiated', severity: 'warning', reason: `PGPASSWORD=${shaped.variable} did not help` });
  mkdirSync(path.join(state, 'logs', 'workers'), { recursive: true });
  mkdirSync(path.join(state, 'keys'));
  writeFileSync(path.join(state, 'keys', 'journal.key'), words.key);
  writeFileSync(path.join(state, 'logs', 'larry-01.log'), `{"level":30,"msg":"asked with Bearer ${shaped.bearer}"}\nthe token ${words.token}, the key ${Buffer.from(words.key).toString('base64')}, redis said ${words.redis}\na harmless line\n`);
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
  rmSync(state, { recursive: true, force: true });
});

const bundled = (name: string, from: string): string => execFileSync('tar', ['-xzOf', from, '--wildcards', `*/${name}`], { encoding: 'utf8' });

it('says how things are, in a file that only its owner may read and whose sums are right', async () => {
  const output = path.join(state, 'bundle.tar.gz');
  await supportBundle({ state, output });
  expect(statSync(output).mode & 0o777).toBe(0o600);
  const manifest = JSON.parse(bundled('manifest.json', output)) as { files: { name: string; sha256: string }[]; leftOut: { what: string; why: string }[] };
  for (const { name, sha256 } of manifest.files) expect([name, createHash('sha256').update(bundled(name, output)).digest('hex')]).toEqual([name, sha256]);
  expect(manifest.files.map(({ name }) => name)).toEqual(expect.arrayContaining(['versions.json', 'configuration.json', 'doctor.json', 'run/state.json', 'run/leases.json', 'run/events.ndjson', 'redis/keys.json', 'logs/larry-01.log']));
  expect(manifest.leftOut).toEqual(expect.arrayContaining([
    { what: 'plan', why: 'the document of the run is not in Redis' },
    { what: 'keys, tokens, kubeconfig', why: 'they are secrets' },
    { what: 'everything in the cluster', why: expect.stringContaining(path.join(state, 'none')) as string },
  ]));
  const leases = JSON.parse(bundled('run/leases.json', output)) as { tasks: { task: string; fenceAgeMs?: number; lock: { owner: string } | null }[] };
  expect(leases.tasks.find(({ task }) => task === 'free')).toMatchObject({ fenceAgeMs: expect.any(Number) as number, lock: { owner: 'larry-01' } });
  expect(bundled('run/events.ndjson', output)).toContain('"event":"rollback_initiated"');
  expect(said).toContain('left out: keys, tokens, kubeconfig: they are secrets');
});

it('holds no secret: neither those that Larry has, nor those that names and shapes give away', async () => {
  const output = path.join(state, 'bundle.tar.gz');
  await supportBundle({ state, output });
  const everything = gunzipSync(readFileSync(output)).toString('latin1');
  expect(everything).toContain('a harmless line');
  for (const secret of [...Object.values(words), ...Object.values(shaped)]) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')]) expect([form, everything.includes(form)]).toEqual([form, false]);
  }
});

it('overwrites nothing', async () => {
  const output = path.join(state, 'kept.tar.gz');
  writeFileSync(output, 'mine');
  await expect(supportBundle({ state, output })).rejects.toThrow('is there already, and is not overwritten');
  expect(readFileSync(output, 'utf8')).toBe('mine');
  await expect(supportBundle({ state, output: path.join(state, 'no', 'such') })).rejects.toThrow('cannot be written');
});

it('leaves out what Redis holds of another run, and all of Redis when it does not answer, and says so', async () => {
  const other = path.join(state, 'other.tar.gz');
  await supportBundle({ state, output: other, run: 'run-of-yesterday' });
  expect(bundled('manifest.json', other)).toContain(`Redis holds ${run}`);
  expect(bundled('run/events.ndjson', other)).toBe('');
  process.env['REDIS_URL'] = `redis://:${words.token}@127.0.0.1:${server.port}`;
  const closed = path.join(state, 'closed.tar.gz');
  await supportBundle({ state, output: closed });
  expect(JSON.parse(bundled('manifest.json', closed))).toMatchObject({ leftOut: expect.arrayContaining([{ what: 'everything in Redis', why: expect.stringContaining('password') as string }]) as unknown });
  expect(existsSync(closed)).toBe(true);
});
