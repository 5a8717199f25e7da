// Whole runs of tasks that do nothing, engines and workers in this process: what the protocol itself costs as plans grow.
import { randomUUID } from 'node:crypto';
import { aRunSpec, aRunTask, Coordination, LarryEngine, onWake, silent } from '../libraries.mjs';
import { ms, times } from '../measure.mjs';

const sizes = [[3, 16], [30, 160], [100, 1600]];

export async function growth({ redis, quick }) {
  const rows = [];
  let first;
  for (const [larrys, tasks] of quick ? sizes.slice(0, 2) : sizes) {
    const seen = await oneRun(redis, larrys, tasks);
    first ??= seen;
    const per = seen.took / tasks;
    rows.push({
      what: `${larrys} Larrys, ${tasks} tasks`,
      measured: ms(seen.took),
      note: `${ms(per)} a task (${times(per / (first.took / first.tasks))} the first row's), ${Math.round(seen.commands / tasks)} Redis commands, ${Math.round(seen.cpu / tasks)} ms CPU a task`,
    });
  }
  return { title: 'Runs of no-op tasks, one process', rows };
}

async function oneRun(redis, larrys, tasks) {
  const prefix = `bench-${randomUUID()}:`;
  const main = await redis.client({ prefix });
  const coordination = new Coordination(main);
  const names = Array.from({ length: larrys }, (_, i) => `larry-${String(i + 1).padStart(2, '0')}`);
  const engines = await Promise.all(names.map((larry) => engineOf(redis, prefix, larry)));
  const spec = aRunSpec(Array.from({ length: tasks }, (_, i) => aRunTask({ id: `t${i}`, larry: names[i % larrys] })));
  const before = await commandsOf(main);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await coordination.createRun(spec);
  await converged(coordination);
  const took = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const commands = (await commandsOf(main)) - before;
  const snapshot = await coordination.snapshot();
  if (snapshot.run.status !== 'completed') throw new Error(`bench: the run of ${tasks} tasks is ${snapshot.run.status}`);
  await Promise.all(engines.map(({ engine }) => engine.stop()));
  await Promise.all(engines.map(({ client }) => client.close()));
  await main.close();
  return { took, tasks, commands, cpu: (user + system) / 1000 };
}

async function engineOf(redis, prefix, larry) {
  const client = await redis.client({ prefix });
  const coordination = new Coordination(client);
  const engine = new LarryEngine({ larry, coordination, launcher: noopLauncher(coordination), log: silent, maxWorkers: 16 });
  await engine.start();
  return { client, engine };
}

/** A worker that does nothing, by the same calls as a real one. */
function noopLauncher(coordination) {
  return {
    startLimitMs: 30_000,
    launch: async (order) => {
      const exited = coordination.leases.using(order, {}, async () => ({ outcome: 'completed' })).then(() => ({ code: 0, reason: 'exit code 0' }));
      return { id: 'in-process', node: 'here', exited, stop: async () => undefined };
    },
  };
}

/** Plays the meta-coordinator: converges as soon as it can. */
function converged(coordination) {
  return new Promise((resolve, reject) => {
    let waker;
    const look = async () => {
      const snapshot = await coordination.snapshot();
      if (snapshot && snapshot.run.status !== 'running') {
        void waker?.stop();
        return resolve();
      }
      const ready = snapshot?.tasks.find((task) => task.converge && task.claimable);
      if (!ready) return undefined;
      const claim = { run: snapshot.run.run, task: ready.task, larry: ready.larry, claim: randomUUID() };
      if ((await coordination.claim(claim)).outcome === 'claimed') await coordination.leases.using(claim, {}, async () => ({ outcome: 'completed' }));
      return undefined;
    };
    onWake(coordination.redis, look, { onError: reject }).then((w) => (waker = w), reject);
  });
}

async function commandsOf(client) {
  return Number(/total_commands_processed:(\d+)/.exec(await client.commands.info('stats'))[1]);
}
