import type { KubeObject } from '@larry/contracts';

/** The parts of Kubernetes' own types that the builders fill in (API reference, 1.35); everything else stays open. */
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: Record<string, unknown>[];
  envFrom?: Record<string, unknown>[];
  ports?: { name?: string; containerPort: number; hostPort?: number; protocol?: string }[];
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  volumeMounts?: Record<string, unknown>[];
  livenessProbe?: Record<string, unknown>;
  readinessProbe?: Record<string, unknown>;
  startupProbe?: Record<string, unknown>;
  securityContext?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Record<string, unknown>[];
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  tolerations?: Record<string, unknown>[];
  [field: string]: unknown;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  [field: string]: unknown;
}

export interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  containerID?: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  state: Record<string, unknown>;
  lastState: Record<string, unknown>;
}

export interface PodStatus {
  phase: string;
  conditions: Condition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  podIP?: string;
  hostIP?: string;
  [field: string]: unknown;
}

export interface Pod extends KubeObject {
  spec: PodSpec;
  status: PodStatus;
}

export interface Node extends KubeObject {
  spec: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string; timeAdded?: string }[]; [field: string]: unknown };
  status: { conditions: Condition[]; [field: string]: unknown };
}

export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  protocol?: string;
  nodePort?: number;
}

export interface Service extends KubeObject {
  spec: { selector?: Record<string, string>; ports?: ServicePort[]; clusterIP?: string; type?: string; [field: string]: unknown };
}

/** `Deployment shop/cart`, `Node k3s-worker02`: an object as the tables of cases name it. */
export interface Target {
  kind: string;
  namespace?: string;
  name: string;
}

/** Reads a {@link Target} as written in a table. */
export function target(text: string): Target {
  const [kind = '', path = ''] = text.split(' ');
  const [namespace, name] = path.includes('/') ? path.split('/') : [undefined, path];
  return { kind, ...(namespace === undefined ? {} : { namespace }), name: name ?? '' };
}

/** Kubernetes' quantities of CPU (`250m`) and memory (`256Mi`) as a number of cores or bytes. */
export function quantity(text: string): number {
  const [, value = '0', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? [];
  const factors: Record<string, number> = { m: 0.001, '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 };
  return Number(value) * (factors[unit] ?? 1);
}
