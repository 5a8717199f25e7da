import type { PlaybookLog } from '@larry/playbook';
import type { LaunchedWorker, WorkerExit } from '../launcher';
import { jobNode } from '../run-plan';
import type { JobFacts, PodFacts } from './job-facts';
import { verdictOn, type JobVerdict } from './job-verdict';

/** How long a Job's worker is waited for. */
export interface JobLimits {
  /** Until it runs, from the Job's creation, in ms: an image pull may take minutes. */
  startLimitMs: number;
  /** Until what people must mend is mended (an image, a Secret, room on a node, a quota), in ms. */
  patienceMs: number;
  /** Beyond its grace, until its node counts as silent, in ms. */
  silenceMs: number;
}

/** What one Job's worker needs of its launcher. */
export interface JobWorkerParts {
  uid: string;
  name: string;
  plannedNode: string;
  createdMs: number;
  graceMs: number;
  limits: JobLimits;
  log: PlaybookLog;
  facts(): { job: JobFacts | undefined; pods: PodFacts[] };
  /** Asks the API server itself how it stands. */
  refresh(): Promise<void>;
  /** What events say about the Job or its pods; '' where they say nothing. */
  warning(): Promise<string>;
  /** What keeps its scheduled pod from being set up (a volume, its network), as events say it; '' while nothing does. */
  obstacle(): Promise<string>;
  /** Deletes the Job with its pods; goes on until it is gone. */
  remove(): void;
  /** It has ended. */
  forget(): void;
}

/** News of a pod may come a moment after those of its Job. */
const newsMs = 1000;
const askAgainMs = 5000;

/** A worker that is a Job. */
export class JobWorker implements LaunchedWorker {
  readonly id: string;
  readonly exited: Promise<WorkerExit>;
  private end: (exit: WorkerExit) => void = () => undefined;
  private ended = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private stopTimer: NodeJS.Timeout | undefined;
  /** Since when something is in its way, and what was said of it. */
  private trouble: { since: number; said: string } | undefined;
  /** When the events of a pod that only comes up are looked at next. */
  private eventsDue: number | undefined;
  /** The API server is being asked about it. */
  private asking = false;
  private removed = false;

  constructor(private readonly parts: JobWorkerParts) {
    this.id = parts.name;
    this.exited = new Promise((resolve) => (this.end = resolve));
  }

  /** The node that its pod was bound to; the planned one, said to be so, until then. */
  get node(): string {
    const { pods } = this.parts.facts();
    return (pods.find((pod) => !pod.gone && pod.node) ?? pods.find((pod) => pod.node))?.node ?? jobNode(this.parts.plannedNode);
  }

  /** Deletes the Job. Its pod gets SIGTERM and the grace of its own template, which no `graceMs` shortens. */
  async stop(graceMs: number): Promise<void> {
    if (!this.ended && !this.stopped) {
      this.stopped = true;
      this.remove();
      const withinMs = Math.max(graceMs, this.parts.graceMs) + this.parts.limits.silenceMs;
      this.stopTimer = setTimeout(() => this.finish({ reason: `its pod has not ended ${Math.round(withinMs / 1000)} s after its Job was deleted`, unsure: true }), withinMs);
    }
    await this.exited;
  }

  /** Looks at what is known now, and sets the time of the next look. */
  look(): void {
    if (this.ended || this.asking) return;
    clearTimeout(this.timer);
    const { job, pods } = this.parts.facts();
    this.act(verdictOn(job, pods), pods.length === 0);
  }

  /** Nothing more is heard of it: its launcher closes. */
  dispose(): void {
    this.ended = true;
    clearTimeout(this.timer);
    clearTimeout(this.stopTimer);
  }

