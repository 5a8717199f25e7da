import type { KubeObject } from '@larry/contracts';
import { ApiError } from '../api-client';
import type { ClientContext } from '../controller';
import { controllerOf, type Informer } from '../informer';
import { kinds, keyOf, type ResourceKind } from '../kinds';
import { matchesSelector } from '../selectors';
import { controllerReference } from '../template';
import { isTerminating } from '../pod-state';
import type { LabelSelector, Pod } from '../types';

/** Creating and deleting dependents so that a repeated, interrupted or outdated sync makes none too many. */
export class DependentControl {
  constructor(
    private readonly context: ClientContext,
    private readonly component: string,
  ) {}

  /** Creates a pod and puts it into the cache before anybody decides again. */
  createPod(owner: KubeObject, pod: Pod): Promise<Pod> {
    return this.create(kinds.pods, owner, pod);
  }

  async create<T extends KubeObject>(kind: ResourceKind<T>, owner: KubeObject, object: T, quiet = false): Promise<T> {
    const informer = this.context.informers.of(kind);
    try {
      const made = informer.observe(await this.context.api.create(kind, object, object.metadata.namespace));
      if (!quiet) this.say(owner, 'Normal', 'SuccessfulCreate', `Created ${nounOf(kind)}: ${made.metadata.name}`);
      return made;
    } catch (error) {
      if (!(error instanceof ApiError)) await informer.relist();
      else if (error.status !== 409 && !quiet) this.say(owner, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
      throw error;
    }
  }

  /** Deletes a pod if it is still the one that was meant; one that is gone already is fine. */
  async deletePod(owner: KubeObject, pod: Pod): Promise<void> {
    if (isTerminating(pod)) return;
    if (await remove(this.context, kinds.pods, pod)) this.say(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }

  say(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.context.events.record(about, type, reason, message, this.component);
  }

  /**
   * The objects that belong to `owner`: its own that still match, and orphans that match, which it adopts.
   * Its own that match no longer are released.
   */
  async claim<T extends KubeObject>(owner: KubeObject, selector: LabelSelector | undefined, informer: Informer<T>): Promise<T[]> {
    const mine: T[] = [];
    for (const object of informer.inNamespace(owner.metadata.namespace ?? '')) {
      const controller = controllerOf(object);
      const matches = matchesSelector(selector, object.metadata.labels);
      if (controller) {
        if (controller.uid !== owner.metadata.uid) continue;
        if (matches) mine.push(object);
        else if (!isTerminating(owner)) await this.release(owner, informer, object);
      } else if (matches && !isTerminating(owner) && !isTerminating(object)) {
        mine.push(await this.adopt(owner, informer, object));
      }
    }
    return mine;
  }

  private async adopt<T extends KubeObject>(owner: KubeObject, informer: Informer<T>, object: T): Promise<T> {
    const ownerReferences = [...(object.metadata.ownerReferences ?? []), controllerReference(owner)];
    return informer.observe(await this.context.api.patch(informer.kind, object, { metadata: { uid: object.metadata.uid, ownerReferences } }));
  }

  private async release<T extends KubeObject>(owner: KubeObject, informer: Informer<T>, object: T): Promise<void> {
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid);
    informer.observe(await this.context.api.patch(informer.kind, object, { metadata: { uid: object.metadata.uid, ownerReferences } }));
  }
}

/** Deletes an object by its uid. False where it was gone or replaced already. */
export async function remove<T extends KubeObject>(context: ClientContext, kind: ResourceKind<T>, object: T, options: object = {}): Promise<boolean> {
  const informer = context.informers.of(kind);
  try {
    const answer = await context.api.delete(kind, object, { preconditions: { uid: object.metadata.uid }, ...options });
    if (answer.kind === kind.kind && answer.metadata?.deletionTimestamp) informer.observe(answer as T);
    else informer.forget(object);
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 409)) {
      if (error.status === 404) informer.forget(object);
      return false;
    }
    throw error;
  }
}

/** The keys of the controllers of this kind that a dependent belongs to, or that could adopt it. */
export function ownersOf<T extends KubeObject & { spec: { selector?: LabelSelector } }>(object: KubeObject, owners: Informer<T>): string[] {
  const controller = controllerOf(object);
  if (controller) {
    if (controller.kind !== owners.kind.kind) return [];
    return [keyOf({ metadata: { namespace: object.metadata.namespace, name: controller.name } })];
  }
  return owners
    .inNamespace(object.metadata.namespace ?? '')
    .filter((owner) => matchesSelector(owner.spec.selector, object.metadata.labels))
    .map(keyOf);
}

function nounOf(kind: ResourceKind): string {
  return kind.kind.toLowerCase();
}
