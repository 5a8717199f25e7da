import fc from 'fast-check';
import { jsonPieces, lazyList } from './json-pieces';

const whole = (value: unknown, depth?: number) => [...jsonPieces(value, depth)].join('');

describe('JSON in pieces', () => {
  it('is the JSON that would be written at once, at every depth', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 6 }), (value, depth) => expect(whole(value, depth)).toBe(JSON.stringify(value, null, 2))),
    );
  });

  it('leaves out what is undefined, and writes what makes its own JSON', () => {
    const value = { a: undefined, at: new Date(0), list: [undefined, {}, []], text: 'two\nlines' };
    expect(whole(value)).toBe(JSON.stringify(value, null, 2));
  });

  it('makes one element of a lazy list at a time', () => {
    let made = 0;
    const value = { results: lazyList([1, 2, 3], (n) => ({ n: (made++, n) })) };
    const pieces = jsonPieces(value)[Symbol.iterator]();
    while (made === 0) pieces.next();
    expect(made).toBe(1);
    expect(whole(value)).toBe(JSON.stringify(value, null, 2));
  });
});
