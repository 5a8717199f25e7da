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

/** A rule that holds for somebody, and the binding that gives it, as Kubernetes words it. */
interface Grant {
  rule: Rule;
  by: string;
}

const EVERYTHING: Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

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
    return this.decide(user, a).allowed;
  }

  /** The decision and, as Kubernetes words it, which binding allows. */
  decide(user: User, a: Attributes): { allowed: boolean; reason?: string } {
    if (user.groups.includes('system:masters')) return { allowed: true };
    const grant = this.grants(user, 'path' in a ? undefined : a.namespace).find((g) => ruleAllows(g.rule, a));
    return grant ? { allowed: true, reason: `RBAC: allowed by ${grant.by}` } : { allowed: false };
  }

  /** Every rule that holds for the user in this namespace (undefined: cluster-wide rules alone). */
  rulesFor(user: User, namespace: string | undefined): Rule[] {
    const granted = this.grants(user, namespace).map((g) => g.rule);
    const master = user.groups.includes('system:masters') && !granted.some((r) => r.verbs.includes('*') && r.resources.includes('*'));
    return master ? [...EVERYTHING, ...granted] : granted;
  }

  private grants(user: User, namespace: string | undefined): Grant[] {
    const out: Grant[] = [];
    for (const binding of this.all('clusterrolebindings')) {
      out.push(...this.granted('ClusterRoleBinding', binding, user, undefined));
    }
    if (namespace === undefined) return out;
    for (const binding of this.all('rolebindings', namespace)) {
      out.push(...this.granted('RoleBinding', binding, user, namespace));
    }
    return out;
  }

  private granted(kind: string, binding: KubeObject, user: User, namespace: string | undefined): Grant[] {
    const subject = list(binding['subjects']).find((s) => subjectIs(s, user, namespace));
    if (!subject) return [];
    const ref = record(binding['roleRef']);
    const quoted = (name: string, inside: string | undefined) => `"${name}${inside ? `/${inside}` : ''}"`;
    const who = `${text(subject['kind'])} ${quoted(text(subject['name']), subject['kind'] === 'ServiceAccount' ? text(subject['namespace']) || namespace : undefined)}`;
    const by = `${kind} ${quoted(binding.metadata.name ?? '', namespace)} of ${text(ref['kind'])} "${text(ref['name'])}" to ${who}`;
    return this.rulesOf(ref, namespace).map((rule) => ({ rule, by }));
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
