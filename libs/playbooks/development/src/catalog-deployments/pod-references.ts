import { listOf, numberOf, printable, recordOf, textOf, valueIn } from '@larry/contracts';
import type { AssetReference } from '../inventory';
import { hostReferences } from './host-names';

/** What a pod's spec says about images, ports and what it needs. */
export interface PodSpecFacts {
  images: string[];
  ports: number[];
  references: AssetReference[];
}

/** Reads a pod's spec: volumes, variables, pull secrets, service account, and host names in variables and arguments. */
export function podSpecFacts(podSpec: unknown, namespace: string | undefined): PodSpecFacts {
  const found: AssetReference[] = [];
  const add = (kind: string, name: unknown, via: string, optional?: unknown) => {
    const text = textOf(name);
    if (text === undefined) return;
    found.push({ kind, ...(namespace === undefined ? {} : { namespace }), name: printable(text, 260), via, ...(optional === true ? { optional: true } : {}) });
  };
  const containers = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((field) => listOf(valueIn(podSpec, field)));
  for (const container of containers) {
    for (const from of listOf(valueIn(container, 'envFrom'))) {
      add('ConfigMap', valueIn(from, 'configMapRef', 'name'), 'envFrom', valueIn(from, 'configMapRef', 'optional'));
      add('Secret', valueIn(from, 'secretRef', 'name'), 'envFrom', valueIn(from, 'secretRef', 'optional'));
    }
    for (const env of listOf(valueIn(container, 'env'))) {
      const via = `env ${printable(valueIn(env, 'name') ?? '', 80)}`;
      add('ConfigMap', valueIn(env, 'valueFrom', 'configMapKeyRef', 'name'), via, valueIn(env, 'valueFrom', 'configMapKeyRef', 'optional'));
      add('Secret', valueIn(env, 'valueFrom', 'secretKeyRef', 'name'), via, valueIn(env, 'valueFrom', 'secretKeyRef', 'optional'));
      found.push(...hostReferences(valueIn(env, 'name'), valueIn(env, 'value'), namespace));
    }
    for (const field of ['command', 'args']) {
      for (const word of listOf(valueIn(container, field))) found.push(...hostReferences(field, word, namespace));
    }
  }
  volumeReferences(podSpec, add);
  for (const secret of listOf(valueIn(podSpec, 'imagePullSecrets'))) add('Secret', valueIn(secret, 'name'), 'imagePullSecrets', true);
  add('ServiceAccount', valueIn(podSpec, 'serviceAccountName') ?? valueIn(podSpec, 'serviceAccount'), 'serviceAccountName');
  const images = containers.flatMap((c) => (textOf(valueIn(c, 'image')) ? [printable(valueIn(c, 'image'), 300)] : []));
  const ports = containers.flatMap((c) => listOf(valueIn(c, 'ports')).flatMap((p) => numberOf(valueIn(p, 'containerPort')) ?? []));
  return { images: [...new Set(images)], ports: [...new Set(ports)], references: unique(found) };
}

function volumeReferences(podSpec: unknown, add: (kind: string, name: unknown, via: string, optional?: unknown) => void): void {
  for (const volume of listOf(valueIn(podSpec, 'volumes'))) {
    add('ConfigMap', valueIn(volume, 'configMap', 'name'), 'volume', valueIn(volume, 'configMap', 'optional'));
    add('Secret', valueIn(volume, 'secret', 'secretName'), 'volume', valueIn(volume, 'secret', 'optional'));
    add('PersistentVolumeClaim', valueIn(volume, 'persistentVolumeClaim', 'claimName'), 'volume');
    add('Secret', valueIn(volume, 'csi', 'nodePublishSecretRef', 'name'), 'volume');
    for (const source of listOf(valueIn(volume, 'projected', 'sources'))) {
      add('ConfigMap', valueIn(source, 'configMap', 'name'), 'volume', valueIn(source, 'configMap', 'optional'));
      add('Secret', valueIn(source, 'secret', 'name'), 'volume', valueIn(source, 'secret', 'optional'));
    }
    // The older in-tree drivers (cephfs, iscsi, …) name their Secret in the same way.
    for (const driver of Object.values(recordOf(volume))) add('Secret', valueIn(driver, 'secretRef', 'name'), 'volume');
  }
}

/** The same reference once, with the first place that makes it. */
export function unique(references: AssetReference[]): AssetReference[] {
  const seen = new Map<string, AssetReference>();
  for (const r of references) {
    const key = `${r.kind} ${r.namespace ?? ''}/${r.name}`;
    const known = seen.get(key);
    if (!known) seen.set(key, r);
    else if (known.optional && !r.optional) seen.set(key, r);
  }
  return [...seen.values()];
}
