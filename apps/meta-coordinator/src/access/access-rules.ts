import type { TokenBook } from './tokens';

/** What decides whether a request may pass. */
export interface AccessRules {
  /** Where HTTP listens: a loopback address lets everybody on this machine read. */
  listen: string;
  /** Absent where no tokens are configured. */
  tokens?: TokenBook;
}

/** A request, as far as access goes. */
export interface AccessRequest {
  method: string;
  path: string;
  host?: string;
  authorization?: string;
}

/** Passed, with the bearer's name where a token named one; or refused with a sentence. */
export type AccessVerdict = { pass: true; who?: string } | { pass: false; status: 401 | 403; reason: string };

/** Asked by kubelet and Prometheus, which carry no token. */
const open = ['/healthz', '/readyz', '/metrics'];

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address === '[::1]' || /^127(\.\d{1,3}){3}$/.test(address);
}

/** Who may do what. Reading is open on loopback; every change, and reading from elsewhere, needs a token that names its bearer. */
export function judgeAccess(rules: AccessRules, request: AccessRequest): AccessVerdict {
  const local = isLoopback(rules.listen);
  if (local && !isLoopback(hostName(request.host))) {
    return refuse(403, 'this service answers on loopback only under localhost, 127.0.0.1 or [::1]: a web page may have led another name here');
  }
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  const token = /^Bearer +(\S{1,4096}) *$/i.exec(request.authorization ?? '')?.[1];
  const who = token === undefined ? undefined : rules.tokens?.bearerOf(token);
  if (who !== undefined) return { pass: true, who };
  if (!changes && (local || open.includes(request.path))) return { pass: true };
  if (!rules.tokens) return refuse(401, 'no tokens are configured (LARRY_TOKENS_FILE): nothing can be changed, and only this machine may read');
  if (token === undefined) return refuse(401, 'this needs a token that names its bearer: send "Authorization: Bearer …"');
  return refuse(401, 'this token is not known here');
}

function refuse(status: 401 | 403, reason: string): AccessVerdict {
  return { pass: false, status, reason };
}

/** A Host header without its port. */
function hostName(host = ''): string {
  return host.replace(/:\d{1,5}$/, '').toLowerCase();
}
