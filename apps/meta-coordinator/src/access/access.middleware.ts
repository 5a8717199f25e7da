import type { IncomingMessage, ServerResponse } from 'node:http';
import { judgeAccess, type AccessRules } from './access-rules';

/** A request after it has passed: the bearer's name, where a token named one. */
export interface NamedRequest extends IncomingMessage {
  bearer?: string;
}

/** Stands before everything, body parsers and documents included, so that nothing is read from whoever may not send it. */
export function accessMiddleware(rules: AccessRules) {
  return (request: NamedRequest, response: ServerResponse, next: () => void): void => {
    const verdict = judgeAccess(rules, {
      method: request.method ?? 'GET',
      path: (request.url ?? '/').split('?')[0] ?? '/',
      host: request.headers.host,
      authorization: request.headers.authorization,
    });
    if (verdict.pass) {
      request.bearer = verdict.who;
      return next();
    }
    response.statusCode = verdict.status;
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    if (verdict.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="larry"');
    response.setHeader('Connection', 'close');
    response.end(JSON.stringify({ error: verdict.reason }));
  };
}

/** The name of whoever changes something. The middleware lets no change pass without one. */
export function bearerOf(request: NamedRequest): string {
  if (request.bearer === undefined) throw new Error('a change came without a bearer past the access middleware');
  return request.bearer;
}
