import type { RunSummary } from '@larry/contracts';
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
  /** The summary, when the convergence got that far. */
  summary?: RunSummary;
}

/** Follows the events of a run until it is complete; every event is shown once, in order. Ends early when the signal does. */
export async function followRun(api: ApiClient, run: string, view: RunView, signal: AbortSignal): Promise<FollowedRun | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  try {
    for await (const item of api.events({ signal: stop })) {
      if (item.event['run'] !== run) continue;
      view.event(item);
      if (item.event.event === 'run_complete') break;
    }
  } finally {
    ended.abort();
    view.end();
  }
  if (signal.aborted) return undefined;
  const summary = await api.find<RunSummary>('/runs/current/report');
  const { status } = await api.get<{ status: FollowedRun['status'] }>('/runs/current');
  return { status, ...(summary ? { summary } : {}) };
}
