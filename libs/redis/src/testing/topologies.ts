import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { connectRedis } from '../client';
import type { Topology } from '../url';
import { eventually, freePort, startServer, type ServerProcess } from './process';

/** Servers that a test started, and their address. */
export interface RunningServers {
  readonly url: string;
  /** Every redis-server, the masters first; no sentinels. Empty where `REDIS_URL` was given. */
  readonly servers: readonly ServerProcess[];
  stop(): Promise<void>;
}

export const startTopology: Readonly<Record<Topology, () => Promise<RunningServers>>> = {
  single: startSingle,
  sentinel: startSentinel,
  cluster: startCluster,
};

async function startSingle(): Promise<RunningServers> {
  const given = process.env['REDIS_URL'];
  if (given) return { url: given, servers: [], stop: async () => undefined };
  const server = await startServer();
  return { url: `redis://127.0.0.1:${server.port}`, servers: [server], stop: () => server.stop() };
}

async function startSentinel(): Promise<RunningServers> {
  const master = await startServer(() => ['--repl-diskless-sync-delay', '0']);
  const replica = await startServer(() => ['--replicaof', '127.0.0.1', String(master.port)]);
  const sentinels = await Promise.all([0, 1, 2].map(() => startServer((port, folder) => [sentinelConfig(port, folder, master.port), '--sentinel'])));
  const url = `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/larry-test`;
  const all = [...sentinels, replica, master];
  const stop = async (): Promise<void> => void (await Promise.all(all.map((server) => server.stop())));
  await waitUntilReady(url, stop, async (redis) => {
    const role = await redis.commands.role();
    if (!Array.isArray(role[2]) || role[2].length === 0) throw new Error('the replica has not joined');
  });
  return { url, servers: [master, replica], stop };
}

function sentinelConfig(port: number, folder: string, masterPort: number): string {
  const file = path.join(folder, 'sentinel.conf');
  const rules = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor larry-test 127.0.0.1 ${masterPort} 2`,
    'sentinel down-after-milliseconds larry-test 500',
    'sentinel failover-timeout larry-test 2000',
  ];
  writeFileSync(file, rules.join('\n'));
  return file;
}

async function startCluster(): Promise<RunningServers> {
  const start = async (): Promise<ServerProcess> => {
    const bus = await freePort();
    return startServer(() => ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000']);
  };
  const servers = await Promise.all([start(), start(), start()]);
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
  const url = `redis-cluster://${addresses.join(',')}`;
  try {
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'pipe', timeout: 20_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  await waitUntilReady(url, stop, async (redis) => {
    const info = await redis.commands.call('CLUSTER', 'INFO');
    if (!String(info).includes('cluster_state:ok')) throw new Error('the cluster is not ready');
  });
  return { url, servers, stop };
}

async function waitUntilReady(
  url: string,
  stop: () => Promise<void>,
  check: (redis: Awaited<ReturnType<typeof connectRedis>>) => Promise<void>,
): Promise<void> {
  try {
    await eventually(async () => {
      const redis = await connectRedis({ url, connectTimeoutMs: 1000 });
      await check(redis).finally(() => redis.close());
    }, 15_000);
  } catch (error) {
    await stop();
    throw error;
  }
}
