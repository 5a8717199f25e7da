import { setOf, type FieldSet } from './field-set';
import { builtInType } from './field-types';
import type { KindKey } from './types';

const path = (dotted: string): string[] => dotted.split('.').map((name) => `f:${name}`);

/** Fields that nobody owns, whoever writes them: the server sets them. */
export const NEVER_OWNED: FieldSet = setOf(
  ...[
    'apiVersion',
    'kind',
    'metadata',
    'metadata.name',
    'metadata.namespace',
    'metadata.creationTimestamp',
    'metadata.selfLink',
    'metadata.uid',
    'metadata.clusterName',
    'metadata.generation',
    'metadata.managedFields',
    'metadata.resourceVersion',
  ].map(path),
);

/** What a write through the status endpoint cannot change, beyond `spec`. */
const RESET_BY_STATUS: Readonly<Record<string, readonly string[]>> = {
  'apps/Deployment': ['metadata.labels'],
  '/Pod': ['metadata.deletionTimestamp', 'metadata.ownerReferences'],
  'apiextensions.k8s.io/CustomResourceDefinition': ['metadata'],
  'storage.k8s.io/VolumeAttachment': ['metadata'],
};

/** Metadata that an applied configuration may mention and does not change. */
export const SET_BY_SERVER: FieldSet = setOf(
  ...['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid'].map((name) =>
    path(`metadata.${name}`),
  ),
);

const ONLY_REPLICAS = path('spec.replicas');

/** Which paths a write through an endpoint can own: all but some, or only one. */
export interface Reach {
  /** Taken out, with everything below. */
  readonly except: FieldSet;
  /** When set, nothing else can be owned. */
  readonly only?: readonly string[];
}

/**
 * What a write through the main endpoint, `status`, `scale` or another subresource reaches. Kinds with a
 * status lose it on the main endpoint; the status endpoint loses the spec. A custom resource may or may
 * not have a status endpoint: its main endpoint reaches everything.
 */
export function reachOf(kind: KindKey, subresource: string): Reach {
  if (subresource === 'scale') return { except: setOf(), only: ONLY_REPLICAS };
  const builtIn = builtInType(kind);
  if (subresource === 'status') {
    const extra = builtIn ? (RESET_BY_STATUS[`${kind.group}/${kind.kind}`] ?? []) : ['metadata'];
    return { except: setOf(...['spec', ...extra].map(path)) };
  }
  return { except: builtIn?.fields.has('status') ? setOf(path('status')) : setOf() };
}
