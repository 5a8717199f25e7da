import { refOf, type KubeObject, type ObjectRef, type Owner } from '@larry/contracts';
import { builtinKind } from './builtin-kinds';
import { UnknownKindError } from './errors';
import { HelmDrivers, ownerByDriver } from './helm-drivers';
import { controllerOf, ownerIn } from './owner';
import type { ClusterReader, KindRef } from './reader';
import { isRecord } from './untrusted-object';

/** Where an object comes from. */
export interface RootOwner {
  /** The uppermost object that controls it: the Deployment of a pod; the object itself when nothing does. */
  root: ObjectRef;
  /** Undefined when the root is named but cannot be read. */
  object: KubeObject | undefined;
  /** Who owns the root; `controller` with the root where nobody claims that one. */
  owner: Owner;
}

const addonKind: KindRef = { apiVersion: 'k3s.cattle.io/v1', kind: 'Addon' };
const mostSteps = 10;
const mostRemembered = 2_000;

/** {@link ownersOf} for one object. */
export function rootOwner(reader: ClusterReader, object: KubeObject): Promise<RootOwner> {
  return ownersOf(reader).root(object);
}

/**
 * Finds the owners of many objects of one source: follows controllers up to the root (a pod's ReplicaSet's Deployment's Helm release),
 * knows the Helm releases that a HelmRelease of Flux or a HelmChart of k3s makes, and the file of a k3s AddOn. Remembers what it read, so make one for each
 * observation.
 */
export function ownersOf(reader: ClusterReader): { root(object: KubeObject): Promise<RootOwner> } {
  return new Owners(reader);
}

class Owners {
  private readonly controllers = new Map<string, Promise<KubeObject | undefined>>();
  private readonly drivers: HelmDrivers;

  constructor(private readonly reader: ClusterReader) {
    this.drivers = new HelmDrivers(reader);
  }

  async root(object: KubeObject): Promise<RootOwner> {
    let top = object;
    for (let step = 0; step < mostSteps; step += 1) {
      const ref = controllerOf(top);
      if (!ref) break;
      const above = await this.controller(ref);
      if (!above) return { root: ref, object: undefined, owner: { kind: 'controller', ref } };
      top = above;
    }
    const root = refOf(top);
    const owner = await this.refine(ownerIn(this.reader, top));
    return { root, object: top, owner: (owner.kind === 'none' || owner.kind === 'unknown') && top !== object ? { kind: 'controller', ref: root } : owner };
  }

  private controller(ref: ObjectRef): Promise<KubeObject | undefined> {
    const key = `${ref.uid ?? ''} ${ref.apiVersion} ${ref.kind} ${ref.namespace ?? ''}/${ref.name}`;
    const known = this.controllers.get(key) ?? this.read(ref);
    if (this.controllers.size < mostRemembered) this.controllers.set(key, known);
    return known;
  }

  /** The controller, unless another object has taken its name. */
  private async read(ref: ObjectRef): Promise<KubeObject | undefined> {
    const { namespace: _, ...clusterScoped } = ref;
    const places = builtinKind(ref)?.namespaced === false ? [clusterScoped] : builtinKind(ref) ? [ref] : [ref, clusterScoped];
    for (const place of places) {
      const found = await this.reader.get(place).catch(unlessUnknown);
      if (found && (ref.uid === undefined || found.metadata.uid === undefined || found.metadata.uid === ref.uid)) return found;
    }
    return undefined;
  }

  private async refine(owner: Owner): Promise<Owner> {
    if (owner.kind === 'helm') {
      const driven = await this.drivers.ofRelease(owner.release, owner.namespace);
      return 'driver' in driven ? ownerByDriver(driven.driver) : owner;
    }
    if (owner.kind !== 'k3s-addon') return owner;
    const addon = await this.reader.get({ ...addonKind, namespace: 'kube-system', name: owner.addon }).catch(unlessUnknown);
    const source = isRecord(addon?.['spec']) ? addon['spec']['source'] : undefined;
    return typeof source === 'string' ? { ...owner, source } : owner;
  }
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof UnknownKindError) return undefined;
  throw error;
}
