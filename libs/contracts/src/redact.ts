import { endsInAuth, isSecretFlag, keepsMode, redactArguments, redactCommandText, redactUserPassword } from './redact-arguments';
import { redacted } from './redacted';
import { isSecretKey } from './secret-key';

export { redacted };

const maxDepth = 100;
/** So many times a text is gone through again as long as it changes. */
const mostRounds = 3;
/** JSON inside a string (`kubectl.kubernetes.io/last-applied-configuration`) is redacted as a value up to this length. */
const maxNestedJson = 1024 * 1024;

/** Tokens that are known by their shape. Each begins with a fixed text and is anchored, so that time stays linear. */
const tokenShapes: readonly RegExp[] = [
  /(?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g, // JWT, RFC 7519
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])/g, // AWS access key id
  /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})/g,
  /(?<![A-Za-z0-9])gl(?:pat|dt|rt|ptt|cbt)-[\w-]{20,}/g, // GitLab
  /(?<![A-Za-z0-9])xox[abeoprs]-[\w-]{10,}/g, // Slack
  /(?<![A-Za-z0-9])xapp-[\w-]{10,}/g,
  /(?<=hooks\.slack\.com\/services\/)[\w/]{10,}/g,
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{30,}/g,
  /(?<![A-Za-z0-9])AIza[\w-]{35}/g, // Google API key
  /(?<![A-Za-z0-9])sk-[\w-]{20,}/g, // model providers
  /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{10,}/g, // Stripe
  /(?<![A-Za-z0-9])hv[sbr]\.[\w-]{20,}/g, // Vault
  /(?<![A-Za-z0-9])K10[0-9a-f]{40,}::[^\s"']+/g, // k3s node and server tokens
  /(?<=\b[Bb]earer {1,4})[\w.~+/=-]{16,}/g,
  /(?<=\b[Bb]asic {1,4})[A-Za-z0-9+/]{12,}={0,2}(?![a-z])/g,
];

/** Where none of these stands there is no token; most names of members are done with after this look. */
const tokenBegins = /eyJ|A[KS]IA|gh[pousr]_|github_pat_|gl[a-z]{2,3}-|xox|xapp-|npm_|AIza|sk-|[rs]k_|hv[sbr]\.|K10/;

