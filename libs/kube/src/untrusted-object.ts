import type { KubeObject } from '@larry/contracts';
import type { KindRef } from './reader';

/**
 * A value of a file or an answer as a Kubernetes object, or the reason why it is none. Elements of typed lists
 * (`PodList`) carry no kind of their own: pass the list's.
 */
export function asKubeObject(value: unknown, kind?: KindRef): { object: KubeObject } | { reason: string } {
  if (!isRecord(value)) return { reason: 'not a Kubernetes object: not a mapping' };
  const apiVersion = value['apiVersion'] ?? kind?.apiVersion;
  const ownKind = value['kind'] ?? kind?.kind;
  if (typeof apiVersion !== 'string' || typeof ownKind !== 'string' || apiVersion === '' || ownKind === '') {
    return { reason: 'not a Kubernetes object: no apiVersion and kind' };
  }
  const metadata = value['metadata'];
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '') {
    return { reason: `${ownKind} without metadata.name` };
  }
  const wrong = wrongMetadata(metadata);
  if (wrong !== undefined) return { reason: `${ownKind}: metadata.${wrong}` };
  const whole = withoutNulls(metadata);
  // Objects pass here by the ten thousands, and few need a copy.
  if (whole === metadata && value['apiVersion'] === apiVersion && value['kind'] === ownKind) return { object: value as KubeObject };
  return { object: { ...value, apiVersion, kind: ownKind, metadata: whole } as KubeObject };
}

/** A mapping, as parsed from JSON or YAML. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** `labels:` with nothing after it is null in YAML and means absent. */
function withoutNulls(metadata: Record<string, unknown>): Record<string, unknown> {
  const absent = (field: string): boolean => metadata[field] === null || (field === 'namespace' && metadata[field] === '');
  const fields = Object.keys(metadata);
  if (!fields.some(absent)) return metadata;
  return Object.fromEntries(fields.filter((field) => !absent(field)).map((field) => [field, metadata[field]]));
}

/** Readers rely on the types of these fields, so an object that breaks them is refused as a whole. */
function wrongMetadata(metadata: Record<string, unknown>): string | undefined {
  if (metadata['namespace'] != null && typeof metadata['namespace'] !== 'string') return 'namespace is not a string';
  for (const field of ['labels', 'annotations']) {
    const map = metadata[field];
    if (map == null) continue;
    if (!isRecord(map)) return `${field} is not a mapping`;
    const key = Object.keys(map).find((name) => typeof map[name] !== 'string');
    if (key !== undefined) return `${field}: the value of ${JSON.stringify(key)} is not a string`;
  }
  for (const field of ['ownerReferences', 'managedFields', 'finalizers']) {
    if (metadata[field] != null && !Array.isArray(metadata[field])) return `${field} is not a list`;
  }
  return undefined;
}
