import { printable, type RunStatusView, type RunSummary } from '@larry/contracts';
import { exitCodes, UserError } from '../user-error';
import type { ApiClient, StreamedEvent } from './api-client';

/** How a run is shown while it goes on. */
export interface RunView {
  /** Called for each event, in order, each once. */
  event(item: StreamedEvent): void;
  /** Why the run does not go on for now, in a sentence; undefined when it does again. Called when that changes. */
  trouble(sentence: string | undefined): void;
  /** Takes the screen back. */
  end(): void;
}

/** How a followed run ended. */
export interface FollowedRun {
  status: 'completed' | 'failed' | 'aborted';
  /** The summary, when the convergence got that far; of an aborted run what was done until then. */
  summary?: RunSummary;
}

const lookEveryMs = 2000;
/** A restart takes about as long: no answer for so long is worth a word. */
const quietMs = 5000;

/**
 * Follows a run until its state says that it has ended; every event is shown once, in order. An event is a hint: neither
 * a forged `run_complete` ends it, nor does a lost one leave it waiting. Ends early when the signal does.
 */
export async function followRun(api: ApiClient, run: string, view: RunView, signal: AbortSignal): Promise<FollowedRun | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const watch = new StatusWatch(api, run, view, ended);
  const timer = setInterval(() => void watch.look(), lookEveryMs);
  try {
    for await (const item of api.events({ signal: stop })) {
      if (item.event['run'] !== run) continue;
      view.event(item);
      if (item.event.event === 'run_complete') await watch.look();
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

/** Looks at the state of a run now and then: whether it has ended, and what holds it up. */
class StatusWatch {
  private told?: string;
  private silentSince?: number;
  private looking?: Promise<void>;

  constructor(
    private readonly api: ApiClient,
    private readonly run: string,
    private readonly view: Pick<RunView, 'trouble'>,
    private readonly ended: AbortController,
  ) {}

  /** What cannot be asked now is asked again. One question at a time: an answer may take half a minute. */
  look(): Promise<void> {
    return (this.looking ??= this.ask().finally(() => (this.looking = undefined)));
  }

  private async ask(): Promise<void> {
    try {
      const { run, status, trouble } = await this.api.get<RunStatusView>('/runs/current');
      this.silentSince = undefined;
      if (run !== this.run || status !== 'running') this.ended.abort();
      else this.tell(trouble);
    } catch (error) {
      this.silentSince ??= performance.now();
      if (performance.now() - this.silentSince >= quietMs) this.tell(error instanceof Error ? error.message : String(error));
    }
  }

  private tell(sentence: string | undefined): void {
    if (sentence === this.told) return;
    this.told = sentence;
    this.view.trouble(sentence);
  }
}
