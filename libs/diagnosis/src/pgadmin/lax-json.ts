/** Words of Python for JSON's. */
const pythonWords: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

const blank = /\s+/y;
const comment = /(?:\/\/|#)[^\n]*|\/\*[\s\S]*?\*\//y;
const doubleQuoted = /"(?:[^"\\\n]|\\.)*"/y;
const singleQuoted = /'([^'"\\\n]*)'/y;
const word = /[\w.+-]+/y;

/**
 * JSON that was written as people write it, as JSON: without a byte order mark, comments and commas before a closing bracket, with
 * double quotes, quoted keys and JSON's own words, and with the one bracket that is missing at the very end. Everything else stays as
 * it stands. Undefined where it is JSON already, where more than the last bracket is missing, and where its meaning would be a guess.
 */
export function correctedJson(text: string): { text: string; what: string[] } | undefined {
  const scan = new Scan(text);
  while (scan.at < text.length) if (!scan.step()) return undefined;
  const out = scan.finished();
  if (out === undefined || scan.what.size === 0) return undefined;
  try {
    JSON.parse(out);
  } catch {
    return undefined;
  }
  return { text: out, what: [...scan.what] };
}

class Scan {
  at = 0;
  readonly what = new Set<string>();
  private out = '';
  private readonly open: string[] = [];

  constructor(private readonly text: string) {}

  /** Takes the next piece over; false where it cannot be understood. */
  step(): boolean {
    const char = this.text[this.at] ?? '';
    if (char === '\ufeff') return this.replaced(char, '', 'a byte order mark');
    const space = this.take(blank);
    if (space) return this.copied(space[0]);
    const said = this.take(comment);
    if (said) return this.replaced(said[0], '', 'a comment');
    const string = this.take(doubleQuoted);
    if (string) return this.copied(string[0]);
    const quoted = this.take(singleQuoted);
    if (quoted) return this.replaced(quoted[0], `"${quoted[1] ?? ''}"`, 'single quotes');
    const bare = this.take(word);
    return bare ? this.word(bare[0]) : this.mark(char);
  }

  /** The whole text, with the one bracket that may be missing. */
  finished(): string | undefined {
    if (this.open.length === 0) return this.out;
    if (this.open.length > 1 || this.open[0] !== '}') return undefined;
    this.what.add('no } at the end');
    return `${this.out.trimEnd()}\n}\n`;
  }

  private word(bare: string): boolean {
    if (/^\s*:/.test(this.text.slice(this.at + bare.length, this.at + bare.length + 100))) return this.replaced(bare, `"${bare}"`, 'a key without quotes');
    const json = Object.hasOwn(pythonWords, bare) ? pythonWords[bare] : undefined;
    return json === undefined ? this.copied(bare) : this.replaced(bare, json, `${bare} for ${json}`);
  }

  private mark(char: string): boolean {
    if (char === '{' || char === '[') this.open.push(char === '{' ? '}' : ']');
    else if ((char === '}' || char === ']') && this.open.pop() !== char) return false;
    else if (char === ',' && this.closesAfter()) return this.replaced(char, '', 'a comma before a closing bracket');
    else if (!'}],:'.includes(char)) return false;
    return this.copied(char);
  }

  /** Whether only blanks and comments come before the next closing bracket, or the end. */
  private closesAfter(): boolean {
    let at = this.at + 1;
    for (let length = -1; length !== 0; at += length) {
      blank.lastIndex = comment.lastIndex = at;
      length = (blank.exec(this.text) ?? comment.exec(this.text))?.[0].length ?? 0;
    }
    return at >= this.text.length || this.text[at] === '}' || this.text[at] === ']';
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text) ?? undefined;
  }

  private copied(piece: string): boolean {
    this.out += piece;
    this.at += piece.length;
    return true;
  }

  private replaced(piece: string, by: string, what: string): boolean {
    this.out += by;
    this.at += piece.length;
    this.what.add(what);
    return true;
  }
}
