import { listOf, printable, refOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { EventFacts } from '../facts/event-index';
import type { ContainerFacts, PodFacts } from '../facts/pod-facts';
import type { Candidate, FieldChange } from '../finding';
import type { Scene } from '../graph/edges';
import { claimsOfPod } from '../graph/references';
import { casesOf, containerAt, eventsOfPod, lastHit, ofWorkload, type Case } from './cause';
import { dotted, seen, seenAt, seenContainer, seenEvent, seenLine } from './evidence';
import { provisionersOf } from './scheduling-claims';

/** The attach controller's words (kubernetes, `pkg/controller/volume/attachdetach/reconciler`). */
const multiAttach = /Multi-Attach error for volume "(?<volume>[^"]+)"/;

/** What mount, its helpers, the kubelet's host path check and CSI say when a volume cannot be mounted; refusals for lack of rights have a cause of their own. */
const mountFails: readonly { pattern: RegExp; why: string; mend: string }[] = [
  { pattern: /hostPath type check failed/, why: 'what the hostPath names on the node is not what its type says', mend: 'make it there, or correct path and type of the hostPath' },
  { pattern: /driver name (?<driver>\S+) not found in the list of registered CSI drivers/, why: 'the node has no such CSI driver: its node plugin does not run there', mend: 'see that the DaemonSet of the driver has a ready pod on that node' },
  { pattern: /you might need a \/sbin\/mount\.<type> helper program|missing codepage or helper program/i, why: 'the node lacks the helper program for this kind of file system (nfs-common, cifs-utils), or the file system is of another kind', mend: 'install it on every node that mounts such volumes' },
  { pattern: /wrong fs type|bad superblock|unknown filesystem type/i, why: 'the file system is not what it is mounted as, or is damaged', mend: 'correct fsType or mount options of the volume, or have the file system checked' },
  { pattern: /mount\.(?:nfs4?|cifs)[^\n]*(?:No such file or directory|reason given by server: No such file)|reason given by server: No such file/i, why: 'the server has no such export', mend: 'correct server and path of the volume, or export it' },
  { pattern: /Stale (?:NFS )?file handle/i, why: 'the export was made anew on the server since it was mounted', mend: 'unmount it on the node (or restart the node), then let the pod be made anew' },
  { pattern: /(?:mount[^\n]*|Output: [^\n]*|rpc error[^\n]*)(?:Connection timed out|Connection refused|No route to host|Host is down|Network is unreachable|Name or service not known|Temporary failure in name resolution|DeadlineExceeded)/i, why: 'the server does not answer', mend: 'see that the server runs and that the node reaches it' },
  { pattern: /already mounted or mount point busy|Device or resource busy/i, why: 'it is in use on the node', mend: 'see on the node who has it' },
  { pattern: /(?:fsck|mkfs)\S* (?:found errors|failed)|Structure needs cleaning|Input\/output error/i, why: 'the file system is damaged', mend: 'have the file system checked (fsck) while nothing mounts it' },
];

/** runc's words for a file mounted on a folder, or a folder on a file (runc, `libcontainer/rootfs_linux.go`). */
const wrongType = /error mounting "(?<source>[^"]+)" to rootfs at "(?<target>[^"]+)".*(?:not a directory|is a directory|Are you trying to mount a directory onto a file)/s;

/** Volumes that do not come to the node, or do not fit where they are mounted. */
export function volumeCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'waiting', 'crashing').flatMap((one) => attachedElsewhere(one) ?? mountFailed(one) ?? mountedOnWrongType(one) ?? []);
}

function attachedElsewhere(one: Case): Candidate | undefined {
  const { scene, workload, pod } = one;
  const event = eventsOfPod(scene, pod).find((e) => e.reason === 'FailedAttachVolume' && multiAttach.test(e.message) && !startedSince(pod, e));
  if (!event) return undefined;
  const volume = multiAttach.exec(event.message)?.groups?.['volume'] ?? '';
  const holders = holdersOf(scene, pod, volume);
  const own = holders.filter((holder) => holder.workload === workload.key);
  const others = holders.filter((holder) => holder.workload !== workload.key);
  const holder = others[0] ?? own[0];
  const rolling = workload.ref.kind === 'Deployment' && others.length === 0 && valueIn(workload.object, 'spec', 'strategy', 'type') !== 'Recreate';
  return ofWorkload(one, 'volume_attached_elsewhere', 0.95, `volume ${printable(volume, 120)} of ${workload.name} can be attached to one node only, and is still attached to ${holder ? `${holder.node ?? 'another'} for pod ${holder.namespace}/${holder.name}` : 'another'}`, {
    evidence: [seenEvent(event), ...(holder ? [seen(holder.ref, '.spec.nodeName', `${holder.node ?? 'none'} (${holder.deletedMs === undefined ? holder.phase : 'being deleted'})`)] : []), ...(workload.ref.kind === 'Deployment' ? [seenAt(workload.object, workload.ref, '/spec/strategy')] : [])],
    // A node that is silent keeps what is attached to it.
    blames: holders.flatMap((h) => (h.node === undefined ? [] : [`Node ${h.node}`])),
    remedy: rolling && own.length > 0 ? recreate(one) : { none: others.length > 0 ? `two workloads cannot have it on two nodes: let ${others[0]?.name ?? 'one'} go first, put both on one node, or take a volume that many may mount (ReadWriteMany)` : 'it comes loose once the pod that had it is gone and its node says so; for a node that is gone for good: kubectl taint node NAME node.kubernetes.io/out-of-service=nodeshutdown:NoExecute' },
  });
}

