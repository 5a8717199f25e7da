import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { mirrorEvents } from '@larry/events';
import { PARTS, type MetaParts } from '../parts';

/** Carries the events to where the environment says: Kafka, a webhook. One replica sends, any of them takes over. */
@Injectable()
export class MirrorsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly end = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor(@Inject(PARTS) private readonly parts: MetaParts) {}

  onApplicationBootstrap(): void {
    const { redis, feed, events: publisher, log, sinks } = this.parts;
    this.running = Promise.all(sinks.map((sink) => mirrorEvents({ ...sink, redis, feed, publisher, log, signal: this.end.signal })));
  }

  /** Before the connections close: the place is given back, so that another replica goes on at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.end.abort();
    await this.running;
  }
}
