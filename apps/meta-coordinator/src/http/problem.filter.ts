import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { RedisError } from '@larry/redis';
import type { Logger } from '@larry/service';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Turns whatever was thrown into one JSON object with one sentence; never a stack. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const request = host.switchToHttp().getRequest<IncomingMessage>();
    const { status, body } = problemOf(error);
    if (status >= 500) this.log.warn({ method: request.method, url: request.url, status, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.statusCode = status;
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(JSON.stringify(body));
  }
}

/** The status and body of an answer to something thrown. */
export function problemOf(error: unknown): { status: number; body: Record<string, unknown> } {
  if (error instanceof HttpException) {
    const said = error.getResponse();
    const details = typeof said === 'object' ? (said as Record<string, unknown>) : {};
    // Nest's own refusals (no such route, a body that is not JSON) say statusCode and message.
    const { statusCode: _, message: __, ...rest } = details;
    return { status: error.getStatus(), body: { ...rest, error: sentenceOf(details) ?? error.message } };
  }
  if (error instanceof RedisError) return { status: 503, body: { error: error.message } };
  if (error instanceof Error && error.name === 'ClusterUnavailableError') return { status: 503, body: { error: `the cluster cannot be read: ${error.message}` } };
  const status = httpStatusOf(error);
  if (status === 413) return { status, body: { error: 'the request is larger than 1 MB' } };
  if (status !== undefined) return { status, body: { error: error instanceof Error ? error.message : 'the request cannot be read' } };
  return { status: 500, body: { error: 'this went wrong here, not with you: the log of the meta-coordinator says how' } };
}

function sentenceOf(details: Record<string, unknown>): string | undefined {
  const said = typeof details['error'] === 'string' && !('statusCode' in details) ? details['error'] : details['message'];
  return typeof said === 'string' ? said : undefined;
}

/** Errors of the body parser carry the status that they mean. */
function httpStatusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
