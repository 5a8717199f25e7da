import { readReply, refused } from './outcomes';

describe("a script's reply", () => {
  it('is done, done before, or refused with a name and what came along', () => {
    expect(readReply('x', [1, 'fence'])).toEqual({ ok: true, repeated: false, values: ['fence'] });
    expect(readReply('x', [0])).toEqual({ ok: true, repeated: true, values: [] });
    const held = readReply('x', [-3, 1700]);
    expect(held).toEqual({ ok: false, refusal: 'held', values: [1700] });
    expect(held.ok ? undefined : refused(held)).toEqual({ outcome: 'refused', why: 'held', detail: '1700' });
  });

  it.each([[[-99]], ['OK'], [null], [[]]])('%j that no header names is an error that names the script', (reply) => {
    expect(() => readReply('claim', reply)).toThrow('script "claim" answered');
  });
});
