import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { UserError } from '../user-error';
import { askedChoices, checkWords, type InstallOptions } from './choices';

const options: InstallOptions = { images: 'localhost:5000/larry', redisUrl: 'redis://redis:6379', writeNamespaces: [], repairHelm: [], modes: ['observe'], values: [] };
let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'larry-choices-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (text: string): string => {
  const name = path.join(folder, 'redis-url');
  writeFileSync(name, text);
  return name;
};

it.each([
  [{ modes: ['foo'] }, /^--modes: "foo" is not one of observe, ask, auto/],
  [{ modes: [] }, /^--modes names no mode/],
  [{ images: 'bad image' }, /^--images: "bad image" is not/],
  [{ images: 'https://registry.example/larry' }, /^--images: /],
  [{ images: 'localhost/larry:latest' }, /^--images: /],
  [{ tag: 'a b' }, /^--tag: "a b" is not/],
  [{ redisUrlFile: 'x' }, /^--redis-url and --redis-url-file/],
])('%j is refused in one sentence', (wrong, sentence) => {
  const check = (): void => checkWords({ ...options, ...wrong });
  expect(check).toThrow(UserError);
  expect(check).toThrow(sentence);
});

it.each(['localhost/larry', 'localhost:5000/larry', 'registry.example/a/b__c.d-e/', '10.0.0.1:5000/larry'])('takes %s as the place of images', (images) => {
  expect(() => checkWords({ ...options, images, modes: ['observe', 'ask', 'auto'] })).not.toThrow();
});

it('reads the address of Redis from a file', async () => {
  const { redisUrl: _, ...without } = options;
  expect(await askedChoices({ ...without, redisUrlFile: file('rediss://:canary@redis:6379\n') }, false)).toMatchObject({ redisUrl: 'rediss://:canary@redis:6379' });
});

it('says what is wrong with that file, without what is in it', async () => {
  const { redisUrl: _, ...without } = options;
  await expect(askedChoices({ ...without, redisUrlFile: path.join(folder, 'nowhere') }, false)).rejects.toThrow(/^--redis-url-file: .*nowhere cannot be read \(ENOENT\)/);
  const wrong = askedChoices({ ...without, redisUrlFile: file('canary\n') }, false);
  await expect(wrong).rejects.toThrow(/^--redis-url-file must hold an address that begins with redis:/);
  await expect(wrong).rejects.not.toThrow('canary');
});
