import { redact, type KubeObject } from '@larry/contracts';
import { isHelmReleaseRecord, redactHelmRelease } from './helm-release';

/** A copy of an object as it may be written to disk: without values of Secrets and without literals that hold secrets. */
export function withoutSecrets(object: KubeObject): KubeObject {
  if (isHelmReleaseRecord(object)) {
    const release = redactHelmRelease(object);
    if (release) return release;
  }
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = metadata;
  // What names the object is never a secret, and ownership needs the managers as they are.
  const identity = { name, namespace, uid, resourceVersion, creationTimestamp, managedFields };
  const copy = redact(object);
  return { ...copy, apiVersion, kind, metadata: { ...copy.metadata, ...identity } };
}
