import { changeAnnotation, type KubeObject } from '@larry/contracts';
import type { Intent } from './intent';
import type { PatchOperation } from './json-patch';
import { toPointer } from './json-pointer';

/**
 * The ids of the earlier changes of the same run that are still in effect on an object, separated by spaces: a later
 * change takes the one place of the mark, and a successor whose journal is lost must find every id at the target.
 */
export const earlierAnnotation = 'larry.dev/changes';

const annotations = ['metadata', 'annotations'];
const markPointer = toPointer([...annotations, changeAnnotation]);
const earlierPointer = toPointer([...annotations, earlierAnnotation]);

/** The mark of the last change of Larry's on an object. */
export function markOf(object: KubeObject | undefined): string | undefined {
  return object?.metadata.annotations?.[changeAnnotation];
}

/** True where exactly this change is in effect on the object. */
export function carries(object: KubeObject | undefined, id: string): boolean {
  return markOf(object) === id || earlierOf(object).includes(id);
}

/** The text of the earlier ids, as it stands. */
export function earlierText(object: KubeObject | undefined): string | undefined {
  return object?.metadata.annotations?.[earlierAnnotation];
}

function earlierOf(object: KubeObject | undefined): string[] {
  return (earlierText(object) ?? '').split(' ').filter(Boolean);
}

/** True for two changes of one run. */
export function ofOneRun(a: string, b: string): boolean {
  return a.split('/')[0] === b.split('/')[0];
}

/** The operations that mark an object with a change. Ids of other runs make way. */
export function markWith(live: KubeObject, id: string): PatchOperation[] {
  if (!live.metadata.annotations) return [{ op: 'add', path: toPointer(annotations), value: { [changeAnnotation]: id } }];
  const earlier = [...earlierOf(live), markOf(live) ?? ''].filter((other) => other !== '' && other !== id && ofOneRun(other, id));
  return [{ op: 'add', path: markPointer, value: id }, ...setOrRemove(earlierPointer, earlierText(live), earlier.join(' ') || undefined)];
}

/** The operations that take a mark away: byte for byte as it was, where nothing of Larry's has changed since. */
export function unmark(live: KubeObject, intent: Intent): PatchOperation[] {
  const earlier = earlierOf(live);
  if (markOf(live) !== intent.id) {
    const left = earlier.filter((id) => id !== intent.id).join(' ');
    return setOrRemove(earlierPointer, earlierText(live), left || undefined);
  }
  const ours = [changeAnnotation, earlierAnnotation];
  const alone = Object.keys(live.metadata.annotations ?? {}).every((name) => ours.includes(name));
  if (alone && !intent.hadAnnotations && earlier.length === 0) return [{ op: 'remove', path: toPointer(annotations) }];
  const before = earlier.length > 0 ? { mark: earlier.at(-1), text: earlier.slice(0, -1).join(' ') || undefined } : beforeRun(intent);
  return [...setOrRemove(markPointer, intent.id, before.mark), ...setOrRemove(earlierPointer, earlierText(live), before.text)];
}

/** What an earlier run had left there. A mark of this run that is no longer among the earlier ones was taken back. */
function beforeRun({ id, previousMark, previousEarlier }: Intent): { mark?: string; text?: string } {
  if (previousMark === undefined || ofOneRun(previousMark, id)) return {};
  return { mark: previousMark, ...(previousEarlier ? { text: previousEarlier } : {}) };
}

function setOrRemove(path: string, now: string | undefined, then: string | undefined): PatchOperation[] {
  if (now === then) return [];
  return then === undefined ? [{ op: 'remove', path }] : [{ op: 'add', path, value: then }];
}
