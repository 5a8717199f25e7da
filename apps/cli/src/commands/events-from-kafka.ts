import { kafkaEnvironmentSchema, kafkaSettings, readRunFromKafka, type KafkaSettings } from '@larry/events';
import { eventLine } from '../run/event-line';
import { UserError } from '../user-error';

interface KafkaEventsOptions {
  run?: string;
  json?: boolean;
}

/** `larry events --kafka --run ID`: a run's events read back from Kafka alone; no Redis, no run that is alive. */
export async function eventsFromKafka(options: KafkaEventsOptions, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (options.run === undefined) throw new UserError('--kafka needs --run: which run to read back, for example --run run-20261122-202750-b32d96');
  const settings = settingsOf(env);
  const { events, passedOver } = await readRunFromKafka(settings, options.run).catch((error: Error) => {
    throw new UserError(error.message);
  });
  if (events.length === 0) throw new UserError(`Kafka at ${settings.brokers.join(', ')} holds no event of ${options.run}: is it the run's whole id, and did the meta-coordinator have KAFKA_BROKERS?`);
  for (const { cursor, event } of events) process.stdout.write(options.json ? `${JSON.stringify({ cursor, ...event })}\n` : `${eventLine({ id: cursor, event })}\n`);
  if (passedOver > 0) process.stderr.write(`${passedOver} messages under this run's key are no events of Larry's and are not shown\n`);
}

function settingsOf(env: NodeJS.ProcessEnv): KafkaSettings {
  const parsed = kafkaEnvironmentSchema.safeParse(env);
  if (!parsed.success) throw new UserError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  try {
    const settings = kafkaSettings(parsed.data);
    if (settings) return settings;
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
  throw new UserError('KAFKA_BROKERS is not set: KAFKA_BROKERS=host:9092 larry events --kafka --run …');
}
