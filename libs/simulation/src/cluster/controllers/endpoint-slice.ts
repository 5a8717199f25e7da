import type { KubeObject } from '@larry/contracts';
import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { kinds } from '../kinds';
import { isFinished, isReady, isTerminating } from '../pod-state';
import { matchesMap } from '../selectors';
import { controllerReference, randomSuffix, sameValue } from '../template';
import type { Pod, Service } from '../types';

/** One EndpointSlice for each Service with a selector; more than 1,000 endpoints are not split. */
export class EndpointSliceController extends Controller {
  private readonly services = this.watch(kinds.services);
  private readonly slices = this.watchFor(kinds.endpointSlices, (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`]);
  private readonly pods = this.watchFor(kinds.pods, (pod) =>
    this.services
      .inNamespace(pod.metadata.namespace ?? '')
      .filter((service) => matchesMap(service.spec.selector, pod.metadata.labels))
      .map((service) => `${service.metadata.namespace}/${service.metadata.name}`),
  );
  private readonly endpoints = this.context.informers.of(kinds.endpoints);

  constructor(context: ClientContext) {
    super(context, 'endpointslice');
  }

  protected async sync(key: string): Promise<void> {
    const service = this.services.get(key);
    if (!service) return this.withoutService(key);
    if (isTerminating(service) || !service.spec.selector || service.spec.type === 'ExternalName') return;
    const pods = this.pods
      .inNamespace(service.metadata.namespace ?? '')
      .filter((pod) => matchesMap(service.spec.selector, pod.metadata.labels) && pod.status?.podIP && !isFinished(pod));
    pods.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
    await this.writeSlice(service, pods);
    await this.writeEndpoints(service, pods);
  }

  /** Slices have the Service as their owner; Endpoints have none (`pkg/controller/endpoint`). */
  private async withoutService(key: string): Promise<void> {
    const endpoints = this.endpoints.get(key);
    if (endpoints?.metadata.labels?.['endpoints.kubernetes.io/managed-by']) await this.context.api.delete(kinds.endpoints, endpoints).catch(ignoreMissing);
  }

  private async writeSlice(service: Service, pods: Pod[]): Promise<void> {
    const body = { addressType: 'IPv4', endpoints: pods.map((pod) => endpointOf(service, pod)), ports: portsOf(service, pods[0]) };
    const [mine, ...extra] = this.slices.ownedBy(service.metadata.uid ?? '');
    for (const slice of extra) await this.context.api.delete(kinds.endpointSlices, slice).catch(ignoreMissing);
    if (mine) {
      const same = sameValue(mine.endpoints ?? [], body.endpoints) && sameValue(mine.ports ?? [], body.ports);
      if (!same) this.slices.observe(await this.context.api.patch(kinds.endpointSlices, mine, { metadata: { uid: mine.metadata.uid }, ...body }));
      return;
    }
    const slice: KubeObject = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `${service.metadata.name}-${randomSuffix()}`,
        namespace: service.metadata.namespace,
        labels: {
          ...service.metadata.labels,
          'kubernetes.io/service-name': service.metadata.name,
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
        },
        ownerReferences: [controllerReference(service)],
      },
      ...body,
    };
    this.slices.observe(await this.context.api.create(kinds.endpointSlices, slice, service.metadata.namespace));
  }

  private async writeEndpoints(service: Service, pods: Pod[]): Promise<void> {
    const address = (pod: Pod) => ({ ip: pod.status?.podIP, nodeName: pod.spec.nodeName, targetRef: refTo(pod) });
    const serves = (pod: Pod) => service.spec.publishNotReadyAddresses || (isReady(pod) && !isTerminating(pod));
    const ready = pods.filter(serves).map(address);
    const notReady = pods.filter((pod) => !serves(pod)).map(address);
    const ports = portsOf(service, pods[0]);
    const part = (name: string, addresses: unknown[]) => (addresses.length ? { [name]: addresses } : {});
    const subsets = ready.length + notReady.length ? [{ ...part('addresses', ready), ...part('notReadyAddresses', notReady), ...(ports.length ? { ports } : {}) }] : [];
    const { name, namespace, labels } = service.metadata;
    const known = this.endpoints.get(`${namespace}/${name}`);
    if (known && sameValue(known.subsets ?? [], subsets)) return;
    const endpoints: KubeObject = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name, namespace, labels: { ...labels, 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
      subsets,
    };
    const written = known ? this.context.api.patch(kinds.endpoints, known, { subsets }) : this.context.api.create(kinds.endpoints, endpoints, namespace);
    this.endpoints.observe(await written);
  }
}

function refTo(pod: Pod): object {
  return { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid };
}

function endpointOf(service: Service, pod: Pod): object {
  const terminating = isTerminating(pod);
  const ready = isReady(pod);
  return {
    addresses: [pod.status?.podIP],
    conditions: { ready: service.spec.publishNotReadyAddresses ? true : ready && !terminating, serving: ready, terminating },
    nodeName: pod.spec.nodeName,
    targetRef: refTo(pod),
    ...(pod.spec.hostname && pod.spec.subdomain === service.metadata.name ? { hostname: pod.spec.hostname } : {}),
  };
}

/** Named target ports are looked up in the pod's containers. */
function portsOf(service: Service, pod: Pod | undefined): { name?: string; port: number; protocol: string }[] {
  return (service.spec.ports ?? []).flatMap((port) => {
    const target = port.targetPort ?? port.port;
    const named = typeof target === 'string' ? pod?.spec.containers.flatMap((c) => c.ports ?? []).find((p) => p.name === target)?.containerPort : target;
    return named === undefined ? [] : [{ name: port.name ?? '', port: named, protocol: port.protocol ?? 'TCP' }];
  });
}

export function ignoreMissing(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}
