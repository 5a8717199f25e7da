import { createHash } from 'node:crypto';
import { recordOf, textOf, type KubeObject, type Owner } from '@larry/contracts';
import { UnknownKindError } from './errors';
import type { ClusterReader } from './reader';

/** An object from which a controller makes a Helm release: an upgrade by anybody else is undone by the controller. */
export interface HelmDriver {
  kind: 'HelmRelease' | 'HelmChart';
  object: KubeObject;
  release: string;
  /** Where the release's objects go. */
  namespace: string;
  /** Where Helm keeps the release's records. */
  storage: string;
}

/** What is known of who drives a release. `unknown`: there are objects that might, and they cannot be read. */
export type DrivenBy = { driver: HelmDriver } | { none: true } | { unknown: string };

const groups: Readonly<Record<HelmDriver['kind'], string>> = { HelmRelease: 'helm.toolkit.fluxcd.io/', HelmChart: 'helm.cattle.io/' };
const kinds = Object.keys(groups) as HelmDriver['kind'][];
const longestName = 53;

/**
 * The release that a HelmRelease of Flux or a HelmChart of k3s makes in this cluster; undefined for any other object, and for one that makes
 * its release elsewhere or is left alone by its controller. Flux: helm-controller `api/v2`, `GetReleaseName`, `GetReleaseNamespace`,
 * `GetStorageNamespace`, and `ShortenName`. k3s: helm-controller `pkg/controllers/chart`, `job` and `shouldManage`.
 */
export function helmDriverOf(object: KubeObject): HelmDriver | undefined {
  const kind = kinds.find((k) => k === object.kind && object.apiVersion.startsWith(groups[k]));
  const { name, namespace = '' } = object.metadata;
  const spec = recordOf(object['spec']);
  const target = textOf(spec['targetNamespace']);
  if (kind === 'HelmRelease') {
    if (spec['kubeConfig'] !== undefined) return undefined;
    const release = shortened(textOf(spec['releaseName']) ?? (target ? `${target}-${name}` : name));
    return { kind, object, release, namespace: target ?? namespace, storage: textOf(spec['storageNamespace']) ?? namespace };
  }
  if (kind !== 'HelmChart' || object.metadata.annotations?.['helmcharts.helm.cattle.io/unmanaged'] !== undefined) return undefined;
  return { kind, object, release: name, namespace: target ?? namespace, storage: target ?? namespace };
}

function shortened(name: string): string {
  if (name.length <= longestName) return name;
  const sum = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${name.slice(0, longestName - sum.length - 1)}-${sum}`;
}

/** Who owns what such a release brings. */
export function ownerByDriver({ kind, object: { metadata } }: HelmDriver): Owner {
  const { name, namespace = '' } = metadata;
  return kind === 'HelmRelease' ? { kind: 'flux', resource: `${kind} ${namespace}/${name}` } : { kind: 'k3s-helmchart', chart: name, namespace };
}

/** Finds out who drives the releases of one source. Reads their objects once, so make one for each observation. */
export class HelmDrivers {
  private read: Promise<{ drivers: HelmDriver[]; unread: string[] }> | undefined;

  constructor(private readonly reader: Pick<ClusterReader, 'kinds' | 'list'>) {}

  /** Who drives the release of this name, whose objects go into this namespace. */
  async ofRelease(release: string, namespace: string): Promise<DrivenBy> {
    const { drivers, unread } = await this.all();
    const driver = drivers.find((d) => d.release === release && d.namespace === namespace);
    if (driver) return { driver };
    return unread.length === 0 ? { none: true } : { unknown: unread.join('; ') };
  }

  /** The HelmRelease or HelmChart that an owner names. */
  async ofOwner(owner: Owner): Promise<DrivenBy> {
    const { drivers, unread } = await this.all();
    const driver = drivers.find((d) => isSame(ownerByDriver(d), owner));
    if (driver) return { driver };
    return unread.length === 0 ? { none: true } : { unknown: unread.join('; ') };
  }

  private all(): Promise<{ drivers: HelmDriver[]; unread: string[] }> {
    this.read ??= this.readAll();
    return this.read;
  }

  private async readAll(): Promise<{ drivers: HelmDriver[]; unread: string[] }> {
    const drivers: HelmDriver[] = [];
    const unread: string[] = [];
    const served = await this.reader.kinds();
    for (const kind of kinds) {
      const info = served.find((k) => k.kind === kind && k.apiVersion.startsWith(groups[kind]));
      if (!info) continue;
      try {
        for await (const object of this.reader.list(info)) drivers.push(...[helmDriverOf(object)].filter((d) => d !== undefined));
      } catch (error) {
        if (!(error instanceof UnknownKindError)) throw error;
        unread.push(`${kind}s cannot be read: ${error.message}`);
      }
    }
    return { drivers, unread };
  }
}

function isSame(one: Owner, other: Owner): boolean {
  if (one.kind === 'flux') return other.kind === 'flux' && one.resource === other.resource;
  return one.kind === 'k3s-helmchart' && other.kind === 'k3s-helmchart' && one.chart === other.chart && one.namespace === other.namespace;
}
