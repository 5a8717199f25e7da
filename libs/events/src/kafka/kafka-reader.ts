import { randomUUID } from 'node:crypto';
import type { LarryEvent } from '@larry/contracts';
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { compareCursors, parseCursor, type Cursor } from '../cursor';
import { readMessage } from '../guard';
import { kafkaClient, kafkaFault, topicsOf } from './kafka-client';
import type { KafkaSettings } from './kafka-config';
import { placeHeader } from './kafka-sink';

/** An event that was read back from Kafka. */
export interface ReadBackEvent {
  readonly cursor: Cursor;
  readonly event: LarryEvent;
  /** As it was published, to the byte. */
  readonly json: string;
}

/** A run as Kafka holds it. */
export interface RunFromKafka {
  readonly events: readonly ReadBackEvent[];
  /** Messages under the run's key that are no events of ours. */
  readonly passedOver: number;
}

/** See `readRunFromKafka`. */
export async function readRun(settings: KafkaSettings, run: string): Promise<RunFromKafka> {
  const kafka = kafkaClient(settings);
  try {
    const ends = await endsOf(kafka, topicsOf(settings));
    const found = new Map<string, ReadBackEvent>();
    let passedOver = 0;
    const take = (message: KafkaMessage) => {
      if (message.key?.toString() !== run) return;
      const read = readBack(message);
      if (!read) passedOver += 1;
      else if (!found.has(read.event.id)) found.set(read.event.id, read);
    };
    if (ends.size > 0) await readTo(kafka, ends, take);
    return { events: [...found.values()].sort((a, b) => compareCursors(a.cursor, b.cursor)), passedOver };
  } catch (error) {
    throw kafkaFault(error, settings);
  }
}

/** The partitions that hold anything, as `topic/partition`, with the offset behind their last message. */
async function endsOf(kafka: Kafka, topics: readonly string[]): Promise<Map<string, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const ends = new Map<string, bigint>();
    for (const topic of topics.filter((name) => existing.has(name))) {
      for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) > BigInt(low)) ends.set(`${topic}/${partition}`, BigInt(high));
      }
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}

async function readTo(kafka: Kafka, ends: Map<string, bigint>, take: (message: KafkaMessage) => void): Promise<void> {
  const groupId = `larry-read-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, sessionTimeout: 30_000, maxWaitTimeInMs: 200 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...new Set([...ends.keys()].map((name) => name.split('/')[0] ?? ''))], fromBeginning: true });
    await untilEnds(consumer, ends, take);
  } finally {
    await consumer.disconnect();
    await forget(kafka, groupId);
  }
}

function untilEnds(consumer: Consumer, ends: Map<string, bigint>, take: (message: KafkaMessage) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
      for (const message of batch.messages) take(message);
      const name = `${batch.topic}/${batch.partition}`;
      // Control records of transactions end a partition without a message: the batch's last offset tells as well.
      if (BigInt(batch.lastOffset()) + 1n >= (ends.get(name) ?? 0n)) ends.delete(name);
      if (ends.size === 0) resolve();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch(reject);
  });
}

/** The group was ours for this reading alone. A broker that does not let us remove it expires it by itself. */
async function forget(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // The reading is what matters.
  } finally {
    await admin.disconnect();
  }
}

function readBack(message: KafkaMessage): ReadBackEvent | undefined {
  const json = message.value?.toString() ?? '';
  const read = readMessage(json);
  const header = message.headers?.[placeHeader];
  const cursor = parseCursor(Array.isArray(header) ? String(header[0]) : header?.toString());
  return 'event' in read && cursor !== undefined ? { cursor, event: read.event, json } : undefined;
}
