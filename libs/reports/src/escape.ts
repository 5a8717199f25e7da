import { printable, stripControl } from '@larry/contracts';

const longestLine = 2000;
const longestText = 100_000;

/** Text inside an HTML element or a double-quoted attribute, also of an SVG. Lines of 2,000 characters and texts of 100,000 are cut, and say so. */
export function html(text: unknown): string {
  return limited(String(text ?? ''))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * One line of Markdown prose or a table cell: nothing in it is markup, a link or HTML (CommonMark, *Backslash escapes*;
 * GitHub Flavored Markdown, *Autolinks (extension)*).
 */
export function markdown(text: unknown, maxLength = 500): string {
  return printable(text, maxLength)
    .replace(/[\\`*_{}[\]()#+!|~<>]/g, (c) => `\\${c}`)
    .replaceAll('&', '&amp;')
    .replace(/:\/\//g, '\\://')
    .replace(/\b(www)\./gi, '$1\\.')
    .replace(/^(\d+)\./, '$1\\.')
    .replace(/^([-=])/, '\\$1');
}

/** A fenced block of Markdown whose fence is longer than any run of backticks inside. Cut like {@link html}. */
export function fenced(text: string, language = ''): string {
  const body = limited(text);
  const longest = [...body.matchAll(/`+/g)].reduce((n, m) => Math.max(n, m[0].length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${body}\n${fence}`;
}

/** Without controls and what XML cannot hold; no longer than a person reads, so that a log line of 10 MB stays out of a page. */
function limited(text: string): string {
  const head = text.length > longestText ? `${text.slice(0, longestText)}\n… ${text.length - longestText} characters more` : text;
  return stripControl(head)
    .replace(/[\ufffe\uffff]/g, '')
    .split('\n')
    .map((line) => cutLine(line, longestLine))
    .join('\n');
}

/** The line, cut to so many characters where it is longer; what was cut is counted. */
export function cutLine(line: string, length: number): string {
  if (line.length <= length) return line;
  return `${line.slice(0, length).replace(/[\ud800-\udbff]$/, '')}… (${line.length - length} characters more)`;
}
