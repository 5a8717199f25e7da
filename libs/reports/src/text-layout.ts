/**
 * Breaks text at spaces so that no line is longer than `columns`; later lines are indented by `indent`, and the first is
 * taken to start at `used`. A word longer than a line is left whole, so that it can be copied.
 */
export function wrapped(text: string, columns: number, indent: number, used = 0): string {
  const lines: string[] = [];
  let line = '';
  let room = Math.max(20, columns - used);
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
      room = Math.max(20, columns - indent);
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}
