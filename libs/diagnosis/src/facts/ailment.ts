import { lastEnd, type ContainerFacts, type PodFacts } from './pod-facts';
import { minuteMs } from './times';

/** In which way a pod is unwell. */
export interface Ailment {
  kind:
    /** No node has been chosen. */
    | 'unscheduled'
    /** A container cannot be started: image, configuration, volume, sandbox. */
    | 'waiting'
    /** A container ends and is started again. */
    | 'crashing'
    /** Runs and is not ready. */
    | 'unready'
    /** Ended for good with an error. */
    | 'failed'
    /** Shall be gone long ago. */
    | 'terminating';
  container?: ContainerFacts;
}

/** Waits that belong to every start. */
const ordinaryWaits = new Set(['ContainerCreating', 'PodInitializing']);
/** A pod may take this long from its creation to its start before that is called wrong. */
const startMs = 2 * minuteMs;
/** A pod that was deleted may take this long to go. */
const goneMs = 5 * minuteMs;
/** A container that ended not longer ago than this is not yet called recovered. */
const recentMs = 12 * minuteMs;

/**
 * What is wrong with a pod at a moment; `starting` while it may still become well; undefined when it runs or has done its work.
 * `troubled` says whether there are warnings about it: then nobody waits for the start to end.
 */
export function ailmentOf(pod: PodFacts, atMs: number, troubled: boolean): Ailment | 'starting' | undefined {
  if (pod.deletedMs !== undefined) return atMs - pod.deletedMs > goneMs ? { kind: 'terminating' } : undefined;
  if (pod.phase === 'Succeeded') return undefined;
  if (pod.phase === 'Failed') return { kind: 'failed', ...withContainer(pod.containers.find((c) => (lastEnd(c)?.exitCode ?? 0) !== 0)) };
  const young = pod.createdMs !== undefined && atMs - pod.createdMs < startMs;
  if (pod.node === undefined && pod.containers.every((c) => c.state.kind === 'none')) return unscheduled(pod, young, troubled);
  const broken = brokenContainer(pod, atMs);
  if (broken) return broken;
  if (pod.ready) return undefined;
  const stuck = pod.containers.find((c) => c.state.kind === 'waiting' || c.state.kind === 'none');
  if (stuck && !pod.containers.some((c) => !c.init && c.state.kind === 'running')) {
    const running = pod.containers.find((c) => c.init && !c.sidecar && c.state.kind === 'running');
    return young && !troubled ? 'starting' : { kind: 'waiting', container: running ?? stuck };
  }
  const since = pod.readySinceMs ?? pod.createdMs;
  const fresh = since !== undefined && atMs - since < startMs;
  if (fresh && !troubled) return 'starting';
  return { kind: 'unready', ...withContainer(pod.containers.find((c) => !c.init && !c.ready) ?? pod.containers.find((c) => !c.init)) };
}

function unscheduled(pod: PodFacts, young: boolean, troubled: boolean): Ailment | 'starting' {
  const condition = pod.conditions.get('PodScheduled');
  if (condition?.reason === 'SchedulingGated') return 'starting';
  if (condition?.status === 'False' || troubled) return { kind: 'unscheduled' };
  return young ? 'starting' : { kind: 'unscheduled' };
}

/** An init container comes first: the others wait for it. Between two crashes a container runs for a while and looks well. */
function brokenContainer(pod: PodFacts, atMs: number): Ailment | undefined {
  const waiting = pod.containers.find((c) => c.state.kind === 'waiting' && c.state.reason !== undefined && !ordinaryWaits.has(c.state.reason));
  if (waiting) return { kind: isCrash(waiting) ? 'crashing' : 'waiting', container: waiting };
  const ended = pod.containers.find((c) => c.state.kind === 'terminated' && (!c.init || c.state.exitCode !== 0) && (c.state.exitCode !== 0 || restartsAlways(pod)));
  if (ended) return { kind: 'crashing', container: ended };
  const flapping = pod.containers.find((c) => isFlapping(c, atMs));
  return flapping ? { kind: 'crashing', container: flapping } : undefined;
}

const isCrash = (container: ContainerFacts): boolean => container.state.reason === 'CrashLoopBackOff';
const restartsAlways = (pod: PodFacts): boolean => (pod.spec['restartPolicy'] ?? 'Always') === 'Always';

function isFlapping(container: ContainerFacts, atMs: number): boolean {
  const { last } = container;
  if (container.state.kind !== 'running' || !last || (container.init && !container.sidecar)) return false;
  const ago = last.finishedMs === undefined ? Infinity : atMs - last.finishedMs;
  if (last.reason === 'OOMKilled') return ago < 2 * recentMs || (container.restarts >= 3 && ago < 5 * recentMs);
  if (!container.ready) return ago < recentMs || container.restarts >= 3;
  return container.restarts >= 2 && ago < recentMs;
}

const withContainer = (container: ContainerFacts | undefined): { container?: ContainerFacts } => (container ? { container } : {});
