import type { JsonRecord, KubeObject, ObjectRef } from '@larry/contracts';
import type { SourceInfo } from '@larry/kube';
import type { Ailment } from './ailment';
import type { EventIndex } from './event-index';
import type { LogIndex } from './log-index';
import type { ObjectIndex } from './object-index';
import type { PodFacts } from './pod-facts';
import type { Probes } from './probes';

/** Everything that a diagnosis is made from: plain data and indexes over it; nothing in it reads on. */
export interface Facts {
  /** The moment the facts speak of, milliseconds. */
  atMs: number;
  source: SourceInfo;
  /** False for manifests, which say what shall be and not what is. */
  runtime: boolean;
  /** The only namespace asked about. */
  namespace?: string;
  objects: ObjectIndex;
  pods: PodFacts[];
  workloads: Workload[];
  /** Workloads by graph key. */
  workloadAt: Map<string, Workload>;
  events: EventIndex;
  logs: LogIndex;
  probes?: Probes;
  /** Where objects stand in manifests, by graph key. */
  origins: Map<string, { file: string; line?: number }>;
  unknowns: { subject: string; reason: string }[];
}

/** The uppermost object of Kubernetes' own that makes pods: Deployment, StatefulSet, DaemonSet, CronJob, Job, or a Pod by itself. */
export interface Workload {
  ref: ObjectRef;
  key: string;
  /** Undefined where the source shows its pods and not the workload itself. */
  object?: KubeObject;
  namespace: string;
  name: string;
  desired: number;
  ready: number;
  /** The spec of the pods it makes now. */
  podSpec: JsonRecord;
  /** JSON pointer to it in `object`; in a pod's where `object` is not known. */
  podSpecAt: string;
  /** Labels of the pods it makes now. */
  labels: Record<string, string>;
  /** Pods of the current revision. */
  pods: PodFacts[];
  /** Pods of every revision. */
  allPods: PodFacts[];
  state: 'running' | 'starting' | 'not-running' | 'stopped' | 'unknown';
  /** Pods of the current revision that are unwell, the plainest case first. */
  unwell: { pod: PodFacts; ailment: Ailment }[];
  /** It needs more pods than it has. */
  lacksPods: boolean;
  /** Graph keys of the objects between it and its pods that are current: its newest ReplicaSet, its newest Job. */
  makers: string[];
}
