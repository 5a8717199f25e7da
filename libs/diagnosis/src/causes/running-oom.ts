import { listOf, valueIn } from '@larry/contracts';
import { quantity } from '../facts/quantity';
import { minuteMs } from '../facts/times';
import { lastEnd, type ContainerFacts } from '../facts/pod-facts';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { casesOf, containerAt, eventsOfPod, lastHit, ofWorkload, type Case } from './cause';
import { dotted, seen, seenContainer, seenEvent, seenLine } from './evidence';
import { isCalm } from './log-level';

const outOfMemoryLine = /java\.lang\.OutOfMemoryError|JavaScript heap out of memory|Allocation failed - JavaScript heap|std::bad_alloc|MemoryError\b|Cannot allocate memory|fatal error: runtime: out of memory|Out of memory: Killed process|Memory cgroup out of memory/;
const kernelKill = /oom[-_ ]?kill|out of memory|TaskOOM/i;

/**
 * Containers that the kernel killed for memory. The status says so only when the first process of the container was the victim
 * (containerd reports OOMKilled by the exit of the task); else an exit code 137, the runtime's TaskOOM or the kernel's event says it.
 */
export function oomCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'crashing', 'failed', 'waiting').flatMap((one) => one.pod.containers.flatMap((container) => oomCause(one, container) ?? []).slice(0, 1));
}

function oomCause(one: Case, container: ContainerFacts): Candidate | undefined {
  const { pod, scene } = one;
  const end = lastEnd(container);
  if (!end || end.exitCode === 0) return undefined;
  if (end.reason === 'OOMKilled' || container.last?.reason === 'OOMKilled') return made(one, container, 0.97, []);
  const event = [...eventsOfPod(scene, pod), ...ofNode(one, container)].find((e) => kernelKill.test(e.reason) || (e.type === 'Warning' && /oom-kill|Memory cgroup out of memory|OOMKilled/i.test(e.message)));
  if (event) return made(one, container, 0.93, [seenEvent(event)]);
  const told = runtimeLog(one, container);
  if (told) return made(one, container, 0.92, [seen({ apiVersion: 'v1', kind: 'Node', name: pod.node ?? '' }, 'probes:nodeServices.log', told)]);
  // A log is written by the application, which may quote anybody: surely enough to say so, not to change anything by it.
  const hit = lastHit(scene, pod, container, [outOfMemoryLine]);
  if (hit && !isCalm(hit.line)) return made(one, container, 0.85, [seenLine(pod, hit.log, hit.line)]);
  // 137 is SIGKILL: by the kubelet after a probe, or by the kernel.
  const probed = eventsOfPod(scene, pod).some((e) => e.reason === 'Killing' && /probe/.test(e.message)) || eventsOfPod(scene, pod).some((e) => e.reason === 'Unhealthy' && /^(Liveness|Startup)/.test(e.message));
  if ((end.exitCode === 137 || end.signal === 9) && !probed && limitOf(container) !== undefined) return made(one, container, 0.72, []);
  return undefined;
}

/** A kernel's event is about the node; it names the victim's control group, with the pod's uid in it. */
function ofNode({ scene, pod }: Case, container: ContainerFacts) {
  if (pod.node === undefined) return [];
  const uid = pod.uid ?? '\0';
  const ended = lastEnd(container)?.finishedMs ?? 0;
  const names = (e: { message: string; lastMs?: number }): boolean =>
    e.message.includes(uid) || e.message.includes(uid.replaceAll('-', '_')) || e.message.includes(pod.name) || (Math.abs((e.lastMs ?? 0) - ended) < 2 * minuteMs && lastEnd(container)?.exitCode === 137 && /victim|Killed process/.test(e.message));
  return scene.facts.events.of(`Node ${pod.node}`).filter((e) => /oom/i.test(e.reason) && names(e));
}

function runtimeLog(one: Case, container: ContainerFacts): string | undefined {
  const { scene, pod } = one;
  const services = scene.facts.probes?.nodeServices.filter((s) => s.node === pod.node) ?? [];
  return services.flatMap((s) => s.log ?? []).find((line) => kernelKill.test(line) && [pod.uid, pod.name, ...idsOf(one, container)].some((id) => id !== undefined && line.includes(id)));
}

/** The runtime names containers by id: this one's, now and before. */
function idsOf({ pod }: Case, container: ContainerFacts): string[] {
  const status = listOf(valueIn(pod.object, 'status', container.init ? 'initContainerStatuses' : 'containerStatuses')).find((s) => valueIn(s, 'name') === container.name);
  const ids = [valueIn(status, 'containerID'), valueIn(status, 'lastState', 'terminated', 'containerID'), valueIn(status, 'state', 'terminated', 'containerID')];
  return ids.flatMap((id) => (typeof id === 'string' ? id.replace(/^[a-z0-9-]+:\/\//, '') : [])).filter((id) => id.length >= 12);
}

const limitOf = (container: ContainerFacts): unknown => valueIn(container.spec, 'resources', 'limits', 'memory');

function made(one: Case, container: ContainerFacts, confidence: number, evidence: Candidate['evidence']): Candidate {
  const { pod, workload } = one;
  const at = `${containerAt(workload, container)}/resources/limits/memory`;
  const limit = limitOf(container);
  const bytes = quantity(limit);
  const twice = bytes === undefined ? undefined : `${Math.ceil((bytes * 2) / 2 ** 20)}Mi`;
  return ofWorkload(one, 'oom_killed', confidence, `container ${container.name} is killed for memory${limit === undefined ? '' : `: its limit is ${String(limit)}`}`, {
    evidence: [seenContainer(pod, container), ...evidence, seen(workload.ref, dotted(at), limit ?? 'not set')],
    remedy: twice === undefined ? { none: 'it has no limit of its own, so the memory of the node or of its own runtime was over: find out who uses it' } : { summary: `Raise the memory limit of ${container.name} from ${String(limit)} to ${twice}`, patch: [{ op: 'replace', path: at, value: twice }], note: 'twice the limit; when it only grows, the application leaks and the limit is not the fault' },
  });
}
