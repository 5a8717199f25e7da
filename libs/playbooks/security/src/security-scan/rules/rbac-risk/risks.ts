import { compareSeverity, listOf, recordOf, valueIn, type KubeObject, type Severity } from '@larry/contracts';
import { rbacRules } from './rules';

/** A right of a role that is a risk, and the entry of `rules` that gives it. */
export interface RoleRisk {
  rule: string;
  at: string;
  value: string;
  /** Only where the role is bound for the whole cluster. */
  clusterOnly: boolean;
  /** Where the role is bound for the whole cluster. */
  severity: Severity;
}

interface Grant {
  groups: ReadonlySet<string>;
  resources: ReadonlySet<string>;
  verbs: ReadonlySet<string>;
  /** Limited to named objects: lists and creates are then not granted, and the reach is meant. */
  named: boolean;
}

const workloads: readonly (readonly [string, string])[] = [
  ['', 'pods'], ['', 'replicationcontrollers'], ['apps', 'deployments'], ['apps', 'statefulsets'], ['apps', 'daemonsets'], ['apps', 'replicasets'], ['batch', 'jobs'], ['batch', 'cronjobs'],
]; // prettier-ignore

interface Check {
  rule: string;
  clusterOnly?: boolean;
  holds(grant: Grant): boolean;
}

const checks: readonly Check[] = [
  { rule: 'rbac/wildcard', holds: (g) => !g.named && (g.verbs.has('*') || g.resources.has('*')) },
  {
    rule: 'rbac/read-secrets',
    clusterOnly: true,
    holds: (g) => !g.named && on(g, '', 'secrets') && may(g, 'get', 'list', 'watch'),
  },
  {
    rule: 'rbac/escalate',
    holds: (g) =>
      (['roles', 'clusterroles'].some((r) => on(g, 'rbac.authorization.k8s.io', r)) &&
        may(g, 'escalate', 'bind') &&
        !g.named) ||
      (['users', 'groups', 'serviceaccounts'].some((r) => on(g, '', r)) && may(g, 'impersonate') && !g.named),
  },
  // A `get` is enough for a WebSocket upgrade of exec, attach and portforward (kubernetes#78741).
  {
    rule: 'rbac/pod-exec',
    holds: (g) => ['pods/exec', 'pods/attach'].some((r) => on(g, '', r)) && may(g, 'create', 'get'),
  },
  { rule: 'rbac/create-pods', holds: (g) => workloads.some(([group, r]) => on(g, group, r)) && may(g, 'create') },
  { rule: 'rbac/nodes-proxy', clusterOnly: true, holds: (g) => on(g, '', 'nodes/proxy') },
  { rule: 'rbac/token-request', holds: (g) => on(g, '', 'serviceaccounts/token') && may(g, 'create') },
  {
    rule: 'rbac/approve-certificates',
    clusterOnly: true,
    holds: (g) => on(g, 'certificates.k8s.io', 'certificatesigningrequests/approval') && may(g, 'update', 'patch'),
  },
  {
    rule: 'rbac/admission-webhooks',
    clusterOnly: true,
    holds: (g) =>
      !g.named &&
      ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'].some((r) =>
        on(g, 'admissionregistration.k8s.io', r),
      ) &&
      may(g, 'create', 'update', 'patch'),
  },
  {
    rule: 'rbac/persistent-volumes',
    clusterOnly: true,
    holds: (g) => on(g, '', 'persistentvolumes') && may(g, 'create'),
  },
];

/** The risky rights of a Role or ClusterRole, each with the worst entry that gives it. */
export function risksOf(role: KubeObject): RoleRisk[] {
  const found = new Map<string, RoleRisk>();
  listOf(role['rules']).forEach((entry, i) => {
    const grant = grantOf(entry);
    const holding = checks.filter((check) => check.holds(grant));
    // Every resource of the core group implies all the rest: saying that alone says it all.
    const said = isEverything(grant) ? holding.filter((c) => c.rule === 'rbac/wildcard') : holding;
    for (const { rule, clusterOnly = false } of said) {
      const severity = severityOf(rule, grant);
      const known = found.get(rule);
      if (known && compareSeverity(known.severity, severity) <= 0) continue;
      found.set(rule, { rule, at: `.rules[${i}]`, value: text(entry), clusterOnly, severity });
    }
  });
  return [...found.values()];
}

function isEverything(grant: Grant): boolean {
  return grant.resources.has('*') && (grant.groups.has('') || grant.groups.has('*'));
}

/** A wildcard weighs what it reaches: the core group holds Secrets; another group read-only is little. */
function severityOf(rule: string, grant: Grant): Severity {
  if (rule !== 'rbac/wildcard') return rbacRules.find((r) => r.id === rule)?.severity ?? 'high';
  if (isEverything(grant)) return 'high';
  return grant.verbs.has('*') || may(grant, 'create', 'update', 'patch', 'delete') ? 'medium' : 'low';
}

function grantOf(entry: unknown): Grant {
  const set = (field: string) =>
    new Set(listOf(valueIn(entry, field)).filter((v): v is string => typeof v === 'string'));
  return {
    groups: set('apiGroups'),
    resources: set('resources'),
    verbs: set('verbs'),
    named: listOf(valueIn(entry, 'resourceNames')).length > 0,
  };
}

/** `*` is every resource and subresource; a star before the slash one subresource of all (RBAC, *Referring to resources*). */
function on(grant: Grant, group: string, resource: string): boolean {
  const [, sub] = resource.split('/');
  const inGroup = grant.groups.has(group) || grant.groups.has('*');
  return (
    inGroup &&
    (grant.resources.has(resource) ||
      grant.resources.has('*') ||
      (sub !== undefined && grant.resources.has(`*/${sub}`)))
  );
}

function may(grant: Grant, ...verbs: string[]): boolean {
  return grant.verbs.has('*') || verbs.some((verb) => grant.verbs.has(verb));
}

function text(entry: unknown): string {
  const { apiGroups, resources, verbs, resourceNames } = recordOf(entry);
  return JSON.stringify({ apiGroups, resources, ...(resourceNames === undefined ? {} : { resourceNames }), verbs });
}
