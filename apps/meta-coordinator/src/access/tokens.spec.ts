import { ConfigurationError } from '@larry/service';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseTokens, readTokens, tokenBook } from './tokens';

const hash = createHash('sha256').update('t').digest('hex');

describe('the tokens file', () => {
  it('is JSON or lines with comments', () => {
    expect(parseTokens(`{"ada":"${hash}"}`, 'f')).toEqual([['ada', hash]]);
    expect(parseTokens(`# people\n\nada:${hash} # on call\nben@ops : ${hash}\n`, 'f')).toEqual([['ada', hash], ['ben@ops', hash]]);
  });

  it.each([
    ['a token instead of its hash', 'ada:secret', /line 1.*sha-256/],
    ['a line without a name', hash, /line 1: a name/],
    ['a name with spaces', `\nada b:${hash}`, /line 2: a name/],
    ['a name that stands twice', `ada:${hash}\nada:${hash}`, /line 2: the name "ada" stands twice/],
    ['JSON that does not parse', '{"ada":', /not JSON/],
    ['JSON with a number', '{"ada":1}', /"ada": after the name/],
  ])('is refused with %s', (_, text, sentence) => {
    expect(() => parseTokens(text, 'tokens.txt')).toThrow(ConfigurationError);
    expect(() => parseTokens(text, 'tokens.txt')).toThrow(sentence);
  });

  it('is named when it cannot be read', () => {
    expect(() => readTokens('/nowhere/tokens', () => undefined)).toThrow(/LARRY_TOKENS_FILE: \/nowhere\/tokens cannot be read/);
  });
});

describe('a tokens file that changes', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(path.join(os.tmpdir(), 'larry-tokens-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('lets in who was added and keeps out who was withdrawn, without a new start', () => {
    const file = path.join(folder, 'tokens');
    writeFileSync(file, `ada:${hash}\n`);
    const book = readTokens(file, () => undefined);
    expect(book.bearerOf('t')).toBe('ada');
    const other = createHash('sha256').update('other').digest('hex');
    writeFileSync(file, `# ada has left\nben:${other}\n`);
    expect([book.bearerOf('t'), book.bearerOf('other')]).toEqual([undefined, 'ben']);
  });

  it('lets nobody in while it does not fit or is gone, says so once, and goes on when it is mended', () => {
    const file = path.join(folder, 'tokens');
    const said: string[] = [];
    writeFileSync(file, `ada:${hash}\n`);
    const book = readTokens(file, (message) => said.push(message));
    writeFileSync(file, 'ada:not-a-hash\n');
    expect([book.bearerOf('t'), book.bearerOf('t')]).toEqual([undefined, undefined]);
    rmSync(file);
    expect(book.bearerOf('t')).toBeUndefined();
    expect(said).toEqual([expect.stringMatching(/line 1: after the name.*no token is accepted/), expect.stringMatching(/cannot be read.*no token is accepted/)]);
    writeFileSync(file, `ada:${hash}\n`);
    expect(book.bearerOf('t')).toBe('ada');
  });
});

it('a book knows its tokens and no other', () => {
  const book = tokenBook([['ada', hash.toUpperCase()]]);
  expect(book.bearerOf('t')).toBe('ada');
  expect(book.bearerOf('u')).toBeUndefined();
  expect(book.bearerOf('')).toBeUndefined();
});
