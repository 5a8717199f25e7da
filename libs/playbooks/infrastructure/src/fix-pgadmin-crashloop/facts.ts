import type { ObjectRef, Owner } from '@larry/contracts';

/** Everything `observe` saw; plain data. Times are ISO 8601, UTC. */
export interface Facts {
  /** The moment the facts speak of: now for a live cluster, when it was taken for a snapshot or dump. */
  at: string;
  /** False for manifests, which say what shall be and not what is. */
  runtime: boolean;
  /** Larry may look again, and so may a later `larry verify`. */
  live: boolean;
  workloads: number;
  pods: number;
  /** Workloads that do not run, and PgAdmin whether it runs or not. */
  looked: WorkloadFacts[];
  unknowns: { subject: string; reason: string }[];
}

/** One workload: a Deployment, StatefulSet, DaemonSet, Job, or a Pod of its own. */
export interface WorkloadFacts {
  ref: ObjectRef;
  owner: Owner;
  origin?: { file: string; line?: number };
  /** False where the source has pods of it and cannot show the workload itself. */
  readable: boolean;
  desired: number;
  ready: number;
  status: 'running' | 'starting' | 'not-running' | 'unknown';
  /** Why it does not run, as Kubernetes names it: `CrashLoopBackOff`. */
  reason?: string;
  /** What Kubernetes said to the reason. */
  message?: string;
  /** Pods of the current revision, the broken ones first; at most 5. */
  pods: PodFacts[];
  podCount: number;
  events: EventFacts[];
  pgadmin?: PgadminFacts;
  /** The step of this run's own change that the object carries: an earlier attempt made it. */
  changedBy?: string;
}

export interface PodFacts {
  ref: ObjectRef;
  phase: string;
  createdAt?: string;
  ready: boolean;
  /** Since when it is ready or not ready. */
  readySince?: string;
  reason?: string;
  message?: string;
  containers: ContainerFacts[];
}

export interface ContainerFacts {
  name: string;
  init: boolean;
  ready: boolean;
  restarts: number;
  state: 'waiting' | 'running' | 'terminated' | 'unknown';
  reason?: string;
  message?: string;
  exitCode?: number;
  startedAt?: string;
  last?: { reason?: string; exitCode?: number; finishedAt?: string };
  logs: LogFacts[];
}

/** The end of a log, redacted and printable, oldest line first. */
export interface LogFacts {
  run: 'current' | 'previous';
  lines: string[];
  unavailable?: string;
}

export interface EventFacts {
  about: string;
  reason: string;
  message: string;
  count: number;
  lastAt?: string;
}

/** The parts of PgAdmin's pod template that its entrypoint depends on. */
export interface PgadminFacts {
  container: string;
  image: string;
  /** JSON pointer to the pod's spec inside the workload: `/spec/template/spec`. */
  podSpecAt: string;
  /** Index in `containers`. */
  index: number;
  email: SettingFacts;
  password: SettingFacts;
  /** PGADMIN_CONFIG_ALLOW_SPECIAL_EMAIL_DOMAINS. */
  allowedDomains?: string;
  /** The settings live in a database outside: then e-mail and password may not be needed. */
  externalDatabase: boolean;
  data: DataFacts;
}

/** Where an environment variable comes from, and whether it has a value. */
export interface SettingFacts {
  state: 'value' | 'missing' | 'unknown';
  source: 'literal' | 'secret' | 'configMap' | 'none' | 'other';
  /** The value where it is not secret. */
  value?: string;
  /** JSON pointer to the entry in `env`, where it is one. */
  at?: string;
  /** The Secret or ConfigMap. */
  from?: { name: string; key: string };
  reason?: string;
}

export interface DataFacts {
  /** The kind of volume at /var/lib/pgadmin: `persistentVolumeClaim`, `emptyDir`, …; absent when nothing is mounted. */
  volume?: string;
  claim?: string;
  readOnly: boolean;
  hasPodSecurityContext: boolean;
  fsGroup?: number;
  runAsUser?: number;
}
