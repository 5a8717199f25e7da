import { refOf, type KubeObject, type Owner } from '@larry/contracts';
import { ownerIn, ownersOf, type ClusterReader } from '@larry/kube';
import type { Subject } from './rules/family';

type HelmOwner = Extract<Owner, { kind: 'helm' }>;

/**
 * Who owns the objects that a scan speaks about. The object's own marks are read while it streams by; what another object
 * tells (k3s' HelmCharts and AddOns) is asked once for each owner, at the end.
 */
export class Ownership {
  /** By owner: an object that carries its marks, and every subject that it owns. */
  private readonly toRefine = new Map<string, { marks: KubeObject; subjects: Subject[] }>();

  constructor(private readonly cluster: ClusterReader) {}

  subjectOf(object: KubeObject): Subject {
    const origin = this.cluster.originOf(object);
    const owner = ownerIn(this.cluster, object);
    const subject: Subject = { ref: refOf(object), owner, ...(origin ? { origin } : {}) };
    if (owner.kind === 'helm' || owner.kind === 'k3s-addon') {
      const key = JSON.stringify(owner);
      const known = this.toRefine.get(key) ?? { marks: marksOf(object), subjects: [] };
      known.subjects.push(subject);
      this.toRefine.set(key, known);
    }
    return subject;
  }

  /** Asks what the marks alone do not tell, and returns the Helm releases that are nobody else's. */
  async refine(): Promise<HelmOwner[]> {
    const owners = ownersOf(this.cluster);
    const releases = new Map<string, HelmOwner>();
    for (const { marks, subjects } of this.toRefine.values()) {
      const { owner } = await owners.root(marks);
      for (const subject of subjects) subject.owner = owner;
      if (owner.kind === 'helm') releases.set(`${owner.namespace}/${owner.release}`, owner);
    }
    return [...releases.values()];
  }
}

/** The object without its spec. What it has of managed fields does not matter here and can be large. */
function marksOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    },
  };
}
