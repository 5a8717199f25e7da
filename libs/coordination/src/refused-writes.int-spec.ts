import { eventually, startServer, type ServerProcess } from '@larry/redis/testing';
import { connectRedis, type RedisClient } from '@larry/redis';
import { rmSync } from 'node:fs';
import { Coordination } from './coordination';

let server: ServerProcess;
let client: RedisClient;
let folder = '';

beforeAll(async () => {
  server = await startServer((_, own) => {
    folder = own;
    return [];
  });
  client = await connectRedis({ url: `redis://127.0.0.1:${server.port}` });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

it.each<[string, RegExp, () => Promise<unknown>, () => Promise<unknown>]>([
  ['full', /has reached its maxmemory: raise it/, () => client.commands.config('SET', 'maxmemory', '100kb'), () => client.commands.config('SET', 'maxmemory', '0')],
  ['a replica', /is a replica now and accepts no writes/, () => client.commands.replicaof('127.0.0.1', 1), () => client.commands.replicaof('NO', 'ONE')],
  ['short of replicas', /fewer replicas than its min-replicas-to-write/, () => client.commands.config('SET', 'min-replicas-to-write', '1'), () => client.commands.config('SET', 'min-replicas-to-write', '0')],
  ['one whose disk is full', /cannot save to its disk and accepts no writes: make room/, diskGone, () => client.commands.config('SET', 'save', '')],
])('a server that is %s is told from one that takes writes, and nothing is written to find out', async (_, sentence, begin, end) => {
  const refusesWrites = (): Promise<string | undefined> => new Coordination(client).refusesWrites();
  expect(await refusesWrites()).toBeUndefined();
  await begin();
  expect(await refusesWrites()).toMatch(sentence);
  await end();
  expect(await refusesWrites()).toBeUndefined();
  expect(await client.commands.dbsize()).toBe(0);
});

/** A snapshot that fails, as on a full disk; its folder is made no more, since it is this server's last test. */
async function diskGone(): Promise<void> {
  await client.commands.config('SET', 'save', '3600 1000000');
  rmSync(folder, { recursive: true });
  await client.commands.bgsave();
  await eventually(async () => expect(await client.commands.info('persistence')).toContain('rdb_last_bgsave_status:err'));
}
