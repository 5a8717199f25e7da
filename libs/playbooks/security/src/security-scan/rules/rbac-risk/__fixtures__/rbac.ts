import type { KubeObject } from '@larry/contracts';

const apiVersion = 'rbac.authorization.k8s.io/v1';

/** One entry of a role's `rules`. */
export function right(resources: string[], verbs: string[], apiGroups = [''], more: object = {}): object {
  return { apiGroups, resources, verbs, ...more };
}

/** A ClusterRole, or a Role where a namespace is given. */
export function role(name: string, rules: object[], namespace?: string): KubeObject {
  return {
    apiVersion,
    kind: namespace ? 'Role' : 'ClusterRole',
    metadata: { name, ...(namespace ? { namespace } : {}) },
    rules,
  };
}

/** A binding of a role to subjects, `ServiceAccount ns/name`, `User x`, `Group x`. */
export function binding(
  name: string,
  roleName: string,
  subjects: string[],
  namespace?: string,
  roleKind = 'ClusterRole',
): KubeObject {
  return {
    apiVersion,
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...(namespace ? { namespace } : {}) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: roleName },
    subjects: subjects.map((text) => {
      const [kind = '', who = ''] = text.split(' ');
      const [ns, account] = who.split('/');
      return account === undefined ? { kind, name: who } : { kind, namespace: ns, name: account };
    }),
  };
}
