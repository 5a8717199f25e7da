import type { FeedItem } from '@larry/events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serverSentEvent, writeEvents } from './event-stream';

function anItem(n: number, message = 'x'): FeedItem {
  const event = { id: `t/${n}/progress_update`, from: 'larry-01', event: 'progress_update' as const, timestamp: '2026-01-01T00:00:00Z', run: 'r', progress: 1, message };
  return { kind: 'event', cursor: `${n}-0`, channel: 'larry:coordination', event, json: JSON.stringify(event) };
}

/** Serves `items` to one reader over a real socket. */
async function served(items: () => AsyncIterable<FeedItem>, options: { stuckMs?: number } = {}) {
  let done: Promise<void> = Promise.resolve();
  const server = createServer((_, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    done = writeEvents(response, items(), { heartbeatMs: 10_000, stuckMs: options.stuckMs ?? 10_000, signal: gone.signal });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const response = await new Promise<IncomingMessage>((resolve, reject) => get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }, resolve).on('error', reject));
  return { response, done: () => done, close: () => void server.close().closeAllConnections() };
}

describe('the stream of events', () => {
  it('writes an event as id, name and one line, whatever its text holds', () => {
    const text = serverSentEvent(anItem(7, 'two\nlines\r\ndata: forged\n\nid: 9'));
    expect(text.split('\n')).toHaveLength(5);
    expect(text).toMatch(/^id: 7-0\nevent: progress_update\ndata: \{.*\}\n\n$/);
  });

  it('says that entries are gone, without an id that would skip more', () => {
    expect(serverSentEvent({ kind: 'events_lost', from: '1-0', to: '9-0' })).toBe('event: events_lost\ndata: {"event":"events_lost","data":{"from":"1-0","to":"9-0"}}\n\n');
  });

  it('asks for no more than a slow reader takes, and lets go of one that takes nothing', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<FeedItem> {
      for (;;) yield anItem(asked++, 'y'.repeat(1500));
    }
    const stream = await served(endless, { stuckMs: 300 });
    stream.response.on('error', () => undefined);
    // Never read: the socket's buffers fill, and the source is asked no further.
    await stream.done();
    expect(asked).toBeGreaterThan(1);
    // Loopback buffers hold some megabytes at most.
    expect(asked * 1500).toBeLessThan(20 * 1024 * 1024);
    stream.response.destroy();
    stream.close();
  });

  it('ends when the source does', async () => {
    async function* two(): AsyncGenerator<FeedItem> {
      yield anItem(1);
      yield anItem(2);
    }
    const stream = await served(two);
    let text = '';
    for await (const chunk of stream.response) text += String(chunk);
    expect(text.match(/^id: .*$/gm)).toEqual(['id: 1-0', 'id: 2-0']);
    await stream.done();
    stream.close();
  });
});
