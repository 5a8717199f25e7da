import { createLogger } from '@larry/service';
import { configuredSinks, mirrorEnvironmentSchema } from './sinks';

const log = createLogger({ larry: 'test' }, 'silent');
const sinks = (env: Record<string, string>) => configuredSinks(mirrorEnvironmentSchema.parse(env), log);

it('carries events nowhere by default', async () => {
  expect(await sinks({})).toEqual([]);
});

it('carries all events to Kafka and into traces, and the news from now on to a webhook', async () => {
  const configured = await sinks({ KAFKA_BROKERS: 'kafka:9092', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', LARRY_WEBHOOK_URL: 'https://hooks.example/T0/secret' });
  expect(configured.map(({ sink, first }) => [sink.name, first])).toEqual([['kafka', 'start'], ['traces', 'start'], ['webhook', 'now']]);
});

it.each([
  [{ LARRY_WEBHOOK_URL: 'nonsense' }, 'LARRY_WEBHOOK_URL is no address'],
  [{ LARRY_WEBHOOK_URL: 'http://hooks.example/secret' }, 'LARRY_WEBHOOK_URL must be https://'],
  [{ LARRY_WEBHOOK_URL: 'https://hooks.example/', LARRY_WEBHOOK_SECRET_FILE: '/none' }, 'LARRY_WEBHOOK_SECRET_FILE: the file /none cannot be read (ENOENT).'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"'],
  [{ KAFKA_BROKERS: 'kafka:9092', KAFKA_SASL_MECHANISM: 'plain' }, 'KAFKA_SASL_USERNAME is missing'],
])('says of %j which variable does not fit, and not what is secret in it', async (env, sentence) => {
  const problem = await sinks(env).catch((error: Error) => error);
  expect(problem).toMatchObject({ name: 'ConfigurationError', message: expect.stringContaining(sentence) });
  expect((problem as Error).message).not.toContain('secret');
});
