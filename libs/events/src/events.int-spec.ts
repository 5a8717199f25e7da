import { connect } from 'node:net';
import { maxStreamEntries, type LarryEvent } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { cuttingProxy, eventually, testRedis, testTopologies, type TestRedis } from '@larry/redis/testing';
import { EventFeed, type FeedItem, type FollowOptions } from './feed';
import { eventStreamKey } from './keys';
import { listenEvents, type EventListening } from './listener';
import { EventPublisher, trimEvents, type NewEvent } from './publisher';

const anEvent = (id: string, more: Partial<NewEvent<'task_complete'>> = {}): NewEvent<'task_complete'> => ({ id, from: 'larry-01', run: 'r1', event: 'task_complete', task_id: 't', ...more });
const anAlert: NewEvent<'critical_cve'> = {
  id: 'scan/1/critical_cve', from: 'larry-02', run: 'r1', event: 'critical_cve', severity: 'critical',
  data: { cve_id: 'CVE-2026-1', cvss: 9.8, affected_service: 'pg', namespace: 'database', recommendation: 'update' },
}; // prettier-ignore

const logged: Record<string, unknown>[] = [];
const log = { warn: (fields: Record<string, unknown>) => void logged.push(fields) };

const running = new Set<AbortController>();
afterEach(() => {
  for (const controller of running) controller.abort();
  running.clear();
});

/** Collects what a follower gets, until the test ends. */
function follow(feed: EventFeed, options: Omit<FollowOptions, 'signal'>): FeedItem[] {
  const controller = new AbortController();
  running.add(controller);
  const items: FeedItem[] = [];
  void (async () => {
    for await (const item of feed.follow({ ...options, signal: controller.signal })) items.push(item);
  })().catch(() => undefined);
  return items;
}
const ids = (items: readonly FeedItem[]) => items.map((i) => (i.kind === 'event' ? i.event.id : `lost ${i.from}`));

