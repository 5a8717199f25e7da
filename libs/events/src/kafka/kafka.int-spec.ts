import 'reflect-metadata';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LarryEvent } from '@larry/contracts';
import type { RedisClient } from '@larry/redis';
import { eventually, testRedis, type TestRedis } from '@larry/redis/testing';
import { Controller, Logger, type INestMicroservice } from '@nestjs/common';
import { EventPattern, Payload, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { EventFeed } from '../feed';
import { eventStreamKey } from '../keys';
import { mirrorEvents, type MirroredEvent } from '../mirror/mirror';
import { EventPublisher } from '../publisher';
import { kafkaJars, startKafkaBroker, type KafkaBroker, type KafkaSecurity } from '../testing';
import { kafkaEnvironmentSchema, kafkaSettings, type KafkaSettings } from './kafka-config';
import { kafkaSink, readRunFromKafka } from '.';

Logger.overrideLogger(false);
const lines: string[] = [];
const log = { warn: (fields: object, line: string) => void lines.push(`${line} ${JSON.stringify(fields)}`), info: (_: object, line: string) => void lines.push(line) };

const jars = kafkaJars();
if (!jars) console.warn('skipped: the tests of Kafka need a JDK, and Maven with its repository in reach');
const withBroker = (name: string, test: (broker: KafkaBroker) => Promise<void>) => (jars ? it : it.skip)(name, () => test(broker), 90_000);

const openssl = spawnSync('openssl', ['version']).status === 0;
if (jars && !openssl) console.warn('skipped: Kafka with TLS needs openssl on PATH');
const folder = mkdtempSync(path.join(tmpdir(), 'larry-kafka-tls-'));
const file = (name: string): string => path.join(folder, name);
const password = 'hunter2-of-kafka';

/** An authority, and a certificate of 127.0.0.1 that it signed. */
function certificates(name: string): void {
  const run = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run('req', '-x509', ...newKey, '-keyout', file(`${name}-ca.key`), '-out', file(`${name}-ca.pem`), '-days', '2', '-subj', `/CN=${name} authority`);
  run('req', '-x509', ...newKey, '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), '-days', '2', '-subj', '/CN=broker', '-addext', 'subjectAltName=IP:127.0.0.1', '-CA', file(`${name}-ca.pem`), '-CAkey', file(`${name}-ca.key`));
}

function security(): KafkaSecurity {
  certificates('ours');
  certificates('strange');
  writeFileSync(file('password'), `${password}\n`);
  writeFileSync(file('wrong-password'), 'hunter3\n');
  const text = (name: string): string => readFileSync(file(name), 'utf8');
  return { keystore: text('ours.key') + text('ours.pem'), ca: text('ours-ca.pem'), user: 'larry', password };
}

let broker: KafkaBroker;
let redis: TestRedis;
let client: RedisClient;
let feed: EventFeed;
let publisher: EventPublisher;
let stop: () => Promise<void>;
beforeAll(async () => {
  redis = await testRedis();
  if (jars) broker = await startKafkaBroker(jars, openssl ? security() : undefined);
}, 120_000);
afterAll(async () => {
  await broker?.remove();
  rmSync(folder, { recursive: true });
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

const securedSettings = (more: Record<string, string | undefined> = {}): KafkaSettings => {
  const env = {
    KAFKA_BROKERS: broker.securedAddress, KAFKA_SSL: 'true', KAFKA_SSL_CA: file('ours-ca.pem'),
    KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'larry', KAFKA_SASL_PASSWORD_FILE: file('password'), ...more,
  }; // prettier-ignore
  return kafkaSettings(kafkaEnvironmentSchema.parse(env)) as KafkaSettings;
};
const anEvent = (id: string): MirroredEvent => {
  const event = { id, from: 'larry-01', run: 'r1', event: 'task_complete', task_id: 't', timestamp: '2026-11-23T10:00:00.000Z' };
  return { kind: 'event', cursor: '1-0', channel: 'larry:coordination', event: event as LarryEvent, json: JSON.stringify(event) };
};
/** Sends an event; the sentence of what went wrong, or `sent`. */
async function send(to: KafkaSettings, id = 'a'): Promise<string> {
  const sink = await kafkaSink(to);
  try {
    await sink.deliver([anEvent(id)], new AbortController().signal);
    return 'sent';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await sink.close();
  }
}

const secured = jars && openssl ? it : it.skip;
secured.each(['scram-sha-512', 'plain'])('events go through TLS as a user of %s, and are read back so', async (mechanism) => {
  const to = securedSettings({ KAFKA_SASL_MECHANISM: mechanism, KAFKA_TOPIC_PREFIX: `${mechanism}.` });
  expect(await send(to, mechanism)).toBe('sent');
  expect((await readRunFromKafka(to, 'r1')).events.map(({ event }) => event.id)).toEqual([mechanism]);
}, 60_000);

secured.each([
  ['scram-sha-512', 'a wrong password', { KAFKA_SASL_PASSWORD_FILE: file('wrong-password') }, /refuses the user larry: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and the password's file\.$/],
  ['plain', 'a wrong password', { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD_FILE: file('wrong-password') }, /refuses the user larry: check/],
  ['plain', 'a user that is not there', { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'nobody' }, /refuses the user nobody: check/],
  ['scram-sha-256', 'a mechanism that the broker does not have', { KAFKA_SASL_MECHANISM: 'scram-sha-256' }, /refuses the user larry: check KAFKA_SASL_MECHANISM/],
  ['TLS', 'another authority', { KAFKA_SSL_CA: file('strange-ca.pem') }, /: TLS failed \(.+\): check KAFKA_SSL and KAFKA_SSL_CA\.$/],
  ['TLS', 'no authority of its own', { KAFKA_SSL_CA: undefined }, /: TLS failed \(.+\): check KAFKA_SSL and KAFKA_SSL_CA\.$/],
  ['TLS', 'a port that has none', { port: 'plain' }, /: TLS failed \(.+\): check KAFKA_SSL and KAFKA_SSL_CA\.$/],
  ['TLS', 'no TLS at all', { KAFKA_SSL: 'false', KAFKA_SSL_CA: undefined }, /: the connection was closed before an answer: .*KAFKA_SSL/],
])('%s with %s gives one sentence, without the password', async (_, __, more, sentence) => {
  const { port, ...env } = more as { port?: string };
  const to = { ...securedSettings(env), brokers: [port === 'plain' ? broker.address : broker.securedAddress] };
  const said = await send(to);
  expect(said).toMatch(sentence);
  expect(said.startsWith(`Kafka at ${to.brokers[0]}: `) || said.startsWith(`Kafka at ${to.brokers[0]} refuses`)).toBe(true);
  expect(said).not.toMatch(/hunter|\n/);
}, 60_000);
