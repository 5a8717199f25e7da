import { Controller, Get, Headers, Inject, Query, Req, Res, type OnModuleDestroy } from '@nestjs/common';
import { parseCursor, type Cursor } from '@larry/events';
import type { ServerResponse } from 'node:http';
import type { NamedRequest } from '../access/access.middleware';
import { PARTS, type MetaParts } from '../parts';
import { writeEvents } from './event-stream';
import { ProblemException } from './problem';

/** For each bearer of a token, and for all readers without one together: these cannot take the place of those. */
const maxReaders = 100;
const heartbeatMs = 15_000;
const stuckMs = 30_000;

/** The events as a stream: replay after `Last-Event-ID` (or `?after=`), then live, nothing lost in between. */
@Controller('events')
export class EventsController implements OnModuleDestroy {
  private readonly closing = new AbortController();
  /** Streams that are open, by bearer; `undefined` for those without a token. */
  private readonly readers = new Map<string | undefined, number>();

  constructor(@Inject(PARTS) private readonly parts: MetaParts) {}

  @Get()
  async stream(
    @Req() { bearer }: NamedRequest,
    @Res() response: ServerResponse,
    @Headers('last-event-id') lastEventId?: string,
    @Query('after') after?: string,
    @Query('run') run?: string,
  ): Promise<void> {
    if (this.count(bearer) >= maxReaders) throw new ProblemException(503, tooMany(bearer));
    const from = whereToBegin(lastEventId ?? after);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([this.closing.signal, gone.signal]);
    this.readers.set(bearer, this.count(bearer) + 1);
    try {
      // Redis is asked before the answer begins, so that its absence is a 503 and no empty stream.
      await this.parts.redis.time();
      const items = this.parts.feed.follow({ after: from, signal, ...(run ? { run } : {}) });
      await writeEvents(response, items, { heartbeatMs, stuckMs, signal });
    } finally {
      this.readers.set(bearer, this.count(bearer) - 1);
    }
  }

  private count(bearer: string | undefined): number {
    return this.readers.get(bearer) ?? 0;
  }

  onModuleDestroy(): void {
    this.closing.abort();
  }
}

function tooMany(bearer: string | undefined): string {
  if (bearer !== undefined) return `${maxReaders} readers with the token of ${bearer} follow the events already: try again later`;
  return `${maxReaders} readers without a token follow the events already: send a token, or try again later`;
}

function whereToBegin(given: string | undefined): Cursor | 'start' | 'now' {
  if (given === undefined || given === '' || given === 'now') return 'now';
  if (given === 'start') return 'start';
  const cursor = parseCursor(given);
  if (cursor === undefined) throw new ProblemException(400, `"${given.slice(0, 50)}" is no place in the events: give start, now, or the id of an event`);
  return cursor;
}
