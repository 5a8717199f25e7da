import { Coordination } from '@larry/coordination';
import { planTasks, type Plan, type TaskResult } from '@larry/contracts';
import { SimulatedApiServer } from '@larry/simulation';
import { parseArgs } from 'node:util';
import { Crew, type Program } from '../crew';
import { aPlan, aTask } from '../plan';
import { beginRun, startConverger } from '../run';
import { countEffects, objectsFor } from '../target';
import { countsText, isClean, noCounts, type SoakCounts } from './counts';
import { demoRun } from './demo-run';
import { Random } from './random';
import { RedisPair } from './redis-pair';
import { pause, Storm } from './storm';

const usage = `npm run soak -- [--runs 200] [--demo-runs 10] [--seed N] [--minutes 120] [--verbose]

Runs of a test plan under kills, pauses, cuts and failovers at random, then runs of the demo; prints its counts.
  --runs N       runs of the plan: one in five makes 60 changes, the others none
  --demo-runs N  runs of the demo
  --seed N       the same strikes again (what processes make of the time between them differs)
  --minutes N    begins no further run after so many
  --verbose      says every strike
Exits 1 where a change was doubled or lost, or a run has not ended; 2 where the soak itself could not go on.
`;

const options = readOptions();

interface Options {
  runs: number;
  demoRuns: number;
  seed: number;
  minutes: number;
  verbose: boolean;
}

/** Ends the process with one sentence where an option is not right. */
function readOptions(): Options {
  const text = (fallback: number) => ({ type: 'string', default: String(fallback) }) as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({ options: { runs: text(200), 'demo-runs': text(10), seed: text(Date.now() % 1_000_000), minutes: text(120), verbose: flag, help: flag } });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const number = (name: 'runs' | 'demo-runs' | 'seed' | 'minutes'): number => {
      if (!/^\d+$/.test(values[name])) throw new Error(`--${name} ${values[name]}: give a whole number`);
      return Number(values[name]);
    };
    return { runs: number('runs'), demoRuns: number('demo-runs'), seed: number('seed'), minutes: number('minutes'), verbose: values.verbose };
  } catch (error) {
    process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}

const ttlMs = 1500;
const larryIds = ['larry-01', 'larry-02', 'larry-03'];
/** Every fifth run makes changes that are not idempotent by nature; the others do nothing, three Larrys of them. */
const effectsEvery = 5;
const effects = 20;
const runLimitMs = 180_000;

function planOf(n: number): Plan {
  const noop = aPlan(Object.fromEntries(larryIds.map((id, i) => [id, [aTask(`noop-${i + 1}`, { attempts: 10 })]])));
  if (n % effectsEvery !== 0) return noop;
  // Two tasks that change the same objects, and one of its own.
  const tasks = [
    aTask('effects-1', { attempts: 10, with: { effects } }),
    aTask('effects-2', { attempts: 10, with: { effects, shared: 'effects-1', kinds: 'patch' } }),
    aTask('effects-3', { attempts: 10, with: { effects, kinds: 'mixed' } }),
  ];
  return aPlan(Object.fromEntries(larryIds.map((id, i) => [id, tasks.slice(i, i + 1)])));
}

async function soak(counts: SoakCounts): Promise<void> {
  const { seed } = options;
  const deadline = Date.now() + options.minutes * 60_000;
  process.stdout.write(`soak: seed ${seed}\n`);
  const redis = await RedisPair.start();
  const server = await SimulatedApiServer.start();
  const client = await redis.client({ prefix: 'soak:' });
  const coordination = new Coordination(client);
  const converger = await startConverger(coordination, ttlMs);
  const crew = new Crew({ redisUrl: redis.url, prefix: 'soak:', kubeconfig: server.kubeconfig(), ttlMs, env: { LARRY_MAX_WORKERS: '4' } });
  const larrys = new Map<string, Program>();
  for (const name of [...larryIds, 'larry-01/2']) larrys.set(name, await crew.larry(name.split('/')[0]));
  const storm = new Storm({ crew, server, redis, larrys, longestPauseMs: 2.5 * ttlMs }, new Random(seed), counts, (what) => options.verbose && process.stdout.write(`soak: ${new Date().toISOString().slice(14)} ${what}\n`));
  try {
    for (let n = 1; n <= options.runs && Date.now() < deadline; n++) {
      await oneRun(coordination, server, n, counts);
      storm.check();
      if (n % 10 === 0) process.stdout.write(`soak: ${n} runs, ${counts.kills} kills, ${counts.pauses} pauses, ${counts.cuts} cuts, ${counts.failovers} failovers\n`);
    }
  } finally {
    await storm.stop();
    await crew.stop();
    await converger.stop();
    await client.close();
    await redis.stop();
    await server.close();
  }
  const random = new Random(seed + 1);
  for (let n = 1; n <= options.demoRuns && Date.now() < deadline; n++) await demoRun(random, counts);
}

