import { eventsFromKafka } from './events-from-kafka';

it.each([
  [{}, {}, '--kafka needs --run'],
  [{ run: 'r1' }, {}, 'KAFKA_BROKERS is not set'],
  [{ run: 'r1' }, { KAFKA_BROKERS: 'nonsense' }, 'KAFKA_BROKERS'],
  [{ run: 'r1' }, { KAFKA_BROKERS: 'a:1', KAFKA_SASL_MECHANISM: 'plain' }, 'KAFKA_SASL_USERNAME is missing'],
  [{ run: 'r1' }, { KAFKA_BROKERS: '127.0.0.1:1' }, 'Kafka at 127.0.0.1:1: '],
])('says of %j with %j what is missing', async (options, env, sentence) => {
  await expect(eventsFromKafka(options, env)).rejects.toMatchObject({ name: 'UserError', message: expect.stringContaining(sentence) });
});
