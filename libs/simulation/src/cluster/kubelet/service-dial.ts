import type { Dialled } from '../behaviours';
import type { Informer, Informers } from '../informer';
import { kinds } from '../kinds';
import type { PodNetwork } from '../pod-network';
import type { EndpointSlice, Namespace, Service } from '../types';
import { slicesOf } from './programs/program-environment';

/** Cluster DNS and the service proxy, as far as played containers ask: whether a name is there and somebody answers behind it. */
export class ServiceDial {
  private readonly services: Informer<Service>;
  private readonly slices: Informer<EndpointSlice>;
  private readonly namespaces: Informer<Namespace>;

  constructor(
    informers: Informers,
    private readonly network: PodNetwork,
  ) {
    this.services = informers.of(kinds.services);
    this.slices = informers.of(kinds.endpointSlices);
    this.namespaces = informers.of(kinds.namespaces);
  }

  /** What becomes of a connection from a pod of `namespace`. */
  dial(namespace: string, host: string, port: number): Dialled {
    const key = this.serviceKey(namespace, host.toLowerCase().replace(/\.$/, ''));
    if (!key) return 'open';
    const service = this.services.get(key);
    if (!service) return 'unknown host';
    if (service.spec.type === 'ExternalName') return 'open';
    return service.spec.clusterIP === 'None' ? this.direct(service, port) : this.proxied(service, port);
  }

  /** The Service that a name means, as the pod's search list has it; undefined for names outside of the cluster. */
  private serviceKey(namespace: string, host: string): string | undefined {
    if (host === 'localhost' || /^[\d.]+$|:/.test(host)) return undefined;
    const parts = host.replace(/\.svc(?:\.cluster\.local)?$/, '').split('.');
    const inCluster = /\.svc(?:\.cluster\.local)?$/.test(host);
    if (parts.length === 1) return `${namespace}/${host}`;
    const [name = '', where = ''] = parts.slice(-2);
    return inCluster || this.namespaces.get(where) ? `${where}/${name}` : undefined;
  }

  private direct(service: Service, port: number): Dialled {
    return this.reach(this.readySlices(service).flatMap((slice) => addressesOf(slice).map((address) => ({ address, port }))));
  }

  private proxied(service: Service, port: number): Dialled {
    const wanted = (service.spec.ports ?? []).find((each) => each.port === port);
    // Nothing is set up for a port that a Service does not have, so nobody answers.
    if (!wanted) return 'timed out';
    const targets = this.readySlices(service).flatMap((slice) => {
      const target = (slice.ports ?? []).find((each) => (each.name ?? '') === (wanted.name ?? ''))?.port;
      return target === undefined ? [] : addressesOf(slice).map((address) => ({ address, port: target }));
    });
    return this.reach(targets);
  }

  private readySlices(service: Service): EndpointSlice[] {
    return slicesOf(this.slices, service.metadata.namespace ?? '', service.metadata.name);
  }

  /** Without an endpoint its pods may be on their way: clients go on trying then. */
  private reach(targets: readonly { address: string; port: number }[]): Dialled {
    const known = targets.filter(({ address }) => this.network.knows(address));
    return known.length > 0 && known.length === targets.length && known.every(({ address, port }) => !this.network.at(address, port)) ? 'refused' : 'open';
  }
}

const addressesOf = (slice: EndpointSlice) => (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false).flatMap((endpoint) => endpoint.addresses ?? []);
