import type { Tokens, User } from './auth';
import type { Fields, KubeObject } from './kube-object';
import { isObject, record, text } from './kube-object';
import type { Attributes, Authorizer } from './rbac';

interface ReviewContext {
  user: User;
  authorizer: Authorizer;
  tokens: Tokens;
  now: string;
  /** Owners of the sent fields; access reviews answer with them. */
  managers: unknown[] | undefined;
}

const attributesOf = (spec: Fields): Attributes => {
  const r = spec['resourceAttributes'];
  if (!isObject(r)) return { verb: text(record(spec['nonResourceAttributes'])['verb']), path: text(record(spec['nonResourceAttributes'])['path']) };
  return {
    verb: text(r['verb']), group: text(r['group']), resource: text(r['resource']),
    ...(r['subresource'] ? { subresource: text(r['subresource']) } : {}),
    ...(r['namespace'] ? { namespace: text(r['namespace']) } : {}),
    ...(r['name'] ? { name: text(r['name']) } : {}),
  };
};

const userInfo = (user: User) => ({ username: user.name, ...(user.uid ? { uid: user.uid } : {}), groups: user.groups, ...(user.extra ? { extra: user.extra } : {}) });

function access(user: User, spec: Fields, authorizer: Authorizer): Fields {
  return { ...authorizer.decide(user, attributesOf(spec)) };
}

/** `status` of a posted review: nothing is stored. Undefined for a kind that is no review. */
const REVIEWS: Record<string, (spec: Fields, namespace: string | undefined, c: ReviewContext) => Fields> = {
  SelfSubjectReview: (_spec, _ns, { user }) => ({ userInfo: userInfo(user) }),
  TokenReview: (spec, _ns, { tokens }) => {
    const asked = (spec['audiences'] ?? []) as string[];
    const found = tokens.find(text(spec['token']), asked.length > 0 ? asked : undefined);
    return found ? { authenticated: true, user: userInfo(found.user), audiences: found.audiences } : { user: {}, error: 'invalid bearer token' };
  },
  SelfSubjectAccessReview: (spec, _ns, { user, authorizer }) => access(user, spec, authorizer),
  SubjectAccessReview: (spec, _ns, { authorizer }) => access({ name: text(spec['user']), groups: (spec['groups'] ?? []) as string[] }, spec, authorizer),
  LocalSubjectAccessReview: (spec, namespace, { authorizer }) =>
    access({ name: text(spec['user']), groups: (spec['groups'] ?? []) as string[] }, { ...spec, resourceAttributes: { namespace, ...record(spec['resourceAttributes']) } }, authorizer),
  SelfSubjectRulesReview: (spec, _ns, { user, authorizer }) => {
    const rules = authorizer.rulesFor(user, text(spec['namespace']) || undefined);
    const trim = (fields: Fields) => Object.fromEntries(Object.entries(fields).filter(([, v]) => (v as string[]).length > 0));
    return {
      resourceRules: rules.filter((r) => r.resources.length > 0).map(({ nonResourceURLs: _n, ...r }) => trim(r)),
      nonResourceRules: rules.filter((r) => r.nonResourceURLs.length > 0).map((r) => ({ verbs: r.verbs, nonResourceURLs: r.nonResourceURLs })),
      incomplete: false,
    };
  },
};

export function review(kind: string, object: KubeObject, namespace: string | undefined, context: ReviewContext): KubeObject | undefined {
  const answer = REVIEWS[kind];
  if (!answer) return undefined;
  const shown = kind === 'SelfSubjectRulesReview' ? {} : object['spec'];
  const metadata = kind === 'SelfSubjectReview' ? { creationTimestamp: context.now } : kind === 'SelfSubjectAccessReview' && context.managers ? { managedFields: context.managers } : {};
  return { ...object, metadata, ...(object['spec'] === undefined ? {} : { spec: shown }), status: answer(record(object['spec']), namespace, context) };
}
