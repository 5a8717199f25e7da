import type { ChainableCommander, Cluster, Redis, RedisCommander } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import { checkServers } from './boot';
import { checkRights } from './rights';
import { tlsOptions } from './tls';
import { commandConnection, subscriberConnection, type ConnectionSpec } from './connection';
import { RedisSetupError, redisError } from './errors';
import { loadScripts, type ScriptSource } from './scripts';
import { ReplacingSubscriber, type RedisSubscriber } from './subscriber';
import { describeAddress, parseRedisUrl, type Topology } from './url';

/** How to reach Redis. */
export interface RedisOptions {
  /** `redis://`, `redis-sentinel://` or `redis-cluster://` (see `parseRedisUrl`). */
  readonly url: string;
  /** Goes before every key and, explicitly, before every channel. Default empty, so that the quick start's lines work. No braces: they would move the keys to other slots. */
  readonly prefix?: string;
  /** Also checks that this user may do what a run needs, and that the server takes new keys. Default `false`. */
  readonly rights?: boolean;
  /** Used with a `rediss…` scheme, beside what the URL names: `ca`, `cert`, `key`, `servername`. */
  readonly tls?: ConnectionOptions;
  /** Name of the connection in `CLIENT LIST`. Default `larry`. */
  readonly name?: string;
  /** A command without an answer for so long fails with `RedisUnavailableError`. Milliseconds, default 5000. */
  readonly commandTimeoutMs?: number;
  /** How long `connectRedis` tries before it gives up. Milliseconds, default 5000. */
  readonly connectTimeoutMs?: number;
  /** Told once per connection error; the connection goes on trying. Default: nothing. */
  readonly onError?: (error: Error) => void;
  /** `false` skips the checks of version and eviction policy (for tests of broken servers). Default `true`. */
  readonly check?: boolean;
}

/** Every Redis command, typed. Failures are the client library's: pass them through `redis.named(…)` to name them. */
export type RedisCommands = RedisCommander & { pipeline(): ChainableCommander };

/** What a script call and its durability came to. */
export interface AcknowledgedReply {
  readonly reply: unknown;
  /** True when no replica is connected, or at least one confirmed the write within a second. */
  readonly acknowledged: boolean;
}

/** The scripts of one folder. Keys are full names (prefix included); their number is checked. */
export interface ScriptRunner {
  /** Runs one script; a failure is one of the named errors of this library. */
  run(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /**
   * Runs one idempotent script and, where a replica is connected, waits up to a second until one has it (`WAIT 1 1000`).
   * There the script runs twice, the second time in one pipeline with WAIT: it must write on a repetition as well.
   */
  runAcknowledged(name: string, keys: readonly string[], args: readonly (string | number)[]): Promise<AcknowledgedReply>;
}

/** One connected Redis, Sentinel set or Cluster: what every other library uses. */
export interface RedisClient {
  readonly topology: Topology;
  /** Goes before keys and channels. */
  readonly prefix: string;
  /** Hosts and ports for people; no credentials. */
  readonly server: string;
  readonly commands: RedisCommands;
  /** Full name of a key: `redis.key('task:lock:x')`. */
  key(name: string): string;
  /** Loads a folder of scripts (see `loadScripts`); the folder is read once per client. */
  scripts(folder: string): ScriptRunner;
  /** A new connection for subscriptions; close it with its `close()` (closing the client closes it as well). */
  subscriber(): RedisSubscriber;
  /** The server's clock in milliseconds. */
  time(): Promise<number>;
  /** Waits for an answer and names the failure: `await redis.named(redis.commands.get(key))`. */
  named<T>(reply: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connects and checks the server: version 7.0 or newer, eviction policy `noeviction`, writable.
 * @throws RedisUnavailableError, RedisAccessError, RedisFullError, RedisReadOnlyError, RedisSetupError: one sentence each
 */
export async function connectRedis(options: RedisOptions): Promise<RedisClient> {
  const prefix = options.prefix ?? '';
  if (!/^[A-Za-z0-9:._/-]*$/.test(prefix)) {
    throw new RedisSetupError(`The Redis key prefix "${prefix}" may hold letters, digits and : . _ / - only.`);
  }
  const address = parseRedisUrl(options.url);
  const spec: ConnectionSpec = {
    address,
    tls: { ...tlsOptions(address), ...options.tls },
    name: options.name ?? 'larry',
    commandTimeoutMs: options.commandTimeoutMs ?? 5000,
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
  };
  const connection = commandConnection(spec);
  const client = new ConnectedClient(spec, connection, prefix);
  try {
    await firstAnswer(connection, spec);
    if (options.check !== false) await checkServers(connection, client.server);
    if (options.rights) await checkRights(connection, prefix, () => subscriberConnection(spec, connection));
  } catch (error) {
    connection.disconnect();
    throw redisError(error, client.server);
  }
  connection.on('error', (error: Error) => options.onError?.(redisError(error, client.server)));
  return client;
}

/** Retries until the time is up; a refused password is final at once. */
function firstAnswer(connection: Redis | Cluster, spec: ConnectionSpec): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: unknown = new Error(`no answer within ${spec.connectTimeoutMs} ms`);
    const timer = setTimeout(() => settle(() => reject(last)), spec.connectTimeoutMs);
    const onError = (error: Error): void => {
      last = error;
      if (redisError(error, '').name === 'RedisAccessError') settle(() => reject(error));
    };
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      how();
    };
    connection.on('error', onError);
    connection.once('ready', () => {
      connection.off('error', onError);
      settle(resolve);
    });
    connection.connect().catch(onError);
  });
}

