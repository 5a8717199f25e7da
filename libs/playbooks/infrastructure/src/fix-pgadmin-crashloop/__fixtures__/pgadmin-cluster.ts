import type { KubeObject } from '@larry/contracts';
import { aDeployment, anEvent, aPod, aReplicaSet } from '@larry/kube/testing';
import type { PlaybookContext } from '@larry/playbook';
import type { ClusterReader } from '@larry/kube';
import { optionsSchema, type Options } from '../options';

export const now = '2026-06-01T12:00:00Z';
export const literal = (name: string, value: string) => ({ name, value });
export const secretKey = (name: string, secret: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key } } });

/** What the entrypoint prints before it gives up; the first two lines are in every run. */
export const logOf = (last: string): string[] => ['sudo: setrlimit(RLIMIT_CORE): Operation not permitted', "WARNING: Failed to set ACL on the directory containing the configuration database: [Errno 1] Operation not permitted: '/var/lib/pgadmin'", last];
export const refusedEmail = (email: string): string[] => logOf(`'${email}' does not appear to be a valid email address. Please reset the PGADMIN_DEFAULT_EMAIL environment variable and try again.`);

export interface PgadminParts {
  env?: unknown[];
  envFrom?: unknown[];
  securityContext?: Record<string, unknown> | null;
  volume?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  running?: boolean;
  containerStatus?: Record<string, unknown>;
  startedAt?: string;
  restarts?: number;
}

/** A PgAdmin of one replica in `database`, crash-looping unless `running`: Deployment, two ReplicaSets, one pod. */
export function pgadminObjects(parts: PgadminParts = {}): KubeObject[] {
  const { running = false, restarts = running ? 0 : 7 } = parts;
  const env = parts.env ?? [literal('PGADMIN_DEFAULT_EMAIL', 'admin@cluster.local'), secretKey('PGADMIN_DEFAULT_PASSWORD', 'pgadmin', 'password')];
  const container = { name: 'pgadmin', image: 'dpage/pgadmin4:8.14', env, ...(parts.envFrom ? { envFrom: parts.envFrom } : {}), volumeMounts: [{ name: 'data', mountPath: '/var/lib/pgadmin' }] };
  const spec = {
    containers: [container],
    volumes: [{ name: 'data', ...(parts.volume ?? { persistentVolumeClaim: { claimName: 'pgadmin' } }) }],
    ...(parts.securityContext === null ? {} : { securityContext: parts.securityContext ?? {} }),
  };
  const deployment = aDeployment({
    name: 'pgadmin',
    namespace: 'database',
    template: spec,
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: running ? 1 : 0 },
    ...(parts.metadata ? { metadata: parts.metadata } : {}),
  });
  const set = (revision: string) =>
    aReplicaSet({ name: `pgadmin-${revision}`, namespace: 'database', controller: deployment, annotations: { 'deployment.kubernetes.io/revision': revision } });
  const state = running ? { running: { startedAt: parts.startedAt ?? '2026-06-01T11:00:00Z' } } : { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } };
  const status = {
    name: 'pgadmin',
    ready: running,
    restartCount: restarts,
    state,
    ...(restarts > 0 ? { lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: running ? (parts.startedAt ?? '2026-06-01T11:00:00Z') : '2026-06-01T11:58:00Z' } } } : {}),
    ...parts.containerStatus,
  };
  const pod = aPod({
    name: 'pgadmin-2-abcde',
    namespace: 'database',
    controller: set('2'),
    spec,
    status: { conditions: [{ type: 'Ready', status: running ? 'True' : 'False' }], containerStatuses: [status] },
  });
  return [deployment, set('1'), set('2'), pod, anEvent(pod, { reason: 'BackOff', message: 'Back-off restarting failed container', count: 41, lastTimestamp: now })];
}

export const passwordSecret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pgadmin', namespace: 'database', uid: 's' }, data: { password: 'eA==' } };
export const logKey = 'database/pgadmin-2-abcde/pgadmin';

/** A context over a reader; `wait` moves its clock and calls `onWait`, so that tests take no time. */
export function aContext(cluster: ClusterReader, options: Partial<Options> = {}, onWait: (ms: number) => void = () => undefined): PlaybookContext<Options> {
  let at = Date.parse(now);
  const quiet = () => undefined;
  return {
    run: 'run-1',
    task: 'fix-pgadmin-crashloop',
    cluster,
    options: optionsSchema.parse(options),
    signal: new AbortController().signal,
    results: new Map(),
    now: () => new Date(at),
    progress: quiet,
    wait: async (ms) => {
      at += ms;
      onWait(ms);
    },
    log: { debug: quiet, info: quiet, warn: quiet },
  };
}
