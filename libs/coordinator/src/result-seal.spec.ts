import { isSealedResult, sealResult } from './result-seal';

const key = Buffer.from('k'.repeat(32));
const whose = { run: 'run-1', task: 'count' };
const result = { task: 'count', outcome: 'completed', figures: { critical: 6 }, nothing: undefined };
/** As Redis gives it back. */
const stored = (): Record<string, unknown> => JSON.parse(JSON.stringify(sealResult(result, whose, key))) as Record<string, unknown>;

describe('the seal of a result', () => {
  it('fits what was sealed, however its members are ordered', () => {
    expect(isSealedResult(stored(), whose, key)).toBe(true);
    expect(isSealedResult(Object.fromEntries(Object.entries(stored()).reverse()), whose, key)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['changed', { ...stored(), figures: { critical: 0 } }],
    ['longer', { ...stored(), criteria: [] }],
    ['not sealed', result],
    ['nothing', undefined],
    ['a text', 'completed'],
    ['sealed by nonsense', { ...stored(), seal: 'x' }],
    ['sealed with a list', { ...stored(), seal: [] }],
  ])('does not fit what is %s', (_what, forged) => expect(isSealedResult(forged, whose, key)).toBe(false));

  it("does not fit another task's, another run's or another key's", () => {
    expect(isSealedResult(stored(), { ...whose, task: 'draw' }, key)).toBe(false);
    expect(isSealedResult(stored(), { ...whose, run: 'run-2' }, key)).toBe(false);
    expect(isSealedResult(stored(), whose, Buffer.from('z'.repeat(32)))).toBe(false);
  });
});
