import type { KubeObject } from '@larry/contracts';
import { aDeployment, anEvent as aKubeEvent, anObject, aPod as aKubePod, memoryCluster, type ObjectParts } from '@larry/kube/testing';
import { diagnose } from './diagnose';
import { collectFacts } from './facts/collect';
import { parseProbes } from './facts/probes';
import type { DiagnosisFinding } from './finding';

export { aConfigMap, aNamespace, aSecret, aService, anObject } from '@larry/kube/testing';

/** The moment of every cluster made here. */
export const testNow = '2026-01-01T12:00:00Z';

/** A time so many minutes before {@link testNow}. */
export function minutesAgo(minutes: number): string {
  return new Date(Date.parse(testNow) - minutes * 60_000).toISOString();
}

/** What a container of {@link aWorkload} is and does. `running` and ready unless something else is said. */
export interface ContainerParts {
  name?: string;
  /** Spec fields: image, ports, env, probes, resources. */
  spec?: Record<string, unknown>;
  /** `state` of the status; running for an hour by default. */
  state?: Record<string, unknown>;
  last?: Record<string, unknown>;
  restarts?: number;
  ready?: boolean;
}

/** What {@link aWorkload} makes. */
export interface WorkloadParts {
  namespace?: string;
  labels?: Record<string, string>;
  containers?: ContainerParts[];
  initContainers?: ContainerParts[];
  /** Fields of the pods' spec. */
  podSpec?: Record<string, unknown>;
  /** Overrides of the pods' status. */
  podStatus?: Record<string, unknown>;
  node?: string | null;
  /** Replicas; 1 by default. */
  replicas?: number;
  /** How many pods there are; as many as replicas by default. */
  pods?: number;
  ageMinutes?: number;
  deployment?: ObjectParts;
}

/** A Deployment with its ReplicaSet and pods, running unless the parts say otherwise. The pods are named `<name>-aaaaa-0`, `-1`, …. */
export function aWorkload(name: string, parts: WorkloadParts = {}): KubeObject[] {
  const { namespace = 'shop', replicas = 1, pods = replicas, ageMinutes = 60 } = parts;
  const labels = { app: name, ...parts.labels };
  const containers = parts.containers ?? [{}];
  const template = { containers: containers.map((c) => specOf(c, 'app')), ...(parts.initContainers ? { initContainers: parts.initContainers.map((c) => specOf(c, 'init')) } : {}), ...parts.podSpec };
  const created = { creationTimestamp: minutesAgo(ageMinutes) };
  const spec = { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels }, spec: template } };
  const deployment = aDeployment({ name, namespace, metadata: created, ...parts.deployment, spec: { ...spec, ...(parts.deployment?.spec as object | undefined) } });
  const replicaSet = anObject('apps/v1', 'ReplicaSet', { name: `${name}-aaaaa`, namespace, controller: deployment, annotations: { 'deployment.kubernetes.io/revision': '1' }, metadata: created, spec });
  const made = Array.from({ length: pods }, (_, i) => aPod(`${name}-aaaaa-${i}`, { ...parts, namespace, labels: { ...labels, 'pod-template-hash': 'aaaaa' }, controller: replicaSet, template }));
  return [deployment, replicaSet, ...made];
}

/** One pod as {@link aWorkload} makes it. */
export function aPod(name: string, parts: WorkloadParts & { controller?: KubeObject; template?: Record<string, unknown> } = {}): KubeObject {
  const { namespace = 'shop', node = 'node-1', ageMinutes = 60, containers = [{}], initContainers = [] } = parts;
  const template = parts.template ?? { containers: containers.map((c) => specOf(c, 'app')), ...parts.podSpec };
  const statuses = containers.map((c) => statusOf(c, 'app'));
  const isReady = statuses.every((s) => s.ready) && node !== null;
  return aKubePod({
    name,
    namespace,
    ...(parts.labels ? { labels: parts.labels } : {}),
    ...(parts.controller ? { controller: parts.controller } : {}),
    metadata: { creationTimestamp: minutesAgo(ageMinutes) },
    spec: { ...template, nodeName: node ?? undefined },
    status: {
      phase: node === null ? 'Pending' : 'Running',
      podIP: '10.42.0.9',
      conditions: [{ type: 'PodScheduled', status: node === null ? 'False' : 'True' }, { type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: minutesAgo(ageMinutes - 1) }],
      ...(node === null ? {} : { containerStatuses: statuses, initContainerStatuses: initContainers.map((c) => statusOf(c, 'init')) }),
      ...parts.podStatus,
    },
  });
}