async function oneRun(coordination: Coordination, server: SimulatedApiServer, n: number, counts: SoakCounts): Promise<void> {
  const plan = planOf(n);
  const run = `soak-${n}`;
  const tasks = planTasks(plan).filter((t) => t.id.startsWith('effects-'));
  server.faults.clear();
  await removeAll(server);
  server.load(objectsFor(tasks));
  const journaled = server.journal().at(-1)?.seq ?? 0;
  counts.runs++;
  const ended = await toItsEnd(coordination, plan, run, counts);
  if (!ended) {
    counts.neverEnded++;
    process.stdout.write(`soak: run ${run} has not ended in ${runLimitMs / 1000} s: ${await states(coordination)}\n`);
    await coordination.abort(run, 'soak').catch(() => undefined);
    return;
  }
  counts.ended++;
  if (tasks.length > 0) await count(coordination, server, run, tasks, journaled, counts);
}

/** Begins the run, again where a failover has lost it, and waits for its end. */
async function toItsEnd(coordination: Coordination, plan: Plan, run: string, counts: SoakCounts): Promise<boolean> {
  let begun = false;
  let last = '';
  for (const until = Date.now() + runLimitMs; Date.now() < until; await pause(50)) {
    try {
      const snapshot = await coordination.snapshot();
      if (snapshot?.run.run === run) {
        if (snapshot.run.status !== 'running') return true;
        begun = true;
        continue;
      }
      await beginRun(coordination, plan, { run });
      if (begun) counts.begunAgain++;
    } catch (error) {
      if (options.verbose && String(error) !== last) process.stdout.write(`soak: ${run}: ${String(error)}\n`);
      last = String(error);
      // Redis is away for a moment, or has gone back to the run before, which then ends first.
    }
  }
  return false;
}

async function count(
  coordination: Coordination,
  server: SimulatedApiServer,
  run: string,
  tasks: { id: string; with: Record<string, unknown> }[],
  journaled: number,
  counts: SoakCounts,
): Promise<void> {
  for (const task of tasks) {
    const seen = countEffects(server, run, [task], journaled);
    const record = await patiently(() => coordination.task(task.id));
    const result = record?.result as TaskResult | undefined;
    counts.effectsExpected += seen.expected;
    counts.effectsApplied += seen.once + seen.doubled.length;
    counts.effectsDoubled += seen.doubled.length;
    counts.outcomeUnknown += result?.changes.filter((c) => c.outcome === 'outcome-unknown').length ?? 0;
    const says = result?.changes.filter((c) => c.outcome === 'verified').length ?? 0;
    // What a completed task calls done and the target has not accepted is lost; what it says it could not do is not.
    const missed = seen.missing.length;
    const lost = record?.status === 'completed' ? Math.max(0, says - (seen.expected - missed)) : 0;
    counts.effectsLost += lost;
    counts.effectsNotMade += missed - lost;
    if (seen.doubled.length > 0 || lost > 0) process.stdout.write(`soak: ${run} ${task.id}: doubled ${seen.doubled.join(', ') || 'none'}; lost ${lost}: ${seen.missing.join(', ')}\n`);
    if (record?.status !== 'completed' || missed > 0) process.stdout.write(`soak: ${run} ${task.id} ${record?.status}: ${record?.reason ?? result?.summary ?? ''}\n`);
  }
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 100) throw error;
      await pause(100);
    }
  }
}

/** What the run before made and left is taken away, so that each counts for itself. */
async function removeAll(server: SimulatedApiServer): Promise<void> {
  for (const [resource, at] of [['configmaps', '/api/v1'], ['deployments.apps', '/apis/apps/v1']] as const) {
    for (const { metadata } of server.objects(resource, 'default')) {
      const url = `${server.url}${at}/namespaces/default/${resource.split('.')[0]}/${metadata.name}?fieldManager=soak`;
      await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${server.adminToken}` } });
    }
  }
}

async function states(coordination: Coordination): Promise<string> {
  const snapshot = await coordination.snapshot().catch(() => undefined);
  return JSON.stringify(snapshot?.tasks.map((t) => [t.task, t.status, t.attempt]));
}

const started = Date.now();
const counts = noCounts();
const tellCounts = (): boolean => process.stdout.write(`${countsText(counts, options.seed, (Date.now() - started) / 1000)}\n`);
soak(counts).then(
  () => {
    tellCounts();
    if (counts.runs < options.runs || counts.demoRuns < options.demoRuns) process.stdout.write(`  the time was up: ${counts.runs} of ${options.runs} runs, ${counts.demoRuns} of ${options.demoRuns} of the demo\n`);
    process.exit(isClean(counts) ? 0 : 1);
  },
  (error: unknown) => {
    tellCounts();
    process.stderr.write(`soak: ended early: ${String(error)}${error instanceof Error && error.cause ? `: ${String(error.cause)}` : ''}\n`);
    process.exit(2);
  },
);
