import { describeRef, printable, type Finding, type PlannedChange } from '@larry/contracts';
import { causeClasses, classOfCause, type CauseCode } from '@larry/diagnosis';
import { kindOfChange } from './change-kinds';
import { causeOfStep, plannedFor } from './plan-change';

/**
 * What a pod goes through, in order. A fault hides only what comes in its own stage or later: what the pod had passed before the change
 * was in order then, so that a fault there now comes from the change.
 */
const stages = ['wanted', 'admitted', 'scheduled', 'made', 'runs'] as const;
type Stage = (typeof stages)[number];

const madeByKubelet: ReadonlySet<string> = new Set(['image_registry_dns_failure', 'image_registry_unreachable', 'incorrect_image_reference', 'missing_image_pull_secret', 'missing_secret_binding', 'missing_config_map', 'missing_secret_key', 'run_as_non_root_violation', 'volume_attached_elsewhere', 'volume_mount_failed', 'mount_type_mismatch']);

/** Mounts, image and environment are one stage: the kubelet sees to them in an order of its own. So is everything once a process runs. */
function stageOf(cause: string): Stage {
  if (cause === 'deployment_zero_replicas') return 'wanted';
  if (madeByKubelet.has(cause)) return 'made';
  const cls = classOfCause(cause as CauseCode);
  return cls === 'admission' ? 'admitted' : cls === 'scheduling' ? 'scheduled' : 'runs';
}

const addresses: readonly string[] = ['mysql_invalid_port', 'postgres_invalid_port', 'mysql_invalid_credentials', 'postgres_invalid_credentials', 'service_env_var_address_mismatch', 'service_dns_resolution_failure', 'dependency_unavailable', 'db_read_only', 'db_connection_exhaustion', 'pgadmin_config_database_unreachable'];
const storage: readonly string[] = ['volume_mount_permission_denied', 'read_only_file_system', 'pgadmin_data_not_writable'];
const probes = (which: string): readonly string[] => causeClasses.running.filter((cause) => cause.startsWith(`${which}_probe_`));

/**
 * What mending a cause may bring about in the same stage: who is led to another address meets what is wrong there; a folder put over a
 * path may be the wrong one; a probe that asks elsewhere is refused elsewhere, and another name may hold other keys.
 */
const broughtAbout: readonly (readonly [of: readonly string[], brings: readonly string[]])[] = [
  [addresses, addresses],
  [['read_only_file_system'], [...storage, 'invalid_command']],
  [probes('liveness'), probes('liveness')],
  [probes('readiness'), probes('readiness')],
  [['missing_config_map', 'missing_secret_binding', 'missing_secret_key'], ['missing_secret_key', 'invalid_environment', ...addresses]],
  [['incorrect_image_reference'], [...madeByKubelet].filter((cause) => cause.includes('image'))],
];

/** A cause that stands for one that is not known, or not yet: a crash is seen before what it says of itself. */
export const saysLittle = (cause: string): boolean => cause === 'unknown' || cause === 'application_error' || cause === 'init_container_failed';

/** A fault that changes of one object did not bring about; or why it is none. */
type Hidden<T> = { fault: T } | { none: string };

/**
 * Which of an object's faults was hidden by those that `made` mended. There is none while one of theirs is still there, and one that may
 * come from a change is none either: the change is then no help, and is taken back. Pure.
 */
export function hiddenFault<T extends { cause: string }>(made: readonly { step: string }[], found: readonly T[]): Hidden<T> {
  const mended = made.map(({ step }) => causeOfStep(step));
  const same = found.find(({ cause }) => mended.includes(cause as CauseCode));
  if (same) return { none: `the cause is still there: ${same.cause}` };
  const [fault] = found;
  if (!fault) return { none: 'no other cause is known' };
  if (saysLittle(fault.cause)) return { none: `nothing closer than ${fault.cause} is known` };
  for (const cause of mended) {
    if (cause === undefined) return { none: 'what was mended before is not known' };
    if (stages.indexOf(stageOf(fault.cause)) < stages.indexOf(stageOf(cause))) return { none: `${fault.cause} comes from the change: its pods had been past that` };
    if (broughtAbout.some(([of, brings]) => of.includes(cause) && brings.includes(fault.cause))) return { none: `${fault.cause} may come from the change` };
  }
  return { fault };
}

/** The next change of an object whose changes so far uncovered another fault, or why there is none. Pure. */
export function nextChange(findings: readonly Finding[], made: readonly PlannedChange[]): { change: PlannedChange } | { none: string } {
  const target = made[0]?.target;
  const about = findings.filter((f) => target !== undefined && describeRef(f.object) === describeRef(target));
  const hidden = hiddenFault(made, about.map((finding) => ({ cause: finding.rule, finding })));
  if ('none' in hidden) return hidden;
  const planned = plannedFor(hidden.fault.finding);
  if ('refused' in planned) return { none: planned.refused };
  const { change } = planned;
  const places = placesOf(change);
  const before = made.map(placesOf);
  if (before.some((of) => of.size === 0) || places.size === 0) return { none: 'which fields were changed before cannot be told' };
  if (before.some((of) => [...of].some((place) => places.has(place)))) return { none: `${hidden.fault.cause} is about what was changed before` };
  const note = `found once ${made.length === 1 ? 'another change' : `${made.length} other changes`} of it had helped; denied, ${made.length === 1 ? 'that is' : 'those are'} taken back`;
  return { change: { ...change, summary: printable(`${change.summary} (${note})`, 500) } };
}

/** What belongs together in an object: a variable, a probe, an image; `/spec/template/spec/containers/0/livenessProbe`. */
function placesOf({ target, patch, helm }: PlannedChange): Set<string> {
  const ofObject = describeRef(target);
  const paths = [...(patch ?? []).map((o) => String(o['path'])), ...(helm?.rendered ?? []).filter((r) => r.object === ofObject).map((r) => r.path)];
  return new Set(paths.map((path) => placeOf(target.kind, path)));
}

const ofPod = String.raw`^/spec/(?:jobTemplate/spec/)?template/spec`;
const inContainer = new RegExp(String.raw`${ofPod}/(?:initC|c)ontainers/\d+/(?:(?:env|envFrom|args|command)/\d+|[^/]+)`);
const inPod = new RegExp(String.raw`${ofPod}/(?:volumes/\d+|[^/]+)`);

function placeOf(kind: string, path: string): string {
  const place = (inContainer.exec(path) ?? inPod.exec(path))?.[0];
  return place ?? kindOfChange(kind, path)?.category ?? path;
}
