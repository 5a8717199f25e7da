import { UnknownKindError, type ClusterReader } from '@larry/kube';
import type { Scope } from './facts';
import type { ScanOptions } from './options';

const namespaceKind = { apiVersion: 'v1', kind: 'Namespace' };

/** Whether an object's namespace belongs to the group; undefined is what belongs to no namespace. */
export function inScope(namespace: string | undefined, options: ScanOptions): boolean {
  if (namespace !== undefined && options.namespaces.includes(namespace)) return true;
  return options.others && (namespace === undefined || !options.notNamespaces.includes(namespace));
}

/** The namespaces of the group that exist, as the source lists them. */
export async function scopeOf(cluster: ClusterReader, options: ScanOptions, signal: AbortSignal): Promise<Scope> {
  const existing = new Set<string>();
  try {
    for await (const namespace of cluster.list(namespaceKind, { signal })) existing.add(namespace.metadata.name);
  } catch (error) {
    if (!(error instanceof UnknownKindError)) throw error;
    return { namespaces: [...options.namespaces].sort(), missing: [], unknown: error.reason };
  }
  return {
    namespaces: [...existing].filter((n) => inScope(n, options)).sort(),
    missing: options.namespaces.filter((n) => !existing.has(n)).sort(),
  };
}

/** The scope with namespaces that objects name though nobody listed them: manifests seldom hold their Namespace. */
export function withNamespacesSeen(scope: Scope, seen: Iterable<string>): Scope {
  const namespaces = [...new Set([...scope.namespaces, ...seen])].sort();
  return { ...scope, namespaces, missing: scope.missing.filter((n) => !namespaces.includes(n)) };
}
