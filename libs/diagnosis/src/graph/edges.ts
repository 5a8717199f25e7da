import { recordOf, textOf, type KubeObject } from '@larry/contracts';
import { controllerOf } from '@larry/kube';
import { addressesOf, serviceNameOf, type Address } from '../facts/addresses';
import type { Facts, Workload } from '../facts/model';
import { keyOf, objectKey } from '../facts/object-index';
import { servicesOf, type ServiceFacts } from '../facts/services';
import type { Wishes } from '../finding';
import { DependencyGraph } from './graph';
import { claimsOfPod, referencesOf } from './references';
import { routesOf, type Route } from './routes';

/** A workload's configuration names a Service, or a host that should be one. */
export interface Call {
  workload: Workload;
  address: Address;
  /** The Service's name and namespace as the host means them. */
  target: { name: string; namespace: string };
  /** Undefined when there is no such Service. */
  service?: ServiceFacts;
}

/** Facts with what follows from them at once: services with backends, calls, routes, and who depends on whom. */
export interface Scene {
  facts: Facts;
  services: ServiceFacts[];
  serviceAt: Map<string, ServiceFacts>;
  /** Services of which a workload is a backend, by the workload's key. */
  servicesOfWorkload: Map<string, ServiceFacts[]>;
  calls: Call[];
  callsOf: Map<string, Call[]>;
  routes: Route[];
  graph: DependencyGraph;
  wishes: Wishes;
}

/** Draws the dependencies: linear in objects and in the references between them. */
export function sceneOf(facts: Facts, wishes: Wishes = {}): Scene {
  const graph = new DependencyGraph();
  const services = servicesOf(facts);
  const serviceAt = new Map(services.map((service) => [service.key, service]));
  const servicesOfWorkload = new Map<string, ServiceFacts[]>();
  for (const workload of facts.workloads) addWorkload(graph, workload);
  for (const pod of facts.pods) addPod(graph, pod.key, pod.controller ? keyOf(pod.controller) : undefined, pod.node, pod.workload);
  for (const kind of ['ReplicaSet', 'Job'] as const) for (const object of facts.objects.list(kind)) addMaker(graph, object);
  for (const service of services) {
    for (const pod of service.pods) graph.add(service.key, pod.key, 'routes to');
    for (const workload of service.workloads) {
      graph.add(service.key, workload.key, 'routes to');
      servicesOfWorkload.set(workload.key, [...(servicesOfWorkload.get(workload.key) ?? []), service]);
    }
  }
  for (const claim of facts.objects.list('PersistentVolumeClaim')) addClaim(graph, claim);
  const calls = facts.workloads.flatMap((workload) => callsOf(facts, workload, serviceAt));
  const byWorkload = new Map<string, Call[]>();
  for (const call of calls) {
    byWorkload.set(call.workload.key, [...(byWorkload.get(call.workload.key) ?? []), call]);
    if (call.service) graph.add(call.workload.key, call.service.key, `calls (${call.address.from})`);
  }
  const routes = routesOf(facts);
  for (const route of routes) graph.add(route.key, keyOf({ kind: 'Service', ...route.service }), 'routes to');
  return { facts, services, serviceAt, servicesOfWorkload, calls, callsOf: byWorkload, routes, graph, wishes };
}

function addWorkload(graph: DependencyGraph, workload: Workload): void {
  const { namespace } = workload;
  for (const { kind, name } of referencesOf(workload.podSpec)) graph.add(workload.key, keyOf({ kind, namespace, name }), 'needs');
  for (const maker of workload.makers) graph.add(workload.key, maker, 'makes its pods through');
  for (const pod of workload.pods) {
    for (const claim of claimsOfPod(pod.spec)) graph.add(pod.key, keyOf({ kind: 'PersistentVolumeClaim', namespace, name: claim.name }), 'mounts');
  }
}

function addPod(graph: DependencyGraph, pod: string, controller: string | undefined, node: string | undefined, workload: string): void {
  if (node) graph.add(pod, keyOf({ kind: 'Node', name: node }), 'runs on');
  if (controller && !controller.startsWith('Node ')) graph.add(controller, pod, 'is made of');
  if (workload !== pod && workload !== controller) graph.add(workload, pod, 'is made of');
}

function addMaker(graph: DependencyGraph, object: KubeObject): void {
  const owner = controllerOf(object);
  if (owner) graph.add(keyOf(owner), objectKey(object), 'makes its pods through');
}

function addClaim(graph: DependencyGraph, claim: KubeObject): void {
  const spec = recordOf(claim['spec']);
  const volume = textOf(spec['volumeName']);
  const storageClass = textOf(spec['storageClassName']);
  if (volume) graph.add(objectKey(claim), keyOf({ kind: 'PersistentVolume', name: volume }), 'is bound to');
  if (storageClass) graph.add(objectKey(claim), keyOf({ kind: 'StorageClass', name: storageClass }), 'is provided by');
}

function callsOf(facts: Facts, workload: Workload, serviceAt: Map<string, ServiceFacts>): Call[] {
  return addressesOf(facts, workload).flatMap((address) => {
    const target = serviceNameOf(address.host, workload.namespace, facts);
    if (!target) return [];
    const service = serviceAt.get(keyOf({ kind: 'Service', ...target }));
    return [{ workload, address, target, ...(service ? { service } : {}) }];
  });
}

