import { listOf, numberOf, recordOf, refOf, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { Facts, Workload } from './model';
import { objectKey, push } from './object-index';
import type { PodFacts } from './pod-facts';

export interface ServicePort {
  index: number;
  name?: string;
  port: number;
  protocol: string;
  targetPort: number | string;
  appProtocol?: string;
}

/** A Service with what stands behind it. */
export interface ServiceFacts {
  ref: ObjectRef;
  key: string;
  object: KubeObject;
  namespace: string;
  name: string;
  type: string;
  clusterIp?: string;
  externalName?: string;
  /** Undefined when it selects nothing by design: endpoints are made by somebody else. */
  selector?: Record<string, string>;
  ports: ServicePort[];
  /** Pods that it selects, without those that are on their way out. */
  pods: PodFacts[];
  readyPods: PodFacts[];
  /** Workloads whose template it selects. */
  workloads: Workload[];
}

/** All Services with their backends; linear in services and selected pods. */
export function servicesOf(facts: Facts): ServiceFacts[] {
  const pods = new Map<string, PodFacts[]>();
  for (const pod of facts.pods) for (const [label, value] of Object.entries(pod.labels)) push(pods, `${pod.namespace} ${label}=${value}`, pod);
  const workloads = new Map<string, Workload[]>();
  for (const workload of facts.workloads) for (const [label, value] of Object.entries(workload.labels)) push(workloads, `${workload.namespace} ${label}=${value}`, workload);
  return facts.objects.list('Service').map((object) => serviceFacts(object, pods, workloads));
}

function serviceFacts(object: KubeObject, pods: Map<string, PodFacts[]>, workloads: Map<string, Workload[]>): ServiceFacts {
  const spec = recordOf(object['spec']);
  const namespace = object.metadata.namespace ?? '';
  const entries = Object.entries(recordOf(spec['selector'])).filter((e): e is [string, string] => typeof e[1] === 'string');
  const selector = entries.length > 0 ? Object.fromEntries(entries) : undefined;
  const matching = <T extends { labels: Record<string, string> }>(index: Map<string, T[]>): T[] => {
    const lists = entries.map(([label, value]) => index.get(`${namespace} ${label}=${value}`) ?? []);
    const fewest = lists.reduce<T[] | undefined>((a, b) => (a && a.length <= b.length ? a : b), undefined) ?? [];
    return fewest.filter((one) => entries.every(([label, value]) => one.labels[label] === value));
  };
  const selected = matching(pods).filter((pod) => pod.deletedMs === undefined && pod.phase !== 'Failed' && pod.phase !== 'Succeeded');
  const clusterIp = textOf(spec['clusterIP']);
  const externalName = textOf(spec['externalName']);
  return {
    ref: refOf(object),
    key: objectKey(object),
    object,
    namespace,
    name: object.metadata.name,
    type: textOf(spec['type']) ?? 'ClusterIP',
    ...(clusterIp ? { clusterIp } : {}),
    ...(externalName ? { externalName } : {}),
    ...(selector ? { selector } : {}),
    ports: listOf(spec['ports']).map(servicePort),
    pods: selected,
    readyPods: selected.filter((pod) => pod.ready),
    workloads: matching(workloads),
  };
}

function servicePort(port: unknown, index: number): ServicePort {
  const number = numberOf(valueIn(port, 'port')) ?? 0;
  const target = valueIn(port, 'targetPort');
  const name = textOf(valueIn(port, 'name'));
  const appProtocol = textOf(valueIn(port, 'appProtocol'));
  return {
    index,
    port: number,
    protocol: textOf(valueIn(port, 'protocol')) ?? 'TCP',
    targetPort: numberOf(target) ?? textOf(target) ?? number,
    ...(name ? { name } : {}),
    ...(appProtocol ? { appProtocol } : {}),
  };
}

export interface DeclaredPort {
  container: string;
  containerIndex: number;
  index: number;
  name?: string;
  port: number;
  protocol: string;
}

/** The ports that a pod's containers declare, restartable init containers included. */
export function declaredPorts(podSpec: unknown): DeclaredPort[] {
  const sidecars = listOf(valueIn(podSpec, 'initContainers')).filter((c) => valueIn(c, 'restartPolicy') === 'Always');
  return [...listOf(valueIn(podSpec, 'containers')), ...sidecars].flatMap((container, containerIndex) =>
    listOf(valueIn(container, 'ports')).flatMap((declared, index) => {
      const port = numberOf(valueIn(declared, 'containerPort'));
      const name = textOf(valueIn(declared, 'name'));
      const base = { container: textOf(valueIn(container, 'name')) ?? '', containerIndex, index, protocol: textOf(valueIn(declared, 'protocol')) ?? 'TCP' };
      return port === undefined ? [] : [{ ...base, port, ...(name ? { name } : {}) }];
    }),
  );
}
