import { randomBytes } from 'node:crypto';
import { connectRedis, type RedisClient, type RedisOptions } from './client';
import type { ServerProcess } from './testing/process';
import { startTopology, type RunningServers } from './testing/topologies';
import type { Topology } from './url';

export { cuttingProxy, named, type CutRule, type CuttingProxy } from './testing/proxy';
export { eventually, freePort, leashed, startServer, type ServerProcess } from './testing/process';

/** Real servers for the tests of one file. */
export interface TestRedis {
  readonly topology: Topology;
  readonly url: string;
  /** The server processes, masters first (for SIGKILL, SIGSTOP); empty where `REDIS_URL` was given. */
  readonly servers: readonly ServerProcess[];
  /** A new client; without a `prefix` it gets a random one. Closed by `stop()`, or earlier by itself. */
  client(options?: Partial<RedisOptions>): Promise<RedisClient>;
  /** Closes every client and ends the servers. They end as well when this process does, however it ends. */
  stop(): Promise<void>;
}

/**
 * Starts real servers on free loopback ports, in folders of their own: one per test file (in `beforeAll`), not per test.
 * A single Redis is `REDIS_URL` where that is set.
 * @throws Error saying what to install where there is no server program
 */
export async function testRedis(topology: Topology = 'single'): Promise<TestRedis> {
  return new StartedRedis(topology, await startTopology[topology]());
}

class StartedRedis implements TestRedis {
  private readonly clients: RedisClient[] = [];

  constructor(
    readonly topology: Topology,
    private readonly running: RunningServers,
  ) {}

  get url(): string {
    return this.running.url;
  }

  get servers(): readonly ServerProcess[] {
    return this.running.servers;
  }

  async client(options: Partial<RedisOptions> = {}): Promise<RedisClient> {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const client = await connectRedis({ prefix, url: this.url, ...options });
    this.clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.running.stop();
  }
}

/** The three functions of jest that `testTopologies` calls; this library's build knows no jest. */
interface JestGlobals {
  describe(name: string, body: () => void): void;
  beforeAll(body: () => Promise<void>, timeoutMs: number): void;
  afterAll(body: () => Promise<void>): void;
}

/**
 * Runs one suite against one Redis, Sentinel (one master, one replica, three sentinels) and Cluster (three masters).
 * Call it at the top of a file; inside tests `redis()` is the running set:
 * `testTopologies('leases', (redis) => { it('…', async () => { const client = await redis().client(); … }); });`
 */
export function testTopologies(name: string, suite: (redis: () => TestRedis, topology: Topology) => void): void {
  const jest = globalThis as unknown as JestGlobals;
  for (const topology of ['single', 'sentinel', 'cluster'] as const) {
    jest.describe(`${name} on ${topology}`, () => {
      let running: TestRedis | undefined;
      jest.beforeAll(async () => {
        running = await testRedis(topology);
      }, 30_000);
      jest.afterAll(async () => running?.stop());
      suite(() => {
        if (!running) throw new Error('the servers run only inside tests');
        return running;
      }, topology);
    });
  }
}
