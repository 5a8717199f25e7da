import type { KubeObject } from '@larry/contracts';
import { createHash, createPublicKey } from 'node:crypto';
import { UserError } from '../user-error';
import type { InstallChoices } from './releases';
import { neededSecrets } from './secrets';

const choices: InstallChoices = { images: 'r/larry', redisUrl: 'redis://redis:6379', writeNamespaces: [], repairHelm: [], modes: ['observe'], values: [] };
const none = () => Promise.resolve(undefined);

const values = (object: KubeObject | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(object?.['data'] as Record<string, string>).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
const found = (made: KubeObject[], namespace: string, name: string) => made.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
const book = (made: KubeObject[]) => (namespace: string, name: string) => {
  const object = found(made, namespace, name);
  return Promise.resolve(object && values(object));
};

it('gives every Larry the public half of the approval key and one journal key, and the private half to none of them', async () => {
  const { make } = await neededSecrets(choices, 'ada', none);
  const privateKey = values(found(make, 'meta-coordinator', 'larry-approval-key'))['approval.key'] as string;
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  const keys = ['larry-01', 'larry-02', 'larry-03'].map((larry) => values(found(make, larry, 'larry-keys')));
  expect(new Set(keys.map((k) => JSON.stringify(k))).size).toBe(1);
  expect(keys[0]).toEqual({ 'approval.pub': publicKey, 'journal.key': expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  expect(JSON.stringify(keys)).not.toContain('PRIVATE');
});

it('keeps the hash of the token, and shows the token', async () => {
  const { make, token = '' } = await neededSecrets(choices, 'ada', none);
  const tokens = values(found(make, 'meta-coordinator', 'larry-tokens'))['tokens.json'] as string;
  expect(JSON.parse(tokens)).toEqual({ ada: createHash('sha256').update(token).digest('hex') });
  expect(token).toHaveLength(48);
});

it('makes nothing a second time', async () => {
  const first = await neededSecrets(choices, 'ada', none);
  const second = await neededSecrets(choices, 'ada', book(first.make));
  expect(second).toEqual({ make: [], kept: expect.arrayContaining(['larry-01/larry-keys', 'meta-coordinator/larry-tokens']) as string[] });
});

it('adds what is missing so that it fits what is there', async () => {
  const first = await neededSecrets(choices, 'ada', none);
  const second = await neededSecrets(choices, 'ada', book(first.make.filter(({ metadata }) => metadata.namespace !== 'larry-02')));
  expect(values(found(second.make, 'larry-02', 'larry-keys'))).toEqual(values(found(first.make, 'larry-02', 'larry-keys')));
  expect(second.make).toHaveLength(2);
});

it('a Redis of its own has a password that its file and every address share', async () => {
  const { redisUrl: _, ...own } = { ...choices, redisImage: 'r/redis:7' };
  const { make } = await neededSecrets(own, 'ada', none);
  const password = /requirepass (\S+)/.exec(values(found(make, 'meta-coordinator', 'larry-redis'))['redis.conf'] ?? '')?.[1];
  expect(password).toMatch(/^[0-9a-f]{48}$/);
  expect(values(found(make, 'larry-03', 'larry-redis'))).toEqual({ url: `redis://:${password}@larry-redis.meta-coordinator.svc:6379` });
  expect((await neededSecrets(own, 'ada', book(make))).make).toEqual([]);
});

it.each([
  ['another address of Redis', { ...choices, redisUrl: 'redis://other:6379' }, /larry-redis in namespace larry-01 holds another address/],
])('is refused over %s, naming the Secret', async (_, wanted, sentence) => {
  const { make } = await neededSecrets(choices, 'ada', none);
  await expect(neededSecrets(wanted, 'ada', book(make))).rejects.toThrow(sentence);
  await expect(neededSecrets(wanted, 'ada', book(make))).rejects.toThrow(UserError);
});

it('is refused over keys of another installation', async () => {
  const [first, second] = [await neededSecrets(choices, 'ada', none), await neededSecrets(choices, 'ada', none)];
  const mixed = [...first.make.filter(({ metadata }) => metadata.namespace !== 'larry-02'), ...second.make.filter(({ metadata }) => metadata.namespace === 'larry-02')];
  await expect(neededSecrets(choices, 'ada', book(mixed))).rejects.toThrow(/larry-keys in namespace larry-02 holds the public half of another approval key/);
});
