import { changeAnnotation, type KubeObject } from '@larry/contracts';
import { nearestExisting, pointerParts, toPointer, valueAt } from './json-pointer';

/** An operation of RFC 6902, as far as plans use it. */
export interface PatchOperation {
  op: 'add' | 'replace' | 'remove' | 'test';
  path: string;
  value?: unknown;
  [field: string]: unknown;
}

const annotationPointer = `/metadata/annotations/${changeAnnotation.replaceAll('/', '~1')}`;

/**
 * The patch that is sent: `test`s on the uid and on every field the diagnosis read, the change, and our mark, all in one
 * request. JSON Patch cannot test for absence, so an absent field is tested by its nearest existing parent's whole value.
 */
export function conditionalPatch(live: KubeObject, wanted: PatchOperation[], depends: readonly string[], id: string): PatchOperation[] {
  const pointers = [...new Set(depends.map((pointer) => nearestExisting(live, pointer)))].filter((p) => p !== '');
  const tests = pointers.map((path): PatchOperation => ({ op: 'test', path, value: valueAt(live, path) }));
  return [{ op: 'test', path: '/metadata/uid', value: live.metadata.uid }, ...tests, ...wanted, ...markWith(live, id)];
}

/** Without annotations there is no parent to add to; the resourceVersion guards against somebody adding the first one meanwhile. */
function markWith(live: KubeObject, id: string): PatchOperation[] {
  if (live.metadata.annotations) return [{ op: 'add', path: annotationPointer, value: id }];
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    { op: 'add', path: '/metadata/annotations', value: { [changeAnnotation]: id } },
  ];
}

/**
 * The operations that undo `wanted` on `live`, in the order in which they must be applied. Throws for an operation that
 * cannot be undone by place (appending with `-` is allowed: it is undone by index).
 */
export function inversePatch(live: KubeObject, wanted: readonly PatchOperation[]): PatchOperation[] {
  const undo: PatchOperation[] = [];
  const appended = new Map<string, number>();
  for (const operation of wanted) {
    if (operation.op === 'test') continue;
    const path = appendedPath(live, operation.path, appended);
    const before = valueAt(live, path);
    const intoList = Array.isArray(valueAt(live, toPointer(pointerParts(path).slice(0, -1))));
    if (operation.op === 'add' && (before === undefined || intoList)) undo.unshift({ op: 'remove', path });
    else if (operation.op === 'remove') undo.unshift({ op: 'add', path, value: before });
    else undo.unshift({ op: 'replace', path, value: before });
  }
  return undo;
}

function appendedPath(live: KubeObject, path: string, appended: Map<string, number>): string {
  if (!path.endsWith('/-')) return path;
  const list = path.slice(0, -2);
  const current = valueAt(live, list);
  const index = (Array.isArray(current) ? current.length : 0) + (appended.get(list) ?? 0);
  appended.set(list, (appended.get(list) ?? 0) + 1);
  return `${list}/${index}`;
}
