import type { ApiClient } from './api-client';
import { eventLine } from './event-line';
import type { RunView } from './follow-run';
import { LiveDashboard } from './live-dashboard';

/** The dashboard in a terminal; elsewhere, or where `plain` asks for it, a line per event. */
export function runView(api: ApiClient, options: { plain: boolean; quiet: boolean; state: string }): RunView {
  if (options.quiet) return { event: () => undefined, end: () => undefined };
  if (options.plain || !process.stdout.isTTY || process.env['TERM'] === 'dumb') {
    return { event: (item) => void process.stdout.write(`${eventLine(item, { state: options.state })}\n`), end: () => undefined };
  }
  return new LiveDashboard(api, { stream: process.stdout, keys: 'Ctrl-C stops the run.', address: { state: options.state } });
}
