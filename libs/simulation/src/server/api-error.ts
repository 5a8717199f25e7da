import type { Kind } from './kinds';
import { qualified } from './kinds';

/** One entry of `details.causes` in a Status. */
export interface Cause {
  reason?: string;
  message: string;
  field?: string;
}

interface Details {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: Cause[];
  retryAfterSeconds?: number;
}

/** The `Status` object that Kubernetes answers with when a request fails. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string };
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: Details;
  code?: number;
}

/** A request that cannot be answered as asked; `status` is the body that the client gets. */
export class ApiError extends Error {
  constructor(readonly status: Status, readonly headers: Record<string, string> = {}) {
    super(status.message);
    this.name = 'ApiError';
  }

  get code(): number {
    return this.status.code ?? 500;
  }
}

export function failure(code: number, reason: string | undefined, message: string, details?: Details): ApiError {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, ...(reason ? { reason } : {}), ...(details ? { details } : {}), code };
  return new ApiError(status, details?.retryAfterSeconds ? { 'retry-after': String(details.retryAfterSeconds) } : {});
}

const detailsOf = (kind: Kind, name: string): Details => ({ ...(name ? { name } : {}), ...(kind.group ? { group: kind.group } : {}), kind: kind.plural });

export const notFound = (kind: Kind, name: string) => failure(404, 'NotFound', `${qualified(kind)} "${name}" not found`, detailsOf(kind, name));
export const alreadyExists = (kind: Kind, name: string, goes = false) =>
  failure(409, 'AlreadyExists', `${goes ? 'object is being deleted: ' : ''}${qualified(kind)} "${name}" already exists`, detailsOf(kind, name));
export const badRequest = (message: string) => failure(400, 'BadRequest', message);
export const methodNotAllowed = () => failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(kind: Kind, name: string, why: string = MODIFIED): ApiError {
  return failure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`, detailsOf(kind, name));
}

/** The real server names the Kind, not the resource, when a precondition of a delete fails. */
export function preconditionFailed(kind: Kind, name: string, why: string): ApiError {
  const details = { name, ...(kind.group ? { group: kind.group } : {}), kind: kind.kind };
  return failure(409, 'Conflict', `Operation cannot be fulfilled on ${kind.kind}${kind.group ? `.${kind.group}` : ''} "${name}": ${why}`, details);
}

export function forbidden(kind: Kind, name: string, why: string, causes?: Cause[]): ApiError {
  const named = name ? ` "${name}"` : '';
  return failure(403, 'Forbidden', `${qualified(kind)}${named} is forbidden: ${why}`, { ...detailsOf(kind, name), ...(causes ? { causes } : {}) });
}

/** 422: the object breaks rules of its kind. Messages of several causes stand in brackets, as Kubernetes prints them. */
export function invalid(group: string, kind: string, name: string, causes: Required<Cause>[]): ApiError {
  const lines = [...new Set(causes.map((c) => `${c.field}: ${c.message}`))];
  const all = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const details = { ...(name ? { name } : {}), ...(group ? { group } : {}), ...(kind ? { kind } : {}), causes };
  return failure(422, 'Invalid', `${kind}${group ? `.${group}` : ''} "${name}" is invalid: ${all}`, details);
}

/** What the simulation does not do: one sentence, under a status that clients do not mistake for a fault of theirs. */
export const notServed = (what: string) =>
  failure(501, 'NotImplemented', `this simulated API server does not serve ${what}; GET /simulation/served lists what it serves`);
