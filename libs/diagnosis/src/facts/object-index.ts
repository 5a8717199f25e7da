import type { KubeObject, ObjectRef } from '@larry/contracts';

/** `Kind ns/name`: how an object is named in the graph and in symptoms. */
export function keyOf(ref: { kind: string; namespace?: string; name: string }): string {
  return `${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}

/** The key of an object. */
export function objectKey(object: KubeObject): string {
  return keyOf({ kind: object.kind, name: object.metadata.name, ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}) });
}

/** Objects by kind and name, and which kinds the source could tell. */
export class ObjectIndex {
  private readonly byKey = new Map<string, KubeObject>();
  private readonly byKind = new Map<string, KubeObject[]>();
  private readonly byNamespace = new Map<string, KubeObject[]>();
  private readonly unknownKinds = new Map<string, string>();
  private scope: ReadonlySet<string> | undefined;
  /** Of kinds that were read of some namespaces alone: which. */
  private readonly narrow = new Map<string, Set<string>>();

  add(object: KubeObject): void {
    const key = objectKey(object);
    if (!this.byKey.has(key)) this.byKey.set(key, object);
    push(this.byKind, object.kind, object);
    push(this.byNamespace, `${object.kind} ${object.metadata.namespace ?? ''}`, object);
  }

  /** Only these namespaces were read: nothing is known to be missing from any other. */
  only(namespaces: readonly string[]): void {
    this.scope = new Set(namespaces);
  }

  /** Whether what is not here of a kind and namespace is not there. */
  covers(kind: string, namespace: string): boolean {
    return (this.scope?.has(namespace) ?? true) && (this.narrow.get(kind)?.has(namespace) ?? true);
  }

  /** The namespaces that a kind was read of; undefined when all. */
  namespacesOf(kind: string): string[] | undefined {
    const namespaces = this.narrow.get(kind);
    return namespaces && [...namespaces];
  }

  /** Whether the source showed a namespace: it, or anything in it. */
  hasNamespace(namespace: string): boolean {
    return this.get('Namespace', undefined, namespace) !== undefined || [...this.byKey.values()].some((object) => object.metadata.namespace === namespace);
  }

  /** The source listed the kind, all of it or that of one namespace: an object that is not here does not exist. */
  listed(kind: string, namespace?: string): void {
    if (!this.byKind.has(kind)) this.byKind.set(kind, []);
    if (namespace !== undefined) this.narrow.set(kind, (this.narrow.get(kind) ?? new Set()).add(namespace));
  }

  /** The source cannot tell, or not wholly: what is here exists, what is not may. */
  unknown(kind: string, reason: string): void {
    this.unknownKinds.set(kind, reason);
  }

  /** Whether "not here" means "does not exist". */
  knows(kind: string): boolean {
    return this.byKind.has(kind) && !this.unknownKinds.has(kind);
  }

  whyUnknown(kind: string): string {
    return this.unknownKinds.get(kind) ?? 'not read';
  }

  get(kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.byKey.get(keyOf({ kind, name, ...(namespace ? { namespace } : {}) }));
  }

  at(key: string): KubeObject | undefined {
    return this.byKey.get(key);
  }

  resolve(ref: ObjectRef): KubeObject | undefined {
    return this.byKey.get(keyOf(ref));
  }

  list(kind: string, namespace?: string): KubeObject[] {
    return (namespace === undefined ? this.byKind.get(kind) : this.byNamespace.get(`${kind} ${namespace}`)) ?? [];
  }

  /** Object missing for certain: the kind was listed and it is not there. */
  isMissing(kind: string, namespace: string | undefined, name: string): boolean {
    return this.knows(kind) && (namespace === undefined || this.covers(kind, namespace)) && this.get(kind, namespace, name) === undefined;
  }
}

/** Adds to the list that a map holds for a key. */
export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
