import { markedRedaction, redact, redactKeys, type KubeObject } from '@larry/contracts';
import { isHelmReleaseRecord, redactHelmRelease } from './helm-release';
import { isRecord } from './untrusted-object';

/** The redacted copy, with each text marked by what it was. Both have the same shape but where something was cut. */
function marked(original: unknown, copy: unknown): unknown {
  if (typeof copy === 'string') return typeof original === 'string' ? markedRedaction(original, copy) : copy;
  if (Array.isArray(copy)) return Array.isArray(original) ? copy.map((item, i) => marked(original[i], item)) : copy;
  if (!isRecord(copy) || !isRecord(original)) return copy;
  return Object.fromEntries(Object.entries(copy).map(([key, value]) => [key, marked(original[key], value)]));
}

/** A copy of an object as it may be written to disk: without values of Secrets and without literals that hold secrets. */
export function withoutSecrets(object: KubeObject): KubeObject {
  if (isHelmReleaseRecord(object)) {
    const release = redactHelmRelease(object);
    if (release) return release;
  }
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = metadata;
  // What names the object is never a secret, and ownership needs the managers as they are.
  const identity = { name, namespace, uid, resourceVersion, creationTimestamp, managedFields: redactKeys(managedFields) };
  const redactedCopy = redact(object);
  // What a Secret held is nobody's finding; elsewhere the fact that a literal was a token must outlive it.
  const copy = kind === 'Secret' ? redactedCopy : (marked(object, redactedCopy) as KubeObject);
  return { ...copy, apiVersion, kind, metadata: { ...copy.metadata, ...identity } };
}
