import type { User } from './auth';
import type { Kind } from './kinds';
import type { Fields, KubeObject } from './kube-object';
import { list, record, text } from './kube-object';
import type { KindRegistry } from './registry';
import { matchesLabels } from './selectors';
import type { Store } from './store';

/** One thing somebody wants to do. */
export type Attributes =
  | { verb: string; path: string }
  | { verb: string; group: string; resource: string; subresource?: string; namespace?: string; name?: string };

interface Rule {
  verbs: string[];
  apiGroups: string[];
  resources: string[];
  resourceNames: string[];
  nonResourceURLs: string[];
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? (value as string[]) : []);
const ruleOf = (fields: Fields): Rule => ({
  verbs: strings(fields['verbs']), apiGroups: strings(fields['apiGroups']), resources: strings(fields['resources']),
  resourceNames: strings(fields['resourceNames']), nonResourceURLs: strings(fields['nonResourceURLs']),
});

function subjectIs(subject: Fields, user: User, namespace: string | undefined): boolean {
  const name = text(subject['name']);
  switch (subject['kind']) {
    case 'User': return user.name === name;
    case 'Group': return user.groups.includes(name);
    case 'ServiceAccount': return user.name === `system:serviceaccount:${text(subject['namespace']) || namespace}:${name}`;
    default: return false;
  }
}

/** Whether the rule allows it, by RBAC's rules for wildcards, subresources and names. */
export function ruleAllows(rule: Rule, a: Attributes): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(a.verb)) return false;
  if ('path' in a) return rule.nonResourceURLs.some((p) => p === '*' || p === a.path || (p.endsWith('*') && a.path.startsWith(p.slice(0, -1))));
  if (!rule.apiGroups.includes('*') && !rule.apiGroups.includes(a.group)) return false;
  const full = a.subresource ? `${a.resource}/${a.subresource}` : a.resource;
  const covers = rule.resources.some((r) => r === '*' || r === full || (a.subresource !== undefined && r === `*/${a.subresource}`));
  if (!covers) return false;
  return rule.resourceNames.length === 0 || (a.name !== undefined && rule.resourceNames.includes(a.name));
}

/** Decides by the Roles and bindings in the store; members of `system:masters` may do everything. */
export class Authorizer {
  constructor(private readonly store: Store, private readonly kinds: KindRegistry) {}

  allows(user: User, a: Attributes): boolean {
    if (user.groups.includes('system:masters')) return true;
    const namespace = 'path' in a ? undefined : a.namespace;
    return this.rulesFor(user, namespace).some((rule) => ruleAllows(rule, a));
  }

  /** Every rule that holds for the user in this namespace (undefined: cluster-wide rules alone). */
  rulesFor(user: User, namespace: string | undefined): Rule[] {
    if (user.groups.includes('system:masters')) return [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] }, { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] }];
    const out: Rule[] = [];
    for (const binding of this.all('clusterrolebindings')) {
      if (list(binding['subjects']).some((s) => subjectIs(s, user, undefined))) out.push(...this.rulesOf(record(binding['roleRef']), undefined));
    }
    if (namespace === undefined) return out;
    for (const binding of this.all('rolebindings', namespace)) {
      if (list(binding['subjects']).some((s) => subjectIs(s, user, namespace))) out.push(...this.rulesOf(record(binding['roleRef']), namespace));
    }
    return out;
  }

  private all(plural: string, namespace?: string): readonly KubeObject[] {
    return this.store.list(this.kinds.byPlural('rbac.authorization.k8s.io', plural) as Kind, namespace);
  }

  private rulesOf(ref: Fields, namespace: string | undefined): Rule[] {
    const plural = ref['kind'] === 'ClusterRole' ? 'clusterroles' : 'roles';
    const kind = this.kinds.byPlural('rbac.authorization.k8s.io', plural) as Kind;
    const role = this.store.get(kind, plural === 'roles' ? namespace : undefined, text(ref['name']));
    if (!role) return [];
    const selectors = list(record(role['aggregationRule'])['clusterRoleSelectors']);
    const parts = selectors.length === 0 ? [role] : [role, ...this.all('clusterroles').filter((r) => selectors.some((s) => matchesLabels(s, r.metadata.labels)))];
    return parts.flatMap((r) => list(r['rules']).map(ruleOf));
  }
}
