import { listOf, textOf, valueIn, type KubeObject } from '@larry/contracts';
import type { Subject } from '../family';

/** Who is given rights. */
export interface BoundSubject {
  kind: 'ServiceAccount' | 'User' | 'Group';
  name: string;
  /** Of a service account. */
  namespace?: string;
  index: number;
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding {
  /** The namespace in which it grants; undefined for the whole cluster. */
  namespace: string | undefined;
  role: { kind: string; name: string };
  subjects: BoundSubject[];
  /** Kubernetes' own, restored at each start of the API server. */
  bootstrapped: boolean;
  subject: Subject;
}

/** Reads a binding. */
export function bindingOf(object: KubeObject, namespace: string | undefined, subject: Subject): Binding {
  return {
    namespace: object.kind === 'ClusterRoleBinding' ? undefined : namespace,
    role: {
      kind: textOf(valueIn(object, 'roleRef', 'kind')) ?? '',
      name: textOf(valueIn(object, 'roleRef', 'name')) ?? '',
    },
    subjects: listOf(object['subjects']).flatMap((entry, index) => subjectOf(entry, index, namespace)),
    bootstrapped: object.metadata.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults',
    subject,
  };
}

function subjectOf(entry: unknown, index: number, bindingNamespace: string | undefined): BoundSubject[] {
  const kind = valueIn(entry, 'kind');
  const name = textOf(valueIn(entry, 'name'));
  if (name === undefined || (kind !== 'ServiceAccount' && kind !== 'User' && kind !== 'Group')) return [];
  if (kind !== 'ServiceAccount') return [accountBehind({ kind, name, index })];
  const namespace = textOf(valueIn(entry, 'namespace')) ?? bindingNamespace ?? 'default';
  return [{ kind, name, namespace, index }];
}

/** A service account can also be named as the user that it is (`system:serviceaccount:ns:name`). */
function accountBehind(subject: BoundSubject): BoundSubject {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(subject.name) ?? [];
  if (subject.kind !== 'User' || namespace === undefined || name === undefined) return subject;
  return { kind: 'ServiceAccount', name, namespace, index: subject.index };
}

/** `ServiceAccount database/pgadmin`, `Group system:authenticated`. */
export function subjectText(subject: BoundSubject): string {
  return `${subject.kind} ${subject.namespace === undefined ? '' : `${subject.namespace}/`}${subject.name}`;
}
