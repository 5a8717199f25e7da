import { redacted } from './redacted';
import { isSecretKey } from './secret-key';

/** What a flag like `--redis-auth` takes when it is a switch or a mode. */
const authModes = /^(?:true|false|yes|no|on|off|enabled?|disabled?|optional|required?|none|basic|digest|token|bearer|oidc|oauth2?|ldap|jwt|m?tls|cert|iam)$/i;
const authSwitch = /^-*(?:no|skip|enable|disable|use|require|allow|with|without)\b/i;

/** Flags whose value is `user:password`. */
const userFlag = /^(?:-[uU]|--(?:proxy-)?user)$/;

/** Clients whose short flag before a password means something else elsewhere (`-p 8080`, `-a`). */
const clientFlags: readonly (readonly [client: RegExp, flag: string])[] = [
  [/^(?:redis|valkey|keydb)-cli$/, '-a'],
  [/^(?:sshpass|mongo\w*)$/, '-p'],
];
/** These take the password without a space, `-psecret`, and ask for it when there is one. */
const attachedClient = /^(?:mysql|mariadb)[\w-]*$/;
const clientText = [
  /(?<![\w-])((?:redis|valkey|keydb)-cli[ \t](?:[^\n|;&]{0,300}?[ \t])??-a[ \t]{1,4}["']?)([^\s"']+)/g,
  /(?<![\w-])((?:sshpass|mongo\w{0,20})[ \t](?:[^\n|;&]{0,300}?[ \t])??-p[ \t]{1,4}["']?)([^\s"']+)/g,
  /(?<![\w-])((?:mysql|mariadb)[\w-]{0,20}[ \t](?:[^\n|;&]{0,300}?[ \t])??-p["']?)([^\s"']+)/g,
];

const userText = /(?<![\w-])(--(?:proxy-)?user[ \t=]["']?|-[uU][ \t]?["']?)([\w.@+-]{1,256}:[^\s"']{1,512})/g;
/** `"--password", "x"` as it stands in JSON or in a flow sequence of YAML, escaped or not. */
const quotedItems = /(?<![\w-])(--?[\w.-]{1,60})(\\?["'][ \t]{0,3},[ \t\r\n]{0,20})(?!\\?["']-)("(?:[^"\\\n]|\\.){1,8192}"|'[^'\n]{1,8192}'|\\"[^"\n]{1,8192}?\\")/g;
/** `- --password` and on the next line its value. */
const yamlItems = /(?<=^[ \t]{0,200}- ["']?(--?[\w.-]{1,60})["']?\r?\n[ \t]{0,200}- )([^\r\n]+)/gm;

/** True for a flag that a secret follows: `--password`, `--redis-auth`; not for `--author`, `--password-file`, `--enable-auth`. */
export function isSecretFlag(name: string): boolean {
  return isSecretKey(name) || (endsInAuth(name) && !authSwitch.test(name));
}

/** True for a name whose last word is `auth`: what stands there may be `user:password`, or the name of a method. */
export function endsInAuth(name: string): boolean {
  return name.length <= 200 && /(?:^|[^A-Za-z0-9])auth$|[a-z0-9]Auth$/i.test(name);
}

/** The value after a flag, without the secret that the flag says it is. */
export function redactAfterFlag(flag: string, value: string): string {
  if (userFlag.test(flag)) return redactUserPassword(value);
  if (!/^--?[\w.-]{1,60}$/.test(flag) || !isSecretFlag(flag) || value === '' || looksLikeFlag(value)) return value;
  return keepsMode(flag, value) ? value : redacted;
}

/** `user:password` with its password redacted; a URL, `uid:gid` and all else as it is. */
export function redactUserPassword(value: string): string {
  const colon = value.indexOf(':');
  if (colon < 1 || colon === value.length - 1 || /^\d+:\d+$/.test(value) || value.startsWith('//', colon + 1) || /\s/.test(value.slice(0, colon))) return value;
  return `${value.slice(0, colon + 1)}${redacted}`;
}

/**
 * The strings of a list with what follows a flag redacted; other elements are given back as they are.
 * `command`: what these are arguments of, where it stands elsewhere: a container's `command` for its `args`, and the name of its image.
 */
export function redactArguments(items: readonly unknown[], command: readonly unknown[] = []): unknown[] {
  const names = [...command, ...items].map((item) => (typeof item === 'string' ? item.slice(item.lastIndexOf('/') + 1) : ''));
  const flags = clientFlags.filter(([client]) => names.some((name) => client.test(name))).map(([, flag]) => flag);
  const attached = names.some((name) => attachedClient.test(name));
  return items.map((item, i) => {
    if (typeof item !== 'string') return item;
    if (attached && /^-p./.test(item)) return `-p${redacted}`;
    const before = items[i - 1];
    if (typeof before !== 'string' || !before.startsWith('-')) return item;
    if (flags.includes(before) && item !== '') return redacted;
    return redactAfterFlag(before, item);
  });
}

/** What follows a flag in a command line or in the text of a list. */
export function redactCommandText(text: string): string {
  let out = text;
  for (const client of clientText) out = out.replace(client, `$1${redacted}`);
  const curl = /\bcurl\b/.test(text);
  return out
    .replace(userText, (all, flag: string, value: string) => (curl || flag.startsWith('--') ? `${flag}${redactUserPassword(value)}` : all))
    .replace(quotedItems, (_, flag: string, between: string, value: string) => `${flag}${between}${insideQuotes(flag, value)}`)
    .replace(yamlItems, (value: string, flag: string) => insideQuotes(flag, value));
}

/** A value that says how, and not with what secret: `--redis-auth true`. Never for names such as `--password`. */
export function keepsMode(flag: string, value: string): boolean {
  return endsInAuth(flag) && authModes.test(value);
}

/** True for `-v`, `--verbose`, `--level=3`. A password may begin with a dash too: `-hunter2` and `--s3cret` are no flags. */
export function looksLikeFlag(value: string): boolean {
  return /^(?:-[A-Za-z]|--[A-Za-z][A-Za-z-]*)(?:=|$)/.test(value);
}

function insideQuotes(flag: string, value: string): string {
  const quote = /^\\?["']/.exec(value)?.[0] ?? '';
  return `${quote}${redactAfterFlag(flag, value.slice(quote.length, value.length - quote.length))}${quote}`;
}
