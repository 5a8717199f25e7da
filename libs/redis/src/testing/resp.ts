/** Cuts a client's byte stream into commands (arrays of bulk strings), as far as they have arrived. */
export class CommandReader {
  private pending: Buffer = Buffer.alloc(0);

  read(data: Buffer): readonly (readonly string[])[] {
    this.pending = Buffer.concat([this.pending, data]);
    const commands: string[][] = [];
    for (let next = this.one(); next; next = this.one()) commands.push(next);
    return commands;
  }

  private one(): string[] | undefined {
    const head = this.line(0);
    if (!head) return undefined;
    if (!head.text.startsWith('*')) {
      this.pending = this.pending.subarray(head.end);
      return head.text.split(' ');
    }
    const words: string[] = [];
    let at = head.end;
    for (let left = Number(head.text.slice(1)); left > 0; left -= 1) {
      const length = this.line(at);
      if (!length) return undefined;
      const end = length.end + Number(length.text.slice(1));
      if (this.pending.length < end + 2) return undefined;
      words.push(this.pending.toString('utf8', length.end, end));
      at = end + 2;
    }
    this.pending = this.pending.subarray(at);
    return words;
  }

  private line(from: number): { text: string; end: number } | undefined {
    const at = this.pending.indexOf('\r\n', from);
    return at < 0 ? undefined : { text: this.pending.toString('utf8', from, at), end: at + 2 };
  }
}
