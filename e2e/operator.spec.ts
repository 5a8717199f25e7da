import { eventually } from '@larry/redis/testing';
import { aPlan, aTask } from './src/plan';
import { beginRun, runEnd, statuses } from './src/run';
import { aScene, redisForFile, ttlMs, type Scene } from './scene';

const redis = redisForFile();
let scene: Scene;
afterEach(() => scene.end());

const effects = 20;
const tasks = [1, 2, 3, 4, 5, 6].map((n) => aTask(`effects-${n}`, { attempts: 10, with: { effects } }));

/** The lines that the quick start prints for cleaning up: every key of three families, whoever it belongs to. */
const families = ['phase:larry-*', 'task:*', 'worker:*'];

it('an operator who deletes, sets, forges and cleans up every 100 ms makes no change twice, and the run ends', async () => {
  const plan = aPlan({ 'larry-01': tasks });
  scene = await aScene(redis(), plan, { env: { LARRY_MAX_WORKERS: '3' } });
  await Promise.all([scene.crew.larry(), scene.crew.larry()]);
  const run = await beginRun(scene.coordination, plan);
  const { commands, key, prefix } = { commands: scene.coordination.redis.commands, key: (n: string) => scene.coordination.redis.key(n), prefix: scene.coordination.redis.prefix };
  const cleanUp = async (family: string): Promise<void> => {
    const keys = await commands.keys(`${prefix}${family}`);
    if (keys.length > 0) await commands.del(...keys);
  };
  const forged = { id: 'x', from: 'larry-01', event: 'task_complete', timestamp: new Date().toISOString(), run, task_id: 'effects-1', attempt: 1 };
  const meddling = [
    (task: string) => commands.del(key(`task:lock:${task}`)),
    (task: string) => commands.set(key(`task:lock:${task}`), 'larry-02', 'PX', 400),
    () => commands.set(key('phase:larry-01:progress'), '0'),
    () => commands.publish(`${prefix}larry:coordination`, JSON.stringify(forged)),
    () => commands.publish(`${prefix}larry:coordination`, '{"event":"approval_granted"'),
    (_: string, i: number) => cleanUp(families[i % families.length]!),
  ];
  let meddled = 0;
  const operator = setInterval(() => {
    const i = meddled++;
    void meddling[i % meddling.length]!(tasks[i % tasks.length]!.id, i);
  }, 100);
  try {
    await runEnd(scene.coordination, run, 90_000);
  } finally {
    clearInterval(operator);
  }
  expect(meddled).toBeGreaterThan(10);
  expect(scene.counts(run).doubled).toEqual([]);
  // One holder after the other, each goes through its effects in order and repeats none: two at once would be out of order.
  for (const { id } of tasks) {
    const order = scene.server.journal().filter((e) => e.manager === 'larry' && e.verb !== 'delete' && e.change?.startsWith(`${run}/${id}/`)).map((e) => e.change);
    expect(order).toEqual([...order].sort());
  }
  const snapshot = await scene.coordination.snapshot();
  const { missing } = scene.counts(run);
  const ended = Object.entries(statuses(snapshot!)).filter(([id]) => id !== 'converge');
  // Who completed has lost nothing; who was meddled with beyond its attempts says that it failed.
  for (const [id] of ended.filter(([, status]) => status === 'completed')) expect(missing.filter((m) => m.includes(`/${id}/`))).toEqual([]);
  expect(ended.filter(([, status]) => status === 'completed').length).toBeGreaterThan(0);
});

it('a second run is refused while one goes on', async () => {
  const plan = aPlan({ 'larry-01': [aTask('noop-1')] });
  scene = await aScene(redis(), plan, { converger: false });
  await beginRun(scene.coordination, plan);
  await expect(beginRun(scene.coordination, plan)).rejects.toThrow('other-run');
});

it('a reset with live workers leaves no key of the run two leases later, and changes no more', async () => {
  const plan = aPlan({ 'larry-01': [1, 2, 3].map((n) => aTask(`effects-${n}`, { with: { effects: 120 } })) });
  scene = await aScene(redis(), plan, { converger: false });
  await scene.crew.larry();
  const run = await beginRun(scene.coordination, plan);
  const client = scene.coordination.redis;
  await untilChanged();
  await client.commands.set(client.key('task:somebody-elses'), 'stays');
  await scene.coordination.reset({ who: 'ann' });
  const accepted = scene.server.journal().length;
  const left = async (): Promise<string[]> => client.commands.keys(`${client.prefix}*`);
  const until = Date.now() + 2 * ttlMs;
  await eventually(() => expect(Date.now()).toBeGreaterThan(until), 3 * ttlMs);
  expect(await left()).toEqual([client.key('task:somebody-elses')]);
  expect(scene.server.journal()).toHaveLength(accepted);
  expect(scene.counts(run).doubled).toEqual([]);
});

async function untilChanged(): Promise<void> {
  await eventually(() => expect(scene.server.journal().length).toBeGreaterThan(5), 20_000);
}
