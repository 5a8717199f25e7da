import { isSecretKey, redactText } from '@larry/contracts';

/** What makes a text look like a secret; the text itself is never part of it. */
export type Finding = 'shape' | 'name';

/** Longer values are looked at up to here: a secret is short, a file of certificates is not. */
const maxScanned = 64 * 1024;
const harmlessValue =
  /^(?:true|false|yes|no|on|off|none|null|nil|\d{1,5}|auto|default|disabled|enabled|required|optional|changeme-from-secret)$/i;

/**
 * Why a named value looks like a secret, or undefined. References (`$(VAR)`, `${VAR}`, `{{ … }}`, a path to a file),
 * switches and empty values hold none.
 */
export function secretIn(name: string, value: string): Finding | undefined {
  const text = value.slice(0, maxScanned).trim();
  if (text === '' || isReference(text)) return undefined;
  if (hasSecretShape(text)) return 'shape';
  return isSecretKey(name) && !harmlessValue.test(text) && !isFilePath(text) ? 'name' : undefined;
}

/** Why a text of many lines (a file in a ConfigMap) holds a secret: by a shape, or by a line that names one. */
export function secretInFile(text: string): Finding | undefined {
  const head = text.slice(0, maxScanned);
  if (hasSecretShape(head)) return 'shape';
  return head.split('\n').some(lineNamesSecret) ? 'name' : undefined;
}

/** Certificates are public; `redactText` hides every PEM block, so only private keys count here. */
function hasSecretShape(text: string): boolean {
  if (/-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----/.test(text)) return true;
  // Assignments are judged by name, so only what is known by its shape alone may be left to find here.
  return text.split(/[\s"'`,;]+/).some((word) => {
    const bare = word.includes('://') ? word : word.replace(/^[\w.-]{1,80}[:=]+/, '');
    return (
      bare.length >= 12 &&
      bare.length <= 4096 &&
      !isReference(bare) &&
      redactText(bare).includes('[redacted]') &&
      !holdsReferenceOnly(bare)
    );
  });
}

/** `postgres://app:$(PASSWORD)@db`: the secret is elsewhere. */
function holdsReferenceOnly(word: string): boolean {
  const userInfo = /:\/\/[^\s/@:]*:([^\s/@]+)@/.exec(word)?.[1];
  return userInfo !== undefined && /[$%{<]/.test(userInfo);
}

function lineNamesSecret(line: string): boolean {
  const [, key = '', value = ''] =
    /^[ \t]*(?:export[ \t]+|- )?["']?([\w.-]{1,80})["']?[ \t]*[:=][ \t]*["']?([^"'#\s][^"'\n]{0,500})/.exec(line) ?? [];
  return key !== '' && !line.trimStart().startsWith('#') && secretIn(key, value) === 'name';
}

function isReference(text: string): boolean {
  return /^(?:\$\([\w.-]+\)|\$\{[^}]*\}|\$\w+|%\([\w]+\)s|\{\{.*\}\}|<[\w .-]+>|ref\+|vault:|op:\/\/|env:|file:)/.test(
    text,
  );
}

function isFilePath(text: string): boolean {
  return /^(?:\.{0,2}\/|~\/|[A-Za-z]:\\)[^\s]*$/.test(text);
}
