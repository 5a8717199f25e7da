import { connectRedis, parseRedisUrl } from '@larry/redis';
import { eventually, startServer, testRedis, type ServerProcess, type TestRedis } from '@larry/redis/testing';

/** A Redis with a replica and sentinels whose master can be killed again and again. */
export class RedisPair {
  private readonly more: ServerProcess[] = [];

  private constructor(private readonly redis: TestRedis) {}

  static async start(): Promise<RedisPair> {
    return new RedisPair(await testRedis('sentinel'));
  }

  get url(): string {
    return this.redis.url;
  }

  client: TestRedis['client'] = (options) => this.redis.client(options);

  /**
   * Kills the master, waits for the promotion, and gives the new one a replica again. False, and nothing is killed, while
   * the sentinels know of no replica that could take over: they look for new ones every ten seconds.
   */
  async failOver(): Promise<boolean> {
    const before = await this.masterPort().catch(() => undefined);
    const victim = [...this.redis.servers, ...this.more].find((s) => s.port === before);
    if (!victim || !(await this.replicaIsKnown().catch(() => false))) return false;
    process.kill(victim.pid, 'SIGKILL');
    const after = await eventually(async () => {
      const port = await this.masterPort();
      if (port === before) throw new Error('nobody is promoted yet');
      return port;
    }, 60_000);
    this.more.push(await startServer(() => ['--replicaof', '127.0.0.1', String(after), '--repl-diskless-sync-delay', '0']));
    await eventually(async () => {
      const { commands, close } = await this.open(`redis://127.0.0.1:${after}`);
      const info = await commands.info('replication').finally(() => close());
      if (!/^slave\d+:.*state=online/m.test(info)) throw new Error('the new replica has not joined');
    }, 30_000);
    return true;
  }

  async stop(): Promise<void> {
    await this.redis.stop();
    await Promise.all(this.more.map((s) => s.stop()));
  }

  private async masterPort(): Promise<number> {
    const { commands, close } = await this.open(this.url);
    const info = await commands.info('server').finally(() => close());
    return Number(/^tcp_port:(\d+)/m.exec(info)?.[1]);
  }

  /** Whether every sentinel has a replica that answers and follows its master. */
  private async replicaIsKnown(): Promise<boolean> {
    const { nodes, master = '' } = parseRedisUrl(this.redis.url);
    const known = nodes.map(async ({ host, port }) => {
      const { commands, close } = await this.open(`redis://${host}:${port}`);
      const replicas = (await commands.call('SENTINEL', 'REPLICAS', master).finally(() => close())) as string[][];
      return replicas.some((fields) => field(fields, 'flags') === 'slave' && field(fields, 'master-link-status') === 'ok');
    });
    return (await Promise.all(known)).every(Boolean);
  }

  private async open(url: string) {
    const client = await connectRedis({ url, check: false, connectTimeoutMs: 1000, commandTimeoutMs: 1000 });
    return { commands: client.commands, close: () => client.close() };
  }
}

/** A value of what Redis lists as names and values in turn. */
const field = (fields: readonly string[], name: string): string | undefined => fields[fields.indexOf(name) + 1];
