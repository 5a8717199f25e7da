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

  it.each([
    ['no channel', ['~*', '+@all']],
    ['no channel of this name', ['~*', '&other:*', '+@all']],
    ['no write', ['~*', '&larry:*', '+@all', '-@write']],
    ['no script', ['~*', '&larry:*', '+@all', '-eval']],
    ['no key of the quick start', ['~{larry}:*', '&larry:*', '+@all']],
  ])('refuses a user who may use %s before a run has begun, and shows no password', async (_what, rights) => {
    await withServer(['--user', 'larry', 'on', '>hidden', ...rights], async (server) => {
      const error = await connectRedis({ url: at(server, 'larry:hidden@'), rights: true }).catch((e: Error) => e);
      expect(error).toBeInstanceOf(RedisAccessError);
      expect((error as Error).message).toMatch(/does not allow this user.*&larry:\*/);
      expect((error as Error).message).not.toContain('hidden');
    });
  });

  it('lets a user with the rights that the message names begin, and leaves no key behind', async () => {
    await withServer(['--user', 'larry', 'on', '>pw', '~*', '&larry:*', '+@all'], async (server) => {
      const client = await connectRedis({ url: at(server, 'larry:pw@'), rights: true });
      expect(await client.commands.dbsize()).toBe(0);
      await client.close();
    });
  });

  it('finds that a server is full before a run has begun', async () => {
    await withServer(['--maxmemory', '100kb'], async (server) => {
      await expect(connectRedis({ url: at(server), rights: true })).rejects.toThrow(RedisFullError);
    });
  });

  it('says what to do where one side speaks TLS and the other does not', async () => {
    await withServer([], async (server) => {
      const error = await connectRedis({ url: `rediss://:secret@127.0.0.1:${server.port}`, connectTimeoutMs: 700 }).catch((e: Error) => e);
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect((error as Error).message).toMatch(/TLS.*rediss:\/\//);
      expect((error as Error).message).not.toContain('secret');
    });
  });

  it('names the file of a certificate that cannot be read', async () => {
    await expect(connectRedis({ url: 'rediss://127.0.0.1:1?ca=/nonexistent/ca.pem' })).rejects.toThrow(/\?ca=\/nonexistent\/ca\.pem.*ENOENT/);
    await expect(connectRedis({ url: `rediss://127.0.0.1:1?ca=${__filename}` })).rejects.toThrow(/not a PEM file/);
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
