import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The environment of the mirror to Kafka; without KAFKA_BROKERS there is none. */
export const kafkaEnvironmentSchema = z.object({
  /** `host:port`, several with commas. */
  KAFKA_BROKERS: z
    .string()
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/, 'must be host:port, several with commas')).min(1))
    .optional(),
  /** `true` for TLS; with a private authority also KAFKA_SSL_CA. */
  KAFKA_SSL: z.enum(['true', 'false']).default('false'),
  /** PEM file of the authority that signed the brokers' certificates. */
  KAFKA_SSL_CA: z.string().optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  /** File that holds the password and nothing else. */
  KAFKA_SASL_PASSWORD_FILE: z.string().optional(),
  /** Goes before the topics' names: `larry.coordination`, `larry.alerts`. */
  KAFKA_TOPIC_PREFIX: z.string().regex(/^[A-Za-z0-9._-]{0,100}$/, 'may hold letters, digits and . _ - only').default(''),
});
export type KafkaEnvironment = z.infer<typeof kafkaEnvironmentSchema>;

/** How to reach Kafka. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  /** Goes before the topics' names. */
  readonly topicPrefix: string;
  /** TLS with the system's authorities (`true`), or with this one, PEM. */
  readonly ssl: boolean | { readonly ca: string };
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
}

/** The settings in an environment, or `undefined` where no broker is named. @throws Error naming the variable that does not fit */
export function kafkaSettings(env: KafkaEnvironment): KafkaSettings | undefined {
  if (!env.KAFKA_BROKERS) return undefined;
  const base = { brokers: env.KAFKA_BROKERS, topicPrefix: env.KAFKA_TOPIC_PREFIX, ssl: sslOf(env) };
  if (!env.KAFKA_SASL_MECHANISM) {
    if (env.KAFKA_SASL_USERNAME || env.KAFKA_SASL_PASSWORD_FILE) throw new Error('KAFKA_SASL_MECHANISM is missing: set it to plain, scram-sha-256 or scram-sha-512.');
    return base;
  }
  if (!env.KAFKA_SASL_USERNAME) throw new Error('KAFKA_SASL_USERNAME is missing: KAFKA_SASL_MECHANISM needs it.');
  if (!env.KAFKA_SASL_PASSWORD_FILE) throw new Error('KAFKA_SASL_PASSWORD_FILE is missing: KAFKA_SASL_MECHANISM needs it.');
  const password = fileOf('KAFKA_SASL_PASSWORD_FILE', env.KAFKA_SASL_PASSWORD_FILE).trim();
  return { ...base, sasl: { mechanism: env.KAFKA_SASL_MECHANISM, username: env.KAFKA_SASL_USERNAME, password } };
}

function sslOf(env: KafkaEnvironment): boolean | { ca: string } {
  if (env.KAFKA_SSL === 'true') return env.KAFKA_SSL_CA ? { ca: fileOf('KAFKA_SSL_CA', env.KAFKA_SSL_CA) } : true;
  if (env.KAFKA_SSL_CA) throw new Error('KAFKA_SSL_CA is set and KAFKA_SSL is not "true": set both, or neither.');
  return false;
}

function fileOf(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${variable}: the file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`, { cause: error });
  }
}
