import { lastLines } from './log-lines';

describe('lastLines', () => {
  it('gives the last lines, oldest first', () => {
    expect(lastLines('a\r\nb\n\nc', { tailLines: 3 })).toEqual(['b', '', 'c']);
    expect(lastLines('')).toEqual([]);
  });

  it('keeps within the bytes, but never gives nothing where there was something', () => {
    expect(lastLines('aaaa\nbbbb\ncccc\n', { limitBytes: 10 })).toEqual(['bbbb', 'cccc']);
    expect(lastLines('aaaaaaaa\n', { limitBytes: 4 })).toEqual(['aaaa… (4 bytes cut)']);
  });

  it('cuts a line of 10 MB and says by how much', () => {
    const [first, second] = lastLines(`${'x'.repeat(10_000_000)}\nend`);
    expect(first).toHaveLength(65_536 + '… (9934464 bytes cut)'.length);
    expect(second).toBe('end');
  });

  it('has a default of 1,000 lines', () => {
    expect(lastLines('x\n'.repeat(5_000))).toHaveLength(1_000);
  });
});
