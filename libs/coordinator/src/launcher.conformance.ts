import type { LaunchedWorker, WorkerLauncher, WorkOrder } from './launcher';

/**
 * What a launcher under this suite launches: a worker that does what its order's task says. `exit-N` exits with N, `killed`
 * is killed by SIGKILL, `waits` ends with 0 on SIGTERM, `deaf` does not hear it, `tells` exits with 0 when every variable of
 * its order is as {@link anOrder} says, else with 1.
 */
export interface LauncherUnderTest {
  launcher: WorkerLauncher;
  /** A launcher whose worker program (or image) does not exist. */
  broken: WorkerLauncher;
  /** Resolves when the worker runs what its task says. */
  running(worker: LaunchedWorker): Promise<void>;
  /** Whether nothing of the worker is left: no process, no zombie, no pod. */
  gone(worker: LaunchedWorker): boolean | Promise<boolean>;
}

/** A work order for tests. */
export function anOrder(task: string, order: Partial<WorkOrder> = {}): WorkOrder {
  return { run: 'run-1', task, claim: 'c1', larry: 'larry-01', worker: `${task}-worker`, plannedNode: 'k3s-worker01', attempt: 1, ...order };
}

/** What every {@link WorkerLauncher} keeps. */
export function launcherConformance(name: string, open: () => Promise<LauncherUnderTest>): void {
  describe(`${name} as a WorkerLauncher`, () => {
    let under: LauncherUnderTest;
    beforeAll(async () => {
      under = await open();
    });

    it.each([0, 1, 2, 7])('tells exit code %i', async (code) => {
      const worker = await under.launcher.launch(anOrder(`exit-${code}`));
      expect(await worker.exited).toMatchObject({ code });
      expect(await under.gone(worker)).toBe(true);
    });

    it('gives the worker its order', async () => {
      expect(await (await under.launcher.launch(anOrder('tells'))).exited).toMatchObject({ code: 0 });
    });

    it('tells a killed worker from one that exited', async () => {
      const exit = await (await under.launcher.launch(anOrder('killed'))).exited;
      expect(exit.code).toBeUndefined();
      expect(exit.reason).toMatch(/kill/i);
    });

    it('says of a worker that can never run why not, and never hangs', async () => {
      const outcome = await under.broken.launch(anOrder('exit-0')).then(
        (worker) => worker.exited.then((exit) => (exit.code === undefined ? exit.reason : 'it ran')),
        (error: Error) => error.message,
      );
      expect(outcome).not.toBe('it ran');
      expect(outcome).not.toBe('');
    });

    it('says where the worker runs and names it', async () => {
      const worker = await under.launcher.launch(anOrder('exit-0'));
      expect(worker.id).not.toBe('');
      expect(worker.node).toContain('k3s-worker01');
      await worker.exited;
    });

    it('stops a worker that listens, and waits until it has ended', async () => {
      const worker = await under.launcher.launch(anOrder('waits'));
      await under.running(worker);
      await worker.stop(30_000);
      expect(await worker.exited).toMatchObject({ code: 0 });
      expect(await under.gone(worker)).toBe(true);
    });

    it('makes a deaf worker stop when its grace is over', async () => {
      const worker = await under.launcher.launch(anOrder('deaf'));
      await under.running(worker);
      await worker.stop(100);
      expect((await worker.exited).code).toBeUndefined();
      expect(await under.gone(worker)).toBe(true);
    });

    it('stops what has ended, and twice, without a word', async () => {
      const worker = await under.launcher.launch(anOrder('exit-0'));
      await worker.exited;
      await Promise.all([worker.stop(100), worker.stop(100)]);
      expect(await worker.exited).toMatchObject({ code: 0 });
    });
  });
}