/** A container has run since: the volumes came in the end. */
function startedSince(pod: PodFacts, event: EventFacts): boolean {
  return pod.containers.some(({ state, last }) => Math.max(state.startedMs ?? 0, last?.startedMs ?? 0) > (event.lastMs ?? Infinity));
}

function recreate({ workload }: Case): FieldChange | { none: string } {
  if (!workload.object) return { none: 'let its strategy be Recreate, so that the old pod goes before the new one comes' };
  return { summary: `Let the old pod of ${workload.name} go before the new one comes`, patch: [{ op: valueIn(workload.object, 'spec', 'strategy') === undefined ? 'add' : 'replace', path: '/spec/strategy', value: { type: 'Recreate' } }], note: 'while it is updated there is no pod of it' };
}

/** Other pods that have the volume, by their claims; those that are being deleted among them. */
function holdersOf({ facts }: Scene, pod: PodFacts, volume: string): PodFacts[] {
  const wanted = claimsOfPod(pod.spec).filter(({ name }) => {
    const bound = textOf(valueIn(facts.objects.get('PersistentVolumeClaim', pod.namespace, name), 'spec', 'volumeName'));
    return bound === undefined || bound === volume;
  });
  const names = new Set(wanted.map(({ name }) => name));
  return facts.pods.filter((other) => other.key !== pod.key && other.namespace === pod.namespace && other.node !== undefined && other.node !== pod.node && other.phase !== 'Succeeded' && other.phase !== 'Failed' && claimsOfPod(other.spec).some(({ name }) => names.has(name)));
}

function mountFailed(one: Case): Candidate | undefined {
  const { scene, workload, pod } = one;
  for (const event of eventsOfPod(scene, pod)) {
    if (!/^Failed(?:Mount|AttachVolume|MapVolume)$/.test(event.reason) || startedSince(pod, event)) continue;
    const found = mountFails.find(({ pattern }) => pattern.test(event.message));
    if (!found) continue;
    const name = /for volume "(?<volume>[^"]+)"/.exec(event.message)?.groups?.['volume'] ?? '';
    const volume = scene.facts.objects.get('PersistentVolume', undefined, name);
    const index = listOf(workload.podSpec['volumes']).findIndex((v) => valueIn(v, 'name') === name);
    const source = volume ? seen(refOf(volume), '.spec', sourceOf(volume)) : index >= 0 ? seenAt(workload.object, workload.ref, `${workload.podSpecAt}/volumes/${index}`) : undefined;
    return ofWorkload(one, 'volume_mount_failed', 0.93, `volume ${printable(name, 120)} of ${workload.name} cannot be mounted: ${found.why}`, {
      evidence: [seenEvent(event), ...(source ? [source] : [])],
      ...(volume ? { object: refOf(volume) } : {}),
      blames: providersOf(scene, found.pattern.exec(event.message)?.groups?.['driver'], volume ? volume['spec'] : listOf(workload.podSpec['volumes'])[index]),
      remedy: { none: `${found.mend}; the node is ${pod.node ?? 'not known'}, and the volume stands in ${volume ? `PersistentVolume ${volume.metadata.name}` : index >= 0 ? dotted(`${workload.podSpecAt}/volumes/${index}`) : 'the pod'}` },
    });
  }
  return undefined;
}

