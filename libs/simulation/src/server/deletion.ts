import type { Status } from './api-error';
import { conflict, invalid, notFound, preconditionFailed } from './api-error';
import { timestamp } from './creation';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { at, record, text } from './kube-object';
import type { Caller, ServerState } from './state';
import type { Writes } from './writes';

/** How to delete: body and query of a DELETE, already checked. */
export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  uid?: string;
  resourceVersion?: string;
}

/** Reads a delete's body, then its query, which wins. Throws a 422 for a policy that does not exist. */
export function deleteOptions(body: Fields | undefined, query: URLSearchParams): DeleteOptions {
  const policy = query.get('propagationPolicy') ?? body?.['propagationPolicy'];
  const grace = query.get('gracePeriodSeconds') ?? body?.['gracePeriodSeconds'];
  const orphan = query.get('orphanDependents') ?? body?.['orphanDependents'];
  if (policy != null && policy !== 'Orphan' && policy !== 'Background' && policy !== 'Foreground') {
    const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`;
    throw invalid('meta.k8s.io', 'DeleteOptions', '', [{ reason: 'FieldValueNotSupported', message, field: 'propagationPolicy' }]);
  }
  const preconditions = record(body?.['preconditions']);
  return {
    ...(grace == null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy != null ? { propagationPolicy: policy } : orphan != null ? { propagationPolicy: String(orphan) === 'true' ? 'Orphan' : 'Background' } : {}),
    ...(preconditions['uid'] ? { uid: text(preconditions['uid']) } : {}),
    ...(preconditions['resourceVersion'] ? { resourceVersion: text(preconditions['resourceVersion']) } : {}),
  };
}

/** Kinds whose delete answers with the object itself, as their storage in Kubernetes is set up. */
const RETURNS_OBJECT = new Set([
  'Pod', 'Service', 'ServiceAccount', 'PersistentVolume', 'PersistentVolumeClaim', 'PodTemplate', 'ResourceQuota', 'CustomResourceDefinition',
  'StorageClass', 'CSIDriver', 'CSINode', 'CSIStorageCapacity', 'VolumeAttachment', 'VolumeAttributesClass',
]);

/** Deletes objects the way clients see it: preconditions, finalizers, grace periods, propagation. */
export class Deletion {
  constructor(private readonly state: ServerState, private readonly writes: Writes) {}

  /** Answers with the removed object's Status, or with the object where it lives on until finalizers or the kubelet are done. */
  delete(kind: Kind, namespace: string | undefined, name: string, options: DeleteOptions, caller: Caller): KubeObject | Status {
    const live = this.state.store.get(kind, namespace, name);
    if (!live) throw notFound(kind, name);
    checkPreconditions(kind, live, options);
    const next = this.marked(kind, live, options);
    if (next === undefined) {
      const last = caller.dryRun ? live : this.remove(kind, live, caller);
      return RETURNS_OBJECT.has(kind.kind) ? last : removed(kind, live);
    }
    if (next === live || caller.dryRun) return next;
    return this.writes.settle(kind, live, next, caller);
  }

  private remove(kind: Kind, live: KubeObject, caller: Caller): KubeObject {
    const last = this.state.store.remove(kind, live);
    this.writes.afterWrite(kind, undefined, live);
    this.writes.record(kind, last, caller, true);
    return kind.kind === 'CustomResourceDefinition' ? { ...last, metadata: { ...last.metadata, deletionTimestamp: timestamp(this.state.now()) } } : last;
  }

  /** The object as it waits for its end, or undefined where nothing holds it. */
  private marked(kind: Kind, live: KubeObject, options: DeleteOptions): KubeObject | undefined {
    const finalizers = this.finalizers(live, options);
    const grace = gracePeriod(kind, live, options);
    const namespace = kind.kind === 'Namespace' && kind.group === '' && ((at(live, 'spec', 'finalizers') as string[] | undefined) ?? []).length > 0;
    if (finalizers.length === 0 && grace === 0 && !namespace) return undefined;
    const waiting = live.metadata.deletionTimestamp !== undefined;
    const shortened = waiting && grace < (live.metadata.deletionGracePeriodSeconds ?? 0);
    if (waiting && !shortened && finalizers.join() === (live.metadata.finalizers ?? []).join()) return live;
    const metadata = { ...live.metadata };
    if (!waiting || shortened) {
      metadata.deletionTimestamp = timestamp(new Date(this.state.now().getTime() + grace * 1000));
      if (!namespace) metadata.deletionGracePeriodSeconds = grace;
    }
    if (!waiting && metadata.generation !== undefined) metadata.generation++;
    if (finalizers.length > 0) metadata.finalizers = finalizers;
    else delete metadata.finalizers;
    return { ...live, metadata, ...(namespace ? { status: { ...record(live['status']), phase: 'Terminating' } } : {}) };
  }

  private finalizers(live: KubeObject, options: DeleteOptions): string[] {
    const kept = live.metadata.finalizers ?? [];
    if (options.propagationPolicy === 'Foreground') return [...new Set([...kept.filter((f) => f !== 'orphan'), 'foregroundDeletion'])];
    if (options.propagationPolicy === 'Orphan') return [...new Set([...kept.filter((f) => f !== 'foregroundDeletion'), 'orphan'])];
    if (options.propagationPolicy === 'Background') return kept.filter((f) => f !== 'orphan' && f !== 'foregroundDeletion');
    return kept;
  }
}

function checkPreconditions(kind: Kind, live: KubeObject, options: DeleteOptions): void {
  const { name = '', uid, resourceVersion } = live.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    throw preconditionFailed(kind, name, `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    throw conflict(kind, name, `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`);
  }
}

/** Only pods end gracefully: at once where no node runs them or they have ended. */
function gracePeriod(kind: Kind, live: KubeObject, options: DeleteOptions): number {
  if (kind.kind !== 'Pod' || kind.group !== '') return 0;
  const phase = at(live, 'status', 'phase');
  if (!at(live, 'spec', 'nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0;
  const asked = options.gracePeriodSeconds ?? at(live, 'spec', 'terminationGracePeriodSeconds');
  return typeof asked === 'number' && asked >= 0 ? asked : 30;
}

function removed(kind: Kind, live: KubeObject): Status {
  const details = { name: live.metadata.name ?? '', ...(kind.group ? { group: kind.group } : {}), kind: kind.plural, uid: live.metadata.uid ?? '' };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
