import { listOf, printable, recordOf, refOf, textOf, valueIn, type KubeObject, type ObjectRef } from '@larry/contracts';
import type { CauseCode } from '../cause-codes';
import { keyOf, objectKey } from '../facts/object-index';
import { quantity } from '../facts/quantity';
import type { Candidate } from '../finding';
import type { Scene } from '../graph/edges';
import { claimsOfPod } from '../graph/references';
import { selectorHolds } from './node-fit';
import { seen, seenEvent } from './evidence';

type Mismatch = 'pvc_storage_class_mismatch' | 'pvc_access_mode_mismatch' | 'pvc_capacity_mismatch' | 'pvc_selector_mismatch' | 'pv_binding_occupied';

/** The volume controller's words (kubernetes, `pkg/controller/volume/persistentvolume/pv_controller.go`). */
const words: { pattern: RegExp; cause: Mismatch }[] = [
  { pattern: /requested PV is too small/, cause: 'pvc_capacity_mismatch' },
  { pattern: /storageClassName does not match|storageclass(?:es)?(?:\.storage\.k8s\.io)? "[^"]*" not found|no storage class is set/i, cause: 'pvc_storage_class_mismatch' },
  { pattern: /incompatible accessMode|incompatible access mode/i, cause: 'pvc_access_mode_mismatch' },
  // Provisioners' own words: local-path, CSI drivers (gRPC ResourceExhausted, OutOfRange).
  { pattern: /only supports? \S+.*access ?modes?|unsupported access ?mode|access ?modes? .*not supported|does not support (?:ReadWriteMany|ReadOnlyMany|RWX|ROX)/i, cause: 'pvc_access_mode_mismatch' },
  { pattern: /ResourceExhausted|OutOfRange|not enough free (?:space|storage)|insufficient (?:free )?(?:space|capacity|storage)|exceeds? the (?:maximum|available|limit)/i, cause: 'pvc_capacity_mismatch' },
  { pattern: /claim\.?Spec\.?Selector is not supported|selector is not supported/i, cause: 'pvc_selector_mismatch' },
  { pattern: /already bound to a different claim|bound to (?:a )?different claim/i, cause: 'pv_binding_occupied' },
];

/** Whether a message about a claim says what is wrong with its own fields. */
export const isMismatch = (message: string): boolean => words.some(({ pattern }) => pattern.test(message));

/** Claims that no volume fulfils. */
export function claimCauses(scene: Scene): Candidate[] {
  const { objects } = scene.facts;
  const users = usersOf(scene);
  const listed = objects.list('PersistentVolumeClaim').filter((claim) => ['Pending', 'Lost'].includes(textOf(valueIn(claim, 'status', 'phase')) ?? ''));
  const seenClaims = new Set(listed.map(objectKey));
  const found = listed.flatMap((claim) => claimCause(scene, claim, users.get(objectKey(claim)) ?? []) ?? []);
  if (objects.knows('PersistentVolumeClaim')) return found;
  // Claims that the source cannot show: their events may tell.
  const named = [...users].filter(([key]) => !seenClaims.has(key));
  return [...found, ...named.flatMap(([key, pods]) => fromEvents(scene, key, pods) ?? [])];
}

/** The pods without a node or a start that mount each claim. */
function usersOf(scene: Scene): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const workload of scene.facts.workloads) {
    for (const { pod } of workload.unwell) {
      for (const { name } of claimsOfPod(pod.spec)) {
        const key = keyOf({ kind: 'PersistentVolumeClaim', namespace: pod.namespace, name });
        users.set(key, [...(users.get(key) ?? []), pod.key]);
      }
    }
  }
  return users;
}

function claimCause(scene: Scene, claim: KubeObject, pods: string[]): Candidate | undefined {
  const { facts } = scene;
  const key = objectKey(claim);
  const event = facts.events.of(key, claim.metadata.uid).find((e) => words.some(({ pattern }) => pattern.test(e.message)));
  const said = event && words.find(({ pattern }) => pattern.test(event.message))?.cause;
  const spec = recordOf(claim['spec']);
  const className = textOf(spec['storageClassName']);
  const storageClass = className === undefined ? undefined : facts.objects.get('StorageClass', undefined, className);
  const waits = valueIn(storageClass, 'volumeBindingMode') === 'WaitForFirstConsumer';
  if (waits && pods.length === 0) return undefined;
  const verdict = byVolumes(scene, claim) ?? (className !== undefined && facts.objects.isMissing('StorageClass', undefined, className) ? ({ cause: 'pvc_storage_class_mismatch', why: `there is no StorageClass ${className}` } as const) : undefined);
  // An explicit word of the controller about the volume that the claim names is as sure as the fields.
  const cause = verdict?.cause ?? said;
  if (cause === undefined) return undefined;
  const ref = refOf(claim);
  return made(ref, cause, verdict && said === verdict.cause ? 0.97 : verdict ? 0.94 : 0.9, verdict?.why ?? printable(event?.message ?? '', 200), [key, ...pods], [
    ...(event ? [seenEvent(event)] : []),
    seen(ref, '.spec', JSON.stringify({ storageClassName: spec['storageClassName'], accessModes: spec['accessModes'], storage: valueIn(spec, 'resources', 'requests', 'storage'), selector: spec['selector'], volumeName: spec['volumeName'] })),
    ...('volume' in (verdict ?? {}) ? volumeEvidence((verdict as { volume?: KubeObject }).volume) : []),
  ]);
}

function volumeEvidence(volume: KubeObject | undefined) {
  if (!volume) return [];
  const spec = recordOf(volume['spec']);
  return [seen(refOf(volume), '.spec', JSON.stringify({ storageClassName: spec['storageClassName'], accessModes: spec['accessModes'], storage: valueIn(spec, 'capacity', 'storage'), claimRef: valueIn(spec, 'claimRef', 'name'), phase: valueIn(volume, 'status', 'phase') }))];
}

