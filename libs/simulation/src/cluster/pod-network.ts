import type { ListeningPort } from './behaviours';

/** What listens at a pod's address. */
interface Listener {
  ports: readonly ListeningPort[];
  /** When it was started, in milliseconds of the cluster's clock. */
  since: number;
}

/** Who listens where in a simulated cluster: what played containers have opened at their pods' addresses. */
export class PodNetwork {
  private readonly listeners = new Map<string, Set<Listener>>();

  /** Opens a container's ports; the result closes them. */
  listen(address: string, ports: readonly ListeningPort[], since: number): () => void {
    const listener = { ports, since };
    const there = this.listeners.get(address) ?? new Set();
    this.listeners.set(address, there.add(listener));
    return () => {
      there.delete(listener);
      if (there.size === 0 && this.listeners.get(address) === there) this.listeners.delete(address);
    };
  }

  /** Whether anything played runs at an address: of other addresses this network knows nothing. */
  knows(address: string): boolean {
    return this.listeners.has(address);
  }

  /** What listens at a port, or will in a moment (`now` absent); undefined: a connection is refused. */
  at(address: string, port: number, now?: number): ListeningPort | undefined {
    for (const { ports, since } of this.listeners.get(address) ?? []) {
      const found = ports.find((each) => each.port === port && (now === undefined || since + each.afterMs <= now));
      if (found) return found;
    }
    return undefined;
  }
}
