/** The base of everything that Redis, or the way to it, can refuse. Messages are one sentence and hold no password. */
export class RedisError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Nothing answers, or the answer did not come in time. For a write the outcome is unknown: repeat it with the same id. */
export class RedisUnavailableError extends RedisError {}

/** Wrong password or user, or an ACL that does not allow the command, key or channel. */
export class RedisAccessError extends RedisError {}

/** The server has reached `maxmemory`. Running work goes on (its scripts allow it), new work is refused. */
export class RedisFullError extends RedisError {}

/** The server is a replica, or its disk refuses writes. */
export class RedisReadOnlyError extends RedisError {}

/** The server is too old, evicts keys, or an option is not what it must be. Thrown at start only. */
export class RedisSetupError extends RedisError {}

interface Rule {
  readonly pattern: RegExp;
  readonly make: (server: string, cause: unknown) => RedisError;
}

const RULES: readonly Rule[] = [
  {
    pattern: /WRONGPASS|NOAUTH|invalid (username-password|password)|AUTH .*called without/i,
    make: (server, cause) =>
      new RedisAccessError(`Redis at ${server} refused the user or password: check REDIS_URL and its ACL user.`, { cause }),
  },
  {
    pattern: /NOPERM|ACL failure in script|can't run this command|no permissions/i,
    make: (server, cause) =>
      new RedisAccessError(
        `Redis at ${server} does not allow this user a command, key or channel that Larry needs (the ACL needs "&larry:*" and the keys under the prefix): ${messageOf(cause)}`,
        { cause },
      ),
  },
  {
    pattern: /OOM command not allowed|^OOM\b/,
    make: (server, cause) =>
      new RedisFullError(`Redis at ${server} has reached its maxmemory: raise it or remove what is not Larry's.`, { cause }),
  },
  {
    pattern: /MISCONF/,
    make: (server, cause) => new RedisReadOnlyError(`Redis at ${server} cannot save to its disk and accepts no writes: make room there (its log says what fails).`, { cause }),
  },
  {
    pattern: /NOREPLICAS/,
    make: (server, cause) => new RedisReadOnlyError(`Redis at ${server} has fewer replicas than its min-replicas-to-write and accepts no writes: start them, or lower it.`, { cause }),
  },
  {
    pattern: /READONLY/,
    make: (server, cause) => new RedisReadOnlyError(`Redis at ${server} is a replica now and accepts no writes: give the master's address, or redis-sentinel://.`, { cause }),
  },
  {
    pattern:
      /ECONN|ENOTFOUND|no answer within|wrong version number|packet length too long|self-signed|unable to (get|verify)|altnames|EAI_AGAIN|EPIPE|EHOSTUNREACH|ETIMEDOUT|Command timed out|max retries per request|Connection is closed|Socket timeout|connection close|Stream isn't writeable|LOADING|MASTERDOWN|CLUSTERDOWN|sentinels are unreachable|Failed to refresh slots cache|None of startup nodes|handshake|certificate/i,
    make: (server, cause) =>
      new RedisUnavailableError(`Redis at ${server} cannot be reached (${unjargoned(messageOf(cause))}): ${adviceOn(messageOf(cause))}.`, { cause }),
  },
];

/** What to do where nothing answers as it should. */
function adviceOn(message: string): string {
  if (/self-signed|unable to (get|verify)|certificate|altnames/i.test(message)) return 'name the authority that signed its certificate with rediss://…?ca=FILE, and a client certificate with &cert=FILE&key=FILE';
  if (/no answer within|wrong version number|packet length|ECONNRESET/i.test(message)) return 'is it Redis, and does it want TLS? rediss:// speaks TLS, redis:// does not';
  return 'start it, or set REDIS_URL to one that runs';
}

/** ioredis tells of its own options where nothing answers. */
function unjargoned(message: string): string {
  return /max retries per request/i.test(message) ? 'no answer after several tries' : message;
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // ioredis wraps what a Cluster's nodes said; the last one names the reason.
  const last = (cause as { lastNodeError?: unknown }).lastNodeError;
  return last instanceof Error && last !== cause ? messageOf(last) : cause.message || ((cause as { code?: string }).code ?? cause.name);
}

/**
 * The named error for what the client library or the server said; anything unknown (a bug in a script, say) comes back
 * unchanged. `server` is shown to people: host and port, never a password.
 */
export function redisError(cause: unknown, server: string): Error {
  if (cause instanceof RedisError) return cause;
  const message = messageOf(cause);
  const rule = RULES.find(({ pattern }) => pattern.test(message));
  if (rule) return rule.make(server, cause);
  return cause instanceof Error ? cause : new Error(message);
}
