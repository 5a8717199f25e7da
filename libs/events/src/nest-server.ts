import { eventNames, type EventName } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { BaseRpcContext, Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { EventError } from './errors';
import type { EventLog } from './guard';
import { listenEvents, type EventListening, type ListenOptions } from './listener';

/** What a handler gets beside the event. */
export class EventContext extends BaseRpcContext<[string]> {
  /** `larry:coordination` or `larry:alerts`, without the prefix. */
  getChannel(): string {
    return this.getArgByIndex(0);
  }
}

/** What the transport needs. */
export interface EventServerOptions {
  readonly redis: RedisClient;
  readonly log: EventLog;
  readonly run?: ListenOptions['run'];
  /** Called after every confirmed (re)subscription: wake the reconcile loop. */
  readonly onSubscribed?: () => void;
}

/**
 * Serves the two channels to Nest: `app.connectMicroservice({ strategy: new EventServer({ … }) })`, handlers by event name:
 * `@EventPattern('task_complete')`. On the wire stands the plain JSON of `docs/protocol.md`, no envelope of Nest's; a handler
 * gets the whole event, its `data` included. Nest's own Redis server knows no Cluster and eats a field named `data`.
 */
export class EventServer extends Server implements CustomTransportStrategy {
  private listening?: EventListening;

  constructor(private readonly options: EventServerOptions) {
    super();
  }

  /** Subscribes and calls back when the server has confirmed, with an EventError where a handler waits for no event. */
  listen(callback: (error?: unknown) => void): void {
    try {
      this.checkHandlers();
    } catch (error) {
      return callback(error);
    }
    this.start().then(() => callback(), callback);
  }

  close(): void {
    this.listening?.close();
  }

  /** The server has no events of its own; see `onSubscribed`. */
  on(): never {
    throw new EventError('this transport has no events of its own: use the option onSubscribed');
  }

  /** The running subscription. */
  unwrap<T>(): T {
    return this.listening as T;
  }

  private async start(): Promise<void> {
    const { redis, log, run, onSubscribed } = this.options;
    this.listening = await listenEvents(redis, {
      log,
      run,
      onSubscribed,
      onEvent: async (event, channel) => {
        if (!this.getHandlerByPattern(event.event)) return;
        await this.handleEvent(event.event, { pattern: event.event, data: event }, new EventContext([channel]));
      },
    });
  }

  private checkHandlers(): void {
    for (const [pattern, handler] of this.getHandlers()) {
      if (!handler.isEventHandler) throw new EventError(`a handler answers messages "${pattern}": Larry's channels carry events only, use @EventPattern`);
      if (!eventNames.includes(pattern as EventName)) throw new EventError(`a handler waits for "${pattern}", which is no event: it must be one of ${eventNames.join(', ')}`);
    }
  }
}
