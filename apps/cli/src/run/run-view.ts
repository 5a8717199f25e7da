import { printable } from '@larry/contracts';
import type { TypedAddress } from '../program/typed-command';
import type { ApiClient } from './api-client';
import { eventLine } from './event-line';
import type { RunView } from './follow-run';
import { LiveDashboard } from './live-dashboard';

/** How a run is looked at. */
export interface RunViewOptions {
  plain: boolean;
  quiet: boolean;
  /** What Ctrl-C does. */
  keys: string;
  /** How commands find the run. */
  address: TypedAddress;
}

/** The dashboard in a terminal; elsewhere, or where `plain` asks for it, a line per event. */
export function runView(api: ApiClient, { plain, quiet, keys, address }: RunViewOptions): RunView {
  const silent: RunView = { event: () => undefined, trouble: toStderr, end: () => undefined };
  if (quiet) return silent;
  if (plain || !process.stdout.isTTY || process.env['TERM'] === 'dumb') {
    return { ...silent, event: (item) => void process.stdout.write(`${eventLine(item, address)}\n`) };
  }
  return new LiveDashboard(api, { stream: process.stdout, keys, address });
}

function toStderr(sentence: string | undefined): void {
  process.stderr.write(sentence === undefined ? 'larry: that is over, and the run goes on\n' : `larry: the run is held up: ${printable(sentence, 500)}\n`);
}
