import type { KubeObject, ObjectRef } from '@larry/contracts';
import { kindKey } from './builtin-kinds';
import type { KindRef, ListOptions } from './reader';
import { selects } from './selector';

/** Objects held in memory by kind, for the sources that read a whole folder first. The first of two objects of one name wins. */
export class ObjectSet {
  private readonly byKind = new Map<string, Map<string, KubeObject>>();

  /** False when an object of that kind, namespace and name is already held. */
  add(object: KubeObject): boolean {
    const objects = this.byKind.get(kindKey(object)) ?? new Map<string, KubeObject>();
    const key = nameKey(object.metadata.namespace, object.metadata.name);
    if (objects.has(key)) return false;
    objects.set(key, object);
    this.byKind.set(kindKey(object), objects);
    return true;
  }

  has(kind: KindRef): boolean {
    return this.byKind.has(kindKey(kind));
  }

  *list(kind: KindRef, options: ListOptions = {}): Iterable<KubeObject> {
    const wanted = selects(options);
    for (const object of this.byKind.get(kindKey(kind))?.values() ?? []) {
      options.signal?.throwIfAborted();
      if (wanted(object)) yield object;
    }
  }

  get(ref: ObjectRef): KubeObject | undefined {
    return this.byKind.get(kindKey(ref))?.get(nameKey(ref.namespace, ref.name));
  }

  /** One object of each kind held. */
  *samples(): Iterable<KubeObject> {
    for (const objects of this.byKind.values()) {
      const [first] = objects.values();
      if (first) yield first;
    }
  }
}

/** The key of an object among those of its kind; a slash cannot stand in either part. */
export function nameKey(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
