/**
 * The paths of keys that stand twice in the same object of a JSON text, as strict field validation reports them
 * (`data.a`). `JSON.parse` keeps the last of them and says nothing. The text must be valid JSON.
 */
export function duplicateFields(json: string): string[] {
  const found: string[] = [];
  const reader = new Reader(json);
  reader.value('', found);
  return found;
}

class Reader {
  private i = 0;

  constructor(private readonly s: string) {}

  private space(): void {
    while (' \n\r\t'.includes(this.s[this.i] ?? 'x')) this.i++;
  }

  private string(): string {
    const start = this.i++;
    while (this.s[this.i] !== '"' && this.i < this.s.length) this.i += this.s[this.i] === '\\' ? 2 : 1;
    this.i++;
    return JSON.parse(this.s.slice(start, this.i)) as string;
  }

  value(at: string, found: string[]): void {
    this.space();
    const c = this.s[this.i];
    if (c === '{') this.object(at, found);
    else if (c === '[') this.array(at, found);
    else if (c === '"') this.string();
    else while (this.i < this.s.length && !',]} \n\r\t'.includes(this.s[this.i] as string)) this.i++;
    this.space();
  }

  private object(at: string, found: string[]): void {
    const seen = new Set<string>();
    this.i++;
    this.space();
    while (this.i < this.s.length && this.s[this.i] !== '}') {
      const key = this.string();
      const here = at ? `${at}.${key}` : key;
      if (seen.has(key)) found.push(here);
      seen.add(key);
      this.space();
      this.i++;
      this.value(here, found);
      if (this.s[this.i] === ',') this.i++;
      this.space();
    }
    this.i++;
  }

  private array(at: string, found: string[]): void {
    this.i++;
    this.space();
    for (let n = 0; this.i < this.s.length && this.s[this.i] !== ']'; n++) {
      this.value(`${at}[${n}]`, found);
      if (this.s[this.i] === ',') this.i++;
      this.space();
    }
    this.i++;
  }
}
