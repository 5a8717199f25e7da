import type { KubeObject } from '@larry/contracts';
import type { Chance } from './chance';
import type { Pod, Service, ServicePort } from './objects';

/** Endpoints and EndpointSlices as the controllers keep them: of pods that a Service selects, ready and not. */
export function settleEndpoints(services: Service[], pods: Pod[], chance: Chance): KubeObject[] {
  return services.flatMap((service) => {
    const { selector } = service.spec;
    if (!selector || service.spec.type === 'ExternalName') return [];
    const chosen = pods.filter((pod) => pod.metadata.namespace === service.metadata.namespace && serving(pod) && matches(pod, selector));
    return [endpoints(service, chosen), slice(service, chosen, chance)];
  });
}

function serving(pod: Pod): boolean {
  return pod.status.podIP !== undefined && pod.status.phase === 'Running';
}

function matches(pod: Pod, selector: Record<string, string>): boolean {
  return Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value);
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function portOf(pods: Pod[], port: ServicePort): number | undefined {
  if (typeof port.targetPort === 'number') return port.targetPort;
  if (port.targetPort === undefined) return port.port;
  const named = pods.flatMap((pod) => pod.spec.containers.flatMap((container) => container.ports ?? [])).find(({ name, protocol = 'TCP' }) => name === port.targetPort && protocol === (port.protocol ?? 'TCP'));
  return named?.containerPort;
}

function address(pod: Pod): Record<string, unknown> {
  return { ip: pod.status.podIP, nodeName: pod.spec.nodeName, targetRef: { kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid } };
}

function endpoints(service: Service, pods: Pod[]): KubeObject {
  const ports = (service.spec.ports ?? []).flatMap((port) => {
    const number = portOf(pods, port);
    return number === undefined ? [] : [{ ...(port.name ? { name: port.name } : {}), port: number, protocol: port.protocol ?? 'TCP' }];
  });
  const ready = pods.filter(isReady).map(address);
  const notReady = pods.filter((pod) => !isReady(pod)).map(address);
  const subset = { ...(ready.length > 0 ? { addresses: ready } : {}), ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}), ports };
  const { name, namespace } = service.metadata;
  return { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels: service.metadata.labels }, ...(pods.length > 0 && ports.length > 0 ? { subsets: [subset] } : {}) };
}

function slice(service: Service, pods: Pod[], chance: Chance): KubeObject {
  const { name, namespace, uid } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-${chance.name(5)}`, namespace, labels: { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid: uid ?? '', controller: true, blockOwnerDeletion: true }] },
    addressType: 'IPv4',
    ports: (service.spec.ports ?? []).flatMap((port) => {
      const number = portOf(pods, port);
      return number === undefined ? [] : [{ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP' }];
    }),
    endpoints: pods.map((pod) => ({
      addresses: [pod.status.podIP],
      conditions: { ready: isReady(pod), serving: isReady(pod), terminating: pod.metadata.deletionTimestamp !== undefined },
      nodeName: pod.spec.nodeName,
      targetRef: { kind: 'Pod', name: pod.metadata.name, namespace, uid: pod.metadata.uid },
    })),
  };
}
