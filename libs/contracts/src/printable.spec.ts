import fc from 'fast-check';
import { printable, stripControl } from './printable';

const dangerous = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;

describe('stripControl', () => {
  it.each([
    ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
    ['a cleared screen and a moved cursor', 'a\x1b[2J\x1b[1;1Hb', 'ab'],
    ['a window title', '\x1b]0;owned\x07title', 'title'],
    ['a hyperlink', '\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\', 'text'],
    ['a clipboard write', 'x\x1b]52;c;ZXZpbA==\x07y', 'xy'],
    ['a device control string', 'a\x1bPq#0\x1b\\b', 'ab'],
    ['an 8-bit CSI', 'a\x9b31mb', 'ab'],
    ['a sequence that a removal would put together', '\x1b\x1b[m[31mx', '[31mx'],
    ['an unfinished 8-bit title inside another', 'a\x9dx\x9dy', 'axy'],
    ['a sequence cut off at the end', 'abc\x1b[3', 'abc'],
    ['an unfinished title, whose text stays to be seen', 'a\x1b]0;hidden', 'a0;hidden'],
    ['a carriage return that would overwrite the line', 'bad\rgood', 'bad\ngood'],
    ['backspace, bell, NUL and DEL', 'a\b\x07\0\x7fb', 'ab'],
    ['right-to-left override', 'evil\u202egnp.exe', 'evilgnp.exe'],
    ['isolates and marks', '\u2066a\u2069\u200f\u061c', 'a'],
    ['zero-width and byte-order marks', 'a\u200bb\ufeffc', 'abc'],
    ['invisible tags', 'a\u{e0041}b', 'ab'],
    ['a lone surrogate', 'a\ud800b', 'ab'],
  ])('removes %s', (_what, input, expected) => {
    expect(stripControl(input)).toBe(expected);
  });

  it('keeps newlines, tabs, other scripts and emoji', () => {
    const text = 'Größe\t10\nשלום — 漢字 👩‍🚀';
    expect(stripControl(text)).toBe(text);
  });

  it('leaves nothing dangerous in any text', () => {
    const piece = fc.constantFrom('\x1b', '[', ']', '0;', '\x07', '\\', 'm', '\x9b', '\u202e', '\ud83d', '\ude00', '\r', 'a');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' }))), (pieces) => {
        const out = stripControl(pieces.join(''));
        expect(out).not.toMatch(dangerous);
        expect(stripControl(out)).toBe(out);
      }),
    );
  });
});

describe('printable', () => {
  it('makes one line and cuts it, saying so', () => {
    expect(printable('  a\n\tb  ')).toBe('a b');
    expect(printable('abcdef', 4)).toBe('abc…');
    expect(printable('abcd', 4)).toBe('abcd');
  });
  it('does not cut a character in half', () => {
    expect(printable('a😀😀', 3)).toBe('a…');
  });
  it('says that something was cut even where only controls are left', () => {
    expect(printable('\x1b[m'.repeat(10_000), 5)).toBe('…');
  });
  it('shows values that are no strings, also circular ones', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect([printable({ a: '\u001b' }), printable(undefined), printable(3n), printable(circular)]).toEqual([
      '{"a":"\\u001b"}',
      'undefined',
      '3',
      '[object Object]',
    ]);
  });
  it('never gives more than asked for', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (s, n) => printable(s, n).length <= n));
  });
});
