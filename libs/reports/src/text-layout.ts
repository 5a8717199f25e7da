/** Characters that take two columns: East Asian wide and full-width forms (UAX #11), and emoji. */
const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Characters that take none of their own: marks, joiners, variation selectors. */
const none = /[\p{M}\u200c\u200d\ufe00-\ufe0f\u{1f3fb}-\u{1f3ff}]/u;
const plain = /^[\x20-\x7e]*$/;

/** Columns that a line takes in a terminal. The line holds no control characters: see `printable`. */
export function displayWidth(line: string): number {
  if (plain.test(line)) return line.length;
  let columns = 0;
  for (const character of line) columns += widthOf(character);
  return columns;
}

function widthOf(character: string): number {
  if (none.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** The line cut to so many columns, the last of which is `…` when something was cut. */
export function cut(line: string, columns: number): string {
  if (displayWidth(line) <= columns) return line;
  if (columns <= 0) return '';
  let kept = '';
  let used = 0;
  for (const character of line) {
    used += widthOf(character);
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** The line at exactly so many columns: cut, or filled with spaces. */
export function fitted(line: string, columns: number): string {
  const short = cut(line, columns);
  return short + ' '.repeat(Math.max(0, columns - displayWidth(short)));
}

/**
 * Breaks text at spaces so that no line takes more than `columns`; later lines are indented by `indent`, and the first is
 * taken to start at `used`. A word longer than a line (a digest, a name) is broken, after a separator where it has one.
 */
export function wrapped(text: string, columns: number, indent: number, used = 0): string {
  const room = Math.max(20, columns - indent);
  const lines: string[] = [];
  let line = '';
  let left = Math.max(0, columns - used);
  const next = (): void => {
    lines.push(line);
    line = '';
    left = room;
  };
  for (const word of text.split(' ')) {
    let rest = word;
    if (line !== '' && displayWidth(line) + 1 + displayWidth(rest) > left) next();
    while (displayWidth(rest) > left) {
      const head = line === '' && left >= room ? headOf(rest, left) : '';
      line += head;
      rest = rest.slice(head.length);
      next();
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** As much of a word as fits: to its last separator where one stands in the second half, else to the last column. */
function headOf(word: string, columns: number): string {
  let head = '';
  let width = 0;
  for (const character of word) {
    width += widthOf(character);
    if (width > columns) break;
    head += character;
  }
  const separator = Math.max(...['/', ',', ':', '@', '=', '-', '.', '_'].map((s) => head.lastIndexOf(s)));
  return separator >= head.length / 2 ? head.slice(0, separator + 1) : head || [...word][0] || '';
}
