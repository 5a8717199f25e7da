import { canonicalQuantity, quantityValue } from './quantity';

describe('quantities', () => {
  it.each([
    ['1000m', '1'], ['0.5', '500m'], ['64Mi', '64Mi'], ['1024Mi', '1Gi'], ['1.5Gi', '1536Mi'], ['100000', '100k'], ['0', '0'], ['0.0', '0'], ['2', '2'], ['1500m', '1500m'], ['250u', '250u'],
  ])('writes %s as %s', (sent, stored) => expect(canonicalQuantity(sent)).toBe(stored));

  it('refuses what is no quantity', () => expect(['', 'abc', '1 Gi', {}, null].map(canonicalQuantity)).toEqual([undefined, undefined, undefined, undefined, undefined]));

  it('reads values in their unit', () => expect(['100m', '1Gi', '2k', 'x'].map(quantityValue)).toEqual([0.1, 1024 ** 3, 2000, NaN]));
});
