// A task's life (claim, start, renew, complete) beside redlock's pair and BullMQ's add and process.
import { randomUUID } from 'node:crypto';
import { aRunSpec, aRunTask, Coordination, peers, versionOf } from '../libraries.mjs';
import { byCallers, interleaved, perSecond, rate, timed, times } from '../measure.mjs';

const roundTrips = 7; // SET NX, claim · start · renew, relock · settle, unlock

export async function claims({ redis, quick }) {
  const rows = [];
  for (const callers of [1, 32]) {
    const total = quick ? 300 : 1500;
    const rates = await interleaved(quick ? 2 : 5, {
      ping: () => roundTripRate(redis, callers, total),
      ours: (round) => lifeRate(redis, callers, Math.round(total / 3), round),
      redlock: () => redlockRate(redis, callers, total),
      bullmq: () => bullRate(redis, callers, total),
    });
    rows.push(
      { what: `${who(callers)}: round trip to Redis`, measured: rate(rates.ping), note: 'the limit: a GET, same client' },
      { what: `${who(callers)}: claim+start+renew+complete`, measured: rate(rates.ours), note: `${roundTrips} round trips a task: ${times((rates.ours * roundTrips) / rates.ping)} of the limit` },
      { what: `${who(callers)}: redlock ${versionOf('redlock')} lock+unlock`, measured: rate(rates.redlock), note: `2 round trips; a task of ours costs ${times(rates.redlock / rates.ours)} one pair` },
      { what: `${who(callers)}: BullMQ ${versionOf('bullmq')} add+process`, measured: rate(rates.bullmq), note: `a task of ours runs at ${times(rates.ours / rates.bullmq)} its rate` },
    );
  }
  return { title: 'A task in coordination', rows };
}

const who = (callers) => (callers === 1 ? '1 caller' : `${callers} callers`);

async function roundTripRate(redis, callers, total) {
  const client = await redis.client();
  const took = await timed(() => byCallers(callers, total, () => client.commands.get('bench')));
  await client.close();
  return perSecond(total, took);
}

async function lifeRate(redis, callers, total) {
  const client = await redis.client();
  const coordination = new Coordination(client);
  const spec = aRunSpec(Array.from({ length: total }, (_, i) => aRunTask({ id: `t${i}` })));
  await coordination.createRun(spec);
  const took = await timed(() => byCallers(callers, total, (i) => lifeOf(coordination, spec.run, `t${i}`)));
  await client.close();
  return perSecond(total, took);
}

async function lifeOf(coordination, run, task) {
  const claim = randomUUID();
  must(await coordination.claim({ run, task, larry: 'larry-01', claim }), 'claimed');
  const { lease } = must(await coordination.start({ run, task, claim, holder: `h-${claim}` }), 'started');
  must(await coordination.renew(lease), 'renewed');
  must(await coordination.settle(lease, { outcome: 'completed' }), 'settled');
}

function must(answer, outcome) {
  if (answer.outcome !== outcome) throw new Error(`bench: expected ${outcome}, got ${JSON.stringify(answer)}`);
  return answer;
}

async function redlockRate(redis, callers, total) {
  const client = new peers.Redis(redis.url);
  const redlock = new peers.Redlock([client]);
  const prefix = randomUUID();
  const took = await timed(() =>
    byCallers(callers, total, async (i) => {
      const lock = await redlock.lock(`${prefix}:${i}`, 30_000);
      await lock.unlock();
    }),
  );
  client.disconnect();
  return perSecond(total, took);
}

async function bullRate(redis, callers, total) {
  const { port } = new URL(redis.url);
  const connection = { host: '127.0.0.1', port: Number(port) };
  const name = `bench-${randomUUID()}`;
  const queue = new peers.bullmq.Queue(name, { connection });
  let done = 0;
  let finished;
  const all = new Promise((resolve) => (finished = resolve));
  const worker = new peers.bullmq.Worker(name, async () => undefined, { connection, concurrency: callers });
  worker.on('completed', () => ++done === total && finished());
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const took = await timed(async () => {
    await byCallers(callers, total, (i) => queue.add('task', { i }));
    await all;
  });
  await worker.close();
  await queue.close();
  return perSecond(total, took);
}
