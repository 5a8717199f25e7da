import fc from 'fast-check';
import { fenced, html, markdown } from './escape';

const huge = 'x'.repeat(10_000_000);

describe('html', () => {
  it.each([
    ['a closing script', '</script><script>alert(1)</script>', '&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['an attribute that breaks out', '" onload=\'x\'', '&quot; onload=&#39;x&#39;'],
    ['an entity, so that it stays as written', '&lt;', '&amp;lt;'],
    ['a right-to-left mark and a terminal escape', '\u202egnp\u001b[31m', 'gnp'],
    ['what no XML may hold', 'a\uffff\ufffe\u0000b', 'ab'],
    ['nothing at all', undefined, ''],
  ])('disarms %s', (_what, text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it('cuts a line of 10 MB and many lines, and says how much is gone', () => {
    const line = html(huge);
    expect(line.length).toBeLessThan(110_000);
    expect(line).toContain('9900000 characters more');
    expect(html('y\n'.repeat(200_000)).length).toBeLessThan(110_000);
    expect(html(`short\n${'z'.repeat(3000)}`)).toBe(`short\n${'z'.repeat(2000)}… (1000 characters more)`);
  });

  it('leaves no character that ends text or an attribute', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(html(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/)));
  });
});

describe('markdown', () => {
  it.each([
    ['a link', '[a](javascript:alert(1))', '\\[a\\]\\(javascript:alert\\(1\\)\\)'],
    ['an image', '![a](x)', '\\!\\[a\\]\\(x\\)'],
    ['an address by itself, also in brackets', 'see (https://evil.example)', 'see \\(https\\://evil.example\\)'],
    ['an address without a scheme', 'www.evil.example', 'www\\.evil.example'],
    ['a table cell that ends the cell', 'a | b', 'a \\| b'],
    ['code and emphasis', '`x` *y* _z_ ~w~', '\\`x\\` \\*y\\* \\_z\\_ \\~w\\~'],
    ['HTML', '<img src=x>', '\\<img src=x\\>'],
    ['an entity', '&#60;', '&amp;\\#60;'],
    ['a heading, a list, a number, a rule', '# a', '\\# a'],
    ['a list', '- a', '\\- a'],
    ['a numbered list', '1. a', '1\\. a'],
    ['a heading below a line', 'a\n===', 'a ==='],
    ['a right-to-left mark', 'a\u202eb', 'ab'],
  ])('disarms %s', (_what, text, expected) => {
    expect(markdown(text)).toBe(expected);
  });

  it('is one line, and cuts one of 10 MB', () => {
    expect(markdown(`a\nb\r\n${huge}`)).toMatch(/^a b x+…$/);
    expect(markdown(huge).length).toBe(500);
  });
});

describe('fenced', () => {
  it('has a fence that no line of the text can close', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('`', '``', '```', '````', '\n', 'a', '</script>')), (parts) => {
        const lines = fenced(parts.join(''), 'yaml').split('\n');
        const fence = lines[0]?.replace('yaml', '') ?? '';
        expect(fence).toMatch(/^`{3,}$/);
        expect(lines.slice(1, -1).filter((l) => l.includes(fence))).toEqual([]);
        expect(lines.at(-1)).toBe(fence);
      }),
    );
  });

  it('copes with more runs of backticks than a call takes arguments', () => {
    expect(fenced('` '.repeat(49_000)).startsWith('```\n')).toBe(true);
  });

  it('cuts a line of 10 MB', () => {
    expect(fenced(huge).length).toBeLessThan(110_000);
  });
});
