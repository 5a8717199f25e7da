import type { KubeObject, OwnerReference } from '@larry/contracts';
import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { Informer } from '../informer';
import { keyOf, kinds, pathOf, type ResourceKind } from '../kinds';
import { isTerminating } from '../pod-state';
import { discover } from './discovery';

const known = new Map<string, ResourceKind>(Object.values(kinds).map((kind) => [`${kind.apiVersion}/${kind.kind}`, kind as ResourceKind]));
/** Kinds that change all the time and own nothing. */
const ignored = new Set(['Event', 'Lease', 'Endpoints']);

/**
 * Deletes what its last owner left behind, and carries out foreground and orphaning deletions. Watches
 * every kind that is served when it starts, and those of definitions that come later.
 */
export class GarbageCollector extends Controller {
  private readonly informers = new Map<string, Informer<KubeObject>>();
  private readonly dependents = new Map<string, Set<string>>();

  constructor(context: ClientContext) {
    super(context, 'garbage-collector');
  }

  /** Finds the kinds to watch; call again when kinds were added. Informers that nobody started yet are started here. */
  async refresh(): Promise<void> {
    const served = await discover(this.context.api, { verbs: ['list', 'watch', 'delete'] });
    const fresh: Informer<KubeObject>[] = [];
    for (const kind of served) {
      const id = `${kind.apiVersion}/${kind.kind}`;
      if (ignored.has(kind.kind) || this.informers.has(id)) continue;
      const shared = known.has(id);
      const informer = this.context.informers.of(known.get(id) ?? kind);
      this.informers.set(id, informer);
      informer.onChange((change) => this.note(id, change.object, change.type === 'deleted', change.type === 'updated' ? change.old : undefined));
      if (!shared) fresh.push(informer);
    }
    const starts = fresh.map((informer) => informer.start().catch((error: unknown) => this.context.log({ kind: informer.kind.plural, error: String(error) }, 'cannot watch a kind')));
    await Promise.all(starts);
  }

  private note(id: string, object: KubeObject, deleted: boolean, old: KubeObject | undefined): void {
    const key = `${id}|${keyOf(object)}`;
    for (const owner of old?.metadata.ownerReferences ?? []) this.dependents.get(owner.uid)?.delete(key);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const set = this.dependents.get(owner.uid) ?? new Set();
      this.dependents.set(owner.uid, deleted ? (set.delete(key), set) : set.add(key));
      // A foreground deletion of the owner may be waiting for this one.
      const parent = this.keyOfOwner(object, owner);
      if (deleted && parent) this.enqueue(parent);
    }
    if (deleted) {
      for (const dependent of this.dependents.get(object.metadata.uid ?? '') ?? []) this.enqueue(dependent);
    } else if (object.metadata.ownerReferences?.length || isTerminating(object)) {
      this.enqueue(key);
    }
    if (object.kind === 'CustomResourceDefinition' && !deleted) void this.refresh().catch(() => undefined);
  }

  private keyOfOwner(object: KubeObject, owner: OwnerReference): string | undefined {
    const kind = this.informers.get(`${owner.apiVersion}/${owner.kind}`)?.kind;
    if (!kind) return undefined;
    return `${owner.apiVersion}/${owner.kind}|${keyOf({ metadata: { name: owner.name, ...(kind.namespaced ? { namespace: object.metadata.namespace } : {}) } })}`;
  }

  protected async sync(key: string): Promise<void> {
    const { object, informer } = this.find(key);
    if (!object || !informer) return;
    if (isTerminating(object)) await this.finishDeletion(object, informer);
    else await this.collect(object, informer);
  }

  private find(key: string): { object?: KubeObject; informer?: Informer<KubeObject> } {
    const bar = key.indexOf('|');
    const informer = this.informers.get(key.slice(0, bar));
    return { informer, object: informer?.get(key.slice(bar + 1)) };
  }

  private async finishDeletion(object: KubeObject, informer: Informer<KubeObject>): Promise<void> {
    const finalizers = object.metadata.finalizers ?? [];
    const dependents = [...(this.dependents.get(object.metadata.uid ?? '') ?? [])].map((key) => this.find(key));
    if (finalizers.includes('orphan')) {
      for (const { object: dependent, informer: of } of dependents) {
        if (!dependent || !of) continue;
        const ownerReferences = (dependent.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== object.metadata.uid);
        await this.context.api.patch(of.kind, dependent, { metadata: { uid: dependent.metadata.uid, ownerReferences } }).then((made) => of.observe(made), ignoreGone);
      }
      await this.dropFinalizer(object, informer, 'orphan');
    } else if (finalizers.includes('foregroundDeletion')) {
      const blocking = dependents.filter(({ object: dependent }) => dependent?.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion));
      for (const { object: dependent, informer: of } of dependents) {
        if (dependent && of && !isTerminating(dependent)) await this.delete(dependent, of, 'Foreground');
      }
      if (blocking.length === 0) await this.dropFinalizer(object, informer, 'foregroundDeletion');
    }
  }

  private async collect(object: KubeObject, informer: Informer<KubeObject>): Promise<void> {
    const owners = object.metadata.ownerReferences ?? [];
    const gone: OwnerReference[] = [];
    for (const owner of owners) if (!(await this.exists(object, owner))) gone.push(owner);
    if (gone.length === 0) return;
    if (gone.length === owners.length) return this.delete(object, informer, 'Background');
    const ownerReferences = owners.filter((owner) => !gone.includes(owner));
    await this.context.api.patch(informer.kind, object, { metadata: { uid: object.metadata.uid, ownerReferences } }).then((made) => informer.observe(made), ignoreGone);
  }

  /** Asks the server itself before anything is deleted: a cache may not have heard of the owner yet. */
  private async exists(object: KubeObject, owner: OwnerReference): Promise<boolean> {
    const kind = this.informers.get(`${owner.apiVersion}/${owner.kind}`)?.kind;
    // An owner of a kind that is not served cannot be judged; nothing is deleted because of it.
    if (!kind) return true;
    const namespace = kind.namespaced ? object.metadata.namespace : undefined;
    const cached = this.informers.get(`${owner.apiVersion}/${owner.kind}`)?.get(keyOf({ metadata: { name: owner.name, namespace } }));
    if (cached?.metadata.uid === owner.uid) return true;
    try {
      const found = await this.context.api.request<KubeObject>('GET', pathOf(kind, namespace, owner.name));
      return found.metadata.uid === owner.uid;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  private async delete(object: KubeObject, informer: Informer<KubeObject>, propagationPolicy: string): Promise<void> {
    await this.context.api.delete(informer.kind, object, { propagationPolicy, preconditions: { uid: object.metadata.uid } }).catch(ignoreGone);
  }

  private async dropFinalizer(object: KubeObject, informer: Informer<KubeObject>, finalizer: string): Promise<void> {
    const finalizers = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
    const patch = { metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, finalizers } };
    await this.context.api.patch(informer.kind, object, patch).catch(ignoreGone);
  }
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}
