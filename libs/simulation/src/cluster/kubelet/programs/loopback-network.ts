import { createServer, type Server } from 'node:net';

/** On this port the second address of a range shows other simulations that the range is taken. */
const markPort = 47_110;

/**
 * Addresses of 127.0.0.0/8 for the pods and Services of one simulated cluster, in place of a network of its own: a range
 * 127.N.0.0/16 for each cluster on this machine. Linux answers on all of them; other systems answer on 127.0.0.1 alone.
 */
export class LoopbackNetwork {
  private readonly pods = new Map<string, string>();
  private readonly services = new Map<string, string>();
  private next = 2;

  private constructor(
    /** The first two numbers of its addresses. */
    private readonly prefix: string,
    private readonly mark?: Server,
  ) {}

  /**
   * Another range that this machine answers on, as `10.222`: a real API server takes no loopback address for an endpoint.
   * The caller sees to it that it is local (`ip route add local 10.222.0.0/16 dev lo`) and nobody else's.
   */
  static at(prefix: string): LoopbackNetwork {
    return new LoopbackNetwork(prefix);
  }

  /**
   * Takes a range that no other simulation has.
   * @throws Error where there is none, or where the system has no such addresses.
   */
  static async open(): Promise<LoopbackNetwork> {
    const first = 64 + Math.floor(Math.random() * 190);
    for (let i = 0; i < 190; i += 1) {
      const net = 64 + ((first - 64 + i) % 190);
      const mark = await listen(`127.${net}.0.1`);
      if (mark) return new LoopbackNetwork(`127.${net}`, mark);
    }
    throw new Error('no free range of addresses in 127.0.0.0/8: our own programs run in pods only on Linux, with fewer than 190 simulations at once');
  }

  /** The address of a pod; the same for as long as it lives. */
  ofPod(uid: string): string {
    const known = this.pods.get(uid);
    if (known) return known;
    const taken = new Set(this.pods.values());
    for (;;) {
      const address = `${this.prefix}.${1 + (this.next >> 8)}.${this.next & 255}`;
      this.next = (this.next + 1) % (126 << 8);
      const last = Number(address.split('.')[3]);
      if (last < 2 || last > 254 || taken.has(address)) continue;
      this.pods.set(uid, address);
      return address;
    }
  }

  releasePod(uid: string): void {
    this.pods.delete(uid);
  }

  /** The address on which a Service of this name is forwarded, whether it exists or not. */
  ofService(namespace: string, name: string): string {
    const key = `${namespace}/${name}`;
    const number = this.services.size + 2;
    const address = this.services.get(key) ?? `${this.prefix}.${128 + Math.floor(number / 250)}.${2 + (number % 250)}`;
    this.services.set(key, address);
    return address;
  }

  /** Whether something of this machine answers at an address: a pod's, or one that somebody wrote by hand on loopback. */
  answersAt(address: string): boolean {
    return address.startsWith(`${this.prefix}.`) || /^127\.\d+\.\d+\.\d+$/.test(address);
  }

  close(): void {
    this.mark?.close();
  }
}

function listen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(markPort, address, () => resolve(server.unref()));
  });
}
