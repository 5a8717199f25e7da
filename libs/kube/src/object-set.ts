import type { KubeObject, ObjectRef } from '@larry/contracts';
import { kindKey } from './builtin-kinds';
import type { KindRef, ListOptions } from './reader';
import { selects } from './selector';

/** Objects held in memory by kind. Of two objects of one name both are listed and the first is got. */
export class ObjectSet {
  private readonly byKind = new Map<string, { list: KubeObject[]; byName: Map<string, KubeObject> }>();

  add(object: KubeObject): void {
    const held = this.byKind.get(kindKey(object)) ?? { list: [], byName: new Map<string, KubeObject>() };
    this.byKind.set(kindKey(object), held);
    const key = nameKey(object.metadata.namespace, object.metadata.name);
    held.list.push(object);
    if (!held.byName.has(key)) held.byName.set(key, object);
  }

  has(kind: KindRef): boolean {
    return this.byKind.has(kindKey(kind));
  }

  *list(kind: KindRef, options: ListOptions = {}): Iterable<KubeObject> {
    const wanted = selects(options);
    for (const object of this.byKind.get(kindKey(kind))?.list ?? []) {
      options.signal?.throwIfAborted();
      if (wanted(object)) yield object;
    }
  }

  get(ref: ObjectRef): KubeObject | undefined {
    return this.byKind.get(kindKey(ref))?.byName.get(nameKey(ref.namespace, ref.name));
  }

  /** The objects of each kind held, kind by kind. */
  *kinds(): Iterable<readonly KubeObject[]> {
    for (const { list } of this.byKind.values()) yield list;
  }
}

/** The key of an object among those of its kind; a slash cannot stand in either part. */
export function nameKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
