import type { KubeObject } from '@larry/contracts';
import type { Container, Pod, PodSpec, Target } from './objects';

/** What a case says about a workload; the rest is filled in as a healthy one. */
export interface WorkloadSpec {
  /** `spec.replicas`; 2 for a Deployment, 1 for a StatefulSet. */
  replicas?: number;
  /** How many pods there are; `replicas` by default. */
  pods?: number;
  image?: string;
  /** Merged over the main container. */
  container?: Partial<Container>;
  /** More containers and init containers, volumes, and every other field of the pod's spec. */
  sidecars?: Container[];
  pod?: Partial<Omit<PodSpec, 'containers'>>;
  /** The port the main container listens on; 8080 by default, none with 0. */
  port?: number;
  /** A ClusterIP Service of the same name in front of it; true by default for a Deployment or StatefulSet. */
  service?: boolean;
  /** When the workload was made, and its pods, seconds before the snapshot. */
  ageS?: number;
  podAgeS?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Node names in the order of the pods. */
  nodes?: string[];
  /** Fields of the root's spec. */
  spec?: Record<string, unknown>;
  /** `metadata.managedFields`' manager of the root. */
  manager?: string;
}

/** A workload in a cluster being built. */
export interface Workload {
  target: Required<Target>;
  spec: WorkloadSpec;
  /** The object a person would change. */
  root: KubeObject;
  /** The pods' direct controller. */
  controller: KubeObject;
  template: PodSpec;
  labels: Record<string, string>;
  pods: Pod[];
  /** The name of the main container. */
  main: string;
  /** Set when the controller cannot make pods: its own words. */
  createError?: string;
  /** Set when a Deployment's rollout has been stuck longer than its deadline. */
  stuck?: boolean;
}

/** `apiVersion` of the kinds that run pods. */
export const workloadVersions: Record<string, string> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicaSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  Pod: 'v1',
};

/** The pod's spec as the API server stores it: defaults filled in. */
export function podSpec(name: string, spec: WorkloadSpec): PodSpec {
  const port = spec.port ?? 8080;
  const main: Container = {
    name: mainName(name),
    image: spec.image ?? `registry.example.com/apps/${name}:1.${name.length}.0`,
    imagePullPolicy: 'IfNotPresent',
    ...(port === 0 ? {} : { ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }] }),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...spec.container,
  };
  return {
    serviceAccountName: 'default',
    serviceAccount: 'default',
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    tolerations: ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })),
    ...spec.pod,
    containers: [main, ...(spec.sidecars ?? [])],
  };
}

/** The main container is called like its workload, as most charts do, or `app` for longer names. */
export function mainName(name: string): string {
  return name.length > 12 ? 'app' : name;
}
