import { printable, stripControl } from '@larry/contracts';

/** Text inside an HTML element or a double-quoted attribute. */
export function html(text: unknown): string {
  return stripControl(String(text ?? ''))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** One line of Markdown prose or a table cell: nothing in it is markup, a link or HTML (CommonMark, *Backslash escapes*). */
export function markdown(text: unknown, maxLength = 500): string {
  return printable(text, maxLength)
    .replace(/[\\`*_{}[\]()#+!|~<>]/g, (c) => `\\${c}`)
    .replaceAll('&', '&amp;')
    .replace(/(^|\s)(https?):\/\//gi, '$1$2\\://')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^([-=])/, '\\$1');
}

/** A fenced block of Markdown whose fence is longer than any run of backticks inside. */
export function fenced(text: string, language = ''): string {
  const body = stripControl(text);
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map((m) => m[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${body}\n${fence}`;
}
