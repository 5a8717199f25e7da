import { ConfigurationError } from '@larry/service';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** Who may change anything, by the sha-256 of each one's token. */
export interface TokenBook {
  /** The name of a token's bearer, or undefined. Takes the same time for every token. */
  bearerOf(token: string): string | undefined;
}

/**
 * Reads the named tokens: JSON `{"name":"<sha-256 hex>"}`, or lines `name:<sha-256 hex>` (`#` begins a comment). The file is
 * read again when it has changed, so that a token can be added and withdrawn while the service runs; a file that then
 * cannot be read, or does not fit, lets nobody in.
 * @param warn hears, once for each state of the file, why nobody is let in
 * @throws ConfigurationError naming the file and the line, for the file as it is now
 */
export function readTokens(file: string, warn: (message: string) => void): TokenBook {
  let seen = stateOf(file);
  let book = tokenBook(parseTokens(textOf(file), file));
  return {
    bearerOf(token) {
      const state = stateOf(file);
      if (state !== seen) {
        seen = state;
        book = nobody;
        try {
          book = tokenBook(parseTokens(textOf(file), file));
        } catch (error) {
          warn(`${error instanceof Error ? error.message : String(error)}: no token is accepted until it is mended`);
        }
      }
      return book.bearerOf(token);
    },
  };
}

const nobody: TokenBook = { bearerOf: () => undefined };

/** Changes with every change of the file, also where a mounted Secret turns a link to another file. */
function stateOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs}` : '';
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError(`LARRY_TOKENS_FILE: ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A book of names and hashes. */
export function tokenBook(entries: readonly (readonly [name: string, sha256: string])[]): TokenBook {
  const known = entries.map(([name, sha256]) => ({ name, hash: Buffer.from(sha256, 'hex') }));
  return {
    bearerOf(token) {
      const hash = createHash('sha256').update(token).digest();
      // Every entry is compared, so that the time says nothing about which one it was.
      return known.filter((entry) => timingSafeEqual(entry.hash, hash))[0]?.name;
    },
  };
}

/** @internal The entries of a tokens file; see {@link readTokens}. */
export function parseTokens(text: string, file: string): [string, string][] {
  const entries = text.trimStart().startsWith('{') ? jsonEntries(text, file) : lineEntries(text);
  const seen = new Set<string>();
  for (const { at, name, sha256 } of entries) {
    const where = `LARRY_TOKENS_FILE: ${file}, ${at}`;
    if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/.test(name)) throw new ConfigurationError(`${where}: a name holds letters, digits and . _ @ - only, at most 100`);
    if (!/^[0-9a-fA-F]{64}$/.test(sha256)) throw new ConfigurationError(`${where}: after the name comes the sha-256 of the token, 64 hex digits (printf %s TOKEN | sha256sum)`);
    if (seen.has(name)) throw new ConfigurationError(`${where}: the name "${name}" stands twice`);
    seen.add(name);
  }
  return entries.map(({ name, sha256 }) => [name, sha256]);
}

interface Entry {
  at: string;
  name: string;
  sha256: string;
}

function jsonEntries(text: string, file: string): Entry[] {
  try {
    const object = JSON.parse(text) as Record<string, unknown>;
    return Object.entries(object).map(([name, sha256]) => ({ at: `"${name.slice(0, 100)}"`, name, sha256: String(sha256) }));
  } catch {
    throw new ConfigurationError(`LARRY_TOKENS_FILE: ${file} begins with { and is not JSON`);
  }
}

function lineEntries(text: string): Entry[] {
  return text.split('\n').flatMap((line, i) => {
    const content = line.replace(/#.*/, '').trim();
    if (content === '') return [];
    const colon = content.lastIndexOf(':');
    return [{ at: `line ${i + 1}`, name: content.slice(0, Math.max(0, colon)).trim(), sha256: content.slice(colon + 1).trim() }];
  });
}
