import type { Producer } from 'kafkajs';
import type { MirroredEvent, MirrorSink } from '../mirror/mirror';
import { kafkaClient, kafkaFault, topicOf, topicsOf } from './kafka-client';
import type { KafkaSettings } from './kafka-config';

/** The header that holds the event's place in Redis' stream: the order over both topics. */
export const placeHeader = 'larry-cursor';

/**
 * Events as messages: the topic is the channel's, the key the run (so one partition holds a run in order), the value the
 * JSON as it was published, the header `larry-cursor` its place in the stream. Confirmed by all in-sync replicas.
 */
export class KafkaSink implements MirrorSink {
  readonly name = 'kafka';
  private producer?: Producer;

  constructor(private readonly settings: KafkaSettings) {}

  async deliver(events: readonly MirroredEvent[]): Promise<void> {
    try {
      const producer = await this.connected();
      await producer.sendBatch({ acks: -1, timeout: 10_000, topicMessages: messagesByTopic(events, this.settings) });
    } catch (error) {
      await this.close();
      throw kafkaFault(error, this.settings);
    }
  }

  async close(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }

  private async connected(): Promise<Producer> {
    if (this.producer) return this.producer;
    // One request at a time: a repeated one never overtakes.
    const producer = kafkaClient(this.settings).producer({ maxInFlightRequests: 1, allowAutoTopicCreation: true });
    await producer.connect();
    this.producer = producer;
    return producer;
  }
}

function messagesByTopic(events: readonly MirroredEvent[], settings: KafkaSettings) {
  const messages = (topic: string) =>
    events
      .filter((item) => topicOf(item.channel, settings) === topic)
      .map((item) => ({ key: item.event.run, value: item.json, headers: { [placeHeader]: item.cursor }, timestamp: item.cursor.split('-')[0] }));
  return topicsOf(settings)
    .map((topic) => ({ topic, messages: messages(topic) }))
    .filter(({ messages }) => messages.length > 0);
}
