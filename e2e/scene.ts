import { planTasks, type Plan } from '@larry/contracts';
import { Coordination } from '@larry/coordination';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import type { SimulatedApiServer } from '@larry/simulation';
import { Crew, type CrewOptions } from './src/crew';
import type { Fault } from './src/fault-points';
import { startConverger } from './src/run';
import { countEffects, startTarget, type EffectCounts, type EffectTask } from './src/target';

/** Everything of one test: a target with what the plan changes, a coordination under a prefix of its own, and a crew. */
export interface Scene {
  readonly plan: Plan;
  readonly redis: Pick<TestRedis, 'url' | 'client'>;
  readonly coordination: Coordination;
  readonly server: SimulatedApiServer;
  readonly crew: Crew;
  readonly tasks: readonly EffectTask[];
  counts(run: string): EffectCounts;
  end(): Promise<void>;
}

/** The length of a lease in these tests, milliseconds. */
export const ttlMs = 1000;

/** Sets a scene for a plan on a running Redis. Without `converger: false` runs end by themselves. */
export async function aScene(redis: Pick<TestRedis, 'url' | 'client'>, plan: Plan, options: Partial<CrewOptions> & { converger?: boolean } = {}): Promise<Scene> {
  const tasks = planTasks(plan).filter((t) => t.id.startsWith('effects-'));
  const server = await startTarget(tasks);
  const client = await redis.client();
  const coordination = new Coordination(client);
  const converger = options.converger === false ? undefined : await startConverger(coordination);
  const crew = new Crew({ redisUrl: redis.url, prefix: client.prefix, kubeconfig: server.kubeconfig(), ttlMs, ...options });
  return {
    plan,
    redis,
    coordination,
    server,
    crew,
    tasks,
    counts: (run) => countEffects(server, run, tasks),
    end: async () => {
      await crew.stop();
      await converger?.stop();
      await client.close();
      await server.close();
    },
  };
}

/** What a crew's environment says to have faults happen. */
export const faultEnv = (...faults: Fault[]): Record<string, string> => ({ TEST_FAULTS: JSON.stringify(faults) });

/** Waits until the crew's first fault has happened. */
export function faultHappened(crew: Crew, withinMs = 20_000): Promise<ReturnType<Crew['faults']>[number]> {
  return eventually(() => {
    const [fault] = crew.faults();
    if (!fault) throw new Error('the fault has not happened');
    return fault;
  }, withinMs);
}

/** One Redis for the tests of a file. */
export function redisForFile(): () => TestRedis {
  let running: TestRedis | undefined;
  beforeAll(async () => {
    running = await testRedis();
  }, 30_000);
  afterAll(async () => running?.stop());
  return () => {
    if (!running) throw new Error('Redis runs only inside tests');
    return running;
  };
}
