import type { FeedItem } from '@larry/events';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** How a stream of events is written. */
export interface StreamOptions {
  /** Milliseconds between signs of life. */
  heartbeatMs: number;
  /** A reader that takes nothing for so long is let go; it comes back with its last id. Milliseconds. */
  stuckMs: number;
  signal: AbortSignal;
}

/** One item as Server-Sent Events (WHATWG HTML, *Server-sent events*): id, name, one line of JSON. */
export function serverSentEvent(item: FeedItem): string {
  if (item.kind === 'event') return `id: ${item.cursor}\nevent: ${item.event.event}\ndata: ${JSON.stringify(item.event)}\n\n`;
  const { from, to } = item;
  return `event: events_lost\ndata: ${JSON.stringify({ event: 'events_lost', data: { from, to } })}\n\n`;
}

/**
 * Writes items until the reader or the signal ends it. The next item is asked for when the last one is out, so that a slow
 * reader holds no more than one item here; it reads on from the stream in Redis at its own speed.
 */
export async function writeEvents(response: ServerResponse, items: AsyncIterable<FeedItem>, { heartbeatMs, stuckMs, signal }: StreamOptions): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', Connection: 'close', 'X-Accel-Buffering': 'no' });
  response.write(': connected\n\n');
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': alive\n\n');
  }, heartbeatMs);
  try {
    for await (const item of items) {
      if (!response.write(serverSentEvent(item))) {
        await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(stuckMs)]) });
      }
      if (signal.aborted) break;
    }
  } catch (error) {
    // The reader is gone, or takes nothing: no fault of ours.
    if ((error as { name?: unknown } | null)?.name !== 'AbortError') throw error;
  } finally {
    clearInterval(heartbeat);
    // What is still in the socket's buffer is of no use to a reader that does not read.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  }
}
