import * as fc from 'fast-check';
import { fitsGlob } from './glob';

describe('a pattern', () => {
  it.each([
    ['*', '', true],
    ['a', 'a', true],
    ['a', 'A', false],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'axxbyy', false],
    ['a.c', 'abc', false],
    ['', 'a', false],
    ['[ab]', 'a', false],
  ])('%s fits %s: %s', (pattern, text, fits) => {
    expect(fitsGlob(pattern, text)).toBe(fits);
  });

  it('agrees with the regular expression that it stands for', () => {
    const letters = fc.stringMatching(/^[ab]{0,8}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[ab*?]{0,8}$/), letters, (pattern, text) => {
        const expression = new RegExp(`^${pattern.replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
        return fitsGlob(pattern, text) === expression.test(text);
      }),
    );
  });

  it('of many stars takes no longer for it', () => {
    expect(fitsGlob(`${'*a'.repeat(100)}*b`, 'a'.repeat(5000))).toBe(false);
  });
});
