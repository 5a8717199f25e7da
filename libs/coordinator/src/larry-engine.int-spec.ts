import { Coordination } from '@larry/coordination';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { aPlanOf } from './builders';
import { LarryEngine, type LarryEngineOptions } from './larry-engine';
import type { LaunchedWorker, WorkerExit, WorkerLauncher, WorkOrder } from './launcher';
import { writeRunDocument } from './run-document';
import { runSpecOf } from './run-plan';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const ttlMs = 900;

/** A worker in this process, ended by the test. */
interface TestWorker {
  order: WorkOrder;
  end(exit: WorkerExit): void;
  exited: Promise<WorkerExit>;
  stopped: boolean;
}

/** Launches nothing: the test plays the workers. */
class TestLauncher implements WorkerLauncher {
  readonly startLimitMs = 20_000;
  outlives?: boolean;
  /** What was launched before this launcher was there. */
  left: TestWorker[] = [];
  readonly workers: TestWorker[] = [];
  /** Awaited before a launch succeeds: an image pull. */
  pull: Promise<void> = Promise.resolve();
  fail?: string;

  async launch(order: WorkOrder): Promise<LaunchedWorker> {
    if (this.fail) throw new Error(this.fail);
    await this.pull;
    let end: TestWorker['end'] = () => undefined;
    const exited = new Promise<WorkerExit>((resolve) => (end = resolve));
    const worker: TestWorker = { order, end, stopped: false, exited };
    this.workers.push(worker);
    return this.launched(worker);
  }

  adopt(found: (order: WorkOrder, worker: LaunchedWorker) => void): void {
    for (const worker of this.left) found(worker.order, this.launched(worker));
  }

  private launched(worker: TestWorker): LaunchedWorker {
    const stop = async (): Promise<void> => {
      worker.stopped = true;
      worker.end({ reason: 'killed by SIGTERM' });
    };
    return { id: `w${this.workers.length}`, node: 'here', exited: worker.exited, stop };
  }

  of(task: string): TestWorker[] {
    return this.workers.filter((w) => w.order.task === task);
  }
}