/** What in the cluster should serve a volume and does not run: its CSI driver, or the Service that its server is. */
function providersOf(scene: Scene, driver: string | undefined, source: unknown): string[] {
  const server = textOf(valueIn(source, 'nfs', 'server')) ?? textOf(valueIn(source, 'csi', 'volumeAttributes', 'server'));
  const services = server === undefined ? [] : scene.services.filter((s) => s.clusterIp === server || (server.includes('.') && `${s.name}.${s.namespace}.svc.cluster.local`.startsWith(server)));
  const drivers = driver === undefined ? [] : provisionersOf(scene, driver).filter((w) => w.state === 'not-running');
  return [...services.map((s) => s.key), ...drivers.map((w) => w.key)];
}

/** Where a volume comes from, without what all have. */
function sourceOf(volume: KubeObject): string {
  const spec = (volume['spec'] ?? {}) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(spec).filter(([key, value]) => typeof value === 'object' && !['capacity', 'claimRef', 'accessModes', 'nodeAffinity', 'mountOptions'].includes(key))));
}

function mountedOnWrongType(one: Case): Candidate | undefined {
  const { scene, workload, pod, ailment } = one;
  const { container } = ailment;
  if (!container) return undefined;
  const event = eventsOfPod(scene, pod, true).find((e) => e.type === 'Warning' && wrongType.test(e.message));
  const text = [container.state.message, container.last?.message, event?.message].find((t) => t !== undefined && wrongType.test(t));
  if (text === undefined) return folderForFile(one, container);
  const target = (wrongType.exec(text)?.groups?.['target'] ?? '').replace(/\/+$/, '');
  const mounts = listOf(container.spec['volumeMounts']);
  const index = mounts.findIndex((m) => (textOf(valueIn(m, 'mountPath')) ?? '').replace(/\/+$/, '') === target);
  const mount = mounts[index];
  const absent = absentKey(one, mount);
  return ofWorkload(one, 'mount_type_mismatch', 0.95, `container ${container.name} cannot be started: at ${printable(target, 200)} a folder is mounted on a file, or a file on a folder${absent ? `; ${absent}` : ''}`, {
    evidence: [seenContainer(pod, container), ...(event ? [seenEvent(event)] : []), ...(index >= 0 ? [seenAt(workload.object, workload.ref, `${containerAt(workload, container)}/volumeMounts/${index}`)] : [])],
    remedy: { none: absent ? `make that key, or correct ${dotted(containerAt(workload, container))}.volumeMounts[${index}].subPath` : `mount a file with subPath, and a folder where the image has a folder or nothing: correct ${dotted(containerAt(workload, container))}.volumeMounts${index >= 0 ? `[${index}]` : ''}` },
  });
}

/** Programs' words for a folder where they want a file: the kubelet made one for a subPath that it found no key for. */
const isFolder = /EISDIR|[Ii]s a directory|IsADirectoryError/;

function folderForFile(one: Case, container: ContainerFacts): Candidate | undefined {
  const { scene, workload, pod } = one;
  const hit = lastHit(scene, pod, container, [isFolder]);
  if (!hit) return undefined;
  const mounts = listOf(container.spec['volumeMounts']);
  const index = mounts.findIndex((mount) => hit.line.includes(textOf(valueIn(mount, 'mountPath')) ?? '\0') && absentKey(one, mount) !== undefined);
  if (index < 0) return undefined;
  const at = `${containerAt(workload, container)}/volumeMounts/${index}`;
  return ofWorkload(one, 'mount_type_mismatch', 0.94, `container ${container.name} finds a folder where it wants a file: ${absentKey(one, mounts[index]) ?? ''}`, {
    evidence: [seenLine(pod, hit.log, hit.line), seenContainer(pod, container), seenAt(workload.object, workload.ref, at)],
    remedy: { none: `make that key, or correct ${dotted(at)}.subPath` },
  });
}

/** A subPath that a ConfigMap or Secret has no key for becomes an empty folder. */
function absentKey({ scene, pod }: Case, mount: unknown): string | undefined {
  const subPath = textOf(valueIn(mount, 'subPath'));
  const volume = listOf(pod.spec['volumes']).find((v) => valueIn(v, 'name') === valueIn(mount, 'name'));
  if (subPath === undefined || valueIn(volume, 'configMap', 'items') !== undefined || valueIn(volume, 'secret', 'items') !== undefined) return undefined;
  for (const [kind, name] of [['ConfigMap', textOf(valueIn(volume, 'configMap', 'name'))], ['Secret', textOf(valueIn(volume, 'secret', 'secretName'))]] as const) {
    const object = name === undefined ? undefined : scene.facts.objects.get(kind, pod.namespace, name);
    if (object && ['data', 'stringData', 'binaryData'].every((field) => valueIn(object, field, subPath) === undefined)) return `${kind} ${pod.namespace}/${object.metadata.name} has no key ${printable(subPath, 100)}`;
  }
  return undefined;
}
