import { listOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { ObjectIndex } from '../facts/object-index';

/** A ConfigMap, Secret, claim or account that a pod's spec names. */
export interface Reference {
  kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim' | 'ServiceAccount';
  name: string;
  /** Only this key of it. */
  key?: string;
  /** JSON pointer below the pod's spec. */
  at: string;
  /** The pod starts without it. */
  optional: boolean;
  use: 'env' | 'envFrom' | 'volume' | 'imagePull' | 'account';
}

/** Everything that a pod's spec needs to be there before it starts. */
export function referencesOf(podSpec: unknown): Reference[] {
  const account = textOf(valueIn(podSpec, 'serviceAccountName'));
  const pulls = listOf(valueIn(podSpec, 'imagePullSecrets')).map((entry, i) => one('Secret', entry, `/imagePullSecrets/${i}/name`, 'imagePull', true));
  const containers = (['initContainers', 'containers'] as const).flatMap((list) => listOf(valueIn(podSpec, list)).flatMap((c, i) => ofContainer(c, `/${list}/${i}`)));
  return [
    ...containers,
    ...listOf(valueIn(podSpec, 'volumes')).flatMap((volume, i) => ofVolume(volume, `/volumes/${i}`)),
    ...pulls.flatMap((reference) => reference ?? []),
    ...(account ? [{ kind: 'ServiceAccount' as const, name: account, at: '/serviceAccountName', optional: false, use: 'account' as const }] : []),
  ];
}

function one(kind: Reference['kind'], from: unknown, at: string, use: Reference['use'], optional = false, nameField = 'name'): Reference | undefined {
  const name = textOf(valueIn(from, nameField));
  const key = use === 'env' ? textOf(valueIn(from, 'key')) : undefined;
  return name === undefined ? undefined : { kind, name, at, use, optional: optional || valueIn(from, 'optional') === true, ...(key ? { key } : {}) };
}

function ofContainer(container: unknown, at: string): Reference[] {
  const env = listOf(valueIn(container, 'env')).flatMap((entry, i) => [
    one('Secret', valueIn(entry, 'valueFrom', 'secretKeyRef'), `${at}/env/${i}/valueFrom/secretKeyRef`, 'env'),
    one('ConfigMap', valueIn(entry, 'valueFrom', 'configMapKeyRef'), `${at}/env/${i}/valueFrom/configMapKeyRef`, 'env'),
  ]);
  const envFrom = listOf(valueIn(container, 'envFrom')).flatMap((entry, i) => [
    one('Secret', valueIn(entry, 'secretRef'), `${at}/envFrom/${i}/secretRef`, 'envFrom'),
    one('ConfigMap', valueIn(entry, 'configMapRef'), `${at}/envFrom/${i}/configMapRef`, 'envFrom'),
  ]);
  return [...env, ...envFrom].flatMap((reference) => reference ?? []);
}

function ofVolume(volume: unknown, at: string): Reference[] {
  const secret = valueIn(volume, 'secret');
  const map = valueIn(volume, 'configMap');
  const found = [
    one('Secret', secret, `${at}/secret`, 'volume', false, 'secretName'),
    one('ConfigMap', map, `${at}/configMap`, 'volume'),
    one('PersistentVolumeClaim', valueIn(volume, 'persistentVolumeClaim'), `${at}/persistentVolumeClaim`, 'volume', false, 'claimName'),
    ...listOf(valueIn(volume, 'projected', 'sources')).flatMap((source, i) => [
      one('Secret', valueIn(source, 'secret'), `${at}/projected/sources/${i}/secret`, 'volume'),
      one('ConfigMap', valueIn(source, 'configMap'), `${at}/projected/sources/${i}/configMap`, 'volume'),
    ]),
  ].flatMap((reference) => reference ?? []);
  return found.flatMap((reference) => [reference, ...itemsOf(reference.kind === 'Secret' ? secret : map, reference)]);
}

/** Keys that a volume names one by one must be there too. */
function itemsOf(source: unknown, reference: Reference): Reference[] {
  if (reference.kind === 'PersistentVolumeClaim') return [];
  return listOf(valueIn(source, 'items')).flatMap((item, i) => {
    const key = textOf(valueIn(item, 'key'));
    return key ? [{ ...reference, key, at: `${reference.at}/items/${i}/key` }] : [];
  });
}

/** The claims of a StatefulSet's pod come from its templates: `data-db-0`. */
export function claimsOfPod(podSpec: unknown): { name: string; volume: string }[] {
  return listOf(valueIn(podSpec, 'volumes')).flatMap((volume) => {
    const name = textOf(valueIn(volume, 'persistentVolumeClaim', 'claimName'));
    return name ? [{ name, volume: textOf(valueIn(volume, 'name')) ?? '' }] : [];
  });
}

/** The volume that a claim is bound to, as far as the source shows both. */
export function volumeOfClaim(objects: ObjectIndex, namespace: string, claim: string | undefined): KubeObject | undefined {
  const volume = claim === undefined ? undefined : textOf(valueIn(objects.get('PersistentVolumeClaim', namespace, claim), 'spec', 'volumeName'));
  return volume === undefined ? undefined : objects.get('PersistentVolume', undefined, volume);
}

/** Kubernetes gives the files of such a volume to no group (kubernetes, `pkg/volume`, *SetUp* of each): `hostPath` or `nfs`; undefined for others. */
export function withoutFsGroup(volume: KubeObject | undefined): 'hostPath' | 'nfs' | undefined {
  return (['hostPath', 'nfs'] as const).find((source) => valueIn(volume, 'spec', source) !== undefined);
}