const urlPassword = /:\/\/([^\s/@:"']{0,256}):([^\s/"']{1,512})@/g;
/** An image reference with credentials before the registry, `user:password@registry/app`, which is no URL. */
const imagePassword = /(?<![\w/:.@+-])(?!(?:mailto|npm|xmpp|sips?|acct):)([\w.-]{1,128}):(?!git@)[^\s/@:"']{1,256}@(?=[\w.-]{1,255}(?::\d{1,5})?\/)/g;
/** A token that stands alone before the host. Short names of letters are users (`git@`), and an image's name may stand before its digest. */
const urlToken = /:\/\/(?![A-Za-z][A-Za-z_.-]{0,18}@)[^\s/@:"'[\]]{8,512}@(?!sha256:)/g;

/** `key=value`, `key: value`, `"key":"value"`; the key decides. Key and value are matched apart: `error: password=x` is two pairs. */
const pairKey = /(?<![\w.-])([\w.-]{1,80})((?:\\?["'])?[ \t]{0,3}[:=][ \t]{0,3})/g;
const pairValue = /"(?:[^"\\\n]|\\.){0,8192}"|'[^'\n]{0,8192}'|\\"[^"\n]{0,8192}?\\"|[^\s,;&"'{}()[\]\\]+/y;
const yamlLine = /^([ \t]{0,200}(?:- )?["']?)([\w.-]{1,80})(["']?:[ \t]{1,20})(?![|>&*[{])([^\n]+)$/gm;
const flag = /(?<![\w-])(--?[\w-]{1,60}[ \t])("[^"\n]{0,8192}"|'[^'\n]{0,8192}'|(?:[^\s"'-]|--?(?=[A-Za-z-]{0,200}\d))[^\s]*)/g;
const authorizationHeader = /(?<![\w])((?:proxy-)?authorization["']?[ \t]{0,3}[:=][ \t]{0,3}["']?)([^\r\n"']+)/gi;

/** What an operating system says of a file (errno, `strerror`): after `'/data/signing.key': ` that is no key. */
const systemError = /(?:Read-only file system|Permission denied|No such file or directory|Operation not permitted|(?:Is|Not) a directory|File exists|No space left on device|Input\/output error|Too many open files|Device or resource busy|Stale file handle|Disk quota exceeded|Invalid argument)(?![\w/-])/iy;
/** containerd of an image that it cannot have (`remotes/docker`): what follows is the registry's answer, and no header. */
const registryAnswer = /(?<=may require )authorization: server message:/y;

/** A text without the secrets that can be known by their shape or by the name before them. Takes linear time. */
export function redactText(text: string): string {
  let [before, out] = [text, redactOnce(text)];
  // What one rule has struck out may bring to light what another knows; most texts hold nothing and are done with at once.
  for (let round = 0; out !== before && round < mostRounds; round += 1) [before, out] = [out, redactOnce(out)];
  return out;
}

function redactOnce(text: string): string {
  let out = redactPem(redactSecretManifests(text));
  out = out.replace(urlPassword, `://$1:${redacted}@`).replace(urlToken, `://${redacted}@`).replace(imagePassword, `$1:${redacted}@`);
  for (const shape of tokenShapes) out = out.replace(shape, redacted);
  return redactPairs(redactCommandText(out));
}

/**
 * A copy of a value without its secrets: by key (`password`, `*_TOKEN`), by shape (see {@link redactText}), the data of
 * Kubernetes Secrets, the value of an environment variable or JSON-patch operation whose name or path says secret, JSON
 * inside strings. Keys (but for tokens known by their shape), numbers under harmless keys and references to Secrets stay. Cycles and what lies deeper than
 * 100 levels are cut, bytes are replaced by their count; anything but plain data becomes text.
 */
export function redact<T>(value: T): T {
  return visit(value, undefined, []) as T;
}

function visit(value: unknown, key: string | undefined, above: readonly object[]): unknown {
  if (typeof value === 'string') return redactString(value, key);
  if (typeof value === 'number' || typeof value === 'bigint') return key !== undefined && isSecretKey(key) ? redacted : value;
  if (value === null || typeof value !== 'object') return value;
  if (above.includes(value)) return '[circular]';
  if (above.length >= maxDepth) return '[too deep]';
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const path = [...above, value];
  if (Array.isArray(value)) return redactArguments(value).map((item: unknown) => visit(item, key, path));
  if (value instanceof Error) return visit({ name: value.name, message: value.message, cause: value.cause }, undefined, path);
  if (value instanceof Map || value instanceof Set) return visit([...value], key, path);
  return visitObject(value as Record<string, unknown>, path);
}

function visitObject(object: Record<string, unknown>, path: readonly object[]): unknown {
  const named = secretByName(object);
  const members = Object.entries(object).map(([key, value]) => {
    if (object['kind'] === 'Secret' && (key === 'data' || key === 'stringData')) return [key, blank(value)];
    if (named.includes(key)) return [key, blank(value)];
    if (key === 'args' && Array.isArray(value)) return [key, visit(redactArguments(value, commandOf(object)), key, path)];
    const meant = key === 'value' && typeof object['name'] === 'string' ? object['name'] : key;
    if (typeof value === 'string' && endsInAuth(meant)) return [key, visit(redactUserPassword(value), key, path)];
    return [key, visit(value, key, path)];
  });
  return Object.fromEntries(members.map(([key, value]) => [redactKey(key as string), value]));
}

/** The name of a member without the tokens in it: the key of a ConfigMap is a file's name, and that may be one. */
function redactKey(key: string): string {
  return tokenBegins.test(key) ? tokenShapes.reduce((out, shape) => out.replace(shape, redacted), key) : key;
}

/** The same value with tokens struck out of the names of its members, and all else as it is. For field ownership. */
export function redactKeys<T>(value: T): T {
  if (value === null || typeof value !== 'object' || !tokenBegins.test(JSON.stringify(value))) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => redactKeys(item)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [redactKey(key), redactKeys(member as unknown)])) as T;
}

/** What a container's `args` are arguments of: its command, or the program that its image is named after. */
function commandOf({ command, image }: Record<string, unknown>): unknown[] {
  const program = typeof image === 'string' ? [image.slice(image.lastIndexOf('/') + 1).replace(/[:@].*$/s, '')] : [];
  return Array.isArray(command) ? [...(command as unknown[]), ...program] : program;
}

/** The members that hold a secret because a sibling names it: `{ name: DB_PASSWORD, value }`, `{ op, path: /data/token, value }`. */
function secretByName({ name, key, path, op }: Record<string, unknown>): string[] {
  if ((typeof name === 'string' && isSecretKey(name)) || (typeof key === 'string' && isSecretKey(key))) return ['value'];
  if (typeof path === 'string' && op !== undefined && path.split('/').slice(-2).some((part) => isSecretKey(part.replace(/~1/g, '/').replace(/~0/g, '~')))) return ['value'];
  return [];
}

/** The same shape with every leaf redacted. */
function blank(value: unknown): unknown {
  if (value === null || value === undefined || value === '') return value;
  if (typeof value !== 'object') return redacted;
  if (Array.isArray(value)) return value.map(() => redacted);
  return Object.fromEntries(Object.keys(value).map((key) => [redactKey(key), redacted]));
}

function redactString(value: string, key: string | undefined): string {
  if (key !== undefined && value !== '' && isSecretKey(key)) return redacted;
  if (/^\s*[[{]/.test(value) && value.length <= maxNestedJson) {
    const nested = parseJson(value);
    if (nested !== undefined) {
      const clean = JSON.stringify(redact(nested));
      // As it is written, where there is nothing to strike out: members of the same name, of which the last counts, among it.
      return clean === JSON.stringify(nested) && redactText(value) === value ? value : clean;
    }
  }
  return redactText(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function redactPairs(text: string): string {
  const quoted = (value: string) => {
    const quote = /^\\?["']/.exec(value)?.[0] ?? '';
    return `${quote}${redacted}${quote}`;
  };
  const marked = text
    .replace(authorizationHeader, (all, header: string, _value: string, at: number, whole: string) => (standsAt(registryAnswer, whole, at) ? all : `${header}${redacted}`))
    .replace(yamlLine, (all, indent: string, key: string, colon: string, value: string) => (isSecretKey(key) && !isSystemError(value) ? `${indent}${key}${colon}${redacted}` : all))
    .replace(flag, (all, name: string, value: string) => (isSecretFlag(name.trimEnd()) && !keepsMode(name.trimEnd(), value) ? `${name}${quoted(value)}` : all));
  let out = '';
  let at = 0;
  pairKey.lastIndex = 0;
  for (let match = pairKey.exec(marked); match; match = pairKey.exec(marked)) {
    pairValue.lastIndex = pairKey.lastIndex;
    const name = match[1] as string;
    if (standsAt(systemError, marked, pairKey.lastIndex) || standsAt(registryAnswer, marked, match.index)) continue;
    const value = isSecretKey(name) || (name.startsWith('-') && isSecretFlag(name)) ? pairValue.exec(marked)?.[0] : undefined;
    if (value === undefined || value.startsWith('[redacted') || (name.startsWith('-') && keepsMode(name, value))) continue;
    out += marked.slice(at, pairKey.lastIndex) + quoted(value);
    at = pairKey.lastIndex += value.length;
  }
  return out + marked.slice(at);
}

function standsAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

const isSystemError = (value: string): boolean => standsAt(systemError, value, 0) && systemError.lastIndex === value.trimEnd().length;

/** PEM blocks from BEGIN to END; one without an end takes the rest of the text with it, since that may be a cut-off key. */
function redactPem(text: string): string {
  let out = '';
  let at = 0;
  for (let begin = text.indexOf('-----BEGIN '); begin >= 0; begin = text.indexOf('-----BEGIN ', at)) {
    out += `${text.slice(at, begin)}[redacted PEM]`;
    const end = text.indexOf('-----END ', begin);
    const close = end < 0 ? -1 : text.indexOf('-----', end + 9);
    if (close < 0) return out;
    at = close + 5;
  }
  return out + text.slice(at);
}

/** `data:` and `stringData:` of YAML documents that hold a Secret: every line below them keeps its key only. */
function redactSecretManifests(text: string): string {
  if (!/^[ \t-]{0,200}["']?kind["']?:[ \t]*["']?Secret\b/m.test(text)) return text;
  let dataIndent = -1;
  const lines = text.split('\n').map((line) => {
    const indent = /^[ \t]*/.exec(line)?.[0].length ?? 0;
    if (dataIndent >= 0 && line.trim() !== '' && indent <= dataIndent) dataIndent = -1;
    if (dataIndent >= 0) return redactDataLine(line);
    if (/^[ \t]*(?:- )?(?:data|stringData):[ \t]*\r?$/.test(line)) dataIndent = indent;
    return line;
  });
  return lines.join('\n');
}

function redactDataLine(line: string): string {
  const key = /^([ \t]*["']?[\w.-]+["']?:)/.exec(line)?.[1];
  if (key !== undefined) return `${key} ${redacted}`;
  return line.trim() === '' ? line : line.replace(/\S.*/, redacted);
}