describe('LarryEngine', () => {
  let servers: TestRedis;
  const engines: LarryEngine[] = [];
  beforeAll(async () => {
    servers = await testRedis();
  });
  afterAll(() => servers.stop());
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((e) => e.stop()));
  });

  /** A run of these tasks, each of larry-01, and no engine yet. */
  async function aRun(...tasks: ({ id: string } & Record<string, unknown>)[]) {
    const redis = await servers.client();
    const coordination = new Coordination(redis);
    const plan = aPlanOf('larry-01', tasks);
    await writeRunDocument(coordination, { run: 'r', mode: 'observe', plan, allow: [] });
    await coordination.createRun(runSpecOf(plan, 'r', 'observe'));
    const engine = async (options: Partial<LarryEngineOptions> = {}) => {
      const launcher = new TestLauncher();
      const started = new LarryEngine({ larry: 'larry-01', coordination, launcher, log, ttlMs, ...options });
      engines.push(started);
      await started.start();
      return { engine: started, launcher: (options.launcher as TestLauncher | undefined) ?? launcher };
    };
    const statusOf = async (task: string) => (await coordination.task(task))?.status;
    return { coordination, engine, statusOf };
  }

  /** What a worker does: starts under its claim, works, settles. */
  async function work(coordination: Coordination, worker: TestWorker): Promise<string> {
    const end = await coordination.leases.using(worker.order, { ttlMs }, async () => ({ outcome: 'completed' }));
    worker.end({ code: end.outcome === 'settled' ? 0 : 2, reason: end.outcome });
    return end.outcome;
  }

  it("launches what is ready of its own phase, with the plan's node, and follows what becomes ready", async () => {
    const { coordination, engine, statusOf } = await aRun({ id: 'a' }, { id: 'b', needs: ['a'], node: 'w2' });
    const { launcher } = await engine();
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    expect(launcher.workers[0]?.order).toMatchObject({ run: 'r', task: 'a', larry: 'larry-01', worker: 'a-worker', plannedNode: 'w1', attempt: 1 });
    await work(coordination, launcher.of('a')[0] as TestWorker);
    await eventually(() => expect(launcher.of('b')).toHaveLength(1));
    expect(launcher.of('b')[0]?.order.plannedNode).toBe('w2');
    await work(coordination, launcher.of('b')[0] as TestWorker);
    expect([await statusOf('a'), await statusOf('b')]).toEqual(['completed', 'completed']);
  });

  it("leaves other Larrys' tasks alone, also the convergence", async () => {
    const { coordination, engine, statusOf } = await aRun({ id: 'a' });
    const { launcher } = await engine({ larry: 'larry-02' });
    const own = await engine();
    await eventually(() => expect(own.launcher.workers).toHaveLength(1));
    await work(coordination, own.launcher.workers[0] as TestWorker);
    await eventually(async () => expect(await statusOf('converge')).toBe('ready'));
    expect(launcher.workers).toEqual([]);
    expect(own.launcher.workers).toHaveLength(1);
  });

  it('runs no more workers at a time than it may', async () => {
    const { coordination, engine } = await aRun({ id: 'a' }, { id: 'b' }, { id: 'c' });
    const { engine: one, launcher } = await engine({ maxWorkers: 2 });
    await eventually(() => expect(launcher.workers).toHaveLength(2));
    expect(one.activeWorkers).toBe(2);
    await work(coordination, launcher.workers[0] as TestWorker);
    await eventually(() => expect(launcher.workers).toHaveLength(3));
    expect(one.activeWorkers).toBe(2);
  });

  it('takes nothing from a worker of which nobody knows whether it lives, until its lease lapses, and then says why', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const { launcher } = await engine();
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    const [first] = launcher.workers as [TestWorker];
    const started = await coordination.start({ ...first.order, holder: 'h' }, ttlMs);
    if (started.outcome !== 'started') throw new Error(started.outcome);
    first.end({ reason: 'its node is silent', unsure: true });
    for (const until = Date.now() + 3 * ttlMs; Date.now() < until; ) {
      expect(await coordination.renew(started.lease, ttlMs)).toMatchObject({ outcome: 'renewed' });
      await new Promise((resolve) => setTimeout(resolve, ttlMs / 5));
    }
    expect(launcher.workers).toHaveLength(1);
    // It is not renewed any more.
    await eventually(() => expect(launcher.workers).toHaveLength(2), 10_000);
    expect(await coordination.renew(started.lease, ttlMs)).toMatchObject({ outcome: 'refused' });
  });

  it('uses an attempt for what cannot run as it is', async () => {
    const { coordination, engine, statusOf } = await aRun({ id: 'a', attempts: 1 });
    const { launcher } = await engine();
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    launcher.workers[0]?.end({ reason: 'it could not start within 2 s: ErrImagePull', error: true, unsure: true });
    await eventually(async () => expect(await statusOf('a')).toBe('failed'));
    expect((await coordination.task('a'))?.reason).toBe('worker ended: it could not start within 2 s: ErrImagePull');
  });

  it('leaves workers that outlive it at work, and the next engine keeps the claim of one that has not started', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const before = new TestLauncher();
    before.outlives = true;
    const { engine: first } = await engine({ launcher: before });
    await eventually(() => expect(before.workers).toHaveLength(1));
    const [worker] = before.workers as [TestWorker];
    await first.stop();
    expect(worker.stopped).toBe(false);
    const after = new TestLauncher();
    after.outlives = true;
    after.left = [worker];
    const { engine: next } = await engine({ launcher: after });
    expect(next.activeWorkers).toBe(1);
    const began = await coordination.redis.time();
    await eventually(async () => expect(await coordination.redis.time()).toBeGreaterThan(began + 2 * ttlMs));
    expect(await work(coordination, worker)).toBe('settled');
    expect(after.workers).toEqual([]);
    expect(await coordination.task('a')).toMatchObject({ status: 'completed', attempt: 1 });
  });

  it('ends a worker that it took over and whose claim is over', async () => {
    const { engine } = await aRun({ id: 'a' });
    const launcher = new TestLauncher();
    launcher.outlives = true;
    let end: TestWorker['end'] = () => undefined;
    const exited = new Promise<WorkerExit>((resolve) => (end = resolve));
    const old: TestWorker = { order: { run: 'gone', task: 'a', claim: 'old', larry: 'larry-01', worker: 'a-worker', plannedNode: 'w1', attempt: 1 }, end, exited, stopped: false };
    launcher.left = [old];
    await engine({ launcher });
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    await eventually(() => expect(old.stopped).toBe(true));
    expect(launcher.workers[0]?.stopped).toBe(false);
  });

  it('gives back what a killed worker left, at once, and launches another', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const { launcher } = await engine({ ttlMs: 60_000 });
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    const [first] = launcher.workers as [TestWorker];
    await coordination.start({ run: 'r', task: 'a', claim: first.order.claim, holder: 'h' }, 60_000);
    first.end({ reason: 'killed by SIGKILL' });
    await eventually(() => expect(launcher.of('a')).toHaveLength(2));
    expect(launcher.of('a')[1]?.order.claim).not.toBe(first.order.claim);
    expect(await work(coordination, launcher.of('a')[1] as TestWorker)).toBe('settled');
  });

  it('counts exit code 1 as an error of the task: an attempt, and a wait before the next', async () => {
    const { coordination, engine } = await aRun({ id: 'a', attempts: 2 });
    const { launcher } = await engine();
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    launcher.workers[0]?.end({ code: 1, reason: 'exit code 1' });
    await eventually(async () => expect(await coordination.task('a')).toMatchObject({ status: 'ready', reason: 'worker ended: exit code 1' }));
    const { now, tasks } = (await coordination.snapshot()) as NonNullable<Awaited<ReturnType<Coordination['snapshot']>>>;
    const state = tasks.find((t) => t.task === 'a');
    expect(state?.claimable).toBe(false);
    expect((state?.due ?? 0) - now).toBeGreaterThan(500);
    expect(launcher.workers).toHaveLength(1);
  });

  it('does nothing more for exit code 2: another holds the task', async () => {
    const { coordination, engine, statusOf } = await aRun({ id: 'a' });
    const { launcher } = await engine({ ttlMs: 60_000 });
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    const [worker] = launcher.workers as [TestWorker];
    await coordination.start({ run: 'r', task: 'a', claim: worker.order.claim, holder: 'another' }, 60_000);
    worker.end({ code: 2, reason: 'exit code 2' });
    await eventually(() => expect(engines[0]?.activeWorkers).toBe(0));
    expect(await statusOf('a')).toBe('in_progress');
    expect(launcher.workers).toHaveLength(1);
  });

  it('uses an attempt when nothing can be launched, and says why when none is left', async () => {
    const { coordination, engine } = await aRun({ id: 'a', attempts: 1 });
    const launcher = new TestLauncher();
    launcher.fail = 'no such image';
    await engine({ launcher });
    await eventually(async () => expect(await coordination.task('a')).toMatchObject({ status: 'failed', reason: expect.stringContaining('could not be launched: no such image') }));
  });

  it('keeps its claim through a launch that is longer than a lease', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const launcher = new TestLauncher();
    let pulled: () => void = () => undefined;
    launcher.pull = new Promise((resolve) => (pulled = resolve));
    await engine({ launcher, ttlMs: 900 });
    const other = await engine({ ttlMs: 900 });
    await eventually(async () => expect((await coordination.task('a'))?.status).toBe('claimed'));
    const { due = 0 } = (await coordination.task('a')) ?? {};
    // More than a lease later another replica has not got it.
    await eventually(async () => expect((await coordination.task('a'))?.due ?? 0).toBeGreaterThan(due + 1000));
    pulled();
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    expect(await work(coordination, launcher.workers[0] as TestWorker)).toBe('settled');
    expect(other.launcher.workers).toEqual([]);
  });

  it('stops a worker whose claim was lost while it started, and the task has one holder', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const { launcher } = await engine({ ttlMs: 300 });
    await eventually(() => expect(launcher.workers).toHaveLength(1));
    const [worker] = launcher.workers as [TestWorker];
    await coordination.settleClaim({ ...worker.order }, { outcome: 'returned', reason: 'taken by an operator' });
    await eventually(() => expect(worker.stopped).toBe(true));
    await eventually(() => expect(launcher.of('a')).toHaveLength(2));
    expect(await coordination.leases.using(worker.order, { ttlMs }, async () => ({ outcome: 'completed' }))).toMatchObject({ outcome: 'not-started' });
    expect(await work(coordination, launcher.of('a')[1] as TestWorker)).toBe('settled');
  });

  it('hands its leases back when it stops, so that another replica goes on at once', async () => {
    const { coordination, engine } = await aRun({ id: 'a' }, { id: 'b' });
    const first = await engine({ ttlMs: 60_000 });
    await eventually(() => expect(first.launcher.workers).toHaveLength(2));
    const [started] = first.launcher.workers as [TestWorker];
    await coordination.start({ run: 'r', task: started.order.task, claim: started.order.claim, holder: 'h' }, 60_000);
    await first.engine.stop();
    expect(first.launcher.workers.every((w) => w.stopped)).toBe(true);
    const second = await engine();
    await eventually(() => expect(second.launcher.workers).toHaveLength(2));
    await Promise.all(second.launcher.workers.map((w) => work(coordination, w)));
    expect(first.launcher.workers).toHaveLength(2);
  });

  it('stops a worker whose launch ends after the engine was told to stop', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const launcher = new TestLauncher();
    let pulled: () => void = () => undefined;
    launcher.pull = new Promise((resolve) => (pulled = resolve));
    const { engine: stopped } = await engine({ launcher, ttlMs: 60_000 });
    await eventually(async () => expect((await coordination.task('a'))?.status).toBe('claimed'));
    await stopped.stop();
    expect((await coordination.task('a'))?.status).toBe('ready');
    pulled();
    await eventually(() => expect(launcher.workers[0]?.stopped).toBe(true));
  });

  it('shares the work with its replicas: no task is launched twice', async () => {
    const tasks = Array.from({ length: 12 }, (_, i) => ({ id: `t${i}` }));
    const { coordination, engine } = await aRun(...tasks);
    const replicas = await Promise.all([engine({ ttlMs: 60_000, maxWorkers: 4 }), engine({ ttlMs: 60_000, maxWorkers: 4 }), engine({ ttlMs: 60_000, maxWorkers: 4 })]);
    const launched = () => replicas.flatMap((r) => r.launcher.workers);
    await eventually(() => expect(launched()).toHaveLength(12));
    expect(new Set(launched().map((w) => w.order.task)).size).toBe(12);
    expect(await Promise.all(launched().map((w) => work(coordination, w)))).toEqual(Array(12).fill('settled'));
    await eventually(async () => expect((await coordination.task('converge'))?.status).toBe('ready'));
  });

  it('obeys the lock that an operator set by hand', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const { redis } = coordination;
    await redis.commands.set(redis.key('task:lock:a'), 'larry-02');
    const { launcher, engine: one } = await engine();
    await eventually(async () => expect(await redis.commands.get(redis.key('phase:larry-01:status'))).not.toBeNull());
    expect([launcher.workers.length, one.activeWorkers]).toEqual([0, 0]);
    await redis.commands.del(redis.key('task:lock:a'));
    await eventually(() => expect(launcher.workers).toHaveLength(1));
  });

  it('shows the figures of its own beside its phase', async () => {
    const { coordination, engine } = await aRun({ id: 'a' });
    const { redis } = coordination;
    await engine({ extraViews: async () => ({ 'phase:larry-01:metrics': { workers_active: '1' } }) });
    await eventually(async () => expect(await redis.commands.hgetall(redis.key('phase:larry-01:metrics'))).toEqual({ workers_active: '1' }));
    await eventually(async () => expect(await redis.commands.get(redis.key('phase:larry-01:status'))).toBe('in_progress'));
  });
});
