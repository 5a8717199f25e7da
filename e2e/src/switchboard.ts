import { connect, createServer, type Server, type Socket } from 'node:net';

/** One address before servers that take each other's place: a failover as clients without Sentinel see it. */
export class Switchboard {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((client) => this.accept(client));

  private constructor(private target: number) {}

  /** Starts it before a server on this loopback port. */
  static async before(port: number): Promise<Switchboard> {
    const board = new Switchboard(port);
    await new Promise<void>((resolve) => board.server.listen(0, '127.0.0.1', resolve));
    return board;
  }

  get url(): string {
    const address = this.server.address();
    return `redis://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  /** New connections go to another server; the open ones are cut. */
  switchTo(port: number): void {
    this.target = port;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.switchTo(0);
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    const upstream = connect(this.target, '127.0.0.1');
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy()).on('close', () => (this.sockets.delete(socket), other.destroy()));
      socket.pipe(other);
    }
  }
}
