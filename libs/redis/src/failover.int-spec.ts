import { eventually, testRedis, type TestRedis } from './testing';
import { parseRedisUrl } from './url';

describe('a failover that is told while the sentinel that was asked for the master does not answer', () => {
  let redis: TestRedis;
  let silent = 0;
  beforeAll(async () => {
    redis = await testRedis('sentinel');
  }, 30_000);
  afterAll(async () => {
    if (silent) process.kill(silent, 'SIGCONT');
    await redis.stop();
  });

  it('is followed by the same client', async () => {
    const client = await redis.client();
    await client.commands.set(client.key('x'), 'before');
    const sentinels = await Promise.all(parseRedisUrl(redis.url).nodes.map(({ host, port }) => redis.client({ url: `redis://${host}:${port}`, check: false })));
    const master = (): Promise<unknown[]> => Promise.all(sentinels.slice(1).map((s) => s.commands.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'larry-test')));
    const [before] = await master();
    // The one that a client asks first is the one that last gave it a master.
    silent = Number(/process_id:(\d+)/.exec((await sentinels[0]?.commands.info('server')) ?? '')?.[1]);
    process.kill(silent, 'SIGSTOP');
    process.kill(redis.servers[0]?.pid ?? 0, 'SIGKILL');
    // When all the others name the new master, at least one has told of it before.
    await eventually(async () => expect(await master()).not.toContainEqual(before), 20_000);
    process.kill(silent, 'SIGCONT');
    await eventually(async () => expect(await client.commands.set(client.key('x'), 'after')).toBe('OK'), 15_000);
  }, 45_000);
});
