import type { Severity } from '@larry/contracts';
import type { FieldChange } from '../../fix';
import type { ContainerView, PodView } from '../../pod-view';
import type { Rule } from '../family';

/** A field that a control forbids or misses, with the change that satisfies the control, where there is one. */
export interface Breach {
  /** Pointer into the object. */
  at: string;
  /** What stands there; `absent` when nothing does. */
  value: string;
  change?: FieldChange;
  severity?: Severity;
}

/** One control of the Pod Security Standards. */
export interface Control {
  rule: Rule;
  check(pod: PodView): Breach[];
  /** What a person has to decide where no single field mends it. */
  decide?: string;
}

/** The breaches of one container each. */
export function inContainers(pod: PodView, check: (container: ContainerView) => Breach[]): Breach[] {
  return pod.containers.flatMap(check);
}

/** A breach of a field of the pod's spec. */
export function podBreach(
  pod: PodView,
  field: string[],
  value: unknown,
  change?: { value: unknown } | 'remove',
): Breach {
  return {
    at: `${pod.at}.spec.${field.join('.')}`,
    value: shown(value),
    ...changeOf([...pod.path, 'spec', ...field], change),
  };
}

/** A breach of a field of a container. */
export function containerBreach(
  container: ContainerView,
  field: string[],
  value: unknown,
  change?: { value: unknown } | 'remove',
): Breach {
  // An ephemeral container cannot be changed: the pod has to go.
  const fixable = container.list === 'ephemeralContainers' ? undefined : change;
  return {
    at: `${container.at}.${field.join('.')}`,
    value: shown(value),
    ...changeOf([...container.path, ...field], fixable),
  };
}

/** Null and absent are the same to the API server. */
export function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A field's value as evidence. */
export function shown(value: unknown): string {
  if (!isSet(value)) return 'absent';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'absent');
}

function changeOf(
  path: FieldChange['path'],
  change: { value: unknown } | 'remove' | undefined,
): { change?: FieldChange } {
  if (change === undefined) return {};
  return { change: change === 'remove' ? { path, remove: true } : { path, value: change.value } };
}
