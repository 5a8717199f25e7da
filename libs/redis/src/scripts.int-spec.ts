import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { loadScripts } from './scripts';
import { testRedis, type TestRedis } from './testing';

const FIXTURES = path.join(__dirname, '__fixtures__', 'lua');

describe('a folder of scripts', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('takes name and number of keys from the file name', () => {
    expect(loadScripts(FIXTURES)).toMatchObject({ remember: { numberOfKeys: 2 }, iso: { numberOfKeys: 0 } });
  });

  it('puts its own and the shared includes in place', () => {
    expect(loadScripts(FIXTURES)['remember']?.lua).toMatch(/^#!lua\n[^]*local function emit[^]*local function twice/);
  });

  it.each([
    ['nokeys.lua', '', /named <name>-<number of keys>.lua/],
    ['x-1.lua', '-- @include missing', /includes "missing"/],
  ])('names the file %s that is wrong', (file, text, message) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'larry-lua-'));
    writeFileSync(path.join(folder, file), text);
    expect(() => loadScripts(folder)).toThrow(message);
    rmSync(folder, { recursive: true });
  });

  it('refuses a call with the wrong number of keys', async () => {
    const scripts = (await redis.client()).scripts(FIXTURES);
    await expect(scripts.run('remember', ['a'], [])).rejects.toThrow('takes 2 keys, got 1');
  });

  it('writes times as JavaScript does, at any moment of 200 years', async () => {
    const scripts = (await redis.client()).scripts(FIXTURES);
    const moment = fc.integer({ min: 0, max: Date.UTC(2170, 0, 1) });
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 50 }), async (moments) => {
        expect(await scripts.run('iso', [], moments)).toEqual(moments.map((ms) => new Date(ms).toISOString()));
      }),
      { numRuns: 40 },
    );
  });
});
