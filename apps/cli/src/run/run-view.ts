import { printable } from '@larry/contracts';
import type { ApiClient } from './api-client';
import type { RunView } from './follow-run';

/** A line per event, or in a terminal the dashboard. */
export function runView(_api: ApiClient, options: { plain: boolean; quiet: boolean }): RunView {
  return {
    event: ({ event }) => {
      if (!options.quiet) process.stdout.write(`${printable(event, 200)}\n`);
    },
    end: () => undefined,
  };
}