testTopologies('events', (redis) => {
  let client: RedisClient;
  let publisher: EventPublisher;
  beforeEach(async () => {
    client = await redis().client();
    publisher = new EventPublisher(client);
  });
  const open = () => EventFeed.open(client, { log, pollMs: 200 });

  it('stand in the stream and on the channel as the same plain JSON, with the time of Redis', async () => {
    const messages: [string, string][] = [];
    await client.subscriber().subscribe(['larry:coordination', 'larry:alerts'], (...message) => messages.push(message));
    await publisher.publish(anEvent('a'));
    await publisher.publish(anAlert);
    await eventually(() => expect(messages).toHaveLength(2));
    const entries = await client.commands.xrange(eventStreamKey(client), '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual(messages.map(([channel, json]) => ['channel', channel, 'json', json]));
    expect(messages.map(([channel]) => channel)).toEqual(['larry:coordination', 'larry:alerts']);
    const alert = JSON.parse(messages[1]?.[1] ?? '') as LarryEvent;
    expect(alert).toEqual({ ...anAlert, timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) });
    expect(Math.abs(Date.parse(alert.timestamp) - (await client.time()))).toBeLessThan(60_000);
  });

  it('refuse to be published when they are none, or too large, and hide secrets', async () => {
    await expect(publisher.publish({ ...anEvent('a'), task_id: undefined } as never)).rejects.toThrow('the event "task_complete" cannot be published: task_complete: field "task_id"');
    await expect(publisher.publish({ ...anEvent('a'), event: 'nonsense' } as never)).rejects.toThrow('field "event"');
    await expect(publisher.publish(anEvent('a', { reason: 'x'.repeat(3000) }))).rejects.toThrow('field "reason"');
    await expect(publisher.publish({ ...anEvent('a'), big: 'x'.repeat(70_000) } as never)).rejects.toThrow('too large');
    await publisher.publish(anEvent('a', { reason: 'postgres://u:hunter2@db failed' }));
    expect(JSON.stringify(await client.commands.xrange(eventStreamKey(client), '-', '+'))).not.toContain('hunter2');
    expect(await client.commands.xlen(eventStreamKey(client))).toBe(1);
  });

  it('reach a listener once each, of its run alone, and nothing that is no event', async () => {
    const got: LarryEvent[] = [];
    const listening: EventListening = await listenEvents(client, { log, run: () => 'r1', onEvent: (event) => void got.push(event) });
    const raw = (text: string | Buffer) => client.commands.publish(`${client.prefix}larry:coordination`, text);
    await publisher.publish(anEvent('a'));
    await publisher.publish(anEvent('a'));
    await publisher.publish(anEvent('b', { run: 'r0' }));
    for (const rubbish of ['no json', '{}', '"x"', JSON.stringify({ ...anEvent('c'), event: 'unknown' }), 'x'.repeat(10 * 1024 * 1024)]) await raw(rubbish);
    await raw(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
    await publisher.publish(anEvent('d', { reason: '\u001b[2J is data' }));
    await eventually(() => expect(got.map((e) => e.id)).toEqual(['a', 'd']));
    expect(got[1]).toMatchObject({ reason: '\u001b[2J is data' });
    await eventually(() => expect(listening.dropped()).toBe(6)); // a Cluster's nodes keep no order among each other
  }, 30_000);

  it('reach the other handlers when one fails', async () => {
    const got: string[] = [];
    await listenEvents(client, {
      log,
      onEvent: (event) => {
        got.push(event.id);
        throw new Error('handler broke');
      },
    });
    await publisher.publish(anEvent('a'));
    await publisher.publish(anEvent('b'));
    await eventually(() => expect(got).toEqual(['a', 'b']));
    expect(logged).toContainEqual({ event: 'task_complete', id: 'b', error: 'handler broke' });
  });

  it('are replayed after a cursor and then followed live, in order and without a gap', async () => {
    for (let i = 0; i < 450; i++) await publisher.publish(anEvent(`e${i}`));
    const feed = await open();
    const all = follow(feed, { after: 'start' });
    await eventually(() => expect(all).toHaveLength(450));
    const cursor = (all[444] as { cursor: string }).cursor;
    const [rest, now, other] = [follow(feed, { after: cursor }), follow(feed, { after: 'now' }), follow(feed, { after: 'start', run: 'r2' })];
    await eventually(() => expect(rest).toHaveLength(5));
    await Promise.all(Array.from({ length: 50 }, (_, i) => publisher.publish(anEvent(`live${i}`))));
    await publisher.publish(anEvent('last', { run: 'r2' }));
    await eventually(() => expect(ids(all).at(-1)).toBe('last'));
    await eventually(() => expect([rest.length, now.length, ids(other)]).toEqual([56, 51, ['last']]));
    expect(ids(rest)).toEqual(ids(all).slice(445));
    feed.close();
  }, 30_000);

  it('start again from 0 for a cursor beyond the last id that was generated', async () => {
    await publisher.publish(anEvent('a'));
    const items = follow(await open(), { after: '99999999999999-0' });
    await eventually(() => expect(ids(items)).toEqual(['a']));
  });

  it('start again from 0 for a follower whose history a failover lost', async () => {
    for (const id of ['a', 'b', 'c']) await publisher.publish(anEvent(id));
    const items = follow(await open(), { after: 'start' });
    await eventually(() => expect(items).toHaveLength(3));
    // As a promoted replica would have it that lacks the last writes: an older last id.
    const key = eventStreamKey(client);
    const first = (await client.commands.xrange(key, '-', '+', 'COUNT', 1))[0];
    await client.commands.del(key);
    await client.commands.xadd(key, first?.[0] ?? '', ...(first?.[1] ?? []));
    await eventually(() => expect(ids(items)).toEqual(['a', 'b', 'c', 'a']));
  });

  it('say what was lost to a follower behind the trimmed end, and nothing to the others', async () => {
    for (let i = 0; i < 10; i++) await publisher.publish(anEvent(`e${i}`));
    const key = eventStreamKey(client);
    const cursors = (await client.commands.xrange(key, '-', '+')).map(([id]) => id);
    await client.commands.xtrim(key, 'MAXLEN', 4);
    const feed = await open();
    const [behind, beginning, after] = [follow(feed, { after: cursors[2] ?? '' }), follow(feed, { after: 'start' }), follow(feed, { after: cursors[6] ?? '' })];
    await eventually(() => expect(ids(after)).toEqual(['e7', 'e8', 'e9']));
    await eventually(() => expect(behind).toHaveLength(5));
    expect(behind[0]).toEqual({ kind: 'events_lost', from: cursors[2], to: cursors[6] });
    await eventually(() => expect(ids(beginning)).toEqual(['lost 0-0', 'e6', 'e7', 'e8', 'e9']));
  });

  it('pass over what somebody else wrote into the stream', async () => {
    await client.commands.xadd(eventStreamKey(client), '*', 'json', 'rubbish');
    await client.commands.xadd(eventStreamKey(client), '*', 'something', 'else');
    await publisher.publish(anEvent('a'));
    const items = follow(await open(), { after: 'start' });
    await eventually(() => expect(ids(items)).toEqual(['a']));
  });

  it('are at most 100,000 in the stream', async () => {
    const key = eventStreamKey(client);
    for (let i = 0; i < 20; i++) {
      const pipeline = client.commands.pipeline();
      for (let n = 0; n < 5000; n++) pipeline.xadd(key, '*', 'json', '{}');
      await pipeline.exec();
    }
    await publisher.publish(anEvent('a'));
    expect(await client.commands.xlen(key)).toBe(maxStreamEntries);
    const last = (await client.commands.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0] ?? '';
    expect(await trimEvents(client, last)).toBe(maxStreamEntries - 1);
  }, 30_000);
});

describe('events over a connection that is lost', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('wake the listener when it is subscribed again, and leave no gap for a follower', async () => {
    const proxy = await cuttingProxy(redis.url);
    try {
      const near = await redis.client({ prefix: 'cut:' });
      const far = await redis.client({ url: proxy.url, prefix: 'cut:' });
      const publisher = new EventPublisher(near);
      const got: string[] = [];
      let subscribed = 0;
      await listenEvents(far, { log, onEvent: (event) => void got.push(event.id), onSubscribed: () => void subscribed++ });
      const items = follow(await EventFeed.open(far, { log, pollMs: 100 }), { after: 'start' });
      await publisher.publish(anEvent('before'));
      await eventually(() => expect([got, ids(items)]).toEqual([['before'], ['before']]));
      const times = subscribed;
      proxy.drop();
      await publisher.publish(anEvent('during'));
      await eventually(() => expect(subscribed).toBeGreaterThan(times));
      await publisher.publish(anEvent('after'));
      await eventually(() => expect(ids(items)).toEqual(['before', 'during', 'after']));
      await eventually(() => expect(got).toContain('after'));
    } finally {
      await proxy.close();
    }
  });

  it('keep coming after bytes that are no UTF-8, sent by hand', async () => {
    const client = await redis.client();
    const got: string[] = [];
    await listenEvents(client, { log, onEvent: (event) => void got.push(event.id) });
    const { hostname, port } = new URL(redis.url);
    const socket = connect(Number(port), hostname);
    const channel = Buffer.from(`${client.prefix}larry:alerts`);
    socket.write(Buffer.concat([Buffer.from(`*3\r\n$7\r\nPUBLISH\r\n$${channel.length}\r\n`), channel, Buffer.from('\r\n$4\r\n'), Buffer.from([0xc3, 0x28, 0xff, 0x00]), Buffer.from('\r\n')]));
    await new EventPublisher(client).publish(anAlert);
    await eventually(() => expect(got).toEqual([anAlert.id]));
    socket.destroy();
  });
});
