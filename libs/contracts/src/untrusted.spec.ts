import { listOf, numberOf, recordOf, textOf, valueIn } from './untrusted';

describe('reading untrusted JSON', () => {
  it('gives empty values instead of throwing on the wrong shape', () => {
    for (const wrong of [null, undefined, 3, 'x', true]) {
      expect(recordOf(wrong)).toEqual({});
      expect(listOf(wrong)).toEqual([]);
      expect(valueIn(wrong, 'a', 'b')).toBeUndefined();
    }
    expect(recordOf([1])).toEqual({});
    expect(textOf('')).toBeUndefined();
    expect(numberOf(NaN)).toBeUndefined();
  });
  it('reads own properties only', () => {
    expect(valueIn({ a: [{ b: 7 }] }, 'a', 0, 'b')).toBe(7);
    expect(valueIn({}, 'constructor', 'name')).toBeUndefined();
    expect(valueIn([], 'length')).toBe(0);
  });
});
