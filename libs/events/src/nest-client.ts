import type { EventName } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { EventError } from './errors';
import { EventPublisher, type NewEvent } from './publisher';

/**
 * Publishes events the Nest way: `client.emit('task_complete', { id, from, run, task_id })`. The same checks and the same
 * plain JSON as `EventPublisher`. There are no requests: `send` fails. It closes nothing: the connection is its owner's.
 */
export class EventClient extends ClientProxy {
  private readonly publisher: EventPublisher;

  constructor(private readonly redis: RedisClient) {
    super();
    this.publisher = new EventPublisher(redis);
  }

  connect(): Promise<RedisClient> {
    return Promise.resolve(this.redis);
  }

  close(): void {
    // The connection is its owner's.
  }

  unwrap<T>(): T {
    return this.redis as T;
  }

  protected publish(_packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    callback({ err: new EventError("Larry's channels carry events only: use emit()") });
    return () => undefined;
  }

  protected async dispatchEvent<T>({ pattern, data }: ReadPacket<Record<string, unknown>>): Promise<T> {
    return (await this.publisher.publish({ ...data, event: pattern as EventName } as NewEvent)) as T;
  }
}