/** What keeps the claim from the volume that comes nearest; the one that it names, where it names one. */
function byVolumes(scene: Scene, claim: KubeObject): { cause: Mismatch; why: string; volume?: KubeObject } | undefined {
  const wanted = textOf(valueIn(claim, 'spec', 'volumeName'));
  const className = textOf(valueIn(claim, 'spec', 'storageClassName'));
  const storageClass = className === undefined ? undefined : scene.facts.objects.get('StorageClass', undefined, className);
  const provisioner = textOf(valueIn(storageClass, 'provisioner'));
  // A class that makes volumes itself needs none that fits, unless one is named.
  const dynamic = provisioner !== undefined && !/no-provisioner/.test(provisioner);
  if (dynamic && wanted === undefined && valueIn(claim, 'spec', 'selector') === undefined) return undefined;
  const volumes = scene.facts.objects.list('PersistentVolume').filter((v) => wanted === undefined || v.metadata.name === wanted);
  const judged = volumes.map((volume) => ({ volume, mismatches: mismatchesOf(claim, volume, wanted !== undefined) })).filter(({ mismatches }) => mismatches.length > 0);
  if (judged.length < volumes.length) return undefined;
  // Among volumes that fit as well, one of the claim's own class is the one meant.
  const related = (entry: (typeof judged)[number]): number => Number(entry.mismatches.includes('pvc_storage_class_mismatch')) + Number(entry.mismatches.includes('pv_binding_occupied') && judged.length > 1 ? 0.5 : 0);
  const [nearest] = judged.sort((a, b) => a.mismatches.length - b.mismatches.length || related(a) - related(b));
  const cause = nearest?.mismatches[0];
  if (!nearest || cause === undefined || nearest.mismatches.length > 2) return undefined;
  return { cause, why: whyOf(cause, claim, nearest.volume), volume: nearest.volume };
}

function mismatchesOf(claim: KubeObject, volume: KubeObject, named: boolean): Mismatch[] {
  const [spec, has] = [recordOf(claim['spec']), recordOf(volume['spec'])];
  const found: Mismatch[] = [];
  if ((textOf(spec['storageClassName']) ?? '') !== (textOf(has['storageClassName']) ?? '')) found.push('pvc_storage_class_mismatch');
  const modes = listOf(has['accessModes']);
  if (!listOf(spec['accessModes']).every((mode) => modes.includes(mode))) found.push('pvc_access_mode_mismatch');
  if ((quantity(valueIn(has, 'capacity', 'storage')) ?? Infinity) < (quantity(valueIn(spec, 'resources', 'requests', 'storage')) ?? 0)) found.push('pvc_capacity_mismatch');
  if (spec['selector'] !== undefined && !named && !selectorHolds(volume.metadata.labels ?? {}, spec['selector'])) found.push('pvc_selector_mismatch');
  const owner = recordOf(has['claimRef']);
  const other = owner['name'] !== undefined && (owner['name'] !== claim.metadata.name || (owner['namespace'] ?? claim.metadata.namespace) !== claim.metadata.namespace || (owner['uid'] !== undefined && claim.metadata.uid !== undefined && owner['uid'] !== claim.metadata.uid));
  if (other) found.push('pv_binding_occupied');
  return found;
}

function whyOf(cause: Mismatch, claim: KubeObject, volume: KubeObject): string {
  const name = volume.metadata.name;
  const [spec, has] = [recordOf(claim['spec']), recordOf(volume['spec'])];
  const reasons: Record<Mismatch, string> = {
    pvc_storage_class_mismatch: `it asks for class ${textOf(spec['storageClassName']) ?? 'none'}, and volume ${name} is of class ${textOf(has['storageClassName']) ?? 'none'}`,
    pvc_access_mode_mismatch: `it asks for ${listOf(spec['accessModes']).join(', ')}, and volume ${name} offers ${listOf(has['accessModes']).join(', ')}`,
    pvc_capacity_mismatch: `it asks for ${String(valueIn(spec, 'resources', 'requests', 'storage'))}, and volume ${name} has ${String(valueIn(has, 'capacity', 'storage'))}`,
    pvc_selector_mismatch: `its selector does not fit the labels of volume ${name}`,
    pv_binding_occupied: `volume ${name} belongs to claim ${String(valueIn(has, 'claimRef', 'namespace') ?? '')}/${String(valueIn(has, 'claimRef', 'name') ?? '')}`,
  };
  return reasons[cause];
}

function fromEvents(scene: Scene, key: string, pods: string[]): Candidate | undefined {
  const [, path = ''] = key.split(' ');
  const [namespace = '', name = ''] = path.split('/');
  const event = scene.facts.events.of(key).find((e) => words.some(({ pattern }) => pattern.test(e.message)));
  const cause = event && words.find(({ pattern }) => pattern.test(event.message))?.cause;
  if (!event || !cause) return undefined;
  return made({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name }, cause, 0.88, printable(event.message, 200), [key, ...pods], [seenEvent(event)]);
}

function made(object: ObjectRef, cause: CauseCode, confidence: number, why: string, explains: string[], evidence: Candidate['evidence']): Candidate {
  return {
    cause,
    object,
    confidence,
    title: `claim ${object.namespace ?? ''}/${object.name} is not bound: ${why}`,
    evidence,
    explains,
    remedy: { none: cause === 'pv_binding_occupied' ? 'free the volume (its data belong to the other claim), or provide another' : 'the fields of a claim cannot be changed once it is made: make it anew with what a volume offers, or provide a volume with what it asks for' },
  };
}

