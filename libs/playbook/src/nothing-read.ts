import { printable } from '@larry/contracts';
import type { Diagnosis } from './playbook';

/**
 * The skip of a task that could read nothing at all: what it then counts is no result, and no criterion of it is met.
 * Undefined where something was read (`seen` above 0), or nothing was refused.
 */
export function nothingRead(source: string, seen: number, refused: readonly { reason: string }[]): Pick<Diagnosis, 'skip'> {
  if (seen > 0 || refused.length === 0) return {};
  const summary = printable(`nothing could be read: ${refused.length} kinds or more are closed (${refused[0]?.reason ?? ''})`, 500);
  return { skip: { reason: source === 'live' ? 'not-permitted' : 'no-target', summary } };
}
