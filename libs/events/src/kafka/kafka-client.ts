import { channels, type Channel } from '@larry/contracts';
import { Kafka, logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs';
import type { KafkaSettings } from './kafka-config';

/** The topic of a channel: `larry:alerts` is mirrored to `larry.alerts`. */
export function topicOf(channel: string, settings: KafkaSettings): string {
  return `${settings.topicPrefix}${channel.replace(':', '.')}`;
}

/** Both topics. */
export function topicsOf(settings: KafkaSettings): string[] {
  return channels.map((channel: Channel) => topicOf(channel, settings));
}

/** A client that fails within seconds: whoever uses it tries again by a rule of its own. */
export function kafkaClient(settings: KafkaSettings): Kafka {
  const { brokers, ssl, sasl } = settings;
  const config: KafkaConfig = {
    clientId: 'larry',
    brokers: [...brokers],
    ssl: typeof ssl === 'boolean' ? ssl : { ca: [ssl.ca] },
    connectionTimeout: 5000,
    requestTimeout: 10_000,
    retry: { retries: 2, initialRetryTime: 200, maxRetryTime: 1000 },
    logLevel: logLevel.NOTHING,
  };
  return new Kafka(sasl ? { ...config, sasl: sasl as SASLOptions } : config);
}

/** What went wrong, for people; brokers are named, credentials never. */
export function kafkaFault(error: unknown, settings: KafkaSettings): Error {
  const message = error instanceof Error ? error.message : String(error);
  const brokers = settings.brokers.join(', ');
  if (/SASL|authentication/i.test(message)) return new Error(`Kafka at ${brokers} refuses the user ${settings.sasl?.username ?? '(none given)'}: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and the password's file.`);
  if (/authoriz/i.test(message)) return new Error(`Kafka at ${brokers} does not let us use the topics ${topicsOf(settings).join(' and ')}: grant Write, Describe and Create (to read back: Read, and Read on groups named larry-*).`);
  if (/certificate|self.signed|ssl|tls/i.test(message)) return new Error(`Kafka at ${brokers}: TLS failed (${message}): check KAFKA_SSL and KAFKA_SSL_CA.`);
  if (/closed connection/i.test(message)) return new Error(`Kafka at ${brokers}: the connection was closed before an answer: check KAFKA_SSL (whether this port takes TLS) and KAFKA_SASL_MECHANISM.`);
  return new Error(`Kafka at ${brokers}: ${message}`);
}
