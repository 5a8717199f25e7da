import { findApi } from '../local/local-stack';
import { ApiClient } from '../run/api-client';
import { dashboardText } from '../run/dashboard';
import { Figures, isSimulated } from '../run/live-dashboard';
import type { RunStatusView } from '@larry/contracts';
import { typedCommand } from '../program/typed-command';
import { wantsColour } from '../terminal/paint';
import { exitCodes } from '../user-error';

/** Where the commands that speak with a run find it. */
export interface RunAddress {
  api?: string;
  state: string;
}

/** `larry status`: every task of the run, once. */
export async function status(options: RunAddress & { json?: boolean }): Promise<void> {
  const api = new ApiClient(findApi(options));
  const current = await api.get<RunStatusView>('/runs/current');
  process.exitCode = current.status === 'failed' ? exitCodes.found : exitCodes.ok;
  if (options.json) {
    process.stdout.write(`${JSON.stringify(current, null, 2)}\n`);
    return;
  }
  const figures = new Figures();
  await figures.read(api, current);
  const simulated = await isSimulated(api, current);
  const text = dashboardText({ ...current, figures: figures.byLarry(current) }, [], {
    // Tasks and events side by side is the dashboard's way: here the tasks have the width to themselves.
    columns: Math.min(process.stdout.columns ?? 110, 119),
    rows: 1000,
    colour: wantsColour(process.stdout),
    ...(simulated === undefined ? {} : { simulated }),
    now: new Date(current.now),
    keys: `${typedCommand('dashboard', options)} follows it; events in its place prints what happened.`,
    address: options,
  });
  process.stdout.write(`${text}\n`);
}
