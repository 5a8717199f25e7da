/** V8's words for what JSON.parse expected, and those of CPython's `json/decoder.py` for the same. */
const words: readonly (readonly [RegExp, string])[] = [
  [/Expected (?:double-quoted property name|property name)/, 'Expecting property name enclosed in double quotes'],
  [/Expected ':'/, "Expecting ':' delimiter"],
  [/Expected ','/, "Expecting ',' delimiter"],
  [/Unterminated string/, 'Unterminated string starting at'],
  [/Unexpected non-whitespace character after JSON/, 'Extra data'],
];

/** What Python says of a text that is no JSON, from what JSON.parse said of it. */
export function pythonJsonError(text: string, said: string): string {
  if (text.startsWith('\ufeff')) return 'Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)';
  const at = Number(/position (\d+)/.exec(said)?.[1] ?? (/end of JSON/.test(said) ? text.length : 0));
  const before = text.slice(0, at);
  const what = words.find(([pattern]) => pattern.test(said))?.[1] ?? 'Expecting value';
  return `${what}: line ${before.split('\n').length} column ${at - before.lastIndexOf('\n')} (char ${at})`;
}
