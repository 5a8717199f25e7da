import fc from 'fast-check';
import { cut, displayWidth, fitted, wrapped } from './text-layout';

describe('wrapped', () => {
  it('breaks at spaces and indents what follows', () => {
    expect(wrapped('one two three four five', 22, 2, 12)).toBe('one two\n  three four five');
  });

  it('breaks a word that no line can hold after a separator, and loses nothing of it', () => {
    const image = `registry.example/team/${'a'.repeat(30)}@sha256:${'0'.repeat(64)}`;
    const lines = wrapped(image, 40, 4, 4).split('\n');
    expect(lines.map((l) => l.trim()).join('')).toBe(image);
    expect(lines[0]).toMatch(/\/$/);
  });

  it('never takes more columns than there are, whatever the text', () => {
    const word = fc.oneof(fc.string({ unit: fc.constantFrom('a', '漢', '😀', 'é', '/', '-'), maxLength: 90 }), fc.constantFrom('of', 'a'));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), fc.integer({ min: 40, max: 100 }), fc.integer({ min: 0, max: 40 }), (words, columns, used) => {
        const lines = wrapped(words.join(' '), columns, 11, used).split('\n');
        lines.forEach((line, i) => expect((i === 0 ? used : 0) + displayWidth(line)).toBeLessThanOrEqual(columns));
        expect(lines.join('').replace(/ /g, '')).toBe(words.join(''));
      }),
    );
  });
});

describe('the width of text in a terminal', () => {
  it.each([
    ['abc', 3],
    ['├─é', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['🔥x', 3],
    ['', 0],
  ])('%j takes %i columns', (text, columns) => expect(displayWidth(text)).toBe(columns));

  it('cuts so that the mark of the cut still fits, also before a wide character', () => {
    expect(cut('abcdef', 4)).toBe('abc…');
    expect(cut('abc', 3)).toBe('abc');
    expect(cut('日本語', 4)).toBe('日…');
    expect(cut('abc', 0)).toBe('');
  });

  it('fits every text to exactly the columns', () => {
    for (const text of ['', 'abc', '日本語日本語', 'a🔥b🔥c']) for (const columns of [1, 2, 5, 12]) expect(displayWidth(fitted(text, columns))).toBe(columns);
  });
});
