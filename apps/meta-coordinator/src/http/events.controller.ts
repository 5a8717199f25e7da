import { Controller, Get, Headers, Inject, Query, Res, type OnModuleDestroy } from '@nestjs/common';
import { parseCursor, type Cursor } from '@larry/events';
import type { ServerResponse } from 'node:http';
import { PARTS, type MetaParts } from '../parts';
import { writeEvents } from './event-stream';
import { ProblemException } from './problem';

const maxReaders = 100;
const heartbeatMs = 15_000;
const stuckMs = 30_000;

/** The events as a stream: replay after `Last-Event-ID` (or `?after=`), then live, nothing lost in between. */
@Controller('events')
export class EventsController implements OnModuleDestroy {
  private readonly closing = new AbortController();
  private readers = 0;

  constructor(@Inject(PARTS) private readonly parts: MetaParts) {}

  @Get()
  async stream(
    @Res() response: ServerResponse,
    @Headers('last-event-id') lastEventId?: string,
    @Query('after') after?: string,
    @Query('run') run?: string,
  ): Promise<void> {
    if (this.readers >= maxReaders) throw new ProblemException(503, `${maxReaders} readers follow the events already: try again later`);
    const from = whereToBegin(lastEventId ?? after);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([this.closing.signal, gone.signal]);
    this.readers++;
    try {
      // Redis is asked before the answer begins, so that its absence is a 503 and no empty stream.
      await this.parts.redis.time();
      const items = this.parts.feed.follow({ after: from, signal, ...(run ? { run } : {}) });
      await writeEvents(response, items, { heartbeatMs, stuckMs, signal });
    } finally {
      this.readers--;
    }
  }

  onModuleDestroy(): void {
    this.closing.abort();
  }
}

function whereToBegin(given: string | undefined): Cursor | 'start' | 'now' {
  if (given === undefined || given === '' || given === 'now') return 'now';
  if (given === 'start') return 'start';
  const cursor = parseCursor(given);
  if (cursor === undefined) throw new ProblemException(400, `"${given.slice(0, 50)}" is no place in the events: give start, now, or the id of an event`);
  return cursor;
}
