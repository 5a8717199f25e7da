import type { Kind } from './kinds';
import { storageKey } from './kinds';
import type { KubeObject } from './kube-object';

/** One change of one object, as watches see it. */
export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  version: number;
  object: KubeObject;
  /** The object before the change; absent when it was created. */
  before?: KubeObject;
}

/** A list that stays as it was while its pages are fetched. */
export interface Snapshot {
  version: number;
  keys: readonly string[];
  objects: readonly KubeObject[];
}

/** Events of one kind kept for watches that resume; older resourceVersions get 410. */
const HISTORY = 4_000;
/** Lists kept for `continue` tokens, over all kinds; the oldest goes first, and then its token gets 410. */
const SNAPSHOTS = 32;

class Table {
  readonly objects = new Map<string, KubeObject>();
  readonly listeners = new Set<(event: StoreEvent) => void>();
  history: StoreEvent[] = [];
  /** Watches may start after this resourceVersion. */
  forgottenUpTo = 0;
  private keys: string[] | undefined;
  private view: Snapshot | undefined;

  changed(keysToo: boolean): void {
    if (keysToo) this.keys = undefined;
    this.view = undefined;
  }

  snapshot(version: number): Snapshot {
    this.keys ??= [...this.objects.keys()].sort(byBytes);
    const keys = this.keys;
    this.view ??= { version, keys, objects: keys.map((key) => this.objects.get(key) as KubeObject) };
    return this.view;
  }

  remember(event: StoreEvent): void {
    this.history.push(event);
    if (this.history.length < 2 * HISTORY) return;
    this.forgottenUpTo = this.history[HISTORY - 1]?.version ?? 0;
    this.history = this.history.slice(HISTORY);
  }
}

const byBytes = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ''}/${name}`;

/**
 * The objects of the cluster in memory, with the rules of etcd that clients can see: one counter of versions for all
 * kinds, lists in key order, a bounded history of events. Objects in it are never changed in place.
 */
export class Store {
  private version: number;
  private readonly tables = new Map<string, Table>();
  private readonly pages: { key: string; snapshot: Snapshot }[] = [];

  constructor(startVersion = 1) {
    this.version = startVersion;
  }

  get resourceVersion(): number {
    return this.version;
  }

  private table(kind: Kind): Table {
    const key = storageKey(kind);
    let table = this.tables.get(key);
    if (!table) this.tables.set(key, (table = new Table()));
    return table;
  }

  get(kind: Kind, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.table(kind).objects.get(keyOf(namespace, name));
  }

  count(kind: Kind): number {
    return this.table(kind).objects.size;
  }

  /** All objects of a kind, in key order; without copying, so treat them as read-only. */
  list(kind: Kind, namespace?: string): readonly KubeObject[] {
    const all = this.table(kind).snapshot(this.version);
    if (namespace === undefined) return all.objects;
    const [from, to] = range(all.keys, namespace);
    return all.objects.slice(from, to);
  }

  /** The list that pages are cut from: the present one, or the one a `continue` token of `version` belongs to. */
  page(kind: Kind, namespace: string | undefined, version?: number): Snapshot | undefined {
    const key = `${storageKey(kind)} ${namespace ?? ''}`;
    if (version !== undefined) return this.pages.find((p) => p.key === key && p.snapshot.version === version)?.snapshot;
    const all = this.table(kind).snapshot(this.version);
    const [from, to] = namespace === undefined ? [0, all.keys.length] : range(all.keys, namespace);
    const whole = from === 0 && to === all.keys.length;
    return { version: this.version, keys: whole ? all.keys : all.keys.slice(from, to), objects: whole ? all.objects : all.objects.slice(from, to) };
  }

  /** Keeps a list for the pages that follow. */
  keepPage(kind: Kind, namespace: string | undefined, snapshot: Snapshot): void {
    const key = `${storageKey(kind)} ${namespace ?? ''}`;
    if (this.pages.some((p) => p.key === key && p.snapshot.version === snapshot.version)) return;
    this.pages.push({ key, snapshot });
    if (this.pages.length > SNAPSHOTS) this.pages.shift();
  }

  /** Drops kept lists and event histories: what an etcd compaction does to clients. */
  compact(): void {
    this.pages.length = 0;
    for (const table of this.tables.values()) {
      table.history = [];
      table.forgottenUpTo = this.version;
    }
  }

  /** Stores a new or changed object and tells the watches; returns it with its resourceVersion. */
  put(kind: Kind, object: KubeObject): KubeObject {
    return this.place(kind, this.stamp(object));
  }

  /** Stores an object under the resourceVersion that it brings; the counter goes on from the highest seen. */
  restore(kind: Kind, object: KubeObject): KubeObject {
    const version = Number(object.metadata.resourceVersion);
    if (!Number.isSafeInteger(version) || version <= 0) return this.put(kind, object);
    this.version = Math.max(this.version + 1, version);
    return this.place(kind, object);
  }

  private place(kind: Kind, stored: KubeObject): KubeObject {
    const table = this.table(kind);
    const key = keyOf(stored.metadata.namespace, stored.metadata.name ?? '');
    const before = table.objects.get(key);
    table.objects.set(key, stored);
    table.changed(before === undefined);
    this.emit(table, { type: before ? 'MODIFIED' : 'ADDED', version: this.version, object: stored, ...(before ? { before } : {}) });
    return stored;
  }

  /** Removes an object; watches get its last state under the version of the removal. */
  remove(kind: Kind, object: KubeObject): KubeObject {
    const table = this.table(kind);
    const key = keyOf(object.metadata.namespace, object.metadata.name ?? '');
    const before = table.objects.get(key);
    table.objects.delete(key);
    table.changed(true);
    const last = this.stamp(object);
    this.emit(table, { type: 'DELETED', version: this.version, object: last, ...(before ? { before } : {}) });
    return last;
  }

  /** Events after `version`, or undefined when they are forgotten. */
  since(kind: Kind, version: number): StoreEvent[] | undefined {
    const table = this.table(kind);
    if (version < table.forgottenUpTo) return undefined;
    return table.history.filter((event) => event.version > version);
  }

  listen(kind: Kind, listener: (event: StoreEvent) => void): () => void {
    const { listeners } = this.table(kind);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  private stamp(object: KubeObject): KubeObject {
    this.version++;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
  }

  private emit(table: Table, event: StoreEvent): void {
    table.remember(event);
    for (const listener of table.listeners) listener(event);
  }
}

/** Where the keys of a namespace start and end in a sorted list. */
function range(keys: readonly string[], namespace: string): [number, number] {
  return [lowerBound(keys, `${namespace}/`), lowerBound(keys, `${namespace}0`)];
}

export function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
