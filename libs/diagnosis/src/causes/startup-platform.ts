import { printable, textOf, valueIn } from '@larry/contracts';
import { lastEnd } from '../facts/pod-facts';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { casesOf, containerAt, eventsOfPod, lastHit, ofWorkload, type Case } from './cause';
import { dotted, seen, seenAt, seenContainer, seenEvent, seenLine } from './evidence';

/** The kernel's word for a program of another machine (ENOEXEC), as runc and shells repeat it. */
const otherMachine = /exec format error/i;
/** The kubelet's words (kubernetes, `pkg/kubelet/kuberuntime/security_context_others.go`). */
const mustNotBeRoot = /container has runAsNonRoot and image (?:will run as root|has non-numeric user \((?<user>[^)]*)\))|container's runAsUser breaks non-root policy/;

/** Images that are not for the node's machine, and users that the pod's own rules forbid. */
export function platformCauses(scene: Scene): Candidate[] {
  return [...casesOf(scene, 'waiting', 'crashing', 'failed').flatMap((one) => otherPlatform(one) ?? []), ...casesOf(scene, 'waiting').flatMap((one) => forbiddenUser(one) ?? [])];
}

function otherPlatform(one: Case): Candidate | undefined {
  const { scene, workload, pod } = one;
  const { container } = one.ailment;
  if (!container) return undefined;
  const messages = [container.state.message, lastEnd(container)?.message];
  const event = eventsOfPod(scene, pod, true).find((e) => e.type === 'Warning' && otherMachine.test(e.message));
  const hit = lastHit(scene, pod, container, [otherMachine]);
  const text = [...messages, event?.message, hit?.line].find((t) => t !== undefined && otherMachine.test(t));
  if (text === undefined) return undefined;
  const machine = machineOf(scene, pod.node);
  const elsewhere = workload.allPods.map((other) => (other.ready ? machineOf(scene, other.node) : undefined)).find((other) => other !== undefined && other !== machine);
  const image = printable(textOf(container.spec['image']) ?? '', 200);
  const sure = elsewhere !== undefined;
  return ofWorkload(one, 'image_platform_mismatch', sure ? 0.97 : 0.965, `${image} is not made for ${machine ?? 'the machine'} of node ${pod.node ?? 'unknown'}${elsewhere === undefined ? '' : `; on ${elsewhere} it runs`}`, {
    evidence: [
      seenContainer(pod, container),
      ...(hit ? [seenLine(pod, hit.log, hit.line)] : []),
      ...(event ? [seenEvent(event)] : []),
      seenAt(workload.object, workload.ref, `${containerAt(workload, container)}/image`),
      ...(pod.node !== undefined && machine !== undefined ? [seen({ apiVersion: 'v1', kind: 'Node', name: pod.node }, '.status.nodeInfo.architecture', machine)] : []),
    ],
    alternatives: sure ? [] : [{ cause: 'invalid_command', why: 'a script without its first line (#!) is answered in the same way: look at it if the image is for this machine' }],
    remedy: { none: `name an image in ${dotted(`${containerAt(workload, container)}/image`)} that is for ${machine ?? 'this machine'} as well, or let it go only where it runs (nodeSelector kubernetes.io/arch)` },
  });
}

/** The machine of a node as images name it: `arm64`. */
export function machineOf({ facts }: Scene, node: string | undefined): string | undefined {
  const object = node === undefined ? undefined : facts.objects.get('Node', undefined, node);
  return textOf(valueIn(object, 'status', 'nodeInfo', 'architecture')) ?? textOf(object?.metadata.labels?.['kubernetes.io/arch']);
}

function forbiddenUser(one: Case): Candidate | undefined {
  const { scene, workload, pod } = one;
  const { container } = one.ailment;
  if (!container) return undefined;
  const event = eventsOfPod(scene, pod).find((e) => e.type === 'Warning' && mustNotBeRoot.test(e.message));
  const text = [container.state.message, event?.message].find((t) => t !== undefined && mustNotBeRoot.test(t));
  if (text === undefined) return undefined;
  const user = mustNotBeRoot.exec(text)?.groups?.['user'];
  const at = containerAt(workload, container);
  return ofWorkload(one, 'run_as_non_root_violation', 0.97, user === undefined ? `container ${container.name} must not run as root, and its image does` : `container ${container.name} must not run as root, and nobody can tell of its image's user ${printable(user, 60)}, a name, that it is not`, {
    evidence: [seenContainer(pod, container), ...(event ? [seenEvent(event)] : []), seenAt(workload.object, workload.ref, `${at}/securityContext`), seenAt(workload.object, workload.ref, `${workload.podSpecAt}/securityContext`)],
    remedy: { none: `set ${dotted(at)}.securityContext.runAsUser to the number of ${user === undefined ? 'a user that the image works with' : `user ${printable(user, 60)} in the image`}; its files and volumes have to be that user's` },
  });
}
