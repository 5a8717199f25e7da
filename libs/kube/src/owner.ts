import { type KubeObject, type ObjectRef, type Owner } from '@larry/contracts';
import type { ClusterReader } from './reader';
import { isRecord } from './untrusted-object';

type Marks = Record<string, string>;

/**
 * Who owns an object, by its own marks: exactly one answer, the first of these that holds.
 * - the file that it stands in (pass `reader.originOf(object)`);
 * - the object that controls it (`ownerReferences`), before all labels, since controllers hand labels on to what they make;
 * - Flux (`helm.toolkit.fluxcd.io/*`, `kustomize.toolkit.fluxcd.io/*`), Argo CD (`argocd.argoproj.io/tracking-id` that names this very object,
 *   or `argocd.argoproj.io/instance`), k3s (`objectset.rio.cattle.io/*`, `helmcharts.helm.cattle.io/chart`): these apply charts too, so they come before
 * - Helm (`meta.helm.sh/release-name`; the label `managed-by: Helm` alone may come from `helm template`);
 * - nobody: `none` with the last field manager that is not a status writer.
 * See {@link ownersOf} for what another object must tell.
 */
export function ownerOf(object: KubeObject, origin?: { file: string; line?: number }): Owner {
  if (origin) return { kind: 'manifest', file: origin.file, ...(origin.line === undefined ? {} : { line: origin.line }) };
  const ref = controllerOf(object);
  if (ref) return { kind: 'controller', ref };
  const labels = object.metadata.labels ?? {};
  const annotations = object.metadata.annotations ?? {};
  return (
    fluxOwner(labels, object) ??
    argoOwner(labels, annotations, object) ??
    k3sOwner(labels, annotations, object) ??
    helmOwner(labels, annotations, object) ?? { kind: 'none', ...lastManagerOf(object) }
  );
}

/**
 * {@link ownerOf} for an object of a source. Dumps leave out who wrote an object (`managedFields`), so there an object without
 * marks is not nobody's: its owner is unknown.
 */
export function ownerIn(reader: Pick<ClusterReader, 'source' | 'originOf'>, object: KubeObject): Owner {
  const owner = ownerOf(object, reader.originOf(object));
  const told = owner.kind !== 'none' || owner.lastManager !== undefined || object.metadata.managedFields !== undefined;
  return told || reader.source.type === 'live' ? owner : { kind: 'unknown', reason: `not in ${reader.source.type}` };
}

/** The object that controls this one, by its owner references; in the same namespace unless its kind has none. */
export function controllerOf(object: KubeObject): ObjectRef | undefined {
  const references: unknown[] = object.metadata.ownerReferences ?? [];
  const reference = references.filter(isRecord).find((entry) => entry['controller'] === true);
  const { apiVersion, kind, name, uid } = reference ?? {};
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return undefined;
  const { namespace } = object.metadata;
  return { apiVersion, kind, name, ...(namespace ? { namespace } : {}), ...(typeof uid === 'string' ? { uid } : {}) };
}

function fluxOwner(labels: Marks, { metadata }: KubeObject): Owner | undefined {
  for (const [prefix, kind] of [['helm.toolkit.fluxcd.io', 'HelmRelease'], ['kustomize.toolkit.fluxcd.io', 'Kustomization']] as const) {
    const name = labels[`${prefix}/name`];
    const namespace = labels[`${prefix}/namespace`] ?? metadata.namespace ?? '';
    if (name) return { kind: 'flux', resource: `${kind} ${namespace}/${name}` };
  }
  return undefined;
}

/** `application:group/kind:namespace/name`; a copy on another object names the first one and says nothing. */
function argoOwner(labels: Marks, annotations: Marks, object: KubeObject): Owner | undefined {
  const [application, groupKind, target] = (annotations['argocd.argoproj.io/tracking-id'] ?? '').split(':');
  if (application && groupKind?.endsWith(`/${object.kind}`) && target?.split('/').at(-1) === object.metadata.name) {
    return { kind: 'argocd', application };
  }
  const instance = labels['argocd.argoproj.io/instance'];
  return instance ? { kind: 'argocd', application: instance } : undefined;
}

function k3sOwner(labels: Marks, annotations: Marks, { metadata }: KubeObject): Owner | undefined {
  const chart = labels['helmcharts.helm.cattle.io/chart'];
  if (chart) return { kind: 'k3s-helmchart', chart, namespace: metadata.namespace ?? '' };
  const name = annotations['objectset.rio.cattle.io/owner-name'];
  const match = /^(\S+), Kind=(\S+)$/.exec(annotations['objectset.rio.cattle.io/owner-gvk'] ?? '');
  if (!name || !match) return undefined;
  const [, apiVersion = '', kind = ''] = match;
  const namespace = annotations['objectset.rio.cattle.io/owner-namespace'];
  if (kind === 'Addon') return { kind: 'k3s-addon', addon: name };
  if (kind === 'HelmChart') return { kind: 'k3s-helmchart', chart: name, namespace: namespace ?? '' };
  return { kind: 'controller', ref: { apiVersion, kind, name, ...(namespace ? { namespace } : {}) } };
}

function helmOwner(labels: Marks, annotations: Marks, { metadata }: KubeObject): Owner | undefined {
  const release = annotations['meta.helm.sh/release-name'];
  if (!release) return undefined;
  const namespace = annotations['meta.helm.sh/release-namespace'] ?? metadata.namespace ?? '';
  const chart = labels['helm.sh/chart'];
  return { kind: 'helm', release, namespace, ...(chart ? { chart } : {}) };
}

/** Kubernetes' own controllers, as they name themselves: they annotate what others applied. `k3s` is all of them in one. */
const controllerManagers = new Set(['kube-controller-manager', 'kube-scheduler', 'cloud-controller-manager', 'kubelet', 'k3s']);

/** Controllers and status writers come after every change and own nothing that a person would change. */
function lastManagerOf(object: KubeObject): { lastManager?: string } {
  const entries = (object.metadata.managedFields ?? []).filter(isRecord);
  const time = (entry: Record<string, unknown>): string => (typeof entry['time'] === 'string' ? entry['time'] : '');
  const [last] = entries
    .filter((entry) => entry['subresource'] !== 'status' && typeof entry['manager'] === 'string')
    .filter((entry) => !controllerManagers.has(entry['manager'] as string))
    .sort((a, b) => (time(a) < time(b) ? 1 : -1));
  return last ? { lastManager: last['manager'] as string } : {};
}
