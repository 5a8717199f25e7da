import { refOf, type KubeObject, type ObjectRef, type Owner } from '@larry/contracts';
import { builtinKind } from './builtin-kinds';
import { UnknownKindError } from './errors';
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

const helmChartKind: KindRef = { apiVersion: 'helm.cattle.io/v1', kind: 'HelmChart' };
const addonKind: KindRef = { apiVersion: 'k3s.cattle.io/v1', kind: 'Addon' };
const mostSteps = 10;
const mostRemembered = 2_000;

/** {@link ownersOf} for one object. */
export function rootOwner(reader: ClusterReader, object: KubeObject): Promise<RootOwner> {
  return ownersOf(reader).root(object);
}

/**
 * Finds the owners of many objects of one source: follows controllers up to the root (a pod's ReplicaSet's Deployment's Helm release),
 * knows the Helm releases that a HelmChart of k3s installs, and the file of a k3s AddOn. Remembers what it read, so make one for each
 * observation.
 */
export function ownersOf(reader: ClusterReader): { root(object: KubeObject): Promise<RootOwner> } {
  return new Owners(reader);
}

class Owners {
  private readonly controllers = new Map<string, Promise<KubeObject | undefined>>();
  private charts: Promise<KubeObject[]> | undefined;

  constructor(private readonly reader: ClusterReader) {}

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
    if (owner.kind === 'helm') return (await this.chartOf(owner.release, owner.namespace)) ?? owner;
    if (owner.kind !== 'k3s-addon') return owner;
    const addon = await this.reader.get({ ...addonKind, namespace: 'kube-system', name: owner.addon }).catch(unlessUnknown);
    const source = isRecord(addon?.['spec']) ? addon['spec']['source'] : undefined;
    return typeof source === 'string' ? { ...owner, source } : owner;
  }

  /** The HelmChart by which k3s installed a release: it has the release's name and names its namespace. */
  private async chartOf(release: string, namespace: string): Promise<Owner | undefined> {
    this.charts ??= this.listCharts();
    const chart = (await this.charts).find((candidate) => {
      const spec = isRecord(candidate['spec']) ? candidate['spec'] : {};
      const target = typeof spec['targetNamespace'] === 'string' && spec['targetNamespace'] !== '' ? spec['targetNamespace'] : candidate.metadata.namespace;
      return candidate.metadata.name === release && target === namespace;
    });
    return chart && { kind: 'k3s-helmchart', chart: chart.metadata.name, namespace: chart.metadata.namespace ?? '' };
  }

  private async listCharts(): Promise<KubeObject[]> {
    const charts: KubeObject[] = [];
    try {
      for await (const chart of this.reader.list(helmChartKind)) charts.push(chart);
    } catch (error) {
      unlessUnknown(error);
    }
    return charts;
  }
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof UnknownKindError) return undefined;
  throw error;
}
