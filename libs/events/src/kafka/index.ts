import type { MirrorSink } from '../mirror/mirror';
import type { KafkaSettings } from './kafka-config';
import type { RunFromKafka } from './kafka-reader';

// kafkajs costs memory and start-up: it is loaded where it is used.

/** A sink for {@link mirrorEvents} that sends to Kafka; it connects when it first sends. */
export async function kafkaSink(settings: KafkaSettings): Promise<MirrorSink> {
  const { KafkaSink } = await import('./kafka-sink.js');
  return new KafkaSink(settings);
}

/**
 * A run's events from Kafka alone: both topics from their beginning to their present end, repeats dropped, in the order in
 * which they happened. What is no event of ours is passed over and counted. Memory grows with the run's own events only.
 * @throws Error in one sentence where Kafka cannot be read
 */
export async function readRunFromKafka(settings: KafkaSettings, run: string): Promise<RunFromKafka> {
  const reader = await import('./kafka-reader.js');
  return reader.readRun(settings, run);
}
