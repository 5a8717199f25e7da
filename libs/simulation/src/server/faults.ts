import type { ServerResponse } from 'node:http';
import { failure } from './api-error';
import { sendError } from './request';

/** What goes wrong with a request: for tests of clients. */
export type Fault =
  | { kind: 'answer'; code: 401 | 403 | 409 | 410 | 429 | 500 | 503; retryAfterSeconds?: number }
  /** Never answers; the connection stays open until the client or the server closes. */
  | { kind: 'hang' }
  /** Does the work, then cuts the connection before the answer: the client cannot know. */
  | { kind: 'cut-after' }
  /** Answers as usual, this much later. */
  | { kind: 'delay'; ms: number };

/** Which requests a fault hits, and how often. */
export interface FaultRule {
  /** HTTP method; any when absent. */
  method?: string;
  /** Matched against path and query. */
  path?: string | RegExp;
  /** How many requests it hits before it is spent; 1 when absent. */
  times?: number;
  fault: Fault;
}

const REASONS: Record<number, [string, string]> = {
  401: ['Unauthorized', 'Unauthorized'],
  403: ['Forbidden', 'forbidden by an injected fault'],
  409: ['Conflict', 'Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again'],
  410: ['Expired', 'too old resource version (injected fault)'],
  429: ['TooManyRequests', 'Too many requests, please try again later.'],
  500: ['InternalError', 'Internal error occurred: injected fault'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
};

/** Faults that wait for their request; first added, first hit. */
export class Faults {
  private rules: (FaultRule & { left: number })[] = [];

  add(rule: FaultRule): void {
    this.rules.push({ ...rule, left: rule.times ?? 1 });
  }

  clear(): void {
    this.rules = [];
  }

  /** Hits that are still to come. */
  pending(): number {
    return this.rules.reduce((sum, rule) => sum + rule.left, 0);
  }

  take(method: string, pathAndQuery: string): Fault | undefined {
    const rule = this.rules.find((r) => {
      const fits = r.path === undefined || (typeof r.path === 'string' ? pathAndQuery.includes(r.path) : r.path.test(pathAndQuery));
      return fits && (r.method === undefined || r.method === method);
    });
    if (!rule) return undefined;
    if (--rule.left <= 0) this.rules = this.rules.filter((r) => r !== rule);
    return rule.fault;
  }
}

export function answerFault(res: ServerResponse, fault: Extract<Fault, { kind: 'answer' }>): void {
  const [reason, message] = REASONS[fault.code] as [string, string];
  const details = fault.retryAfterSeconds === undefined ? undefined : { retryAfterSeconds: fault.retryAfterSeconds };
  sendError(res, failure(fault.code, reason, message, details));
}
