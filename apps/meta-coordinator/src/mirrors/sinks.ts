import {
  kafkaEnvironmentSchema,
  kafkaSettings,
  kafkaSink,
  tracesEnvironmentSchema,
  tracesSettings,
  tracesSink,
  WebhookSink,
  type KafkaSettings,
  type MirrorOptions,
  type TracesSettings,
  type WebhookSettings,
} from '@larry/events';
import { ConfigurationError, type Logger } from '@larry/service';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What carries events out of Redis, by the environment; nothing by default. */
export const mirrorEnvironmentSchema = kafkaEnvironmentSchema.extend(tracesEnvironmentSchema.shape).extend({
  /** Told of approvals asked for, alerts, and the end of a run: one POST each. Held secret: such addresses often are. */
  LARRY_WEBHOOK_URL: z.string().optional(),
  /** `slack`: `{"text": …}`, as Slack and Mattermost take it. */
  LARRY_WEBHOOK_FORMAT: z.enum(['json', 'slack']).default('json'),
  /** File with the secret that signs the bodies (`X-Larry-Signature`). */
  LARRY_WEBHOOK_SECRET_FILE: z.string().optional(),
});
export type MirrorEnvironment = z.infer<typeof mirrorEnvironmentSchema>;

/** A sink, opened, and where it begins when it never sent anything. */
export type ConfiguredSink = Pick<MirrorOptions, 'sink' | 'first'>;

/**
 * The sinks that the environment asks for. Kafka and traces get all that the stream has; a webhook what comes: nobody
 * wants yesterday's alerts at the first start.
 * @throws ConfigurationError naming the variable that does not fit
 */
export async function configuredSinks(env: MirrorEnvironment, log: Logger): Promise<ConfiguredSink[]> {
  const { kafka, traces, webhook } = settingsOf(env);
  const sinks: ConfiguredSink[] = [];
  if (kafka) sinks.push({ sink: await kafkaSink(kafka), first: 'start' });
  if (traces) sinks.push({ sink: await tracesSink(traces, log), first: 'start' });
  if (webhook) sinks.push({ sink: new WebhookSink(webhook, log), first: 'now' });
  return sinks;
}

function settingsOf(env: MirrorEnvironment): { kafka?: KafkaSettings; traces?: TracesSettings; webhook?: WebhookSettings } {
  try {
    const kafka = kafkaSettings(env);
    const traces = tracesSettings(env);
    return { ...(kafka ? { kafka } : {}), ...(traces ? { traces } : {}), ...(env.LARRY_WEBHOOK_URL ? { webhook: webhookOf(env.LARRY_WEBHOOK_URL, env) } : {}) };
  } catch (error) {
    throw new ConfigurationError(error instanceof Error ? error.message : String(error));
  }
}

function webhookOf(text: string, env: MirrorEnvironment): WebhookSettings {
  if (!URL.canParse(text)) throw new Error('LARRY_WEBHOOK_URL is no address: it must be https://…');
  const url = new URL(text);
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) throw new Error('LARRY_WEBHOOK_URL must be https://… (http:// only on this machine): events would travel in the clear.');
  const file = env.LARRY_WEBHOOK_SECRET_FILE;
  if (file === undefined) return { url, format: env.LARRY_WEBHOOK_FORMAT };
  try {
    return { url, format: env.LARRY_WEBHOOK_FORMAT, secret: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    throw new Error(`LARRY_WEBHOOK_SECRET_FILE: the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`, { cause: error });
  }
}
