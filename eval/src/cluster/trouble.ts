import type { Cluster } from './cluster';
import type { ContainerStatus, Pod } from './objects';
import type { Workload } from './workload';

/** What happens to pods, in the words of the scheduler and of kubelet; each helper leaves status and events as the real ones would. */

export interface Death {
  exitCode: number;
  /** `Error`, `OOMKilled`, `StartError`, `ContainerCannotRun`, `Completed`. */
  reason?: string;
  message?: string;
  /** The last lines it wrote; also those of the run before. */
  log: readonly string[];
  /** The container; the main one by default. */
  container?: string;
  restarts?: number;
  /** How long a run lasts. */
  livedS?: number;
  /** Only these pods, by position; all by default. */
  only?: number[];
}

function chosen(workload: Workload, only?: number[]): Pod[] {
  return workload.pods.filter((_, index) => only === undefined || only.includes(index));
}

export function setCondition(pod: Pod, type: string, status: string, fields: Record<string, unknown> = {}): void {
  const found = pod.status.conditions.find((condition) => condition.type === type);
  if (found) Object.assign(found, { status }, fields);
  else pod.status.conditions.push({ type, status, ...fields });
}

function notReady(pod: Pod, containers: string[], reason = 'ContainersNotReady'): void {
  const message = `containers with unready status: [${containers.join(' ')}]`;
  setCondition(pod, 'Ready', 'False', { reason, message });
  setCondition(pod, 'ContainersReady', 'False', { reason, message });
}

export function statusOf(pod: Pod, container: string): ContainerStatus {
  const all = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const found = all.find(({ name }) => name === container);
  if (!found) throw new Error(`eval: pod ${pod.metadata.name} has no container ${container}`);
  return found;
}

/** Never placed: no node, the scheduler's condition and event. `silent`: neither, as when no scheduler runs. */
export function unschedulable(c: Cluster, workload: Workload, message: string, options: { only?: number[]; silent?: boolean } = {}): void {
  for (const pod of chosen(workload, options.only)) {
    delete pod.spec.nodeName;
    forget(c, pod);
    const scheduled = options.silent ? [] : [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastProbeTime: null, lastTransitionTime: pod.metadata.creationTimestamp }];
    pod.status = { phase: 'Pending', conditions: scheduled, qosClass: 'Burstable' };
    if (!options.silent) c.event(pod, { reason: 'FailedScheduling', message, from: 'default-scheduler', count: c.chance.int(3, 40), lastS: c.chance.int(20, 280) });
  }
}

/** A pod that never ran has no log. */
function forget(c: Cluster, pod: Pod): void {
  for (const key of Object.keys(c.logs)) if (key.startsWith(`${pod.metadata.namespace}/${pod.metadata.name}/`)) delete c.logs[key];
}

/** None of its pods are there, nor their logs. */
export function dropPods(c: Cluster, workload: Workload): void {
  for (const pod of workload.pods) forget(c, pod);
  workload.pods.length = 0;
}

/** Puts each pod's own name and uid where its status and events say POD_NAME and POD_UID. */
export function inPerson(c: Cluster, workload: Workload): void {
  for (const pod of workload.pods) {
    const { name, uid = '' } = pod.metadata;
    const filled = (text: string) => text.replaceAll('POD_UID', uid).replaceAll('POD_NAME', name);
    pod.status = JSON.parse(filled(JSON.stringify(pod.status))) as Pod['status'];
    for (const event of c.events) {
      const about = event['involvedObject'] as { uid?: string };
      if (about.uid === uid) event['message'] = filled(String(event['message']));
    }
  }
}

