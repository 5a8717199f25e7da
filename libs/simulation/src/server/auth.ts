import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { failure } from './api-error';
import type { KubeObject } from './kube-object';

/** Who a request is from. */
export interface User {
  name: string;
  groups: string[];
  uid?: string;
  /** What TokenReview tells beside name and groups: the pod that a token is bound to. */
  extra?: Record<string, string[]>;
}

/** Whom a token is for where it says no audience. */
export const API_AUDIENCE = 'https://kubernetes.default.svc.cluster.local';

/** What a token is good for. */
export interface TokenLimits {
  audiences: string[];
  /** False from when on it has expired, or what it is bound to is gone. */
  valid(): boolean;
}

const AUTHENTICATED = 'system:authenticated';
export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const unauthorized = () => failure(401, 'Unauthorized', 'Unauthorized');
export const newToken = (): string => randomBytes(24).toString('base64url');

/** The name and groups of a service account, as RBAC sees it. */
export const serviceAccountUser = (namespace: string, name: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, AUTHENTICATED],
});

/** A token with the claims of a bound one (RFC 7519; Kubernetes, *Managing Service Accounts*). Its signature is a secret, as it is kept here. */
export function accountToken(account: KubeObject, pod: KubeObject | undefined, endMs: number): string {
  const { name, namespace = '', uid = '' } = account.metadata;
  const bound = pod ? { pod: { name: pod.metadata.name, uid: pod.metadata.uid } } : {};
  const claims = { exp: Math.floor(endMs / 1000), iss: API_AUDIENCE, 'kubernetes.io': { namespace, ...bound, serviceaccount: { name, uid } }, sub: `system:serviceaccount:${namespace}:${name}` };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'SIMULATED', typ: 'JWT' })}.${part(claims)}.${newToken()}`;
}

/** The bearer tokens that the server knows. */
export class Tokens {
  private readonly users = new Map<string, { user: User; limits?: TokenLimits }>();

  add(token: string, user: User, limits?: TokenLimits): void {
    this.forgetInvalid();
    this.users.set(token, { user: { ...user, groups: [...new Set([...user.groups, AUTHENTICATED])] }, ...(limits ? { limits } : {}) });
  }

  /** The user of a token and those of the audiences that it is for; undefined where it is for none of them. */
  find(token: string, audiences: readonly string[] = [API_AUDIENCE]): { user: User; audiences: string[] } | undefined {
    const known = this.users.get(token);
    if (!known || known.limits?.valid() === false) return undefined;
    const shared = audiences.filter((audience) => (known.limits?.audiences ?? [API_AUDIENCE]).includes(audience));
    return shared.length > 0 ? { user: known.user, audiences: shared } : undefined;
  }

  /** The user of a request: 401 for an unknown token, anonymous without one. */
  userOf(req: IncomingMessage): User {
    const header = req.headers.authorization;
    if (!header) return ANONYMOUS;
    const token = /^Bearer\s+(\S+)$/i.exec(header)?.[1];
    const user = token === undefined ? undefined : this.find(token)?.user;
    if (!user) throw unauthorized();
    return user;
  }

  private forgetInvalid(): void {
    for (const [token, { limits }] of this.users) if (limits?.valid() === false) this.users.delete(token);
  }
}

/** The user that `Impersonate-*` headers name; undefined where there are none. */
export function impersonated(req: IncomingMessage): User | undefined {
  const name = req.headers['impersonate-user'];
  if (typeof name !== 'string' || name === '') return undefined;
  const sent = req.headers['impersonate-group'];
  const groups = (Array.isArray(sent) ? sent : sent ? sent.split(',').map((g) => g.trim()) : []);
  const account = /^system:serviceaccount:([^:]+):(.+)$/.exec(name);
  if (account && groups.length === 0) return serviceAccountUser(account[1] as string, account[2] as string);
  if (name === ANONYMOUS.name) return ANONYMOUS;
  return { name, groups: [...new Set([...groups, AUTHENTICATED])] };
}
