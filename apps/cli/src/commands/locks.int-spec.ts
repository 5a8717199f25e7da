import { Coordination } from '@larry/coordination';
import { aLease, aRunSpec, aRunTask } from '@larry/coordination/testing';
import type { RedisClient } from '@larry/redis';
import { testRedis, type TestRedis } from '@larry/redis/testing';
import { listLocks, lockLine, readLocks, unlock } from './locks';

let servers: TestRedis;
let redis: RedisClient;
let coordination: Coordination;
let said: string;
const environment = { ...process.env };

beforeAll(async () => {
  servers = await testRedis();
}, 30_000);
afterAll(() => servers.stop());
beforeEach(async () => {
  redis = await servers.client();
  coordination = new Coordination(redis);
  await coordination.createRun(aRunSpec(['held', 'free', 'vetoed'].map((id) => aRunTask({ id }))));
  process.env['REDIS_URL'] = servers.url;
  process.env['LARRY_PREFIX'] = redis.prefix;
  said = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((said += String(text)), true));
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
});

const run = async (): Promise<string> => (await coordination.snapshot())?.run.run ?? '';
const lock = (task: string): Promise<string | null> => redis.commands.get(redis.key(`task:lock:${task}`));
const nowhere = { state: '/nonexistent' };

describe('larry locks', () => {
  it('shows who holds each task of the run, until when, and which locks are foreign', async () => {
    const lease = await aLease(coordination, await run(), 'held');
    await redis.commands.set(redis.key('task:lock:vetoed'), 'larry-02', 'NX');
    const locks = await readLocks(redis, () => []);
    expect(locks).toEqual([
      { task: 'held', key: redis.key('task:lock:held'), value: `larry-01#${lease.claim}`, owner: 'larry-01', claim: lease.claim, ttlMs: expect.any(Number) as number, foreign: false, status: 'in_progress' },
      { task: 'vetoed', key: redis.key('task:lock:vetoed'), value: 'larry-02', owner: 'larry-02', ttlMs: null, foreign: true, status: 'ready' },
    ]);
    expect(locks[0]?.ttlMs).toBeGreaterThan(1000);
    expect(lockLine(locks[1] as (typeof locks)[number])).toBe('vetoed                       larry-02 · never expires · ready · FOREIGN: the task waits for it; larry unlock vetoed');
  });

  it("calls a lock foreign that has the run's form and another claim", async () => {
    await aLease(coordination, await run(), 'held');
    await redis.commands.set(redis.key('task:lock:held'), 'larry-01#another');
    expect((await readLocks(redis, () => [])).map((l) => l.foreign)).toEqual([true]);
  });

  it('asks Redis for keys by their names, never for all of them', async () => {
    await redis.commands.set(redis.key('task:lock:somebody-elses'), 'x');
    const before = await commandCalls();
    await listLocks({ ...nowhere, json: true });
    const after = await commandCalls();
    expect(JSON.parse(said)).toEqual([]);
    expect(after.filter((c) => ['scan', 'keys'].includes(c) && !before.includes(c))).toEqual([]);
  });

  it("looks for the plan's tasks when Redis holds no run", async () => {
    const empty = await servers.client();
    await empty.commands.set(empty.key('task:lock:review-prs'), 'ada');
    process.env['LARRY_PREFIX'] = empty.prefix;
    await listLocks(nowhere);
    expect(said).toBe('review-prs                   ada · never expires · FOREIGN\n');
  });

  it('prints hostile values safely', async () => {
    await redis.commands.set(redis.key('task:lock:vetoed'), '\u001b[2Jevil#\u202eclaim');
    await listLocks(nowhere);
    expect(said).toContain('evil claim claim');
    expect(said).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('larry unlock', () => {
  it('deletes the lock that it showed, and says what that leads to', async () => {
    await redis.commands.set(redis.key('task:lock:vetoed'), 'larry-02');
    await unlock('vetoed', { ...nowhere, yes: true });
    expect(said).toMatch(/belongs to no claim of this run[\s\S]*Deleted .*task:lock:vetoed\.\n$/);
    expect(await lock('vetoed')).toBeNull();
  });

  it('lets a worker that held it give the task back, which is then done again', async () => {
    const lease = await aLease(coordination, await run(), 'held');
    await unlock('held', { ...nowhere, yes: true });
    expect(said).toContain('gives the task back');
    expect(await coordination.renew(lease)).toMatchObject({ outcome: 'lost' });
  });

  it('deletes nothing where nobody can be asked', async () => {
    await redis.commands.set(redis.key('task:lock:vetoed'), 'larry-02');
    await expect(unlock('vetoed', nowhere)).rejects.toThrow(/nobody can be asked here, and nothing was done; add --yes/);
    expect(await lock('vetoed')).toBe('larry-02');
  });

  it('says which tasks are locked when this one is not', async () => {
    await redis.commands.set(redis.key('task:lock:vetoed'), 'larry-02');
    await expect(unlock('free', { ...nowhere, yes: true })).rejects.toThrow('there is no lock of a task "free"; locked are vetoed');
  });
});

/** Names of the commands that this server has been sent so far. */
async function commandCalls(): Promise<string[]> {
  return [...(await redis.commands.info('commandstats')).matchAll(/cmdstat_([a-z]+)/g)].map((m) => m[1] ?? '');
}
