import { startServer, testRedis, type TestRedis } from '@larry/redis/testing';
import { createServer, type AddressInfo } from 'node:net';
import type { DoctorLine } from './doctor-line';
import { redisLines } from './redis';

let servers: TestRedis;
beforeAll(async () => {
  servers = await testRedis();
}, 30_000);
afterAll(() => servers.stop());

const of = (lines: DoctorLine[], subject: string): DoctorLine | undefined => lines.find((l) => l.subject === subject);

describe('what larry doctor says of a Redis', () => {
  it('finds version, policy, role and clock of a sound one', async () => {
    const lines = await redisLines(servers.url);
    expect(of(lines, 'Redis')).toMatchObject({ level: 'ok', seen: expect.stringMatching(/version [7-9]/) as string });
    expect(of(lines, 'Redis eviction')).toMatchObject({ level: 'ok', seen: 'noeviction' });
    expect(of(lines, 'Redis role')).toMatchObject({ level: 'ok', seen: 'master, 0 replicas' });
    expect(of(lines, 'clocks')).toMatchObject({ level: 'ok' });
  });

  it('fails one that may throw keys away, and warns of one that forgets them', async () => {
    const client = await servers.client();
    const aof = ((await client.commands.config('GET', 'appendonly')) as string[])[1] ?? 'no';
    await client.commands.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await client.commands.config('SET', 'appendonly', 'no');
    try {
      const lines = await redisLines(servers.url);
      expect(of(lines, 'Redis eviction')).toMatchObject({ level: 'fail', todo: expect.stringContaining('noeviction') as string });
      expect(of(lines, 'Redis on disk')).toMatchObject({ level: 'warn', todo: expect.stringContaining('appendonly yes') as string });
    } finally {
      await client.commands.config('SET', 'maxmemory-policy', 'noeviction');
      await client.commands.config('SET', 'appendonly', aof);
    }
  });

  it('gives each fault its own advice', async () => {
    const server = await startServer(() => ['--maxmemory', '100kb', '--user', 'guest', 'on', '>pw', '~*', '+@all', '--user', 'default', 'on', '>right', '~*', '&*', '+@all']);
    try {
      const full = await redisLines(`redis://:right@127.0.0.1:${server.port}`);
      expect(of(full, 'Redis memory')).toMatchObject({ level: 'fail', todo: expect.stringContaining('maxmemory') as string });
      expect(of(full, 'Redis rights')).toMatchObject({ level: 'fail', seen: expect.stringContaining('maxmemory') as string });
      expect(await redisLines(`redis://:wrong@127.0.0.1:${server.port}`)).toMatchObject([{ level: 'fail', todo: expect.stringContaining('password') as string }]);
      expect(await redisLines('http://x')).toMatchObject([{ level: 'fail', todo: expect.stringContaining('URL') as string }]);
    } finally {
      await server.stop();
    }
    const closed = await startServer(() => ['--user', 'guest', 'on', '>pw', '~*', '+@all']);
    try {
      expect(of(await redisLines(`redis://guest:pw@127.0.0.1:${closed.port}`), 'Redis rights')).toMatchObject({ level: 'fail', todo: expect.stringContaining('&larry:*') as string });
    } finally {
      await closed.stop();
    }
  });

  it('fails one that does not answer, within seconds', async () => {
    const port = await closedPort();
    const begun = Date.now();
    expect(await redisLines(`redis://127.0.0.1:${port}`)).toMatchObject([{ subject: 'Redis', level: 'fail', todo: expect.any(String) as string }]);
    expect(Date.now() - begun).toBeLessThan(8000);
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
