import { RedisSetupError } from './errors';

/** How the servers are arranged; said by the URL's scheme. */
export type Topology = 'single' | 'sentinel' | 'cluster';

/** A parsed Redis address. */
export interface RedisAddress {
  readonly topology: Topology;
  readonly tls: boolean;
  /** At least one; for Sentinel the sentinels, for Cluster the nodes to ask first. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  /** Database number; always 0 on a Cluster. */
  readonly db: number;
  /** Sentinel only: the name of the master set. */
  readonly master?: string;
  /** Sentinel only: `?sentinelPassword=` (and `sentinelUsername=`), where the sentinels have their own. */
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** With TLS only: files (PEM) and the name to expect, from `?ca=`, `?cert=`, `?key=`, `?servername=`. */
  readonly tlsFiles?: TlsFiles;
}

/** What `rediss…` needs beside the system's own authorities; paths of PEM files. */
export interface TlsFiles {
  /** The authority that signed the server's certificate. */
  readonly ca?: string;
  /** This client's certificate and key, where the server asks for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name in the server's certificate where it is not the host's. */
  readonly servername?: string;
}

const SCHEMES: Readonly<Record<string, { topology: Topology; tls: boolean }>> = {
  redis: { topology: 'single', tls: false },
  rediss: { topology: 'single', tls: true },
  'redis-sentinel': { topology: 'sentinel', tls: false },
  'rediss-sentinel': { topology: 'sentinel', tls: true },
  'redis-cluster': { topology: 'cluster', tls: false },
  'rediss-cluster': { topology: 'cluster', tls: true },
};

/**
 * Reads `redis://[user:password@]host:port[/db]`, `redis-sentinel://h1:p1,h2:p2/master[/db]` and
 * `redis-cluster://h1:p1,h2:p2`; `rediss…` is the same over TLS, with `?ca=FILE&cert=FILE&key=FILE` where it needs them.
 * User and password are percent-encoded.
 * @throws RedisSetupError naming the part that is wrong; the message never holds the password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const match = /^([a-z-]+):\/\/(?:([^@/]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/i.exec(url.trim());
  const scheme = SCHEMES[match?.[1]?.toLowerCase() ?? ''];
  if (!match || !scheme) {
    throw new RedisSetupError(`The Redis URL must begin with ${Object.keys(SCHEMES).map((s) => `${s}://`).join(', ')}.`);
  }
  const [, , credentials, hosts, path, search = ''] = match;
  // An @, / or ? that a password holds as it is: refused before a part of it is taken for a host and shown.
  if (`${hosts}/${path ?? ''}`.includes('@') || (!credentials && search.includes('@'))) {
    throw new RedisSetupError('The Redis URL cannot be read: in a user or password write @ as %40, / as %2F, ? as %3F, : as %3A.');
  }
  const query = new URLSearchParams(search);
  const segments = (path ?? '').split('/').filter(Boolean);
  const master = scheme.topology === 'sentinel' ? segments.shift() : undefined;
  if (scheme.topology === 'sentinel' && !master) {
    throw new RedisSetupError('The Redis URL names no master set: write redis-sentinel://host:port,host:port/<master>.');
  }
  return {
    ...scheme,
    nodes: parseNodes(hosts ?? '', scheme.topology === 'sentinel' ? 26379 : 6379),
    ...parseCredentials(credentials),
    db: parseDb(segments[0] ?? query.get('db') ?? undefined, scheme.topology),
    master,
    sentinelUsername: query.get('sentinelUsername') ?? undefined,
    sentinelPassword: query.get('sentinelPassword') ?? undefined,
    ...tlsFilesOf(query, scheme.tls),
  };
}

const tlsParts = ['ca', 'cert', 'key', 'servername'] as const;

function tlsFilesOf(query: URLSearchParams, tls: boolean): { tlsFiles?: TlsFiles } {
  const given = tlsParts.flatMap((part) => (query.get(part) ? [[part, query.get(part)] as const] : []));
  if (given.length === 0) return {};
  const [[first = 'ca'] = []] = given;
  if (!tls) throw new RedisSetupError(`The Redis URL names ?${first}=, which needs TLS: begin it with rediss (two s).`);
  if (query.has('cert') !== query.has('key')) throw new RedisSetupError('The Redis URL names only one of ?cert= and ?key=: a client certificate needs both.');
  return { tlsFiles: Object.fromEntries(given) as TlsFiles };
}

/** The servers as a person may see them: hosts and ports, no credentials. */
export function describeAddress(address: RedisAddress): string {
  const nodes = address.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  return address.master ? `${nodes} (sentinels of "${address.master}")` : nodes;
}

function parseNodes(hosts: string, defaultPort: number): { host: string; port: number }[] {
  return hosts.split(',').map((node) => {
    const match = /^(\[[0-9a-f:]+\]|[^:\s]+)(?::(\d+))?$/i.exec(node.trim());
    const port = Number(match?.[2] ?? defaultPort);
    if (!match?.[1] || port < 1 || port > 65535) {
      throw new RedisSetupError(`The Redis URL has a host that cannot be read: "${node}" is not host:port.`);
    }
    return { host: match[1].replace(/^\[|\]$/g, ''), port };
  });
}

function parseCredentials(credentials: string | undefined): { username?: string; password?: string } {
  if (!credentials) return {};
  const colon = credentials.indexOf(':');
  const decode = (part: string): string | undefined => {
    try {
      return decodeURIComponent(part) || undefined;
    } catch {
      throw new RedisSetupError('The user or password in the Redis URL is not percent-encoded: write % as %25, @ as %40.');
    }
  };
  if (colon < 0) return { username: decode(credentials) };
  return { username: decode(credentials.slice(0, colon)), password: decode(credentials.slice(colon + 1)) };
}

function parseDb(db: string | undefined, topology: Topology): number {
  if (db === undefined) return 0;
  if (!/^\d{1,4}$/.test(db)) throw new RedisSetupError(`The Redis URL names database "${db}": it must be a whole number.`);
  if (topology === 'cluster' && db !== '0') throw new RedisSetupError('A Redis Cluster has database 0 only: remove the number from the URL.');
  return Number(db);
}
