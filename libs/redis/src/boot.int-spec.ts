import { connectRedis } from './client';
import { RedisAccessError, RedisFullError, RedisReadOnlyError, RedisSetupError, RedisUnavailableError } from './errors';
import { startServer, testRedis, type ServerProcess, type TestRedis } from './testing';
import { freePort } from './testing/process';

const at = (server: ServerProcess, credentials = ''): string => `redis://${credentials}127.0.0.1:${server.port}`;

/** Runs the body against a server with these arguments. */
async function withServer(args: readonly string[], body: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await startServer(() => args);
  await body(server).finally(() => server.stop());
}

describe('connecting to Redis', () => {
  it('names the address and not the password when nothing listens there', async () => {
    const port = await freePort();
    const error = await connectRedis({ url: `redis://u:secret@127.0.0.1:${port}`, connectTimeoutMs: 300 }).catch((e: Error) => e);
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect((error as Error).message).toContain(`127.0.0.1:${port}`);
    expect((error as Error).message).not.toContain('secret');
  });

  it('refuses a wrong password at once, before the time to connect is up', async () => {
    await withServer(['--requirepass', 'right'], async (server) => {
      const started = Date.now();
      await expect(connectRedis({ url: at(server, ':wrong@'), connectTimeoutMs: 10_000 })).rejects.toThrow(RedisAccessError);
      await expect(connectRedis({ url: at(server), connectTimeoutMs: 10_000 })).rejects.toThrow(RedisAccessError);
      expect(Date.now() - started).toBeLessThan(8000);
      await (await connectRedis({ url: at(server, ':right@') })).close();
    });
  });

  it('serves an ACL user with the rights that the message names, and refuses one without', async () => {
    await withServer(['--user', 'larry', 'on', '>pw', '~*', '&larry:*', '+@all', '--user', 'guest', 'on', '>pw', '~*', '&larry:*', '+@all', '-get'], async (server) => {
      const larry = await connectRedis({ url: at(server, 'larry:pw@') });
      expect(await larry.commands.set('x', '1')).toBe('OK');
      await larry.close();
      const guest = await connectRedis({ url: at(server, 'guest:pw@') });
      await expect(guest.named(guest.commands.get('x'))).rejects.toThrow(RedisAccessError);
      await guest.close();
    });
  });

  it('refuses a server that may evict keys', async () => {
    await withServer(['--maxmemory-policy', 'allkeys-lru'], async (server) => {
      await expect(connectRedis({ url: at(server) })).rejects.toThrow(/maxmemory-policy "allkeys-lru".*noeviction/);
      await expect(connectRedis({ url: at(server) })).rejects.toThrow(RedisSetupError);
    });
  });

  it('refuses a replica', async () => {
    await withServer([], (master) =>
      withServer(['--replicaof', '127.0.0.1', String(master.port)], async (replica) => {
        await expect(connectRedis({ url: at(replica) })).rejects.toThrow(RedisReadOnlyError);
      }),
    );
  });

  it('names a full server', async () => {
    await withServer(['--maxmemory', '100kb'], async (server) => {
      const redis = await connectRedis({ url: at(server) });
      await expect(redis.named(redis.commands.set('x', 'y'.repeat(100)))).rejects.toThrow(RedisFullError);
      await redis.close();
    });
  });

  it('refuses a prefix that would move keys to other slots', async () => {
    await expect(connectRedis({ url: 'redis://127.0.0.1', prefix: '{a}' })).rejects.toThrow(/prefix/);
  });
});

describe('a connected Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('answers again after the server was stopped for longer than a command may take', async () => {
    await withServer([], async (server) => {
      const client = await redis.client({ url: at(server), commandTimeoutMs: 300 });
      process.kill(server.pid, 'SIGSTOP');
      await expect(client.named(client.commands.get('x'))).rejects.toThrow(RedisUnavailableError);
      process.kill(server.pid, 'SIGCONT');
      expect(await client.commands.ping()).toBe('PONG');
    });
  });
});
