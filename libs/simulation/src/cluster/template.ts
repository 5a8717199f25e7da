import { randomInt } from 'node:crypto';
import type { KubeObject, OwnerReference } from '@larry/contracts';
import type { Pod, PodTemplate } from './types';

/** Kubernetes' alphabet for generated names: no vowels, nothing that looks like another (apimachinery `rand`). */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** `length` random characters for a name. */
export function randomSuffix(length = 5): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** A value as JSON whose keys are sorted: equal for equal values. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || stableJson(a) === stableJson(b);
}

/**
 * A short hash in Kubernetes' form: FNV-1a of 32 bits in the safe alphabet. The real controllers hash a
 * dump of Go structs, so the values differ from theirs; only stability matters.
 */
export function shortHash(value: unknown, collisions = 0): string {
  const text = stableJson(value) + (collisions ? `#${collisions}` : '');
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('');
}

/** A template without one label, for comparing what users wrote. */
export function templateWithout(template: PodTemplate, label: string): PodTemplate {
  const { [label]: _dropped, ...labels } = template.metadata?.labels ?? {};
  const { labels: _labels, ...metadata } = template.metadata ?? {};
  const { creationTimestamp: _time, ...rest } = metadata as Record<string, unknown>;
  return { metadata: { ...rest, ...(Object.keys(labels).length ? { labels } : {}) }, spec: template.spec };
}

export function controllerReference(owner: KubeObject): OwnerReference {
  return { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
}

/** The pod that a controller creates from a template. */
export function podFrom(owner: KubeObject, template: PodTemplate, name: { name: string } | { generateName: string }, extra: { labels?: Record<string, string> } = {}): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      // The name is the server's to make where only a prefix is given.
      ...(name as { name: string }),
      namespace: owner.metadata.namespace,
      ...(labels || extra.labels ? { labels: { ...labels, ...extra.labels } } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: structuredClone(template.spec),
  };
}
