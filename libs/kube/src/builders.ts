import type { KubeObject, ObjectMeta, OwnerReference } from '@larry/contracts';

/** What a test says about an object; the rest is filled in. Every field beside the named ones lands at the object's top level. */
export interface ObjectParts {
  /** `thing` by default. */
  name?: string;
  /** `default` by default for namespaced kinds; an empty string leaves it out. */
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** The object that controls this one. */
  controller?: KubeObject;
  metadata?: Partial<ObjectMeta>;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

/** Any object: metadata with a uid that follows from kind and name, and the fields given. */
export function anObject(apiVersion: string, kind: string, parts: ObjectParts = {}, namespaced = true): KubeObject {
  const { name = 'thing', namespace = namespaced ? 'default' : '', labels, annotations, controller, metadata, ...rest } = parts;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      uid: `uid-${kind}-${namespace}-${name}`.toLowerCase(),
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(controller ? { ownerReferences: [controllerReference(controller)] } : {}),
      ...metadata,
    },
    ...rest,
  };
}

/** A running pod with one container `app` of image `example.com/app:1.0`; `spec` and `status` are merged over that, field by field. */
export function aPod(parts: ObjectParts = {}): KubeObject {
  return anObject('v1', 'Pod', {
    ...parts,
    spec: { ...podSpec(), nodeName: 'node-1', ...parts.spec },
    status: { phase: 'Running', ...parts.status },
  });
}

/** A Deployment of one replica; `template` is its pod template's spec, merged over that of {@link aPod}. */
export function aDeployment(parts: ObjectParts & { template?: Record<string, unknown> } = {}): KubeObject {
  return aWorkload('Deployment', parts, { replicas: 1 });
}

/** A StatefulSet of one replica. See {@link aDeployment}. */
export function aStatefulSet(parts: ObjectParts & { template?: Record<string, unknown> } = {}): KubeObject {
  return aWorkload('StatefulSet', parts, { replicas: 1, serviceName: parts.name ?? 'thing' });
}

/** A DaemonSet. See {@link aDeployment}. */
export function aDaemonSet(parts: ObjectParts & { template?: Record<string, unknown> } = {}): KubeObject {
  return aWorkload('DaemonSet', parts, {});
}

/** A ReplicaSet of one replica. See {@link aDeployment}. */
export function aReplicaSet(parts: ObjectParts & { template?: Record<string, unknown> } = {}): KubeObject {
  return aWorkload('ReplicaSet', parts, { replicas: 1 });
}

/** A ClusterIP Service that selects `app: <name>` on port 80. */
export function aService(parts: ObjectParts = {}): KubeObject {
  const app = parts.name ?? 'thing';
  return anObject('v1', 'Service', { ...parts, spec: { type: 'ClusterIP', selector: { app }, ports: [{ port: 80 }], ...parts.spec } });
}

/** A ConfigMap; pass `data`. */
export function aConfigMap(parts: ObjectParts = {}): KubeObject {
  return anObject('v1', 'ConfigMap', parts);
}

/** An Opaque Secret; `data` values are base64, as the API has them. */
export function aSecret(parts: ObjectParts = {}): KubeObject {
  return anObject('v1', 'Secret', { type: 'Opaque', ...parts });
}

/** An active Namespace. */
export function aNamespace(name = 'default', parts: ObjectParts = {}): KubeObject {
  return anObject('v1', 'Namespace', { status: { phase: 'Active' }, ...parts, name }, false);
}

/** A ready Node. */
export function aNode(parts: ObjectParts = {}): KubeObject {
  return anObject('v1', 'Node', { status: { conditions: [{ type: 'Ready', status: 'True' }] }, ...parts }, false);
}

/** A core/v1 Event about an object. */
export function anEvent(about: KubeObject, parts: ObjectParts = {}): KubeObject {
  const { name, namespace = '', uid } = about.metadata;
  return anObject('v1', 'Event', {
    name: `${name}.1`,
    namespace,
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid },
    type: 'Warning',
    ...parts,
  });
}

/** The entry of `ownerReferences` by which an object controls another. */
export function controllerReference(owner: KubeObject): OwnerReference {
  const { name, uid = '' } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true };
}

function aWorkload(kind: string, parts: ObjectParts & { template?: Record<string, unknown> }, defaults: Record<string, unknown>): KubeObject {
  const { template, ...rest } = parts;
  const labels = { app: parts.name ?? 'thing' };
  return anObject('apps/v1', kind, {
    ...rest,
    spec: {
      ...defaults,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...podSpec(), ...template } },
      ...parts.spec,
    },
  });
}

function podSpec(): Record<string, unknown> {
  return { containers: [{ name: 'app', image: 'example.com/app:1.0' }] };
}
