import type { LarryReport, RunStatusView, TaskResult } from '@larry/contracts';
import type { WriteStream } from 'node:tty';
import { alternateScreen, type AlternateScreen } from '../terminal/alternate-screen';
import type { TypedAddress } from '../program/typed-command';
import { wantsColour } from '../terminal/paint';
import type { ApiClient, StreamedEvent } from './api-client';
import { dashboardText, type DashboardStatus } from './dashboard';
import type { RunView } from './follow-run';

/** At most five readings of the status a second. */
const refreshEveryMs = 200;
const retryMs = 1000;
const keptEvents = 500;

/** How the live dashboard is opened. */
export interface LiveDashboardOptions {
  stream: WriteStream;
  /** What Ctrl-C does, at the bottom. */
  keys: string;
  /** How commands find the run. */
  address?: TypedAddress;
}

/**
 * The dashboard on a terminal's alternate screen. Every event leads to a new reading of the status, at most five a second;
 * without events nothing is asked (but while a worker is being launched), and the seconds count on by themselves.
 */
export class LiveDashboard implements RunView {
  private readonly screen: AlternateScreen;
  private readonly figures = new Figures();
  private readonly events: StreamedEvent[] = [];
  private readonly clock: NodeJS.Timeout;
  private status?: RunStatusView;
  private readAtMs = 0;
  private simulated?: boolean;
  private problem?: string;
  private pending?: NodeJS.Timeout;
  private reading?: Promise<void>;
  private again = false;
  private ended = false;

  constructor(
    private readonly api: ApiClient,
    private readonly options: LiveDashboardOptions,
  ) {
    this.screen = alternateScreen(options.stream, () => this.draw());
    this.clock = setInterval(() => this.draw(), 1000);
    this.refresh(0);
  }

  event(item: StreamedEvent): void {
    this.events.push(item);
    if (this.events.length > keptEvents) this.events.splice(0, this.events.length - keptEvents);
    this.refresh(refreshEveryMs);
  }

  /** The next reading says the same. */
  trouble(): void {
    this.refresh(0);
  }

  end(): void {
    this.ended = true;
    clearInterval(this.clock);
    clearTimeout(this.pending);
    this.screen.close();
  }

  private refresh(inMs: number): void {
    if (this.ended) return;
    if (this.reading) this.again = true;
    else this.pending ??= setTimeout(() => this.startReading(), inMs);
  }

  private startReading(): void {
    this.pending = undefined;
    this.reading = this.read().finally(() => {
      this.reading = undefined;
      this.draw();
      if (this.again) this.refresh(refreshEveryMs);
      else if (this.problem !== undefined || this.isStarting()) this.refresh(retryMs);
      this.again = false;
    });
  }

  /** No event says that a worker has started: while one is being launched, it is looked at again. */
  private isStarting(): boolean {
    const tasks = this.status?.status === 'running' ? this.status.tasks : [];
    return tasks.some((t) => t.status === 'claimed');
  }

  private async read(): Promise<void> {
    try {
      this.status = await this.api.get<RunStatusView>('/runs/current');
      this.readAtMs = performance.now();
      await this.figures.read(this.api, this.status);
      this.simulated ??= await isSimulated(this.api, this.status);
      this.problem = undefined;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  private draw(): void {
    if (!this.ended) this.screen.show(this.text(this.screen.columns, this.screen.rows));
  }

  private text(columns: number, rows: number): string {
    if (!this.status) return this.problem ?? 'Reading the run …';
    const status: DashboardStatus = { ...this.status, figures: this.figures.byLarry(this.status) };
    const sinceMs = performance.now() - this.readAtMs;
    return dashboardText(status, this.events, {
      columns,
      rows,
      colour: wantsColour(this.options.stream),
      ...(this.simulated === undefined ? {} : { simulated: this.simulated }),
      now: new Date(Date.parse(this.status.now) + sinceMs),
      keys: this.options.keys,
      ...(this.options.address ? { address: this.options.address } : {}),
      ...(this.problem === undefined ? {} : { notice: this.problem }),
    });
  }
}

/** What tasks that completed reported, each asked for once. */
export class Figures {
  private run = '';
  private readonly byTask = new Map<string, Record<string, number | string>>();

  /** Asks for what is not known yet. */
  async read(api: ApiClient, { run, tasks }: RunStatusView): Promise<void> {
    if (this.run !== run) this.byTask.clear();
    this.run = run;
    for (const { task } of tasks.filter((t) => t.status === 'completed' && !this.byTask.has(t.task))) {
      const record = await api.find<{ result?: Partial<TaskResult> }>(`/runs/current/tasks/${encodeURIComponent(task)}`);
      this.byTask.set(task, record?.result?.figures ?? {});
    }
  }

  /** The sums, as the quick start's `phase:<larry>:…` keys have them. */
  byLarry({ tasks }: RunStatusView): Record<string, Record<string, number>> {
    const sums: Record<string, Record<string, number>> = {};
    for (const { task, larry } of tasks) {
      for (const [name, value] of Object.entries(this.byTask.get(task) ?? {})) {
        if (typeof value !== 'number') continue;
        const own = (sums[larry] ??= {});
        own[name] = (own[name] ?? 0) + value;
      }
    }
    return sums;
  }
}

/** Whether the run reads a simulated cluster: its reports say so. */
export async function isSimulated(api: ApiClient, { larrys }: RunStatusView): Promise<boolean | undefined> {
  const first = larrys[0]?.larry;
  if (!first) return undefined;
  const report = await api.find<Pick<LarryReport, 'source'>>(`/runs/current/reports/${encodeURIComponent(first)}`).catch(() => undefined);
  return report?.source.simulated;
}
