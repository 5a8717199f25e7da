import { Cluster, Redis, type RedisOptions as IoOptions } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import type { RedisAddress } from './url';

/** Limits of every connection, in milliseconds. A command that waits longer fails, and its outcome is unknown. */
export interface Timeouts {
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** What a connection is made of, once the URL is read. */
export interface ConnectionSpec extends Timeouts {
  readonly address: RedisAddress;
  readonly tls?: ConnectionOptions;
  readonly name: string;
}

const retryDelay = (times: number): number => Math.min(times * 100, 1000);

function common(spec: ConnectionSpec): IoOptions {
  const { address } = spec;
  return {
    username: address.username,
    password: address.password,
    connectionName: spec.name,
    connectTimeout: spec.connectTimeoutMs,
    commandTimeout: spec.commandTimeoutMs,
    keepAlive: 10_000,
    disconnectTimeout: 100, // a closing process need not wait for the other side's goodbye
    maxRetriesPerRequest: 10,
    tls: address.tls ? (spec.tls ?? {}) : undefined,
  };
}

/** The options for one server, or for the master behind sentinels. Never a replica: no coordination read goes there. */
function singleOptions(spec: ConnectionSpec): IoOptions {
  const { address } = spec;
  const [first] = address.nodes;
  if (address.topology !== 'sentinel') {
    return { ...common(spec), host: first?.host, port: first?.port, db: address.db, retryStrategy: retryDelay };
  }
  return {
    ...common(spec),
    sentinels: [...address.nodes],
    name: address.master,
    role: 'master',
    db: address.db,
    sentinelUsername: address.sentinelUsername,
    sentinelPassword: address.sentinelPassword,
    enableTLSForSentinelMode: address.tls,
    sentinelTLS: address.tls ? (spec.tls ?? {}) : undefined,
    failoverDetector: true,
    retryStrategy: retryDelay,
    sentinelRetryStrategy: retryDelay,
    // After a failover the old master answers READONLY: ask the sentinels again and repeat the command there.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

/**
 * Goes on where ioredis gives up. Its failover detector, told of a switch while the sentinels are still being asked for the
 * master, makes that question fail, and the connection would say "Connection is closed." until its process ends.
 */
class LastingRedis extends Redis {
  private closed = false;

  constructor(options: IoOptions) {
    super(options);
    this.on('end', () => {
      // A failure is told as an `error` event, and the next one ends here again.
      if (!this.closed) this.connect().catch(() => undefined);
    });
  }

  override disconnect(reconnect = false): void {
    this.closed ||= !reconnect;
    super.disconnect(reconnect);
  }
}

/** The connection for commands. Lazy: nothing is sent before `connect()`. */
export function commandConnection(spec: ConnectionSpec): Redis | Cluster {
  const { address } = spec;
  if (address.topology !== 'cluster') return new LastingRedis({ ...singleOptions(spec), lazyConnect: true });
  return new Cluster([...address.nodes], {
    lazyConnect: true,
    scaleReads: 'master',
    slotsRefreshTimeout: spec.connectTimeoutMs,
    clusterRetryStrategy: retryDelay,
    // With TLS the certificate names hosts, and the nodes announce addresses.
    dnsLookup: address.tls ? (host, callback) => callback(null, host) : undefined,
    redisOptions: common(spec),
  });
}

/**
 * A new connection for subscriptions alone. It does not reconnect by itself: its owner replaces it, so that
 * "subscribed again" is one known moment on every topology. On a Cluster any node will do: messages reach all.
 */
export function subscriberConnection(spec: ConnectionSpec, commands: Redis | Cluster): Redis {
  const once = {
    connectionName: `${spec.name}-subscriber`,
    lazyConnect: true,
    retryStrategy: null,
    autoResubscribe: false,
  };
  if (!(commands instanceof Cluster)) {
    return new Redis({ ...singleOptions(spec), ...once });
  }
  const nodes = commands.nodes('master');
  const node = nodes[Math.floor(Math.random() * nodes.length)]?.options ?? spec.address.nodes[0];
  return new Redis({ ...common(spec), ...once, host: node?.host, port: node?.port });
}
