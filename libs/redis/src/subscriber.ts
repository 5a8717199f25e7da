import type { Redis } from 'ioredis';

/** Called with the channel (without the prefix) and the text of each message. */
export type MessageListener = (channel: string, message: string) => void;

/** The subscriptions of one process over one connection of their own. */
export interface RedisSubscriber {
  /**
   * Listens on channels (names without the prefix). Resolves when the server has confirmed. The listener must not throw.
   * Messages published while the connection was away are lost: see `onSubscribed`.
   */
  subscribe(channels: readonly string[], listener: MessageListener): Promise<void>;
  /** Called after every confirmed (re)subscription: the moment to read the state again. Returns how to stop listening. */
  onSubscribed(listener: () => void): () => void;
  close(): void;
}

/** @internal One place keeps the subscriptions alive, the same way on every topology. */
export class ReplacingSubscriber implements RedisSubscriber {
  private readonly listeners: { channels: ReadonlySet<string>; listener: MessageListener }[] = [];
  private readonly hooks = new Set<() => void>();
  private connection?: Redis;
  private subscribed?: Promise<void>;
  private retry?: NodeJS.Timeout;
  private failures = 0;
  private closed = false;

  constructor(
    private readonly prefix: string,
    private readonly connect: () => Redis,
  ) {}

  async subscribe(channels: readonly string[], listener: MessageListener): Promise<void> {
    this.listeners.push({ channels: new Set(channels), listener });
    this.subscribed ??= this.open();
    await this.subscribed;
    // Where the connection was lost in between, its successor subscribes to everything.
    await this.connection?.subscribe(...channels.map((name) => this.prefix + name)).catch(() => undefined);
    this.announce();
  }

  onSubscribed(listener: () => void): () => void {
    this.hooks.add(listener);
    return () => this.hooks.delete(listener);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.connection?.disconnect();
  }

  /** Resolves at the first confirmed subscription, however many connections that takes. */
  private open(): Promise<void> {
    return new Promise((resolve) => this.attempt(resolve));
  }

  private attempt(confirmed: () => void): void {
    if (this.closed) return;
    const connection = this.connect();
    this.connection = connection;
    connection.on('error', () => undefined); // said by the connection for commands
    connection.on('message', (channel: string, message: string) => this.deliver(channel, message));
    connection.once('end', () => {
      connection.disconnect(); // an ended connection still holds its connections to the sentinels
      this.again(confirmed);
    });
    connection
      .connect()
      .then(() => connection.subscribe(...this.channels()))
      .then(() => {
        this.failures = 0;
        confirmed();
        this.announce();
      })
      .catch(() => connection.disconnect());
  }

  private again(confirmed: () => void): void {
    if (this.closed) return;
    this.failures += 1;
    this.retry = setTimeout(() => this.attempt(confirmed), Math.min(100 * this.failures, 1000));
    this.retry.unref();
  }

  private channels(): string[] {
    return [...new Set(this.listeners.flatMap(({ channels }) => [...channels]))].map((name) => this.prefix + name);
  }

  private announce(): void {
    for (const hook of this.hooks) hook();
  }

  private deliver(prefixed: string, message: string): void {
    const channel = prefixed.slice(this.prefix.length);
    for (const entry of this.listeners) if (entry.channels.has(channel)) entry.listener(channel, message);
  }
}
