import { findApi } from '../local/local-stack';
import { ApiClient } from '../run/api-client';
import { LiveDashboard } from '../run/live-dashboard';
import type { RunStatusView } from '@larry/contracts';
import { interruptSignal } from '../terminal/interrupted';
import { events } from './events';
import { status, type RunAddress } from './status';

/** `larry dashboard`: the run in a terminal, live until it is complete or Ctrl-C; elsewhere a line per event. */
export async function dashboard(options: RunAddress): Promise<void> {
  if (!process.stdout.isTTY || process.env['TERM'] === 'dumb') return events({ ...options, follow: true });
  const api = new ApiClient(findApi(options));
  const current = await api.get<RunStatusView>('/runs/current');
  if (current.status !== 'running') return status(options);
  const { signal, release } = interruptSignal();
  const over = new AbortController();
  const view = new LiveDashboard(api, { stream: process.stdout, keys: 'Ctrl-C leaves the dashboard; the run goes on.', address: options });
  let complete = false;
  try {
    for await (const item of api.events({ signal: AbortSignal.any([signal, over.signal]), run: current.run })) {
      view.event(item);
      complete = item.event.event === 'run_complete';
      if (complete) break;
    }
  } finally {
    over.abort();
    release();
    view.end();
  }
  if (complete) await status(options).catch(() => process.stdout.write(`Run ${current.run} is complete.\n`));
}
