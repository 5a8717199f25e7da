import { holdsToken, isSecretKey, secretLiteral } from '@larry/contracts';

/** What makes a text look like a secret; the text itself is never part of it. */
export type Finding = 'shape' | 'name';

/** Longer values are looked at up to here: a secret is short, a file of certificates is not. */
const maxScanned = 64 * 1024;
/**
 * Why a named value looks like a secret, or undefined. References (`$(VAR)`, `${VAR}`, `{{ … }}`, a path to a file),
 * switches and empty values hold none.
 */
export function secretIn(name: string, value: string): Finding | undefined {
  const literal = secretLiteral(value.slice(0, maxScanned));
  if (literal === 'token') return 'shape';
  return literal === 'plain' && isSecretKey(name) ? 'name' : undefined;
}

/** Why a text of many lines (a file in a ConfigMap) holds a secret: by a shape, or by a line that names one. */
export function secretInFile(text: string): Finding | undefined {
  const head = text.slice(0, maxScanned);
  if (holdsToken(head)) return 'shape';
  return head.split('\n').some(lineNamesSecret) ? 'name' : undefined;
}

function lineNamesSecret(line: string): boolean {
  const [, key = '', value = ''] =
    /^[ \t]*(?:export[ \t]+|- )?["']?([\w.-]{1,80})["']?[ \t]*[:=][ \t]*["']?([^"'#\s][^"'\n]{0,500})/.exec(line) ?? [];
  return key !== '' && !line.trimStart().startsWith('#') && secretIn(key, value) === 'name';
}
