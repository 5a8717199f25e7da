import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { failure } from './api-error';

/** Who a request is from. */
export interface User {
  name: string;
  groups: string[];
  uid?: string;
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

/** The bearer tokens that the server knows. */
export class Tokens {
  private readonly users = new Map<string, User>();

  add(token: string, user: User): void {
    this.users.set(token, { ...user, groups: [...new Set([...user.groups, AUTHENTICATED])] });
  }

  find(token: string): User | undefined {
    return this.users.get(token);
  }

  /** The user of a request: 401 for an unknown token, anonymous without one. */
  userOf(req: IncomingMessage): User {
    const header = req.headers.authorization;
    if (!header) return ANONYMOUS;
    const token = /^Bearer\s+(\S+)$/i.exec(header)?.[1];
    const user = token === undefined ? undefined : this.users.get(token);
    if (!user) throw unauthorized();
    return user;
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
