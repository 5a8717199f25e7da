import type { KubeObject } from '@larry/contracts';
import type { Activity } from './activity';
import { ApiError, type ApiClient, type WatchEvent } from './api-client';
import { keyOf, type ResourceKind } from './kinds';

export type Change<T> = { type: 'added' | 'updated'; object: T; old?: T } | { type: 'deleted'; object: T };
type Handler<T> = (change: Change<T>) => void;

/**
 * The objects of one kind as last heard of: one list, then one watch that is resumed where it broke, and a
 * new list only when the server says 410. What this process writes is put in at once by `observe`, so that
 * nobody here decides on a state older than his own last write.
 */
export class Informer<T extends KubeObject> {
  private readonly byKey = new Map<string, T>();
  private readonly byOwner = new Map<string, Set<string>>();
  private readonly byNamespace = new Map<string, Set<string>>();
  /** Uids that are gone: an answer that was overtaken by the deletion must not bring them back. */
  private readonly tombstones = new Set<string>();
  private readonly handlers: Handler<T>[] = [];
  private readonly abort = new AbortController();
  private resourceVersion = '';
  private running: Promise<void> | undefined;

  constructor(
    private readonly api: ApiClient,
    readonly kind: ResourceKind<T>,
    private readonly activity: Activity,
    private readonly onError: (error: unknown, about: string) => void = () => undefined,
  ) {}

  /** Registers a handler; it hears of the objects known so far at once. */
  onChange(handler: Handler<T>): void {
    this.handlers.push(handler);
    for (const object of this.byKey.values()) this.tellOne(handler, { type: 'added', object });
  }

  get(key: string): T | undefined {
    return this.byKey.get(key);
  }
  all(): T[] {
    return [...this.byKey.values()];
  }
  inNamespace(namespace: string): T[] {
    return this.pick(this.byNamespace.get(namespace));
  }
  /** The objects whose controller reference has this uid. */
  ownedBy(uid: string): T[] {
    return this.pick(this.byOwner.get(uid));
  }

  /** Lists, then keeps watching in the background. Resolves when the first list is in. */
  async start(): Promise<void> {
    await this.relist();
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.running;
  }

  /** Takes in the answer to a write of ours before the watch tells of it. */
  observe(object: T): T {
    const whole = { ...object, apiVersion: this.kind.apiVersion, kind: this.kind.kind };
    this.put(whole);
    return whole;
  }

  /** Takes in that an object of ours is gone. */
  forget(object: { metadata: { namespace?: string; name: string; uid?: string } }): void {
    const known = this.byKey.get(keyOf(object));
    if (!known || (object.metadata.uid && known.metadata.uid !== object.metadata.uid)) return;
    this.bury(known.metadata.uid);
    this.drop(known);
  }

  /** Reads everything anew; needed when the outcome of a write is unknown. */
  async relist(): Promise<void> {
    const { items, resourceVersion } = await this.api.list(this.kind);
    const seen = new Set(items.map(keyOf));
    for (const item of items) this.tombstones.delete(item.metadata.uid ?? '');
    for (const known of [...this.byKey.values()]) {
      if (!seen.has(keyOf(known)) && isOlder(known, resourceVersion)) this.drop(known);
    }
    for (const item of items) this.put(item);
    this.resourceVersion = resourceVersion;
  }

