import type { Clock } from '../clock';
import { withCondition } from '../pod-state';
import { parseAmount } from '../quantity';
import type { Condition, Node, Pod, PodStatus } from '../types';
import type { ContainerUnit } from './container-unit';

interface Facts {
  podIp: string;
  startTime: string;
  node: Node;
  clock: Clock;
  mounted: boolean;
  /** The pod is being deleted: what has ended is not started again. */
  ending: boolean;
}

/** The status of a pod out of its containers, and whether nothing more is to be expected of it soon. */
export function podStatus(pod: Pod, units: readonly ContainerUnit[], facts: Facts): { status: PodStatus; settled: boolean } {
  const main = units.filter((unit) => !unit.isInit);
  const init = units.filter((unit) => unit.isInit);
  const phase = facts.ending ? (lastPhase(main, init) ?? phaseOf(pod, main, init)) : phaseOf(pod, main, init);
  const hostIp = facts.node.status?.addresses?.find((address) => address.type === 'InternalIP')?.address;
  const status: PodStatus = {
    ...pod.status,
    phase,
    observedGeneration: pod.metadata.generation,
    conditions: conditionsOf(pod, main, init, phase, facts),
    containerStatuses: main.map((unit) => unit.status()),
    ...(init.length ? { initContainerStatuses: init.map((unit) => unit.status()) } : {}),
    ...(hostIp ? { hostIP: hostIp, hostIPs: [{ ip: hostIp }] } : {}),
    ...(facts.podIp ? { podIP: facts.podIp, podIPs: [{ ip: facts.podIp }] } : {}),
    startTime: facts.startTime,
    qosClass: pod.status?.qosClass ?? qosOf(pod),
  };
  return { status, settled: isSettled(main, init, phase) };
}

/** A pod that is deleted ends in a last phase when nothing of it runs any more; undefined until then. */
function lastPhase(main: readonly ContainerUnit[], init: readonly ContainerUnit[]): string | undefined {
  if ([...main, ...init].some((unit) => unit.isRunning)) return undefined;
  return main.every((unit) => unit.exitCode === 0) ? 'Succeeded' : 'Failed';
}

/** The kubelet's `getPhase`. */
function phaseOf(pod: Pod, main: readonly ContainerUnit[], init: readonly ContainerUnit[]): string {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Never' && init.some((unit) => unit.exitCode !== undefined && unit.exitCode !== 0)) return 'Failed';
  if (!initialised(init) && main.every((unit) => !unit.isRunning && unit.restartCount === 0 && unit.exitCode === undefined)) return 'Pending';
  const ended = main.filter((unit) => unit.exitCode !== undefined || unit.lastState.terminated);
  if (main.some((unit) => unit.state.waiting && !unit.lastState.terminated)) return 'Pending';
  if (main.some((unit) => unit.isRunning)) return 'Running';
  if (policy === 'Always') return ended.length ? 'Running' : 'Pending';
  if (main.every((unit) => unit.exitCode === 0)) return 'Succeeded';
  if (policy === 'Never') return 'Failed';
  return 'Running';
}

function initialised(init: readonly ContainerUnit[]): boolean {
  return init.every((unit) => (unit.isSidecar ? unit.started : unit.exitCode === 0));
}

function conditionsOf(pod: Pod, main: readonly ContainerUnit[], init: readonly ContainerUnit[], phase: string, facts: Facts): Condition[] {
  const over = phase === 'Succeeded';
  const unready = main.filter((unit) => !unit.ready).map((unit) => unit.spec.name);
  const containersReady: Partial<Condition> = over
    ? { status: 'False', reason: 'PodCompleted' }
    : phase === 'Failed'
      ? { status: 'False', reason: 'PodFailed' }
      : unready.length
        ? { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
        : { status: 'True' };
  const pending = init.filter((unit) => !(unit.isSidecar ? unit.started : unit.exitCode === 0)).map((unit) => unit.spec.name);
  const initialisedNow: Partial<Condition> =
    over || pending.length === 0 ? { status: 'True' } : { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${pending.join(' ')}]` };
  const all: [string, Partial<Condition>][] = [
    ['PodReadyToStartContainers', { status: facts.podIp && phase !== 'Succeeded' && phase !== 'Failed' ? 'True' : 'False' }],
    ['Initialized', initialisedNow],
    ['Ready', containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ];
  return all.reduce<Condition[]>((conditions, [type, rest]) => withCondition(conditions, { lastProbeTime: null, status: 'Unknown', ...rest, type }, facts.clock), pod.status?.conditions ?? []);
}

/** Every container is ready, over, held up or back, or has crashed: what comes next takes long. */
function isSettled(main: readonly ContainerUnit[], init: readonly ContainerUnit[], phase: string): boolean {
  if (phase === 'Succeeded' || phase === 'Failed') return true;
  const stuck = (unit: ContainerUnit) => ['CrashLoopBackOff', 'ImageBehaviorUnknown', 'CreateContainerConfigError', 'CreateContainerError', 'InvalidImageName', 'ErrImagePull', 'ImagePullBackOff'].includes(unit.state.waiting?.reason ?? '');
  return init.some(stuck) || main.every((unit) => unit.ready || unit.heldBack || stuck(unit));
}

function qosOf(pod: Pod): string {
  const sections = pod.spec.containers.map((container) => ({ requests: container.resources?.requests ?? {}, limits: container.resources?.limits ?? {} }));
  if (sections.every(({ requests, limits }) => Object.keys(requests).length + Object.keys(limits).length === 0)) return 'BestEffort';
  const guaranteed = sections.every(({ requests, limits }) => ['cpu', 'memory'].every((resource) => limits[resource] !== undefined && parseAmount(requests[resource] ?? limits[resource]) === parseAmount(limits[resource])));
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