class ConnectedClient implements RedisClient {
  readonly topology: Topology;
  readonly server: string;
  private readonly subscribers = new Set<ReplacingSubscriber>();
  private readonly runners = new Map<string, ScriptRunner>();

  constructor(
    private readonly spec: ConnectionSpec,
    private readonly connection: Redis | Cluster,
    readonly prefix: string,
  ) {
    this.topology = spec.address.topology;
    this.server = describeAddress(spec.address);
  }

  get commands(): RedisCommands {
    return this.connection;
  }

  key(name: string): string {
    return this.prefix + name;
  }

  scripts(folder: string): ScriptRunner {
    let runner = this.runners.get(folder);
    if (!runner) this.runners.set(folder, (runner = this.runnerOf(loadScripts(folder), `larry${this.runners.size}:`)));
    return runner;
  }

  subscriber(): RedisSubscriber {
    const subscriber = new ReplacingSubscriber(this.prefix, () => subscriberConnection(this.spec, this.connection));
    this.subscribers.add(subscriber);
    return subscriber;
  }

  async time(): Promise<number> {
    const [seconds, micros] = await this.named(this.connection.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  async named<T>(reply: Promise<T>): Promise<T> {
    try {
      return await reply;
    } catch (error) {
      if (error instanceof Error && error.message === 'Command timed out') this.replaceSilentConnection();
      throw redisError(error, this.server);
    }
  }

  async close(): Promise<void> {
    for (const subscriber of this.subscribers) subscriber.close();
    if (this.connection.status === 'ready') await this.connection.quit().catch(() => undefined);
    // After QUIT as well: it alone leaves the connections to the sentinels open.
    this.connection.disconnect();
  }

  /**
   * A peer that vanished without a word keeps its socket open for minutes. (ioredis' `socketTimeout` is not used: its
   * timer survives a reconnect and then cuts the new, healthy connection.) A Cluster replaces silent nodes by failover.
   */
  private replaceSilentConnection(): void {
    if (this.topology !== 'cluster' && this.connection.status === 'ready') this.connection.disconnect(true);
  }

  /** Own names, so that a script called `reset` does not hide the command. */
  private runnerOf(sources: Record<string, ScriptSource>, namespace: string): ScriptRunner {
    for (const [name, source] of Object.entries(sources)) this.connection.defineCommand(namespace + name, { ...source });
    const sourceOf = (name: string, keys: readonly string[]): ScriptSource => {
      const source = sources[name];
      if (!source) throw new Error(`there is no script "${name}"`);
      if (keys.length !== source.numberOfKeys) throw new Error(`script "${name}" takes ${source.numberOfKeys} keys, got ${keys.length}`);
      return source;
    };
    type Call = (...args: (string | number)[]) => Promise<unknown>;
    const calls = this.connection as unknown as Record<string, Call>;
    return {
      run: async (name, keys, args) => {
        sourceOf(name, keys);
        return this.named((calls[namespace + name] as Call).call(this.connection, ...keys, ...args));
      },
      runAcknowledged: async (name, keys, args) => {
        const { lua } = sourceOf(name, keys);
        const evaluate = [lua, keys.length, ...keys, ...args] as const;
        // EVAL, not EVALSHA: a script that the server forgot would be sent again outside the pipeline, after the WAIT.
        // A pipeline cut in the middle is not resumed on another connection, so WAIT always follows its own write.
        const [reply, role] = await this.pipeline((p) => p.eval(...evaluate).role());
        const replicas = Array.isArray(role) && Array.isArray(role[2]) ? role[2].length : 0;
        if (replicas === 0) return { reply, acknowledged: true };
        const [, confirmed] = await this.pipeline((p) => p.eval(...evaluate).wait(1, 1000));
        return { reply, acknowledged: Number(confirmed) >= 1 };
      },
    };
  }

  private async pipeline(fill: (p: ChainableCommander) => ChainableCommander): Promise<unknown[]> {
    const results = (await this.named(fill(this.connection.pipeline()).exec())) ?? [];
    return results.map(([error, reply]) => {
      if (error) throw redisError(error, this.server);
      return reply;
    });
  }
}
