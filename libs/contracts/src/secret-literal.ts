import { redactText } from './redact';

/** What stands where a token or private key stood that is known by its shape; the fact is kept, the value is not. */
export const redactedToken = '[redacted token]';
/** What stands where a name said secret and the value was none: a reference, a switch, a path. */
export const redactedNone = '[redacted, no secret]';

const harmlessValue =
  /^(?:true|false|yes|no|on|off|none|null|nil|\d{1,5}|auto|default|disabled|enabled|required|optional|changeme-from-secret)$/i;

/**
 * What a text is, by itself: `token` when its shape says secret, `none` when it cannot be one (empty, a reference such as
 * `$(VAR)` or `{{ … }}`, a switch, a path to a file), else `plain`: whether it is one only its name can tell.
 */
export function secretLiteral(value: string): 'token' | 'none' | 'plain' {
  const text = value.trim();
  if (text === '' || text === redactedNone || isReference(text)) return 'none';
  if (holdsToken(text)) return 'token';
  return harmlessValue.test(text) || isFilePath(text) ? 'none' : 'plain';
}

/** True for a text with a token or private key in it. Certificates are public; `redactText` hides every PEM block, so only private keys count here. */
export function holdsToken(text: string): boolean {
  if (text.includes(redactedToken)) return true;
  if (/-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----/.test(text)) return true;
  // Assignments are judged by name, so only what is known by its shape alone may be left to find here.
  return text.split(/[\s"'`,;]+/).some((word) => {
    const bare = word.includes('://') ? word : word.replace(/^[\w.-]{1,80}[:=]+/, '');
    return bare.length >= 12 && bare.length <= 4096 && !isReference(bare) && redactText(bare).includes('[redacted]') && !holdsReferenceOnly(bare);
  });
}

/** A redacted text with a mark of what the original was, where the redacted one alone would tell less, or more, than that. */
export function markedRedaction(original: string, copy: string): string {
  if (original === copy) return copy;
  if (holdsToken(original)) return holdsToken(copy) ? copy : copy.replace(/\[redacted(?: PEM)?\]/, redactedToken);
  return copy === '[redacted]' && secretLiteral(original) === 'none' ? redactedNone : copy;
}

/** `postgres://app:$(PASSWORD)@db`: the secret is elsewhere. */
function holdsReferenceOnly(word: string): boolean {
  const userInfo = /:\/\/[^\s/@:]*:([^\s/@]+)@/.exec(word)?.[1];
  return userInfo !== undefined && /[$%{<]/.test(userInfo);
}

function isReference(text: string): boolean {
  return /^(?:\$\([\w.-]+\)|\$\{[^}]*\}|\$\w+|%\([\w]+\)s|\{\{.*\}\}|<[\w .-]+>|ref\+|vault:|op:\/\/|env:|file:)/.test(text);
}

function isFilePath(text: string): boolean {
  return /^(?:\.{0,2}\/|~\/|[A-Za-z]:\\)[^\s]*$/.test(text);
}
