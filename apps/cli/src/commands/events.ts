import { findApi } from '../local/local-stack';
import { ApiClient, type StreamedEvent } from '../run/api-client';
import { eventLine } from '../run/event-line';
import type { RunStatusView } from '@larry/contracts';
import { interruptSignal } from '../terminal/interrupted';
import { UserError } from '../user-error';
import type { RunAddress } from './status';

interface EventsOptions extends RunAddress {
  follow: boolean;
  since?: string;
  json?: boolean;
}

/** `larry events`: what happened, a line each, and what goes on happening until the run is complete. */
export async function events(options: EventsOptions): Promise<void> {
  if (options.since !== undefined && !/^(start|now|\d+-\d+)$/.test(options.since)) throw new UserError('--since takes start, now, or the id of an event, for example 1795377877555-0 (the cursor in larry events --json)');
  const api = new ApiClient(findApi(options));
  const current = await api.get<RunStatusView>('/runs/current');
  const { signal, release } = interruptSignal();
  const caughtUp = new AbortController();
  const since = options.since ?? 'start';
  const last = options.follow && current.status === 'running' ? undefined : current.lastEventId;
  try {
    if (last !== undefined && (since === 'now' || !isBefore(since, last))) return;
    for await (const item of api.events({ signal: AbortSignal.any([signal, caughtUp.signal]), lastId: since })) {
      process.stdout.write(options.json ? `${JSON.stringify({ cursor: item.id, ...item.event })}\n` : `${eventLine(item, options)}\n`);
      if (endsHere(item, current.run, last)) break;
    }
  } finally {
    caughtUp.abort();
    release();
  }
}

function endsHere({ id, event }: StreamedEvent, run: string, last: string | undefined): boolean {
  if (last !== undefined) return !isBefore(id, last);
  return event.event === 'run_complete' && event['run'] === run;
}

/** Ids of Redis streams: milliseconds, then a sequence number. */
function isBefore(a: string, b: string): boolean {
  const [am = 0, as = 0] = a === 'start' ? [0, 0] : a.split('-').map(Number);
  const [bm = 0, bs = 0] = b.split('-').map(Number);
  return am < bm || (am === bm && as < bs);
}
