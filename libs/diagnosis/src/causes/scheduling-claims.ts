import { listOf, printable, refOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { EventFacts } from '../facts/event-index';
import type { Workload } from '../facts/model';
import { objectKey } from '../facts/object-index';
import { minuteMs } from '../facts/times';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { claimsOfPod } from '../graph/references';
import { casesOf, ofWorkload, type Case } from './cause';
import { seen, seenAt, seenEvent } from './evidence';
import { saidOf } from './scheduling-nodes';
import { isMismatch } from './scheduling-volumes';
import { nearName } from './startup-config';

/** The scheduler's words (kubernetes, `pkg/scheduler/framework/plugins/volumebinding`, `.../volumerestrictions`). */
const claimGone = /persistentvolumeclaim "(?<name>[^"]+)" (?:not found|is being deleted)/;

/** Claims that a pod names and that are not there. Those of a StatefulSet's templates are made by its controller. */
export function missingClaimCauses(scene: Scene): Candidate[] {
  return casesOf(scene, 'unscheduled').flatMap((one) => missingClaim(one) ?? []);
}

function missingClaim(one: Case): Candidate | undefined {
  const { scene, workload, pod } = one;
  const { objects } = scene.facts;
  const said = saidOf(scene, pod);
  const told = said && claimGone.exec(said.text)?.groups?.['name'];
  const name = told ?? claimsOfPod(pod.spec).map((claim) => claim.name).find((claim) => objects.isMissing('PersistentVolumeClaim', pod.namespace, claim));
  if (name === undefined) return undefined;
  const claim = objects.get('PersistentVolumeClaim', pod.namespace, name);
  const going = claim?.metadata.deletionTimestamp !== undefined;
  // Made since: the scheduler only has not tried again yet.
  if (claim && !going) return undefined;
  const index = listOf(workload.podSpec['volumes']).findIndex((volume) => valueIn(volume, 'persistentVolumeClaim', 'claimName') === name);
  const near = nearName(objects.list('PersistentVolumeClaim', pod.namespace).map((c) => c.metadata.name), name);
  const full = `${pod.namespace}/${printable(name, 200)}`;
  return ofWorkload(one, 'missing_volume_claim', told === undefined ? 0.9 : 0.97, going ? `claim ${full}, which ${workload.name} mounts, is being deleted` : `claim ${full}, which ${workload.name} mounts, does not exist`, {
    evidence: [
      ...(said?.event ? [seenEvent(said.event)] : said ? [seen(pod.ref, '.status.conditions[PodScheduled].message', said.text)] : []),
      ...(index >= 0 ? [seenAt(workload.object, workload.ref, `${workload.podSpecAt}/volumes/${index}/persistentVolumeClaim/claimName`)] : []),
    ],
    remedy: { none: going ? 'wait until it is gone, then make it anew; what holds it up stands in its finalizers' : `make the claim, or name another${near === undefined ? '' : ` (${near} has nearly that name: whose data are in it is for you to say)`}` },
  });
}

/** What provisioners and the volume controller say while no volume comes (kubernetes, `pkg/controller/volume/persistentvolume`; sig-storage-lib-external-provisioner). */
const waitsForProvisioner = /external provisioner ['"](?<provisioner>[^'"]+)['"]/;

/** Claims for which the class's provisioner should make a volume, and does not. */
export function provisioningCauses(scene: Scene): Candidate[] {
  const { objects } = scene.facts;
  return objects
    .list('PersistentVolumeClaim')
    .filter((claim) => valueIn(claim, 'status', 'phase') === 'Pending')
    .flatMap((claim) => unprovisioned(scene, claim) ?? []);
}

function unprovisioned(scene: Scene, claim: KubeObject): Candidate | undefined {
  const { facts } = scene;
  const key = objectKey(claim);
  const events = facts.events.of(key, claim.metadata.uid);
  // What no volume can fulfil is the claim's own fault.
  if (events.some((e) => isMismatch(e.message))) return undefined;
  const failed = events.find((e) => e.reason === 'ProvisioningFailed');
  const waits = events.find((e) => e.reason === 'ExternalProvisioning' && isLasting(e, facts.atMs));
  const event = failed ?? waits;
  const className = textOf(valueIn(claim, 'spec', 'storageClassName'));
  const storageClass = className === undefined ? undefined : facts.objects.get('StorageClass', undefined, className);
  if (!event || (storageClass === undefined && failed !== undefined && facts.objects.knows('StorageClass'))) return undefined;
  const provisioner = textOf(valueIn(storageClass, 'provisioner')) ?? waitsForProvisioner.exec(event.message)?.groups?.['provisioner'];
  const makers = provisioner === undefined ? [] : provisionersOf(scene, provisioner);
  const ref = refOf(claim);
  const who = provisioner === undefined ? 'its provisioner' : `provisioner ${printable(provisioner, 100)}`;
  const absent = makers.length === 0 && facts.objects.knows('Pod') && failed === undefined;
  return {
    cause: 'volume_provisioning_failed',
    object: ref,
    confidence: failed ? 0.9 : 0.85,
    title: failed ? `${who} makes no volume for claim ${claim.metadata.namespace ?? ''}/${claim.metadata.name}: ${printable(failed.message, 200)}` : `claim ${claim.metadata.namespace ?? ''}/${claim.metadata.name} waits for ${who}, which ${absent ? 'nothing in the cluster seems to be' : 'makes no volume'}`,
    evidence: [seenEvent(event), seen(ref, '.spec.storageClassName', className ?? 'not set'), ...makers.slice(0, 2).map((w) => seen(w.ref, '.status', `${w.ready} of ${w.desired} ready`))],
    explains: [key, ...usersOf(scene, claim)],
    blames: makers.filter((w) => w.state === 'not-running').map((w) => w.key),
    remedy: { none: absent ? `install or start what answers for ${provisioner ?? 'the class'}, or ask for another storage class` : `the log of ${makers[0] ? `${makers[0].ref.kind} ${makers[0].namespace}/${makers[0].name}` : who} says why it makes none` },
  };
}

function isLasting({ count, firstMs }: EventFacts, atMs: number): boolean {
  return count >= 3 && firstMs !== undefined && atMs - firstMs > 3 * minuteMs;
}

function usersOf({ facts }: Scene, claim: KubeObject): string[] {
  return facts.workloads.filter((w) => w.namespace === claim.metadata.namespace).flatMap((w) => w.unwell.filter(({ pod }) => claimsOfPod(pod.spec).some(({ name }) => name === claim.metadata.name)).map(({ pod }) => pod.key));
}

/** Parts of provisioners' names that name nobody. */
const generic = new Set(['csi', 'driver', 'drivers', 'io', 'com', 'org', 'net', 'dev', 'k8s', 'kubernetes', 'cluster', 'local', 'storage', 'sigs', 'x-k8s', 'provisioner', 'plugin', 'no-provisioner']);

/** Who answers for a provisioner's name: who is started with it, or else is called by a part of it (`rancher.io/local-path` by local-path-provisioner). */
export function provisionersOf({ facts }: Scene, provisioner: string): Workload[] {
  const started = facts.workloads.filter((w) => JSON.stringify(listOf(w.podSpec['containers'])).includes(provisioner));
  if (started.length > 0) return started;
  const parts = provisioner.split(/[./]/).filter((part) => part.length >= 3 && !generic.has(part)).reverse();
  const found = parts.map((part) => facts.workloads.filter((w) => w.name.includes(part)));
  return found.find((list) => list.length > 0) ?? [];
}
