import type { Severity } from '@larry/contracts';
import { defineFamily, type Ground, type Hit } from '../family';
import { bindingOf, subjectText, type Binding, type BoundSubject } from './bindings';
import { risksOf, type RoleRisk } from './risks';
import { rbacRules } from './rules';

type Kept = { kind: 'role'; key: string; risks: RoleRisk[] } | { kind: 'binding'; binding: Binding };

const rbacGroup = 'rbac.authorization.k8s.io/v1';
const anonymous = new Set(['User system:anonymous', 'Group system:unauthenticated']);
const everybody = /^Group system:(authenticated|serviceaccounts(:.+)?)$/;

/** What bindings give away: each risky right of a role, once for each binding and holder. */
export const rbacRisk = defineFamily<Kept>({
  id: 'rbac-risk',
  title: 'RBAC risks',
  rules: rbacRules,
  reads: ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ apiVersion: rbacGroup, kind })),
  sift(object, seen) {
    if (object.kind === 'Role' || object.kind === 'ClusterRole') {
      const risks = risksOf(object);
      const namespace = object.kind === 'Role' ? `${seen.namespace}/` : '';
      return risks.length > 0
        ? { kind: 'role', key: `${object.kind} ${namespace}${object.metadata.name}`, risks }
        : undefined;
    }
    if (object.kind !== 'RoleBinding' && object.kind !== 'ClusterRoleBinding') return undefined;
    return { kind: 'binding', binding: bindingOf(object, seen.namespace, seen.subject()) };
  },
  judge(kept, ground) {
    const roles = new Map(kept.flatMap((k) => (k.kind === 'role' ? [[k.key, k.risks] as const] : [])));
    const bindings = kept.flatMap((k) => (k.kind === 'binding' ? [k.binding] : []));
    return bindings.flatMap((b) =>
      b.subjects.filter((s) => belongs(b, s, ground)).flatMap((s) => hitsOf(b, s, risksBehind(b, roles))),
    );
  },
});

/** What grants in a namespace belongs to its group; what grants everywhere to the group that holds the account, else to the one that takes the rest. */
function belongs(binding: Binding, subject: BoundSubject, ground: Ground): boolean {
  const namespace = binding.namespace ?? subject.namespace;
  return namespace === undefined
    ? ground.others
    : ground.namespaces.includes(namespace) ||
        (ground.others && binding.namespace === undefined && !ground.elsewhere.includes(namespace));
}

function risksBehind(binding: Binding, roles: ReadonlyMap<string, RoleRisk[]>): RoleRisk[] {
  const { kind, name } = binding.role;
  const risks = roles.get(kind === 'Role' ? `Role ${binding.namespace}/${name}` : `ClusterRole ${name}`) ?? [];
  return risks.filter((r) => !r.clusterOnly || binding.namespace === undefined);
}

function hitsOf(binding: Binding, subject: BoundSubject, risks: RoleRisk[]): Hit[] {
  const who = subjectText(subject);
  const said = { at: `.subjects[${subject.index}]`, value: who };
  const role = { at: '.roleRef', value: `${binding.role.kind} ${binding.role.name}` };
  const make = (rule: string, more: Partial<Hit> = {}): Hit => ({
    rule,
    subject: binding.subject,
    key: who,
    evidence: [said, role],
    fix: { kind: 'decide', reason: anotherRole(subject) },
    ...more,
  });
  const worst = risks.length > 0;
  if (anonymous.has(who))
    return [make('rbac/anonymous', { severity: worst ? 'critical' : 'high', fix: withoutSubject(binding, subject) })];
  if (everybody.test(who))
    return [make('rbac/everybody', { severity: worst ? 'high' : 'medium', fix: withoutSubject(binding, subject) })];
  if (binding.role.kind === 'ClusterRole' && binding.role.name === 'cluster-admin') {
    return [adminHit(binding, subject, make)];
  }
  const hits = risks.map((risk) =>
    make(risk.rule, {
      evidence: [
        said,
        role,
        {
          at: risk.at,
          value: risk.value,
          object: {
            apiVersion: rbacGroup,
            kind: binding.role.kind,
            name: binding.role.name,
            ...(binding.role.kind === 'Role' && binding.namespace ? { namespace: binding.namespace } : {}),
          },
        },
      ],
      severity: binding.namespace === undefined ? risk.severity : oneLower(risk.severity),
      fix: { kind: 'decide', reason: narrow(binding, subject, risk) },
    }),
  );
  const isDefault = subject.kind === 'ServiceAccount' && subject.name === 'default';
  return isDefault
    ? [...hits, make('rbac/default-account', { severity: worst ? 'medium' : 'low', fix: ownAccount })]
    : hits;
}

const ownAccount = {
  kind: 'decide' as const,
  reason:
    'make a service account of its own for the workload that needs the rights (.spec.template.spec.serviceAccountName), bind that, and take the default one out of .subjects',
};

function adminHit(binding: Binding, subject: BoundSubject, make: (rule: string, more?: Partial<Hit>) => Hit): Hit {
  if (subject.kind !== 'ServiceAccount')
    return make('rbac/cluster-admin-person', binding.namespace === undefined ? {} : { severity: 'info' });
  if (binding.namespace !== undefined)
    return make('rbac/cluster-admin', {
      title: 'A service account may do everything in a namespace',
      severity: 'medium',
    });
  return make('rbac/cluster-admin', { severity: subject.name === 'default' ? 'critical' : 'high' });
}

function oneLower(severity: Severity): Severity {
  switch (severity) {
    case 'critical':
      return 'high';
    case 'high':
      return 'medium';
    case 'medium':
    case 'low':
      return 'low';
    case 'info':
      return 'info';
  }
}

function narrow(binding: Binding, subject: BoundSubject, risk: RoleRisk): string {
  const { kind, name } = binding.role;
  const less =
    binding.namespace === undefined
      ? 'or grant it in one namespace, by a RoleBinding instead of this binding'
      : `or take it out of .subjects[${subject.index}] of this binding`;
  return `in ${risk.at} of ${kind} ${name} name only the verbs and resources that ${loginOf(subject)} really uses (the audit log of the API server tells), ${less}; only its owner knows`;
}

/** Kubernetes' own roles are not to be narrowed, and `.roleRef` of a binding cannot be changed. */
function anotherRole(subject: BoundSubject): string {
  return `make a role with only what ${loginOf(subject)} really uses (the audit log of the API server tells), bind that, and take .subjects[${subject.index}] out of this binding; only its owner knows`;
}

function loginOf({ kind, namespace, name }: BoundSubject): string {
  return kind === 'ServiceAccount' ? `system:serviceaccount:${namespace}:${name}` : name;
}

/** The `test` makes sure that the list has not moved since. */
function withoutSubject(binding: Binding, subject: BoundSubject): Hit['fix'] {
  const path = `/subjects/${subject.index}`;
  const patch = [
    { op: 'test', path: `${path}/name`, value: subject.name },
    { op: 'remove', path },
  ];
  return {
    kind: 'json',
    patch,
    note: `takes ${subjectText(subject)} out of ${binding.subject.ref.kind} ${binding.subject.ref.name}; who used it that way stops`,
  };
}