  private async follow(): Promise<void> {
    while (!this.abort.signal.aborted) {
      let expired = false;
      try {
        await this.api.watch(
          this.kind,
          this.resourceVersion,
          (event) => {
            if (event.type === 'ERROR') expired = true;
            else this.receive(event);
          },
          this.abort.signal,
        );
      } catch (error) {
        expired ||= error instanceof ApiError && error.status === 410;
      }
      if (this.abort.signal.aborted) return;
      await this.pause(expired ? 0 : 200);
      if (expired) await this.relist().catch(() => this.pause(1000));
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.abort.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }

  private receive(event: WatchEvent<T>): void {
    const { object } = event;
    this.resourceVersion = object.metadata.resourceVersion ?? this.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    // The heartbeats of nodes go on for ever: they are no work that a cluster has to settle.
    if (this.kind.kind !== 'Lease') this.activity.touch();
    const uid = object.metadata.uid ?? '';
    if (event.type === 'DELETED') {
      this.bury(uid);
      const known = this.byKey.get(keyOf(object));
      if (known && known.metadata.uid === uid) this.drop(known);
    } else {
      this.put(object);
    }
  }

  private bury(uid: string | undefined): void {
    if (uid) this.tombstones.add(uid);
    if (this.tombstones.size > 10_000) this.tombstones.delete(this.tombstones.values().next().value as string);
  }

  private put(object: T): void {
    if (this.tombstones.has(object.metadata.uid ?? '')) return;
    const key = keyOf(object);
    if (this.kind.isWhole?.(object) === false) return this.onError('it lacks parts that every such object has; it is left alone', `${this.kind.kind} ${key}`);
    const old = this.byKey.get(key);
    if (old && old.metadata.uid === object.metadata.uid && !isOlder(old, object.metadata.resourceVersion)) return;
    if (old) this.unindex(old);
    this.byKey.set(key, object);
    index(this.byNamespace, object.metadata.namespace ?? '', key);
    const owner = controllerOf(object);
    if (owner) index(this.byOwner, owner.uid, key);
    if (old && old.metadata.uid !== object.metadata.uid) this.tell({ type: 'deleted', object: old });
    this.tell(old && old.metadata.uid === object.metadata.uid ? { type: 'updated', object, old } : { type: 'added', object });
  }

  private drop(object: T): void {
    this.byKey.delete(keyOf(object));
    this.unindex(object);
    this.tell({ type: 'deleted', object });
  }

  private unindex(object: T): void {
    const key = keyOf(object);
    this.byNamespace.get(object.metadata.namespace ?? '')?.delete(key);
    const owner = controllerOf(object);
    if (owner) this.byOwner.get(owner.uid)?.delete(key);
  }

  private pick(keys: Set<string> | undefined): T[] {
    return [...(keys ?? [])].flatMap((key) => this.byKey.get(key) ?? []);
  }

  private tell(change: Change<T>): void {
    for (const handler of this.handlers) this.tellOne(handler, change);
  }

  /** What is in a cluster may be of any shape: an object that a handler stumbles over must not stop the others. */
  private tellOne(handler: Handler<T>, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.onError(error, `${this.kind.kind} ${keyOf(change.object)}`);
    }
  }
}

/** The reference of the controller that manages an object, if any. */
export function controllerOf(object: KubeObject): { uid: string; kind: string; name: string; apiVersion: string } | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller);
}

function index(map: Map<string, Set<string>>, by: string, key: string): void {
  const set = map.get(by);
  if (set) set.add(key);
  else map.set(by, new Set([key]));
}

/** Versions are comparable numbers (KEP-5504). What carries none is taken as older. */
function isOlder(object: KubeObject, than: string | undefined): boolean {
  const mine = object.metadata.resourceVersion;
  if (!mine || !than) return true;
  return BigInt(mine) < BigInt(than);
}

/** One informer a kind, shared by all clients of a process. */
export class Informers {
  private readonly all = new Map<string, Informer<KubeObject>>();
  constructor(
    private readonly api: ApiClient,
    private readonly activity: Activity,
    private readonly onError?: (error: unknown, about: string) => void,
  ) {}

  of<T extends KubeObject>(kind: ResourceKind<T>): Informer<T> {
    const id = `${kind.apiVersion}/${kind.plural}`;
    const known = this.all.get(id);
    if (known) return known as unknown as Informer<T>;
    const made = new Informer(this.api, kind, this.activity, this.onError);
    this.all.set(id, made as unknown as Informer<KubeObject>);
    return made;
  }

  /** Whether every kind has been listed: who decides earlier takes what he has not heard of for missing. */
  synced = false;
  private readonly waiting: (() => void)[] = [];

  /** Calls `fn` when every kind has been listed. */
  whenSynced(fn: () => void): void {
    if (this.synced) fn();
    else this.waiting.push(fn);
  }

  async start(): Promise<void> {
    await Promise.all([...this.all.values()].map((informer) => informer.start()));
    this.synced = true;
    for (const fn of this.waiting.splice(0)) fn();
  }
  async stop(): Promise<void> {
    await Promise.all([...this.all.values()].map((informer) => informer.stop()));
  }
}