  private act(verdict: JobVerdict, withoutPod: boolean): void {
    switch (verdict.state) {
      case 'running':
        this.trouble = undefined;
        return;
      case 'waiting':
        return this.wait(verdict, withoutPod);
      case 'ending':
        return this.later(verdict.withinMs + this.parts.limits.silenceMs, () => this.finish({ reason: `${verdict.why}, and its node does not say that it ended`, unsure: true }));
      case 'missing':
        return this.later(newsMs, () => this.finish(verdict.exit));
      case 'ended':
        return this.finish(verdict.exit);
    }
  }

  private wait({ trouble, hopeless }: Extract<JobVerdict, { state: 'waiting' }>, withoutPod: boolean): void {
    const { limits, log, createdMs, name } = this.parts;
    const now = Date.now();
    if (trouble !== undefined && this.trouble?.said !== trouble) log.warn({ job: name, waiting: trouble }, 'a worker cannot start yet');
    // Without a pod something is in the way as well; with one, no word means that it is coming up.
    this.trouble = trouble !== undefined || withoutPod ? { since: this.trouble?.since ?? now, said: trouble ?? '' } : undefined;
    if (hopeless) return this.later(0, () => void this.giveUp());
    const starting = createdMs + limits.startLimitMs;
    if (this.trouble) {
      this.eventsDue = undefined;
      return this.later(Math.min(starting, this.trouble.since + limits.patienceMs) - now, () => void this.giveUp());
    }
    this.eventsDue ??= now + limits.patienceMs;
    if (starting <= this.eventsDue) return this.later(starting - now, () => void this.giveUp());
    this.later(this.eventsDue - now, () => void this.lookAtEvents());
  }

  /** A pod that cannot be set up says `ContainerCreating` as one that pulls its image does: only its events tell which. */
  private async lookAtEvents(): Promise<void> {
    const { parts } = this;
    this.asking = true;
    const obstacle = await parts.obstacle().catch((error: unknown) => {
      parts.log.warn({ job: parts.name, error: error instanceof Error ? error.message : String(error) }, 'the events of a worker that does not start cannot be read');
      return '';
    });
    this.asking = false;
    this.eventsDue = undefined;
    if (this.ended) return;
    if (obstacle === '') return this.look();
    await this.giveUp(obstacle);
  }

  private later(ms: number, act: () => void): void {
    this.timer = setTimeout(act, Math.max(0, ms));
  }

  /** The time is over. Looks afresh first, because a watch may be late; without an answer nothing is decided. */
  private async giveUp(obstacle?: string): Promise<void> {
    const { parts } = this;
    this.asking = true;
    let warning: string;
    try {
      await parts.refresh();
      warning = await parts.warning();
    } catch (error) {
      parts.log.warn({ job: parts.name, error: error instanceof Error ? error.message : String(error) }, 'a worker that does not start cannot be looked at');
      this.asking = false;
      return this.later(askAgainMs, () => void this.giveUp(obstacle));
    }
    this.asking = false;
    if (this.ended) return;
    const { job, pods } = parts.facts();
    const verdict = verdictOn(job, pods);
    if (verdict.state !== 'waiting') return this.act(verdict, pods.length === 0);
    const seconds = Math.round((Date.now() - (verdict.trouble || pods.length === 0 ? (this.trouble?.since ?? parts.createdMs) : parts.createdMs)) / 1000);
    const why = verdict.trouble ?? obstacle ?? (warning || (pods.length === 0 ? 'its Job has no pod' : 'its image is still being pulled or its volumes mounted'));
    this.remove();
    this.finish({ reason: `it could not start${verdict.hopeless ? '' : ` within ${seconds} s`}: ${why}`, error: true, unsure: true });
  }

  private remove(): void {
    if (!this.removed) this.parts.remove();
    this.removed = true;
  }

  private finish(exit: WorkerExit): void {
    if (this.ended) return;
    const { job, pods } = this.parts.facts();
    // A Job whose pod was taken away might get another one for the same claim.
    if (exit.code === undefined && job && !job.gone && !job.ended && pods.every((pod) => pod.gone)) this.remove();
    this.dispose();
    this.end(exit);
    this.parts.forget();
  }
}
