import { ConfigurationError } from '@larry/service';
import { createHash } from 'node:crypto';
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
    expect(() => readTokens('/nowhere/tokens')).toThrow(/LARRY_TOKENS_FILE: \/nowhere\/tokens cannot be read/);
  });
});

it('a book knows its tokens and no other', () => {
  const book = tokenBook([['ada', hash.toUpperCase()]]);
  expect(book.bearerOf('t')).toBe('ada');
  expect(book.bearerOf('u')).toBeUndefined();
  expect(book.bearerOf('')).toBeUndefined();
});
