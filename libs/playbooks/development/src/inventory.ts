import type { Owner } from '@larry/contracts';

/** What one asset needs of another. */
export interface AssetReference {
  /** `Secret`, `Service`; the target's kind. */
  kind: string;
  /** Absent for kinds without a namespace. */
  namespace?: string;
  name: string;
  /** Where it says so: `env`, `volume`, `selector`, `host name in env DB_HOST`. */
  via: string;
  /** The target need not be there. */
  optional?: boolean;
}

/** One object of the cluster, as small as its use allows. All texts are printable; they are still untrusted. */
export interface Asset {
  /** `Deployment database/pgadmin`; for custom kinds with their group: `Certificate.cert-manager.io web/tls`. */
  id: string;
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  owner: Owner;
  /** The Helm release that made it, `namespace/name`, whoever owns it now. */
  release?: string;
  labels?: Record<string, string>;
  images?: string[];
  references?: AssetReference[];
  /** Container or service ports. */
  ports?: number[];
  /** For workloads: replicas wanted and ready, as their status says. */
  replicas?: { desired: number; ready: number };
  /** Pods that this workload controls, folded into it. */
  pods?: { count: number; ready: number; restarts: number };
  /** Digests that run, by image as the pods name it. */
  digests?: Record<string, string[]>;
  /** Who sets what is not the asset's own doing (`kubernetes`, `helm`): such an asset needs no reference to be used. */
  builtin?: string;
  /** The Secret's type. */
  type?: string;
  createdAt?: string;
}

/** How many objects of a kind there are. */
export interface KindCount {
  kind: string;
  apiVersion: string;
  objects: number;
  /** Of them made by a controller or only for a moment (pods, ReplicaSets, events, leases): counted, not listed as assets. */
  derived: number;
  /** Order-independent digest of the names of those that are not derived. */
  names: string;
}

/** Artifact `inventory` of `catalog-deployments`. */
export interface Inventory {
  takenAt: string;
  counts: KindCount[];
  assets: Asset[];
  /** Assets that were counted and not listed, because there are more than the artifact holds. */
  omitted: number;
  /** Dependencies between assets, resolved: from an id to an id. */
  dependencies: { from: string; to: string; via: string }[];
  /** References that lead to nothing. Only of kinds that could be listed. */
  dangling: { from: string; to: string; via: string }[];
  /** Kinds that could not be listed, and why. */
  unlisted: { kind: string; reason: string }[];
  namespaces: string[];
}

const builtinGroups = ['', 'apps', 'batch', 'autoscaling', 'policy', 'extensions'];

/** The id of an asset. */
export function assetId(ref: { apiVersion: string; kind: string; namespace?: string; name: string }): string {
  const slash = ref.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : ref.apiVersion.slice(0, slash);
  const kind = builtinGroups.includes(group) || group.endsWith('.k8s.io') ? ref.kind : `${ref.kind}.${group}`;
  return `${kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
}
