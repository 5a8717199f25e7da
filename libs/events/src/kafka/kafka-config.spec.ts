import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kafkaEnvironmentSchema, kafkaSettings } from './kafka-config';

const folder = mkdtempSync(path.join(tmpdir(), 'larry-kafka-config-'));
const password = path.join(folder, 'password');
beforeAll(() => writeFileSync(password, 'hunter2\n'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (env: Record<string, string>) => kafkaSettings(kafkaEnvironmentSchema.parse(env));

it('mirrors nothing where no broker is named', () => {
  expect(read({})).toBeUndefined();
});

it('takes brokers with spaces and IPv6, TLS with a private authority, and a user with the password of a file', () => {
  const env = { KAFKA_BROKERS: 'a:9092, [::1]:9093', KAFKA_SSL: 'true', KAFKA_SSL_CA: password, KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: 'larry', KAFKA_SASL_PASSWORD_FILE: password };
  expect(read(env)).toEqual({ brokers: ['a:9092', '[::1]:9093'], topicPrefix: '', ssl: { ca: 'hunter2\n' }, sasl: { mechanism: 'scram-sha-512', username: 'larry', password: 'hunter2' } });
});

it.each([
  [{ KAFKA_SASL_USERNAME: 'larry' }, 'KAFKA_SASL_MECHANISM is missing'],
  [{ KAFKA_SASL_MECHANISM: 'plain' }, 'KAFKA_SASL_USERNAME is missing'],
  [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'larry' }, 'KAFKA_SASL_PASSWORD_FILE is missing'],
  [{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'larry', KAFKA_SASL_PASSWORD_FILE: '/none' }, 'KAFKA_SASL_PASSWORD_FILE: the file /none cannot be read (ENOENT)'],
  [{ KAFKA_SSL_CA: '/none' }, 'KAFKA_SSL_CA is set and KAFKA_SSL is not'],
])('says of %j what is wrong', (env, sentence) => {
  expect(() => read({ KAFKA_BROKERS: 'a:9092', ...env })).toThrow(sentence);
});

it.each(['a', 'http://a:9092', 'a:9092,,b:1', 'a b:9092'])('refuses the brokers "%s"', (brokers) => {
  expect(() => read({ KAFKA_BROKERS: brokers })).toThrow('must be host:port');
});
