import type { KubeObject } from '@larry/contracts';
import { larrys, meta, releases } from './releases';
import { ourLabels } from './secrets';

/**
 * What is ours is known by three things at once: the namespace, the name that the charts or `larry install` give, and our
 * marks. Anybody may write a label; a label alone is no reason to delete anything.
 */

const secretNames: Record<string, readonly string[]> = {
  [meta]: ['larry-approval-key', 'larry-tokens', 'larry-keys', 'larry-redis'],
  ...Object.fromEntries(larrys.map((larry) => [larry, ['larry-keys', 'larry-redis']])),
};

/** Whether a release is installed as `larry install` and `docs/operations.md` do it: in the namespace of its chart's name. */
export const isOurRelease = ({ name, namespace, chart }: { name: string; namespace: string; chart: string }): boolean =>
  isOurs(namespace) && name === namespace && new RegExp(`^${namespace}-\\d`).test(chart);

/** Whether `larry install` made this namespace. */
export const isOurNamespace = ({ metadata }: KubeObject): boolean => isOurs(metadata.name) && bears(metadata, ourLabels);

/** Whether `larry install` made this Secret. */
export const isOurSecret = ({ metadata }: KubeObject): boolean =>
  (secretNames[metadata.namespace ?? '']?.includes(metadata.name) ?? false) && bears(metadata, ourLabels);

/** Whether a coordinator of ours launched this Job. */
export const isOurJob = ({ metadata }: KubeObject): boolean =>
  isOurs(metadata.namespace) &&
  metadata.name.startsWith(`${metadata.namespace}-`) &&
  bears(metadata, { app: 'larry-worker', 'larry-instance': metadata.namespace, 'app.kubernetes.io/part-of': 'larry' });

/** Whether the charts made this claim: an audit log, or the data of a Redis of our own. */
export function isOurClaim({ metadata }: KubeObject): boolean {
  const { name, namespace } = metadata;
  if (!isOurs(namespace)) return false;
  if (name === `${namespace}-state`) return bears(metadata, { 'app.kubernetes.io/part-of': 'larry', 'app.kubernetes.io/name': namespace });
  return namespace === meta && name === 'data-larry-redis-0' && bears(metadata, { app: 'larry-redis', 'larry-instance': meta });
}

/** Made by the cluster in every namespace, or for what is ours. */
const clustersOwn = ['ServiceAccount default', 'ConfigMap kube-root-ca.crt', 'ConfigMap openshift-service-ca.crt'];
/** Kinds that go with what they are about. */
const passing = ['Event', 'Endpoints', 'EndpointSlice', 'Lease', 'PodMetrics'];

/**
 * Whether an object in a namespace of ours is neither ours, nor of the release there, nor the cluster's own: a reason to leave
 * the namespace standing.
 */
export function isForeign(object: KubeObject): boolean {
  const { kind, type, metadata } = object as KubeObject & { type?: unknown };
  const { name, namespace = '', annotations, ownerReferences } = metadata;
  if (ownerReferences?.length || passing.includes(kind) || clustersOwn.includes(`${kind} ${name}`)) return false;
  if (annotations?.['meta.helm.sh/release-name'] === namespace && annotations['meta.helm.sh/release-namespace'] === namespace) return kind === 'PersistentVolumeClaim' && !isOurClaim(object);
  if (kind === 'Secret') return !isOurSecret(object) && !(type === 'helm.sh/release.v1' && name.startsWith(`sh.helm.release.v1.${namespace}.v`)) && type !== 'kubernetes.io/service-account-token';
  if (kind === 'Job') return !isOurJob(object);
  if (kind === 'PersistentVolumeClaim') return !isOurClaim(object);
  return true;
}

function isOurs(namespace = ''): namespace is (typeof releases)[number] {
  return (releases as readonly string[]).includes(namespace);
}

function bears({ labels }: KubeObject['metadata'], marks: Readonly<Record<string, string | undefined>>): boolean {
  return Object.entries(marks).every(([key, value]) => labels?.[key] === value);
}
