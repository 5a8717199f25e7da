import 'reflect-metadata';
import type { LarryEvent } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { Controller, Logger, type INestMicroservice } from '@nestjs/common';
import { EventPattern, Payload, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { EventFeed } from '../feed';
import { eventStreamKey } from '../keys';
import { mirrorEvents } from '../mirror/mirror';
import { EventPublisher } from '../publisher';
import { kafkaJars, startKafkaBroker, type KafkaBroker } from '../testing';
import type { KafkaSettings } from './kafka-config';
import { kafkaSink, readRunFromKafka } from '.';

Logger.overrideLogger(false);
const lines: string[] = [];
const log = { warn: (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`), info: (_: object, line: string) => void lines.push(line) };

const jars = kafkaJars();
if (!jars) console.warn('skipped: the tests of Kafka need a JDK, and Maven with its repository in reach');
const withBroker = (name: string, test: (broker: KafkaBroker) => Promise<void>) => (jars ? it : it.skip)(name, () => test(broker), 90_000);

let broker: KafkaBroker;
let redis: TestRedis;
let client: RedisClient;
let feed: EventFeed;
let publisher: EventPublisher;
let stop: () => Promise<void>;
beforeAll(async () => {
  redis = await testRedis();
  if (jars) broker = await startKafkaBroker(jars);
}, 120_000);
afterAll(async () => {
  await broker?.remove();
  await redis.stop();
});
let topicPrefix = 0;
const settings = (): KafkaSettings => ({ brokers: [broker?.address ?? '127.0.0.1:1'], topicPrefix: `t${topicPrefix}.`, ssl: false });
beforeEach(async () => {
  topicPrefix += 1;
  client = await redis.client();
  feed = await EventFeed.open(client, { log, pollMs: 100 });
  publisher = new EventPublisher(client);
  const controller = new AbortController();
  const done = jars ? mirrorEvents({ redis: client, feed, publisher, sink: await kafkaSink(settings()), log, first: 'start', ttlMs: 2000, retryMaxMs: 500, signal: controller.signal }) : Promise.resolve();
  stop = async () => {
    controller.abort();
    await done;
    feed.close();
  };
});
afterEach(() => stop());

const done = (id: string, run = 'r1') => publisher.publish({ id, from: 'larry-01', run, event: 'task_complete', task_id: 't' });
const alert = (id: string) => publisher.publish({ id, from: 'larry-02', run: 'r1', event: 'rollback_initiated', severity: 'warning', reason: 'it did not help' });
const inRedis = async (run: string) =>
  (await client.commands.xrange(eventStreamKey(client), '-', '+')).map(([, fields]) => fields[3] ?? '').filter((json) => (JSON.parse(json) as LarryEvent).run === run);
const inKafka = async (run: string) => (await readRunFromKafka(settings(), run)).events.map((item) => item.json);

withBroker('a run that is read back from Kafka is the run that Redis holds: every event, to the byte, in order over both topics', async () => {
  for (let i = 0; i < 250; i += 1) {
    await done(`a${i}`);
    if (i % 10 === 0) await alert(`b${i}`);
    if (i % 7 === 0) await done(`other${i}`, 'r2');
  }
  const expected = await inRedis('r1');
  expect(expected).toHaveLength(275);
  await eventually(async () => expect(await inKafka('r1')).toEqual(expected), 30_000);
  expect(await inKafka('r2')).toEqual(await inRedis('r2'));
  expect(await inKafka('never')).toEqual([]);
});

withBroker('a broker that is killed delays nobody and costs no event', async (kafka) => {
  await done('before');
  await eventually(async () => expect(await inKafka('r1')).toHaveLength(1), 30_000);
  await kafka.kill();
  lines.length = 0;
  const started = performance.now();
  for (let i = 0; i < 50; i += 1) await done(`down${i}`);
  expect(performance.now() - started).toBeLessThan(5000);
  await eventually(() => expect(lines.join()).toContain(`the mirror cannot send; the events wait in Redis {"mirror":"kafka","error":"Kafka at ${kafka.address}`), 30_000);
  await kafka.start();
  const expected = await inRedis('r1');
  await eventually(async () => expect(await inKafka('r1')).toEqual(expected), 60_000);
});

withBroker("Nest's Kafka transport hands the events to handlers, as plain JSON", async (kafka) => {
  const got: LarryEvent[] = [];
  const topic = `t${topicPrefix}.larry.alerts`;
  @Controller()
  class Alerts {
    @EventPattern(topic)
    alert(@Payload() event: LarryEvent): void {
      got.push(event);
    }
  }
  await alert('first');
  await eventually(async () => expect(await inKafka('r1')).toHaveLength(1), 30_000);
  const module = await Test.createTestingModule({ controllers: [Alerts] }).compile();
  const app: INestMicroservice = module.createNestMicroservice<MicroserviceOptions>({
    transport: Transport.KAFKA,
    options: { client: { brokers: [kafka.address] }, consumer: { groupId: `nest-${topicPrefix}` }, subscribe: { fromBeginning: true } },
  });
  await app.listen();
  try {
    await eventually(() => expect(got).toMatchObject([{ id: 'first', event: 'rollback_initiated', run: 'r1' }]), 30_000);
  } finally {
    await app.close();
  }
});

it('says in one sentence that no broker answers', async () => {
  await expect(readRunFromKafka({ brokers: ['127.0.0.1:1'], topicPrefix: '', ssl: false }, 'r1')).rejects.toThrow(/^Kafka at 127\.0\.0\.1:1: .*ECONNREFUSED/);
});
