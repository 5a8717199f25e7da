import type { KubeObject } from '@larry/contracts';
import { ApiError } from '../api-client';
import { Controller, type ClientContext } from '../controller';
import { kinds, type ResourceKind } from '../kinds';
import { isTerminating, withCondition } from '../pod-state';
import { writeStatus } from '../status-patch';
import type { Condition, Namespace } from '../types';
import { discover } from './discovery';

/** Empties a namespace that is being deleted, kind by kind, then lets it go. */
export class NamespaceController extends Controller {
  private readonly namespaces = this.watch(kinds.namespaces);

  constructor(context: ClientContext) {
    super(context, 'namespace');
  }

  protected async sync(key: string): Promise<void> {
    const namespace = this.namespaces.get(key);
    if (!namespace || !isTerminating(namespace) || !namespace.spec?.finalizers?.includes('kubernetes')) return;
    const remaining = await this.empty(key);
    if (remaining.length > 0) {
      await this.report(namespace, remaining);
      // What ends gracefully is gone soon; what somebody else's finalizer holds is looked at as seldom as by the real controller.
      const held = remaining.every(({ objects }) => objects.every((object) => object.metadata.finalizers?.length));
      this.enqueueAfter(key, held ? 15_000 : 500);
      return;
    }
    const finalizers = namespace.spec.finalizers.filter((finalizer) => finalizer !== 'kubernetes');
    try {
      await this.context.api.replace(kinds.namespaces, { ...namespace, spec: { ...namespace.spec, finalizers } }, 'finalize');
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  /** Deletes what is there; the result is what is still there afterwards. */
  private async empty(namespace: string): Promise<{ kind: ResourceKind; objects: KubeObject[] }[]> {
    const remaining = [];
    for (const kind of await discover(this.context.api, { namespaced: true, verbs: ['list', 'delete'] })) {
      const { items } = await this.context.api.list(kind, namespace);
      for (const item of items.filter((object) => !isTerminating(object))) {
        await this.context.api.delete(kind, item, { propagationPolicy: 'Background' }).catch((error: unknown) => {
          if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) throw error;
        });
      }
      const left = items.length ? (await this.context.api.list(kind, namespace)).items : [];
      if (left.length) remaining.push({ kind, objects: left });
    }
    return remaining;
  }

  private async report(namespace: Namespace, remaining: { kind: ResourceKind; objects: KubeObject[] }[]): Promise<void> {
    const finalizers = new Map<string, number>();
    for (const finalizer of remaining.flatMap(({ objects }) => objects.flatMap((object) => object.metadata.finalizers ?? []))) {
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
    }
    const what = remaining.map(({ kind, objects }) => `${resourceName(kind)} has ${objects.length} resource instances`).join(', ');
    const held = [...finalizers].map(([name, count]) => `${name} in ${count} resource instances`).join(', ');
    const said: Condition[] = [
      { type: 'NamespaceDeletionDiscoveryFailure', status: 'False', reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
      { type: 'NamespaceDeletionGroupVersionParsingFailure', status: 'False', reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' },
      { type: 'NamespaceDeletionContentFailure', status: 'False', reason: 'ContentDeleted', message: 'All content successfully deleted, may be waiting on finalization' },
      { type: 'NamespaceContentRemaining', status: 'True', reason: 'SomeResourcesRemain', message: `Some resources are remaining: ${what}` },
      held
        ? { type: 'NamespaceFinalizersRemaining', status: 'True', reason: 'SomeFinalizersRemain', message: `Some content in the namespace has finalizers remaining: ${held}` }
        : { type: 'NamespaceFinalizersRemaining', status: 'False', reason: 'ContentHasNoFinalizers', message: 'All content finalizers finished' },
    ];
    const conditions = said.reduce((all, next) => withCondition(all, next, this.context.clock), namespace.status?.conditions ?? []);
    await writeStatus(this.context, kinds.namespaces, namespace, { ...namespace.status, conditions });
  }
}

/** `deployments.apps`, and `configmaps.` for the core group: so the real controller prints it. */
function resourceName(kind: ResourceKind): string {
  const slash = kind.apiVersion.indexOf('/');
  return `${kind.plural}.${slash < 0 ? '' : kind.apiVersion.slice(0, slash)}`;
}