/** Placed and accepted, a container waits: image, configuration or volumes. */
export function waiting(c: Cluster, workload: Workload, state: { reason: string; message?: string }, options: { only?: number[]; container?: string; initContainer?: boolean } = {}): Pod[] {
  const pods = chosen(workload, options.only);
  for (const pod of pods) {
    const name = options.container ?? workload.main;
    forget(c, pod);
    pod.status.phase = 'Pending';
    delete pod.status.podIP;
    for (const status of pod.status.containerStatuses ?? []) blank(status, 'ContainerCreating');
    if (options.initContainer) {
      for (const status of pod.status.containerStatuses ?? []) status.state = { waiting: { reason: 'PodInitializing' } };
      setCondition(pod, 'Initialized', 'False', { reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${name}]` });
    }
    blank(statusOf(pod, name), state.reason, state.message);
    notReady(pod, (pod.status.containerStatuses ?? []).map((status) => status.name));
    c.event(pod, { type: 'Normal', reason: 'Scheduled', message: `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${pod.spec.nodeName}`, from: 'default-scheduler', lastS: c.chance.int(900, 3000) });
  }
  return pods;
}

function blank(status: ContainerStatus, reason: string, message?: string): void {
  status.ready = false;
  status.started = false;
  status.imageID = '';
  delete status.containerID;
  status.restartCount = 0;
  status.lastState = {};
  status.state = { waiting: { reason, ...(message === undefined ? {} : { message }) } };
}

/** `CreateContainerConfigError` (kubelet, `kuberuntime_container.go` and `kubelet_pods.go`). */
export function configError(c: Cluster, workload: Workload, message: string, options: { only?: number[]; container?: string } = {}): void {
  for (const pod of waiting(c, workload, { reason: 'CreateContainerConfigError', message }, options)) {
    const container = options.container ?? workload.main;
    const count = c.chance.int(8, 60);
    c.event(pod, { type: 'Normal', reason: 'Pulled', message: `Container image "${image(workload, container)}" already present on machine`, count, fieldPath: `spec.containers{${container}}` });
    c.event(pod, { reason: 'Failed', message: `Error: ${message}`, count, fieldPath: `spec.containers{${container}}` });
  }
}

function image(workload: Workload, container: string): string {
  return [...workload.template.containers, ...(workload.template.initContainers ?? [])].find(({ name }) => name === container)?.image ?? '';
}

/** An image that cannot be had: `ErrImagePull` first, `ImagePullBackOff` between the attempts (kubelet, `images/image_manager.go`). */
export function pullError(c: Cluster, workload: Workload, cause: string, options: { only?: number[]; container?: string; pulling?: boolean } = {}): void {
  const container = options.container ?? workload.main;
  const name = image(workload, container);
  const backOff = `Back-off pulling image "${name}"${c.recent ? `: ErrImagePull: ${cause}` : ''}`;
  const now = options.pulling ? { reason: 'ErrImagePull', message: cause } : { reason: 'ImagePullBackOff', message: backOff };
  for (const pod of waiting(c, workload, now, options)) {
    const fieldPath = `spec.containers{${container}}`;
    const count = c.chance.int(4, 12);
    c.event(pod, { type: 'Normal', reason: 'Pulling', message: `Pulling image "${name}"`, count, fieldPath });
    c.event(pod, { reason: 'Failed', message: `Failed to pull image "${name}": ${cause}`, count, fieldPath });
    c.event(pod, { reason: 'Failed', message: 'Error: ErrImagePull', count, fieldPath });
    c.event(pod, { type: 'Normal', reason: 'BackOff', message: backOff, count: count * 6, fieldPath });
    c.event(pod, { reason: 'Failed', message: 'Error: ImagePullBackOff', count: count * 6, fieldPath });
  }
}

/** A volume that cannot be set up: the containers wait, the event tells why. */
export function mountError(c: Cluster, workload: Workload, message: string, options: { only?: number[] } = {}): void {
  for (const pod of waiting(c, workload, { reason: 'ContainerCreating' }, options)) {
    setCondition(pod, 'PodReadyToStartContainers', 'False');
    c.event(pod, { reason: 'FailedMount', message, count: c.chance.int(6, 30) });
  }
}

/** A container that ends again and again, between two attempts: `CrashLoopBackOff`. */
export function crashLoop(c: Cluster, workload: Workload, death: Death): void {
  if (['Job', 'CronJob'].includes(workload.target.kind) && c.chance.next() < 0.5) return failJob(c, workload, death);
  if (['Job', 'CronJob'].includes(workload.target.kind)) for (const spec of [workload.template, ...workload.pods.map((pod) => pod.spec)]) spec['restartPolicy'] = 'OnFailure';
  const container = death.container ?? workload.main;
  const init = (workload.template.initContainers ?? []).some(({ name }) => name === container);
  for (const pod of chosen(workload, death.only)) {
    const status = statusOf(pod, container);
    const restarts = death.restarts ?? c.chance.int(5, 40);
    const endedS = c.chance.int(20, 260);
    status.ready = false;
    status.started = false;
    status.restartCount = restarts;
    status.lastState = terminated(c, status, death, endedS);
    const message = `back-off 5m0s restarting failed container=${container} pod=${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
    status.state = { waiting: { reason: 'CrashLoopBackOff', message } };
    if (init) {
      pod.status.phase = 'Pending';
      for (const other of pod.status.containerStatuses ?? []) blank(other, 'PodInitializing');
      for (const spec of workload.template.containers) delete c.logs[`${pod.metadata.namespace}/${pod.metadata.name}/${spec.name}`];
      setCondition(pod, 'Initialized', 'False', { reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${container}]` });
    }
    notReady(pod, (pod.status.containerStatuses ?? []).filter(({ ready }) => !ready).map(({ name }) => name));
    const fieldPath = `spec.${init ? 'initContainers' : 'containers'}{${container}}`;
    c.event(pod, { type: 'Normal', reason: 'Pulled', message: `Container image "${image(workload, container)}" already present on machine`, count: Math.min(restarts, 12), fieldPath });
    c.event(pod, { reason: 'BackOff', message: `Back-off restarting failed container ${container} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`, count: restarts * 9, fieldPath });
    c.log(pod, container, death.log);
    c.log(pod, container, death.log, true);
  }
}

/** With `restartPolicy: Never` every attempt is a pod of its own, until the Job gives up. */
function failJob(c: Cluster, workload: Workload, death: Death): void {
  const container = death.container ?? workload.main;
  const attempts = c.chance.pick([2, 3, 5]);
  while (workload.pods.length < attempts) workload.pods.push(c.addPod(workload, workload.pods.length));
  for (const pod of workload.pods) {
    const init = (pod.spec.initContainers ?? []).some(({ name }) => name === container);
    pod.status.phase = 'Failed';
    setCondition(pod, 'Ready', 'False', { reason: 'PodFailed' });
    setCondition(pod, 'ContainersReady', 'False', { reason: 'PodFailed' });
    if (init) {
      setCondition(pod, 'Initialized', 'False', { reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${container}]` });
      for (const status of pod.status.containerStatuses ?? []) blank(status, 'PodInitializing');
    }
    const status = statusOf(pod, container);
    Object.assign(status, { ready: false, started: false, lastState: {}, state: terminated(c, status, death, c.chance.int(200, 1300)) });
    if (death.log.length > 0) c.log(pod, container, death.log);
  }
  if (attempts > 4) c.event(workload.controller, { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit', from: 'job-controller', lastS: 150 });
}

function terminated(c: Cluster, status: ContainerStatus, death: Death, endedS: number): Record<string, unknown> {
  const { exitCode, reason = exitCode === 0 ? 'Completed' : 'Error', message, livedS = 3 } = death;
  const startedAt = reason === 'StartError' ? '1970-01-01T00:00:00Z' : c.ago(endedS + livedS);
  return { terminated: { exitCode, reason, ...(message === undefined ? {} : { message }), startedAt, finishedAt: c.ago(endedS), containerID: status.containerID } };
}

/** Runs again at this moment after having died before: `restartCount` and `lastState` alone tell. */
export function restarted(c: Cluster, workload: Workload, death: Death & { runsS?: number; ready?: boolean; endedS?: number }): void {
  const container = death.container ?? workload.main;
  const endedS = death.endedS ?? c.chance.int(30, 90);
  for (const pod of chosen(workload, death.only)) {
    const status = statusOf(pod, container);
    status.restartCount = death.restarts ?? c.chance.int(3, 12);
    status.lastState = terminated(c, status, death, endedS);
    status.state = { running: { startedAt: c.ago(endedS - 1) } };
    status.ready = death.ready ?? false;
    if (!status.ready) notReady(pod, [container]);
    c.log(pod, container, death.log, true);
  }
}

/** The OCI runtime refuses to start the process: exit code 128, `StartError` (containerd, `CreateContainer`/`StartContainer`). */
export function startError(c: Cluster, workload: Workload, message: string, options: { only?: number[]; container?: string } = {}): void {
  const full = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${message}`;
  crashLoop(c, workload, { exitCode: 128, reason: 'StartError', message: full, log: [], ...options });
  for (const pod of chosen(workload, options.only)) {
    const container = options.container ?? workload.main;
    delete c.logs[`${pod.metadata.namespace}/${pod.metadata.name}/${container}`];
    delete c.logs[`${pod.metadata.namespace}/${pod.metadata.name}/${container}:previous`];
    c.event(pod, { reason: 'Failed', message: `Error: ${full}`, count: c.chance.int(4, 9), fieldPath: `spec.containers{${container}}` });
  }
}

/** Running, but its readiness probe fails. */
export function unready(c: Cluster, workload: Workload, message: string, options: { only?: number[]; container?: string; log?: readonly string[] } = {}): void {
  for (const pod of chosen(workload, options.only)) {
    const container = options.container ?? workload.main;
    statusOf(pod, container).ready = false;
    notReady(pod, [container]);
    c.event(pod, { reason: 'Unhealthy', message: `Readiness probe failed: ${message.replaceAll('POD_IP', pod.status.podIP ?? '')}`, count: c.chance.int(40, 400), lastS: c.chance.int(3, 20), fieldPath: `spec.containers{${container}}` });
    if (options.log) c.log(pod, container, options.log);
  }
}

/** Killed over and over by its liveness probe; the process itself would run. `exitCode` 143 when it ends on SIGTERM, 137 when not. */
export function killedByProbe(c: Cluster, workload: Workload, message: string, options: { log: readonly string[]; exitCode?: number; only?: number[]; running?: boolean; livedS?: number }): void {
  const exitCode = options.exitCode ?? 143;
  const death = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', log: options.log, only: options.only, livedS: options.livedS ?? 42, restarts: c.chance.int(6, 30) };
  if (options.running) restarted(c, workload, { ...death, ready: true });
  else crashLoop(c, workload, death);
  for (const pod of chosen(workload, options.only)) {
    const fieldPath = `spec.containers{${workload.main}}`;
    const container = workload.main;
    if (options.running) c.log(pod, container, options.log);
    c.event(pod, { reason: 'Unhealthy', message: `Liveness probe failed: ${message.replaceAll('POD_IP', pod.status.podIP ?? '')}`, count: death.restarts * 3, fieldPath });
    c.event(pod, { type: 'Normal', reason: 'Killing', message: `Container ${container} failed liveness probe, will be restarted`, count: death.restarts, fieldPath });
  }
}

/** The controller is refused the pods: none are made, its event and condition say why. */
export function refused(c: Cluster, workload: Workload, message: string): void {
  dropPods(c, workload);
  const kind = workload.target.kind;
  const from = { Deployment: 'replicaset-controller', StatefulSet: 'statefulset-controller', DaemonSet: 'daemonset-controller' }[kind] ?? 'job-controller';
  if (kind === 'Deployment') workload.createError = message;
  const text = kind === 'StatefulSet' ? `create Pod ${workload.target.name}-0 in StatefulSet ${workload.target.name} failed error: ${message}` : `Error creating: ${message}`;
  c.event(workload.controller, { reason: 'FailedCreate', message: text, from, count: c.chance.int(12, 18), firstS: 2400, lastS: c.chance.int(60, 900) });
}
