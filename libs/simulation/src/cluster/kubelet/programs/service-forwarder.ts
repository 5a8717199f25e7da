import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ClientContext } from '../../controller';
import { kinds, keyOf, splitKey } from '../../kinds';
import type { EndpointSlice, Service } from '../../types';
import type { LoopbackNetwork } from './loopback-network';
import { slicesOf } from './program-environment';

interface Target {
  address: string;
  port: number;
}

/**
 * The service proxy of a simulated cluster, for the Services of pods that run our programs (and for those whose endpoints
 * somebody wrote by hand on loopback): each has an address in 127.0.0.0/8 on which connections go to a ready endpoint by
 * turns. Without a ready endpoint nobody listens, so that a connection is refused.
 */
export class ServiceForwarder {
  private readonly listeners = new Map<string, Server>();
  private readonly targets = new Map<string, readonly Target[]>();
  private readonly sockets = new Set<Socket>();
  private readonly services;
  private readonly slices;
  private turn = 0;
  private stopped = false;

  constructor(
    private readonly context: ClientContext,
    private readonly network: LoopbackNetwork,
  ) {
    this.services = context.informers.of(kinds.services);
    this.slices = context.informers.of(kinds.endpointSlices);
    this.services.onChange(({ object }) => this.look(keyOf(object)));
    // Whichever of the two kinds is heard of first: the other's notice looks again.
    this.slices.onChange(({ object }) => this.look(`${object.metadata.namespace}/${object.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`));
  }

  stop(): void {
    this.stopped = true;
    for (const listener of this.listeners.values()) listener.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private look(key: string): void {
    if (this.stopped) return;
    const { namespace = '', name } = splitKey(key);
    const service = this.services.get(key);
    const slices = service ? slicesOf(this.slices, namespace, name) : [];
    const prefix = `${key}:`;
    const wanted = new Map<string, Target[]>();
    for (const port of service?.spec.ports ?? []) {
      const targets = slices.flatMap((slice) => this.readyTargets(slice, port));
      if (targets.length > 0) wanted.set(`${prefix}${listenPort(service as Service, port, targets)}`, targets);
    }
    for (const each of [...this.listeners.keys()].filter((known) => known.startsWith(prefix) && !wanted.has(known))) {
      this.listeners.get(each)?.close();
      this.listeners.delete(each);
      this.targets.delete(each);
    }
    for (const [each, targets] of wanted) {
      this.targets.set(each, targets);
      if (!this.listeners.has(each)) this.listen(each, service as Service);
    }
  }

  private readyTargets(slice: EndpointSlice, port: { name?: string; protocol?: string }): Target[] {
    const found = (slice.ports ?? []).find((each) => (each.name ?? '') === (port.name ?? '') && (each.protocol ?? 'TCP') === 'TCP')?.port;
    if (found === undefined || (port.protocol ?? 'TCP') !== 'TCP') return [];
    return (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.conditions?.ready !== false)
      .flatMap((endpoint) => endpoint.addresses ?? [])
      .filter((address) => this.network.answersAt(address))
      .map((address) => ({ address, port: found }));
  }

  private listen(each: string, service: Service): void {
    const { namespace = '', name } = service.metadata;
    const port = Number(each.slice(each.lastIndexOf(':') + 1));
    const address = this.network.ofService(namespace, name);
    const listener = createServer({ allowHalfOpen: true }, (socket) => this.forward(each, socket));
    listener.on('error', (error: NodeJS.ErrnoException) => {
      const remedy = error.code === 'EACCES' ? ': on this machine ports below 1024 are not ours to take, choose another' : '';
      this.context.events.record(service, 'Warning', 'ForwardFailed', `the simulation cannot listen on ${address}:${port} for this Service (${error.code ?? error.message})${remedy}`, 'service-forwarder');
    });
    listener.listen(port, address);
    listener.unref();
    this.listeners.set(each, listener);
  }

  private forward(each: string, socket: Socket): void {
    const targets = this.targets.get(each) ?? [];
    const target = targets[(this.turn += 1) % targets.length];
    if (!target) return void socket.destroy();
    const other = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    for (const [one, another] of [[socket, other], [other, socket]] as const) {
      this.sockets.add(one);
      one.on('error', () => another.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        another.destroySoon();
      });
      one.pipe(another);
    }
  }
}

/** A headless Service has no address of its own: its clients use the port of the pods. */
function listenPort(service: Service, port: { port: number }, [first]: readonly Target[]): number {
  return service.spec.clusterIP === 'None' ? (first?.port ?? port.port) : port.port;
}
