import { printable, type RunSummary } from '@larry/contracts';
import { exitCodes, UserError } from '../user-error';
import type { ApiClient, StreamedEvent } from './api-client';

/** How a run is shown while it goes on. */
export interface RunView {
  /** Called for each event, in order, each once. */
  event(item: StreamedEvent): void;
  /** Takes the screen back. */
  end(): void;
}

/** How a followed run ended. */
export interface FollowedRun {
  status: 'completed' | 'failed' | 'aborted';
  /** The summary, when the convergence got that far; of an aborted run what was done until then. */
  summary?: RunSummary;
}

const askEveryMs = 5000;

/**
 * Follows a run until its state says that it has ended; every event is shown once, in order. An event is a hint: neither
 * a forged `run_complete` ends it, nor does a lost one leave it waiting. Ends early when the signal does.
 */
export async function followRun(api: ApiClient, run: string, view: RunView, signal: AbortSignal): Promise<FollowedRun | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const look = async (): Promise<void> => {
    if (await hasEnded(api, run)) ended.abort();
  };
  const timer = setInterval(() => void look(), askEveryMs);
  try {
    for await (const item of api.events({ signal: stop })) {
      if (item.event['run'] !== run) continue;
      view.event(item);
      if (item.event.event === 'run_complete') await look();
    }
  } finally {
    clearInterval(timer);
    view.end();
  }
  return signal.aborted ? undefined : endedRun(api, run);
}

/** How a run ended, with its summary. @throws UserError where another run has begun since */
export async function endedRun(api: ApiClient, run: string): Promise<FollowedRun> {
  const { run: current, status } = await api.get<{ run: string; status: FollowedRun['status'] }>('/runs/current');
  if (current !== run) throw new UserError(`run ${run} is over, and ${printable(current, 100)} has begun since: how it ended stands in the audit log and in its events`, exitCodes.incomplete);
  const summary = await api.find<RunSummary>('/runs/current/report');
  return { status, ...(summary ? { summary } : {}) };
}

/** What cannot be asked now is asked again. */
async function hasEnded(api: ApiClient, run: string): Promise<boolean> {
  try {
    const current = await api.get<{ run: string; status: string }>('/runs/current');
    return current.run !== run || current.status !== 'running';
  } catch {
    return false;
  }
}
