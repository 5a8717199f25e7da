import { constants } from 'node:os';
import type { WorkerExit } from '../launcher';
import { sentenceOf, type JobFacts, type PodFacts } from './job-facts';

/** Where a Job's worker stands. */
export type JobVerdict =
  /** Not running yet. `trouble`: something that people must mend is in its way; `hopeless`: it will not go away. */
  | { state: 'waiting'; trouble?: string; hopeless?: boolean }
  | { state: 'running' }
  /** Its pod is being ended; within that time it has ended, or its node does not answer. */
  | { state: 'ending'; withinMs: number; why: string }
  /** Nothing of it is there, and its pod may only not have been heard of yet. */
  | { state: 'missing'; exit: WorkerExit }
  | { state: 'ended'; exit: WorkerExit };

/** Reasons of a waiting container that no waiting mends (kubelet, `pkg/kubelet/images/types.go`). */
const hopelessReasons = new Set(['InvalidImageName', 'ErrImageNeverPull']);
/** Container runtimes say 128 when the container could not be started at all. */
const startFailures = new Set(['StartError', 'ContainerCannotRun', 'RunContainerError']);
/** The control plane gave up on the node: nobody saw the processes end. */
const unseenEnds = new Set(['DeletionByPodGC', 'DeletionByTaintManager']);

/** What a Job and its pods say together. Pure. */
export function verdictOn(job: JobFacts | undefined, pods: readonly PodFacts[]): JobVerdict {
  const live = pods.filter((pod) => !hasEnded(pod));
  const running = live.find((pod) => pod.running && pod.endingWithinMs === undefined);
  if (running) return { state: 'running' };
  const ending = live.find((pod) => pod.endingWithinMs !== undefined);
  if (ending) return { state: 'ending', withinMs: ending.endingWithinMs ?? 0, why: whyEnded(job, ending) };
  const [waiting] = live;
  if (waiting) return waitingVerdict(waiting);
  if (pods.length > 0) return { state: 'ended', exit: bestOf(pods.map((pod) => exitOf(job, pod))) };
  return withoutPods(job);
}

function hasEnded(pod: PodFacts): boolean {
  return pod.gone || pod.terminated !== undefined || pod.phase === 'Failed' || pod.phase === 'Succeeded';
}

function waitingVerdict({ waiting }: PodFacts): JobVerdict {
  if (!waiting) return { state: 'waiting' };
  return { state: 'waiting', trouble: sentenceOf(waiting), ...(hopelessReasons.has(waiting.reason) ? { hopeless: true } : {}) };
}

/** A second pod of a Job is refused by `start` and exits 2: what the other one did counts. */
function bestOf(exits: WorkerExit[]): WorkerExit {
  const [first] = exits;
  return exits.find((exit) => exit.code === 0) ?? exits.find((exit) => exit.code !== 2) ?? first ?? { reason: 'nothing is known of it' };
}

function withoutPods(job: JobFacts | undefined): JobVerdict {
  if (!job) return { state: 'waiting' };
  if (job.gone) return { state: 'missing', exit: { reason: 'its Job was deleted', unsure: true } };
  if (job.ended?.type === 'Complete') return { state: 'missing', exit: { code: 0, reason: 'its Job is complete' } };
  if (job.ended) return { state: 'missing', exit: { reason: `its Job failed: ${sentenceOf(job.ended)}`, unsure: true, ...(job.ended.reason === 'DeadlineExceeded' ? { error: true } : {}) } };
  return { state: 'waiting' };
}

/** How one pod ended. */
function exitOf(job: JobFacts | undefined, pod: PodFacts): WorkerExit {
  const { terminated } = pod;
  if (!terminated) return withoutContainer(job, pod);
  const { code, reason, message } = terminated;
  if (reason === 'OOMKilled') return { reason: 'killed by SIGKILL: it used more memory than its limit (OOMKilled)', error: true };
  if (startFailures.has(reason)) return { reason: `its container could not be started: ${message || reason}`, error: true };
  const late = job?.ended?.reason === 'DeadlineExceeded' && code !== 0;
  if (late) return { reason: `it was ended by its Job's deadline (${sentenceOf(job.ended ?? { reason: '', message: '' })})`, error: true };
  if (code > 128) return { reason: [`killed by ${signalName(code - 128)}`, whyEnded(job, pod)].filter((part) => part !== '').join(': ') };
  return { code, reason: `exit code ${code}` };
}

/** A pod that ended without a word of its container: sure only where it never came to a node, or its kubelet refused it. */
function withoutContainer(job: JobFacts | undefined, pod: PodFacts): WorkerExit {
  const why = whyEnded(job, pod) || (pod.gone ? 'its pod was deleted' : 'its pod failed');
  const seen = pod.said !== undefined && !unseenEnds.has(pod.disruption?.reason ?? '') && !pod.gone;
  return { reason: why, ...(seen || pod.node === undefined ? {} : { unsure: true }) };
}

function whyEnded(job: JobFacts | undefined, pod: PodFacts): string {
  if (pod.said) return sentenceOf(pod.said);
  if (pod.disruption) return sentenceOf(pod.disruption);
  if (job?.gone) return 'its Job was deleted';
  if (pod.gone || pod.endingWithinMs !== undefined) return 'its pod was deleted';
  return '';
}

function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}
