/** Escape sequences of terminals, complete or cut off: strings (OSC, DCS, SOS, PM, APC), then CSI, then the short ones. */
const escapeSequences =
  /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?/g;

/** C0 without tab and newline, DEL, C1, bidirectional controls, invisible spaces and tags, lone surrogates. */
const invisible =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;

/**
 * Text of a cluster, a log, a repository or a model without anything that a terminal would obey or a reader would not
 * see: ANSI sequences, C0 and C1 controls, bidirectional controls (CVE-2021-42574), zero-width marks and tags.
 * Newlines and tabs stay; `\r\n` and the Unicode line ends become `\n`. Takes time linear in the text.
 */
export function stripControl(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029\x85]/g, '\n')
    .replace(escapeSequences, '')
    .replace(invisible, '');
}

/**
 * A line of a file without what a reader could take for another line: a break inside it is shown as `␍`, all else as {@link stripControl}
 * does. The `\r` of a Windows line end stays out. Takes time linear in the text.
 */
export function shownLine(line: string): string {
  return stripControl(line.replace(/\r$/, '').replace(/[\n\r\u2028\u2029\x85]/g, '␍'));
}

/**
 * One line that is safe to print: {@link stripControl}, whitespace folded to single spaces, at most `maxLength`
 * UTF-16 units, the last of which is `…` when something was cut. Anything but a string is shown as JSON.
 */
export function printable(value: unknown, maxLength = 300): string {
  const text = typeof value === 'string' ? value : asText(value);
  // Only what can be shown is looked at, so that a line of 10 MB costs what a short one costs.
  const head = text.slice(0, maxLength * 8);
  const line = stripControl(head).replace(/\s+/g, ' ').trim();
  if (line.length <= maxLength && head.length === text.length) return line;
  if (line.length < maxLength) return `${line}…`;
  return `${line.slice(0, Math.max(0, maxLength - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

function asText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
