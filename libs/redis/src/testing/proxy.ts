import { connect, createServer, type Server, type Socket } from 'node:net';
import { CommandReader } from './resp';

/** Which command to act on: the first `nth` (default 1) that `matches`. */
export interface CutRule {
  /** Sees the command's words, as sent: `['EVALSHA', '<sha>', '3', …]`. */
  readonly matches: (words: readonly string[]) => boolean;
  readonly nth?: number;
  /**
   * `reply`: the server executes it, its reply is lost and the connection cut (default).
   * `request`: the connection is cut before the server sees it.
   */
  readonly what?: 'reply' | 'request';
}

/** A TCP proxy before one Redis that loses what a test wants lost. Not for Sentinel or Cluster (they name other addresses). */
export interface CuttingProxy {
  /** `redis://127.0.0.1:<port>`: connect through this. */
  readonly url: string;
  /** Arms one cut; resolves when it has happened. A new rule replaces one that has not happened yet. */
  cut(rule: CutRule): Promise<void>;
  /** How many commands that match have passed since the start. */
  count(matches: (words: readonly string[]) => boolean): number;
  /** Holds everything back, both ways; connections stay open. */
  pause(): void;
  resume(): void;
  /** Cuts every open connection; new ones are accepted. */
  drop(): void;
  close(): Promise<void>;
}

/** Starts a proxy to `redis://host:port`. */
export async function cuttingProxy(targetUrl: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(targetUrl);
  const proxy = new Proxy(hostname, Number(port));
  await proxy.listen();
  return proxy;
}

/** The test of a command's name alone: `named('EVAL', 'EVALSHA')`. */
export function named(...names: readonly string[]): (words: readonly string[]) => boolean {
  const wanted = new Set(names.map((name) => name.toUpperCase()));
  return (words) => wanted.has((words[0] ?? '').toUpperCase());
}

interface Armed {
  readonly rule: CutRule;
  left: number;
  readonly done: () => void;
}

class Proxy implements CuttingProxy {
  private readonly server: Server = createServer((client) => this.accept(client));
  private readonly pairs = new Set<{ client: Socket; upstream: Socket }>();
  private readonly seen: (readonly string[])[] = [];
  private armed?: Armed;
  private paused = false;

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  get url(): string {
    const address = this.server.address();
    return `redis://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', () => resolve()));
  }

  cut(rule: CutRule): Promise<void> {
    return new Promise((done) => {
      this.armed = { rule, left: rule.nth ?? 1, done };
    });
  }

  count(matches: (words: readonly string[]) => boolean): number {
    return this.seen.filter((words) => matches(words)).length;
  }

  pause(): void {
    this.paused = true;
    for (const { client, upstream } of this.pairs) [client, upstream].forEach((socket) => socket.pause());
  }

  resume(): void {
    this.paused = false;
    for (const { client, upstream } of this.pairs) [client, upstream].forEach((socket) => socket.resume());
  }

  drop(): void {
    for (const { client, upstream } of this.pairs) [client, upstream].forEach((socket) => socket.destroy());
  }

  close(): Promise<void> {
    this.drop();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    const upstream = connect(this.port, this.host);
    const pair = { client, upstream };
    const reader = new CommandReader();
    let silent = false;
    this.pairs.add(pair);
    const end = (): void => {
      this.pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
      if (this.paused) socket.pause();
    }
    client.on('data', (data: Buffer) => {
      if (silent) return;
      const hit = this.hit(reader.read(data));
      if (hit?.rule.what === 'request') {
        end();
        hit.done();
        return;
      }
      silent = hit !== undefined;
      upstream.write(data);
      if (hit) upstream.once('data', () => { end(); hit.done(); });
    });
    upstream.on('data', (data: Buffer) => void (silent || client.write(data)));
  }

  private hit(commands: readonly (readonly string[])[]): Armed | undefined {
    let hit: Armed | undefined;
    for (const words of commands) {
      this.seen.push(words);
      const { armed } = this;
      if (!armed || !armed.rule.matches(words)) continue;
      armed.left -= 1;
      if (armed.left > 0) continue;
      this.armed = undefined;
      hit = armed;
    }
    return hit;
  }
}
