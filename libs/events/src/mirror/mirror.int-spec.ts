import type { RedisClient } from '@larry/redis';
import { eventually, testTopologies } from '@larry/redis/testing';
import { EventFeed } from '../feed';
import { eventStreamKey } from '../keys';
import { EventPublisher } from '../publisher';
import { mirrorEvents, type MirroredEvent, type MirrorOptions, type MirrorSink } from './mirror';

const lines: string[] = [];
const log = { warn: (_: object, line: string) => void lines.push(line), info: (_: object, line: string) => void lines.push(line) };

/** A sink that keeps what it confirmed, and fails or waits when told. */
class RecordingSink implements MirrorSink {
  readonly name = 'test';
  failing = false;
  blocked: Promise<void> | undefined;
  readonly got: string[] = [];

  async deliver(events: readonly MirroredEvent[]): Promise<void> {
    await this.blocked;
    if (this.failing) throw new Error('down');
    this.got.push(...events.map((item) => item.event.id));
  }

  async close(): Promise<void> {}
}

testTopologies('mirrorEvents', (redis) => {
  let client: RedisClient;
  let feed: EventFeed;
  let publisher: EventPublisher;
  const ended: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    client = await redis().client();
    feed = await EventFeed.open(client, { log, pollMs: 100 });
    publisher = new EventPublisher(client);
  });
  afterEach(async () => {
    await Promise.all(ended.splice(0).map((end) => end()));
    feed.close();
  });

  const publish = async (...ids: string[]) => {
    for (const id of ids) await publisher.publish({ id, from: 'larry-01', run: 'r1', event: 'task_complete', task_id: 't' });
  };
  /** A mirror with a sink of its own; `stop` resolves when it has given its place back. */
  const mirror = (more: Partial<MirrorOptions> = {}) => {
    const controller = new AbortController();
    const sink = (more.sink ?? new RecordingSink()) as RecordingSink;
    const done = mirrorEvents({ redis: client, feed, publisher, sink, log, first: 'start', ttlMs: 600, retryMaxMs: 20, ...more, signal: controller.signal });
    const stop = async () => {
      controller.abort();
      await done;
    };
    ended.push(stop);
    return { sink, stop };
  };

  it('sends what the stream holds and what comes, once, in order', async () => {
    await publish('a', 'b');
    const { sink } = mirror();
    await publish('c');
    await eventually(() => expect(sink.got).toEqual(['a', 'b', 'c']));
  });

  it('lets one of two replicas send, and the other go on where it stopped', async () => {
    const one = mirror();
    await publish('a');
    await eventually(() => expect(one.sink.got).toEqual(['a']));
    const two = mirror();
    await publish('b');
    await eventually(() => expect(one.sink.got).toEqual(['a', 'b']));
    await one.stop();
    await publish('c');
    await eventually(() => expect(two.sink.got).toEqual(['c']));
    expect(one.sink.got).toEqual(['a', 'b']);
  });

  it('repeats, but never skips or reorders, when a holder that was held up wakes after its successor', async () => {
    let release: () => void = () => undefined;
    const both = new RecordingSink();
    const slow = Object.assign(new RecordingSink(), { got: both.got, blocked: new Promise<void>((resolve) => (release = resolve)) });
    await publish('a', 'b');
    mirror({ sink: slow, ttlMs: 60_000 });
    ended.push(async () => release());
    const key = client.key('{larry}:mirror:test');
    await eventually(async () => expect(await client.commands.hget(key, 'cursor')).not.toBeNull());
    await client.commands.hset(key, 'until', '0'); // it is held up for longer than its lease
    mirror({ sink: both });
    await publish('c');
    await eventually(() => expect(both.got).toEqual(expect.arrayContaining(['a', 'b', 'c'])));
    release();
    await publish('d');
    await eventually(() => expect(both.got).toContain('d'));
    expect([...new Set(both.got)]).toEqual(['a', 'b', 'c', 'd']);
  });

  it('waits for a sink that fails, says so once, and skips nothing', async () => {
    const { sink } = mirror();
    sink.failing = true;
    lines.length = 0;
    await publish('a');
    await eventually(() => expect(lines).toEqual(['the mirror cannot send; the events wait in Redis']));
    await publish('b');
    sink.failing = false;
    await eventually(() => expect(sink.got).toEqual(['a', 'b']));
    expect(lines).toEqual(['the mirror cannot send; the events wait in Redis', 'the mirror sends again; nothing was skipped']);
  });

  it('says what it could not send because the stream was cut meanwhile', async () => {
    const { sink } = mirror();
    lines.length = 0;
    await publish('a');
    await eventually(() => expect(sink.got).toEqual(['a']));
    sink.failing = true;
    await publish('b');
    await eventually(() => expect(lines).toContain('the mirror cannot send; the events wait in Redis'));
    await publish('c', 'd');
    await client.commands.xtrim(eventStreamKey(client), 'MAXLEN', 1);
    sink.failing = false;
    await eventually(() => expect(sink.got.slice(1)).toEqual(['b', 'd', expect.stringMatching(/^mirror\/test\/.*\/events_lost$/)]));
  });

  it('begins with what comes, where that is asked for, and goes on from there', async () => {
    await publish('old');
    const one = mirror({ first: 'now' });
    await eventually(async () => expect(await client.commands.hget(client.key('{larry}:mirror:test'), 'cursor')).not.toBeNull());
    await one.stop();
    await publish('between');
    const two = mirror({ first: 'now' });
    await eventually(() => expect(two.sink.got).toEqual(['between']));
  });

  it('cuts from the stream only what is sent and old', async () => {
    const stream = eventStreamKey(client);
    await publish('a', 'b');
    const { sink } = mirror({ keepMs: -1000 });
    await eventually(() => expect(sink.got).toEqual(['a', 'b']));
    // The last that was sent stays: readers need it to tell a cut from a beginning.
    await eventually(async () => expect(await client.commands.xlen(stream)).toBe(1));
  });
});
