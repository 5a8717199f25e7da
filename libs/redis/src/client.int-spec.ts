import path from 'node:path';
import { parseEvent } from '@larry/contracts';
import { eventually, testTopologies } from './testing';

const SCRIPTS = path.join(__dirname, '__fixtures__', 'lua');

testTopologies('a Redis client', (redis, topology) => {
  it('says how its servers are arranged, and tells the time of the server', async () => {
    const client = await redis().client();
    expect(client.topology).toBe(topology);
    expect(Math.abs((await client.time()) - Date.now())).toBeLessThan(5000);
  });

  it('runs a script that keeps, adds to the stream and publishes in one step', async () => {
    const client = await redis().client();
    const key = client.key('{larry}:x');
    const stream = client.key('{larry}:events');
    const messages: string[] = [];
    await client.subscriber().subscribe(['larry:coordination'], (_, message) => messages.push(message));
    const scripts = client.scripts(SCRIPTS);
    expect(await scripts.run('remember', [key, stream], ['a', client.prefix, 'run-1'])).toBeNull();
    expect(await scripts.run('remember', [key, stream], ['b', client.prefix, 'run-1'])).toBe('aa');
    await eventually(() => expect(messages).toHaveLength(2));
    expect(parseEvent(JSON.parse(messages[0] ?? ''))).toHaveProperty('event.run', 'run-1');
    const entries = await client.commands.xrange(stream, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual(messages.map((json) => ['channel', 'larry:coordination', 'json', json]));
  });

  it('goes on after the server forgot every script', async () => {
    const client = await redis().client();
    const scripts = client.scripts(SCRIPTS);
    await scripts.run('iso', [], [0]);
    await Promise.all(redis().servers.map(({ port }) => redis().client({ url: `redis://127.0.0.1:${port}`, check: false }).then((c) => c.commands.script('FLUSH'))));
    expect(await scripts.run('iso', [], [0])).toEqual(['1970-01-01T00:00:00.000Z']);
  });

  it('counts an acknowledged write only with a replica that has it', async () => {
    const client = await redis().client();
    const keys = [client.key('{larry}:x'), client.key('{larry}:events')];
    const reply = await client.scripts(SCRIPTS).runAcknowledged('remember', keys, ['a', client.prefix, 'run-1']);
    expect(reply).toEqual({ reply: null, acknowledged: true });
    const runs = await client.commands.xlen(keys[1] ?? '');
    expect(runs).toBe(topology === 'sentinel' ? 2 : 1);
  });

  it('subscribes again by itself after its connection was killed, and says so', async () => {
    const client = await redis().client();
    const subscriber = client.subscriber();
    let subscribed = 0;
    subscriber.onSubscribed(() => (subscribed += 1));
    const messages: string[] = [];
    await subscriber.subscribe(['larry:alerts'], (channel, message) => messages.push(`${channel} ${message}`));
    const before = subscribed;
    for (const { port } of redis().servers) {
      const direct = await redis().client({ url: `redis://127.0.0.1:${port}`, check: false });
      await direct.commands.client('KILL', 'TYPE', 'pubsub');
    }
    await eventually(() => expect(subscribed).toBeGreaterThan(before));
    await client.commands.publish(client.key('larry:alerts'), 'again');
    await eventually(() => expect(messages).toEqual(['larry:alerts again']));
  });
});