function specOf(parts: ContainerParts, fallback: string): Record<string, unknown> {
  return { name: parts.name ?? fallback, image: 'registry.example.com/app:1.0', ...parts.spec };
}

function statusOf(parts: ContainerParts, fallback: string): Record<string, unknown> & { ready: boolean } {
  const state = parts.state ?? { running: { startedAt: minutesAgo(60) } };
  return {
    name: parts.name ?? (parts.spec?.['name'] as string | undefined) ?? fallback,
    state,
    ready: parts.ready ?? 'running' in state,
    restartCount: parts.restarts ?? 0,
    ...(parts.last ? { lastState: parts.last } : {}),
  };
}

/** A container in a crash loop: waiting, ended a minute ago with a code. */
export function crashed(exitCode: number, parts: ContainerParts & { reason?: string; message?: string } = {}): ContainerParts {
  const { reason = 'Error', message, ...rest } = parts;
  const terminated = { exitCode, reason, startedAt: minutesAgo(2), finishedAt: minutesAgo(1), ...(message ? { message } : {}) };
  return { state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } }, last: { terminated }, restarts: 7, ready: false, ...rest };
}

/** A container that waits for a reason. */
export function waiting(reason: string, message = '', parts: ContainerParts = {}): ContainerParts {
  return { state: { waiting: { reason, message } }, ready: false, ...parts };
}

/** An event about an object, a minute old and seen five times. */
export function anEvent(about: KubeObject, reason: string, message: string, parts: ObjectParts & { minutes?: number; times?: number } = {}): KubeObject {
  const { minutes = 1, times = 5, ...rest } = parts;
  serial += 1;
  return aKubeEvent(about, { name: `${about.metadata.name}.${serial}`, reason, message, count: times, firstTimestamp: minutesAgo(minutes + 30), lastTimestamp: minutesAgo(minutes), ...rest });
}
let serial = 0;

/** A worker node that is ready and has room. */
export function aNode(name = 'node-1', parts: ObjectParts = {}): KubeObject {
  const { spec, status, labels, ...rest } = parts;
  return anObject(
    'v1',
    'Node',
    {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
      spec: { ...spec },
      status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' }, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastTransitionTime: minutesAgo(600) }], ...status },
      ...rest,
    },
    false,
  );
}

/** What {@link diagnosed} takes beside objects. */
export interface ClusterParts {
  /** By `namespace/pod/container`, or with `:previous`. */
  logs?: Record<string, string | string[]>;
  /** Kinds that the source cannot tell, each with the reason. */
  unknown?: Record<string, string>;
  probes?: unknown;
  manifests?: boolean;
  namespace?: string;
}

/** Collects and diagnoses a cluster of these objects at {@link testNow}. */
export async function diagnosed(objects: KubeObject[], parts: ClusterParts = {}): Promise<DiagnosisFinding[]> {
  const reader = memoryCluster(objects, { ...(parts.logs ? { logs: parts.logs } : {}), ...(parts.unknown ? { unknown: parts.unknown } : {}), source: parts.manifests ? { type: 'manifests' } : { type: 'snapshot', takenAt: testNow } });
  const probes = parts.probes === undefined ? {} : { probes: parseProbes(parts.probes) };
  return diagnose(await collectFacts(reader, { ...probes, ...(parts.namespace ? { namespace: parts.namespace } : {}), now: () => new Date(testNow) })).findings;
}

/** `cause Kind ns/name` of each finding: what most tests compare. */
export function told(findings: DiagnosisFinding[]): string[] {
  return findings.map((f) => `${f.cause} ${f.kind} ${f.namespace ? `${f.namespace}/` : ''}${f.name}`);
}
