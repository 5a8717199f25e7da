import type { KubeObject, PlannedChange } from '@larry/contracts';
import { digestOf } from './digest';
import { valueAt } from './json-pointer';

/** The id of a change: what its mark, its audit record and its journal entry carry. */
export const changeId = (run: string, task: string, step: string): string => `${run}/${task}/${step}`;

/**
 * What an approval is bound to: the change and the observed fields it depends on (spec, not status), so that status
 * churn invalidates nothing and any relevant edit does. Create: that the object does not exist. An upgrade of a Helm
 * release holds its revision, its values and what they render.
 */
export function changeDigest(change: PlannedChange, observed: KubeObject | undefined): string {
  return digestOf({
    change,
    uid: observed?.metadata.uid ?? null,
    observed: change.depends.map((pointer) => [pointer, valueAt(observed, pointer) ?? null]),
  });
}
