import { cut, displayWidth, fitted } from './text-width';

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
